// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_protocol.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace protets {
namespace {

constexpr uint32_t kMagic = 0x4b535445;  // "ETSK"
constexpr size_t kIdOffset = 8;
constexpr size_t kHeaderSize = 16;
constexpr size_t kCauseWidth = 28;

constexpr uint32_t kMayCreateFlag = 1;
constexpr uint32_t kWaitFlag = 2;
constexpr uint32_t kHugePagesFlag = 4;
constexpr uint32_t kFreshFlag = 1;

// Appends fields to a packet.
class Writer {
 public:
  explicit Writer(size_t size) : size_(size) { bytes_.reserve(size); }

  template <typename T>
  void Number(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(static_cast<char>(value >> (8 * i)));
    }
  }

  void Text(absl::string_view text, size_t width) {
    text = text.substr(0, width);
    Number(static_cast<uint32_t>(text.size()));
    bytes_.append(text.data(), text.size());
    bytes_.append(width - text.size(), '\0');
  }

  std::string Finish() && {
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  size_t size_;
  std::string bytes_;
};

// Takes fields from a packet whose size has been checked. What is not in
// canonical form makes it `bad()` for good.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Number() {
    T value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      value |= static_cast<T>(static_cast<T>(static_cast<uint8_t>(bytes_[i]))
                              << (8 * i));
    }
    bytes_.remove_prefix(sizeof(T));
    return value;
  }

  // A number that must not be over `max`.
  template <typename T>
  T Number(T max) {
    const T value = Number<T>();
    bad_ |= value > max;
    return value;
  }

  std::string Text(size_t width) {
    const size_t size =
        std::min<size_t>(Number<uint32_t>(static_cast<uint32_t>(width)), width);
    std::string text(bytes_.substr(0, size));
    Zeroes(bytes_.substr(size, width - size));
    bytes_.remove_prefix(width);
    return text;
  }

  // The rest is padding. Whether all was in canonical form.
  bool Finish() {
    Zeroes(bytes_);
    return !bad_;
  }

 private:
  void Zeroes(absl::string_view bytes) {
    bad_ |= bytes.find_first_not_of('\0') != absl::string_view::npos;
  }

  absl::string_view bytes_;
  bool bad_ = false;
};

void WriteHeader(Writer& writer, uint16_t type, uint64_t id) {
  writer.Number(kMagic);
  writer.Number(kProtocolVersion);
  writer.Number(type);
  writer.Number(id);
}

absl::Status Malformed(absl::string_view what) {
  return MakeStatus(Cause::kProtocol, what);
}

// Checks what is the same in all versions, then the size.
absl::Status CheckPacket(absl::string_view packet, size_t size) {
  if (packet.size() < kHeaderSize) {
    return Malformed(absl::StrCat("a packet of ", packet.size(),
                                  " bytes is no keeper message"));
  }
  Reader reader(packet);
  if (reader.Number<uint32_t>() != kMagic) {
    return Malformed("the packet is no keeper message");
  }
  if (const auto version = reader.Number<uint16_t>();
      version != kProtocolVersion) {
    return Malformed(absl::StrCat("the message is of protocol version ",
                                  version, ", version ", kProtocolVersion,
                                  " was expected"));
  }
  if (packet.size() != size) {
    return Malformed(absl::StrCat("a message of ", packet.size(),
                                  " bytes, expected were ", size));
  }
  return absl::OkStatus();
}

bool IsPrintable(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
}

bool MayHaveName(RequestType type, absl::string_view name) {
  switch (type) {
    case RequestType::kPing:
      return name.empty();
    case RequestType::kList:
      return IsPrintable(name);
    default:
      return CheckTableName(name).ok();
  }
}

std::optional<Cause> CauseNamed(absl::string_view name) {
  for (int i = 0; i <= static_cast<int>(Cause::kDenied); ++i) {
    const Cause cause = static_cast<Cause>(i);
    const auto cause_name = CauseName(cause);
    if (name == absl::string_view(cause_name.data(), cause_name.size())) {
      return cause;
    }
  }
  return std::nullopt;
}

}  // namespace

absl::string_view KeeperTableStateName(KeeperTableState state) {
  switch (state) {
    case KeeperTableState::kCreating:
      return "creating";
    case KeeperTableState::kOwned:
      return "owned";
    case KeeperTableState::kOrphaned:
      return "orphaned";
  }
  return "unknown";
}

absl::Status CheckTableName(absl::string_view name) {
  if (!name.empty() && name.size() <= kMaxTableName && IsPrintable(name)) {
    return absl::OkStatus();
  }
  return MakeStatus(
      Cause::kBadOption,
      absl::StrCat("\"", absl::CHexEscape(name.substr(0, kMaxTableName)),
                   "\" is no table name: it takes 1 to ", kMaxTableName,
                   " printable ASCII characters"));
}

std::string EncodeRequest(const Request& request) {
  Writer writer(kRequestSize);
  WriteHeader(writer, static_cast<uint16_t>(request.type), request.id);
  writer.Number(request.schema);
  writer.Number(request.max_bytes);
  writer.Number(request.epoch);
  writer.Number(request.wait_ms);
  writer.Number((request.may_create ? kMayCreateFlag : 0) |
                (request.wait ? kWaitFlag : 0) |
                (request.huge_pages ? kHugePagesFlag : 0));
  writer.Text(request.name, kMaxTableName);
  return std::move(writer).Finish();
}

