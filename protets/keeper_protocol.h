// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_protocol.h
// -----------------------------------------------------------------------------
//
// The messages between the keeper and its clients, and how they look as bytes.
//
// A request is one packet of `kRequestSize` bytes, a reply one packet of
// `kReplySize` bytes, on a Unix SEQPACKET socket. Numbers are little-endian;
// texts are of a fixed width with their length beside them. Every request is
// answered by one reply that carries the request's id; the replies come in any
// order, as a claim may wait. A grant's reply has one descriptor attached
// (SCM_RIGHTS), every other message none.
//
//   std::string bytes = EncodeRequest({.type = RequestType::kPing, .id = 7});
//   absl::StatusOr<Request> request = DecodeRequest(bytes);
//
// The encoding is canonical: bytes that decode are what their decoding encodes
// to. What does not is refused with kProtocol, and nothing is allocated beyond
// the fixed widths. The magic, the version, the type and the id stay where
// they are in all versions, so that two of different versions can say so.
//
// Thread safety: values and pure functions.
//
// It knows nothing of sockets or of what a request does.

#ifndef PROTETS_KEEPER_PROTOCOL_H_
#define PROTETS_KEEPER_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace protets {

inline constexpr uint16_t kProtocolVersion = 1;
inline constexpr size_t kMaxTableName = 128;
inline constexpr size_t kRequestSize = 192;
inline constexpr size_t kReplySize = 512;

// RequestType
//
// The comment names the fields that mean something, beside `id`.
enum class RequestType : uint16_t {
  kPing = 1,
  kClaim = 2,     // name, schema, max_bytes, may_create, huge_pages, wait,
                  // wait_ms
  kAttached = 3,  // name, epoch
  kRelease = 4,   // name, epoch
  kDrop = 5,      // name
  kOpen = 6,      // name
  kList = 7,      // name: the reply is the first table after it; may be empty
};

// Request
//
// What a client sends.
struct Request {
  // `wait_ms` of a claim that waits for ever.
  static constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();

  RequestType type = RequestType::kPing;
  uint64_t id = 0;        // chosen by the client, not 0
  std::string name = "";  // see `CheckTableName()`
  uint64_t schema = 0;
  uint64_t max_bytes = 0;
  uint64_t epoch = 0;
  uint64_t wait_ms = 0;  // from the keeper's reading of the request on
  bool may_create = false;
  bool huge_pages = false;
  bool wait = false;

  friend bool operator==(const Request&, const Request&) = default;
};

// KeeperTableState
enum class KeeperTableState : uint8_t {
  kCreating = 1,  // its first owner has not attached yet
  kOwned = 2,     // has a living owner
  kOrphaned = 3,  // formatted, and without an owner
};

// KeeperTableStateName()
//
// "creating", "owned" or "orphaned".
[[nodiscard]] absl::string_view KeeperTableStateName(KeeperTableState state);

// KeeperTableInfo
//
// What the keeper knows about one table.
struct KeeperTableInfo {
  std::string name = "";
  KeeperTableState state = KeeperTableState::kCreating;
  uint64_t epoch = 0;
  int32_t owner_pid = 0;  // the owner's OS process; 0 when orphaned
  uint64_t bytes = 0;     // size of the memory
  uint64_t schema = 0;
  uint32_t deaths = 0;  // owners that died, since the table was formatted
  absl::Duration orphaned_for = absl::ZeroDuration();  // whole milliseconds

  friend bool operator==(const KeeperTableInfo&,
                         const KeeperTableInfo&) = default;
};

// ReplyType
enum class ReplyType : uint16_t {
  kOk = 1,         // to kPing, kAttached, kRelease and kDrop
  kError = 2,      // cause, message. Id 0: no answer to a request, but the
                   // reason why the connection is about to be closed
  kGrant = 3,      // table, fresh, and a read-write descriptor
  kReadGrant = 4,  // table, and a read-only descriptor
  kTable = 5,      // table
  kEnd = 6,        // to kList: no further table
};

// Reply
//
// What the keeper sends.
struct Reply {
  // Longer messages are cut.
  static constexpr size_t kMaxMessage = 256;

  ReplyType type = ReplyType::kOk;
  uint64_t id = 0;
  bool fresh = false;
  KeeperTableInfo table = {};
  Cause cause = Cause::kProtocol;
  std::string message = "";

  friend bool operator==(const Reply&, const Reply&) = default;
};

// CheckTableName()
//
// Ok for 1 to 128 printable ASCII characters; else kBadOption.
[[nodiscard]] absl::Status CheckTableName(absl::string_view name);

// EncodeRequest()
//
// `kRequestSize` bytes. A name over the limit is a programming error.
[[nodiscard]] std::string EncodeRequest(const Request& request);

// EncodeReply()
//
// `kReplySize` bytes.
[[nodiscard]] std::string EncodeReply(const Reply& reply);

// DecodeRequest(), DecodeReply()
//
// The message in `packet`; kProtocol, with a message that says what is wrong
// with it, when there is none.
[[nodiscard]] absl::StatusOr<Request> DecodeRequest(absl::string_view packet);
[[nodiscard]] absl::StatusOr<Reply> DecodeReply(absl::string_view packet);

// PeekRequestId()
//
// The id in a packet that does not decode, for an answer to it; 0 when not
// even that can be read.
[[nodiscard]] uint64_t PeekRequestId(absl::string_view packet);

// ErrorReply(), ErrorOf()
//
// The reply that carries `status`, which is not ok, and the way back. A status
// without a cause travels as kUnavailable.
[[nodiscard]] Reply ErrorReply(uint64_t id, const absl::Status& status);
[[nodiscard]] absl::Status ErrorOf(const Reply& reply);

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_PROTOCOL_H_
