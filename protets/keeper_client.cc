// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/arena/arena_file.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_socket.h"

namespace ets_keeper {
namespace protets {
namespace {

// A reply and the descriptor that came with it.
struct Answer {
  Reply reply;
  UniqueFd fd;
};

absl::Status OkOrError(const absl::StatusOr<Answer>& answer) {
  if (!answer.ok()) return answer.status();
  if (answer->reply.type == ReplyType::kOk) return absl::OkStatus();
  return MakeStatus(Cause::kProtocol, "the keeper's reply does not fit");
}

// The answer's memory, if it is what its reply says.
absl::StatusOr<Answer> CheckMemory(absl::StatusOr<Answer> answer,
                                   ReplyType expected) {
  if (!answer.ok()) return answer.status();
  if (answer->reply.type != expected || !answer->fd) {
    return MakeStatus(Cause::kProtocol, "the keeper's reply brings no memory");
  }
  absl::Status checked =
      CheckArenaFile(answer->fd.get(), answer->reply.table.bytes);
  if (!checked.ok()) return checked;
  return answer;
}

Request AboutTable(RequestType type, absl::string_view name, uint64_t epoch) {
  Request request;
  request.type = type;
  request.name = std::string(name);
  request.epoch = epoch;
  return request;
}

uint64_t ToWaitMs(absl::Duration wait) {
  if (wait == absl::InfiniteDuration()) return Request::kForever;
  return static_cast<uint64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1))));
}

}  // namespace

// The socket, and who waits for what. The thread that waits for an answer reads
// the socket for all of them, unless another one already does.
class KeeperClient::Connection {
 public:
  Connection(std::string path, UniqueFd socket, absl::Duration answer_time)
      : path_(std::move(path)),
        answer_time_(answer_time),
        socket_(std::move(socket)) {}

  // The reply to `request`, which the keeper may keep for `wait`; its error if
  // it is one.
  absl::StatusOr<Answer> Exchange(Request request,
                                  absl::Duration wait = absl::ZeroDuration())
      ABSL_LOCKS_EXCLUDED(mu_);

  // Sends `request`, whose reply, when it comes, is thrown away.
  absl::Status Say(Request request) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Pending = std::optional<absl::StatusOr<Answer>>;

  // Whether a thread that waits for `pending` has something to do.
  struct Wakeup {
    const Connection* connection;
    const Pending* pending;
  };
  static bool IsAwake(Wakeup* wakeup) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return wakeup->pending->has_value() || !wakeup->connection->has_reader_;
  }

  void Await(Pending& pending, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Reads until `pending` is answered, the deadline or the end.
  void ReadUntil(const Pending& pending, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Dispatch(Received received) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Every call, under way or to come, gets `reason`.
  void Break(const absl::Status& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status NotSent() const;
  absl::Status NoAnswer() const;
  absl::Status Closed() const;

  const std::string path_;
  const absl::Duration answer_time_;
  absl::Mutex mu_;
  UniqueFd socket_;  // closed with the object, so that a reader may be in poll
  bool has_reader_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t last_id_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status broken_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint64_t, Pending*> pending_ ABSL_GUARDED_BY(mu_);
};

absl::StatusOr<Answer> KeeperClient::Connection::Exchange(Request request,
                                                          absl::Duration wait) {
  Pending pending;
  {
    Lock lock(mu_);
    if (!broken_.ok()) return broken_;
    request.id = ++last_id_;
    pending_.emplace(request.id, &pending);
    // If the other end is gone it may have left a word why, which is read next.
    // If it does not read, there will be no answer in time.
    const bool sent = SendPacket(socket_.get(), EncodeRequest(request));
    Await(pending, absl::Now() + (sent ? wait + answer_time_ : answer_time_));
    pending_.erase(request.id);
  }
  absl::StatusOr<Answer>& answer = *pending;
  if (answer.ok() && answer->reply.type == ReplyType::kError) {
    return ErrorOf(answer->reply);
  }
  return std::move(answer);
}

absl::Status KeeperClient::Connection::Say(Request request) {
  Lock lock(mu_);
  if (!broken_.ok()) return broken_;
  request.id = ++last_id_;
  const bool sent = SendPacket(socket_.get(), EncodeRequest(request));
  return sent ? absl::OkStatus() : NotSent();
}

void KeeperClient::Connection::Await(Pending& pending, absl::Time deadline) {
  while (!pending.has_value()) {
    Wakeup wakeup{this, &pending};
    if (!mu_.AwaitWithDeadline(absl::Condition(&IsAwake, &wakeup), deadline)) {
      Break(NoAnswer());
    } else if (!pending.has_value()) {
      ReadUntil(pending, deadline);
    }
  }
}

void KeeperClient::Connection::ReadUntil(const Pending& pending,
                                         absl::Time deadline) {
  has_reader_ = true;
  while (!pending.has_value()) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      Break(NoAnswer());
      break;
    }
    const int64_t timeout_ms = std::min<int64_t>(
        absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))),
        std::numeric_limits<int>::max());
    ReleaseMutex(mu_);
    pollfd entry = {socket_.get(), POLLIN, 0};
    poll(&entry, 1, static_cast<int>(timeout_ms));
    Received received = ReceivePacket(socket_.get(), kReplySize, 1);
    AcquireMutex(mu_);
    Dispatch(std::move(received));
  }
  has_reader_ = false;
}