absl::StatusOr<Request> DecodeRequest(absl::string_view packet) {
  if (absl::Status status = CheckPacket(packet, kRequestSize); !status.ok()) {
    return status;
  }
  Reader reader(packet.substr(kIdOffset - sizeof(uint16_t)));
  Request request;
  const auto type = reader.Number<uint16_t>();
  request.type = static_cast<RequestType>(type);
  request.id = reader.Number<uint64_t>();
  request.schema = reader.Number<uint64_t>();
  request.max_bytes = reader.Number<uint64_t>();
  request.epoch = reader.Number<uint64_t>();
  request.wait_ms = reader.Number<uint64_t>();
  const auto flags =
      reader.Number<uint32_t>(kMayCreateFlag | kWaitFlag | kHugePagesFlag);
  request.may_create = (flags & kMayCreateFlag) != 0;
  request.wait = (flags & kWaitFlag) != 0;
  request.huge_pages = (flags & kHugePagesFlag) != 0;
  request.name = reader.Text(kMaxTableName);
  if (type < static_cast<uint16_t>(RequestType::kPing) ||
      type > static_cast<uint16_t>(RequestType::kList)) {
    return Malformed(absl::StrCat("there is no request of type ", type));
  }
  if (request.id == 0) return Malformed("a request without an id");
  if (!reader.Finish() || !MayHaveName(request.type, request.name)) {
    return Malformed("a field of the request is malformed");
  }
  return request;
}

std::string EncodeReply(const Reply& reply) {
  Writer writer(kReplySize);
  const KeeperTableInfo& table = reply.table;
  WriteHeader(writer, static_cast<uint16_t>(reply.type), reply.id);
  writer.Number(table.epoch);
  writer.Number(table.bytes);
  writer.Number(table.schema);
  writer.Number(
      static_cast<uint64_t>(absl::ToInt64Milliseconds(table.orphaned_for)));
  writer.Number(table.deaths);
  writer.Number(static_cast<uint32_t>(table.owner_pid));
  writer.Number(reply.fresh ? kFreshFlag : uint32_t{0});
  writer.Number(static_cast<uint32_t>(table.state));
  writer.Text(table.name, kMaxTableName);
  const auto cause = CauseName(reply.cause);
  writer.Text(absl::string_view(cause.data(), cause.size()), kCauseWidth);
  writer.Text(reply.message, Reply::kMaxMessage);
  return std::move(writer).Finish();
}

absl::StatusOr<Reply> DecodeReply(absl::string_view packet) {
  if (absl::Status status = CheckPacket(packet, kReplySize); !status.ok()) {
    return status;
  }
  Reader reader(packet.substr(kIdOffset - sizeof(uint16_t)));
  Reply reply;
  KeeperTableInfo& table = reply.table;
  const auto type = reader.Number<uint16_t>();
  reply.type = static_cast<ReplyType>(type);
  reply.id = reader.Number<uint64_t>();
  table.epoch = reader.Number<uint64_t>();
  table.bytes = reader.Number<uint64_t>();
  table.schema = reader.Number<uint64_t>();
  table.orphaned_for = absl::Milliseconds(static_cast<int64_t>(
      reader.Number<uint64_t>(std::numeric_limits<int64_t>::max())));
  table.deaths = reader.Number<uint32_t>();
  table.owner_pid = static_cast<int32_t>(
      reader.Number<uint32_t>(std::numeric_limits<int32_t>::max()));
  reply.fresh = reader.Number<uint32_t>(kFreshFlag) != 0;
  const auto state = reader.Number<uint32_t>();
  table.state = static_cast<KeeperTableState>(state);
  table.name = reader.Text(kMaxTableName);
  const std::optional<Cause> cause = CauseNamed(reader.Text(kCauseWidth));
  reply.message = reader.Text(Reply::kMaxMessage);
  if (type < static_cast<uint16_t>(ReplyType::kOk) ||
      type > static_cast<uint16_t>(ReplyType::kEnd)) {
    return Malformed(absl::StrCat("there is no reply of type ", type));
  }
  if (!reader.Finish() || !cause.has_value() || !IsPrintable(table.name) ||
      state < static_cast<uint32_t>(KeeperTableState::kCreating) ||
      state > static_cast<uint32_t>(KeeperTableState::kOrphaned)) {
    return Malformed("a field of the reply is malformed");
  }
  reply.cause = *cause;
  return reply;
}

uint64_t PeekRequestId(absl::string_view packet) {
  if (packet.size() < kHeaderSize) return 0;
  if (Reader(packet).Number<uint32_t>() != kMagic) return 0;
  return Reader(packet.substr(kIdOffset)).Number<uint64_t>();
}

Reply ErrorReply(uint64_t id, const absl::Status& status) {
  Reply reply;
  reply.type = ReplyType::kError;
  reply.id = id;
  reply.cause = CauseOf(status).value_or(Cause::kUnavailable);
  reply.message = std::string(status.message().substr(0, Reply::kMaxMessage));
  return reply;
}

absl::Status ErrorOf(const Reply& reply) {
  return MakeStatus(reply.cause, reply.message);
}

}  // namespace protets
}  // namespace ets_keeper