void KeeperClient::Connection::Dispatch(Received received) {
  if (received.state == Received::State::kNothingYet) return;
  if (received.state == Received::State::kClosed) return Break(Closed());
  absl::StatusOr<Reply> reply = DecodeReply(received.packet);
  if (!reply.ok()) return Break(reply.status());
  if (received.truncated) {
    return Break(MakeStatus(Cause::kProtocol, "the keeper's reply is cut"));
  }
  if (reply->id == 0) {
    return Break(reply->type == ReplyType::kError ? ErrorOf(*reply) : Closed());
  }
  const auto it = pending_.find(reply->id);
  if (it == pending_.end()) return;
  Answer answer;
  answer.reply = *std::move(reply);
  if (!received.fds.empty()) answer.fd = std::move(received.fds.front());
  it->second->emplace(std::move(answer));
}

void KeeperClient::Connection::Break(const absl::Status& reason) {
  if (broken_.ok()) broken_ = reason;
  for (auto& [id, pending] : pending_) {
    if (!pending->has_value()) pending->emplace(broken_);
  }
  // The keeper learns of it now: what it grants from here on is not received.
  shutdown(socket_.get(), SHUT_RDWR);
}

absl::Status KeeperClient::Connection::NotSent() const {
  return MakeStatus(Cause::kNoKeeper,
                    absl::StrCat("the keeper at ", path_, " takes no message"));
}

absl::Status KeeperClient::Connection::NoAnswer() const {
  return MakeStatus(
      Cause::kNoKeeper,
      absl::StrCat("the keeper at ", path_, " did not answer in time (",
                   absl::FormatDuration(answer_time_), ")"));
}

absl::Status KeeperClient::Connection::Closed() const {
  return MakeStatus(Cause::kNoKeeper, absl::StrCat("the keeper at ", path_,
                                                   " closed the connection"));
}

KeeperClient::KeeperClient(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
KeeperClient::KeeperClient(KeeperClient&&) noexcept = default;
KeeperClient& KeeperClient::operator=(KeeperClient&&) noexcept = default;
KeeperClient::~KeeperClient() = default;

absl::StatusOr<KeeperClient> KeeperClient::Connect(absl::string_view path,
                                                   absl::Duration answer_time) {
  absl::StatusOr<UniqueFd> socket = ConnectTo(path, answer_time);
  if (!socket.ok()) return socket.status();
  KeeperClient client(std::make_shared<Connection>(
      std::string(path), *std::move(socket), answer_time));
  if (absl::Status answers = client.Ping(); !answers.ok()) return answers;
  return client;
}

absl::StatusOr<Grant> KeeperClient::Claim(const ClaimRequest& claim) {
  if (absl::Status name = CheckTableName(claim.name); !name.ok()) return name;
  if (claim.wait < absl::ZeroDuration()) {
    return MakeStatus(
        Cause::kBadOption,
        absl::StrCat("the claim of table ", claim.name, " cannot wait for ",
                     absl::FormatDuration(claim.wait)));
  }
  Request request;
  request.type = RequestType::kClaim;
  request.name = claim.name;
  request.schema = claim.schema;
  request.max_bytes = claim.max_bytes;
  request.may_create = claim.may_create;
  request.huge_pages = claim.huge_pages;
  request.wait = claim.wait > absl::ZeroDuration();
  request.wait_ms = ToWaitMs(claim.wait);
  absl::StatusOr<Answer> answer = CheckMemory(
      connection_->Exchange(std::move(request), claim.wait), ReplyType::kGrant);
  if (!answer.ok()) return answer.status();
  const KeeperTableInfo& table = answer->reply.table;
  return Grant{std::move(answer->fd), table.epoch,         table.bytes,
               table.schema,          answer->reply.fresh, table.deaths};
}

absl::Status KeeperClient::Attached(absl::string_view name, uint64_t epoch) {
  return Tell(RequestType::kAttached, name, epoch);
}

absl::Status KeeperClient::SayAttached(absl::string_view name, uint64_t epoch) {
  if (absl::Status good = CheckTableName(name); !good.ok()) return good;
  return connection_->Say(AboutTable(RequestType::kAttached, name, epoch));
}

absl::Status KeeperClient::Release(absl::string_view name, uint64_t epoch) {
  return Tell(RequestType::kRelease, name, epoch);
}

absl::Status KeeperClient::Drop(absl::string_view name) {
  return Tell(RequestType::kDrop, name, 0);
}

absl::Status KeeperClient::Tell(RequestType type, absl::string_view name,
                                uint64_t epoch) {
  if (absl::Status good = CheckTableName(name); !good.ok()) return good;
  return OkOrError(connection_->Exchange(AboutTable(type, name, epoch)));
}

absl::StatusOr<ReadGrant> KeeperClient::Open(absl::string_view name) {
  if (absl::Status good = CheckTableName(name); !good.ok()) return good;
  Request request;
  request.type = RequestType::kOpen;
  request.name = std::string(name);
  absl::StatusOr<Answer> answer = CheckMemory(
      connection_->Exchange(std::move(request)), ReplyType::kReadGrant);
  if (!answer.ok()) return answer.status();
  const KeeperTableInfo& table = answer->reply.table;
  return ReadGrant{std::move(answer->fd), table.epoch, table.bytes,
                   table.schema};
}

absl::StatusOr<std::vector<KeeperTableInfo>> KeeperClient::List() {
  std::vector<KeeperTableInfo> tables;
  while (true) {
    Request request;
    request.type = RequestType::kList;
    if (!tables.empty()) request.name = tables.back().name;
    absl::StatusOr<Answer> answer = connection_->Exchange(std::move(request));
    if (!answer.ok()) return answer.status();
    if (answer->reply.type == ReplyType::kEnd) return tables;
    KeeperTableInfo& table = answer->reply.table;
    const bool advances = tables.empty() || table.name > tables.back().name;
    if (answer->reply.type != ReplyType::kTable || !advances) {
      return MakeStatus(Cause::kProtocol, "the keeper's list does not advance");
    }
    tables.push_back(std::move(table));
  }
}

absl::Status KeeperClient::Ping() {
  return OkOrError(connection_->Exchange({}));
}

}  // namespace protets
}  // namespace ets_keeper
