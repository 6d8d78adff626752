// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_client.h
// -----------------------------------------------------------------------------
//
// `KeeperClient` speaks to the keeper: the daemon (`//protets:keeper`) that
// holds the memory of named tables so that it outlives the OS processes that
// use it. A process claims a table, maps the memory it is given, says that it
// has attached, and works on it without the keeper from then on. When the
// process dies, in whatever way, the next claimer gets the same memory with
// the next epoch.
//
//   absl::StatusOr<KeeperClient> keeper =
//       KeeperClient::Connect(DefaultKeeperSocket());
//   if (!keeper.ok()) return keeper.status();
//   absl::StatusOr<Grant> grant = keeper->Claim(
//       {.name = "users", .schema = kSchema, .max_bytes = 1 << 30,
//        .wait = absl::Seconds(10)});
//   if (!grant.ok()) return grant.status();
//   // Map grant->fd; format the memory if grant->fresh, recover it if not.
//   absl::Status attached = keeper->Attached("users", grant->epoch);
//
// The memory of a grant that is not fresh holds a table already: that can be
// said at once, by `SayAttached()`, and nobody has to wait for the answer.
//
// Ownership belongs to the OS process, not to the connection: closing the
// client releases nothing, and a table stays owned until `Release()`, `Drop()`
// or the death of the process. The keeper knows a process by the one that
// called `Connect()`: a forked child must connect anew.
//
// Thread safety: all members may be called from any thread; a claim that waits
// does not hold up the calls of other threads. Moving and destroying need
// exclusive access, as usual.
//
// Every call blocks for a bounded time. A keeper that does not answer within
// `kAnswerTime` (after the end of the wait, for a claim) gives kNoKeeper, and
// so does every later call: connect again.
//
// It is not a table: it hands over bytes and knows nothing of rows. Linux only.

#ifndef PROTETS_KEEPER_CLIENT_H_
#define PROTETS_KEEPER_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/unique_fd/unique_fd.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_socket.h"

namespace ets_keeper {
namespace protets {

// ClaimRequest
//
// What a process asks of the keeper when it wants to own a table.
struct ClaimRequest {
  // 1 to 128 printable ASCII characters.
  std::string name = "";

  // A fingerprint of the layout of the rows. The keeper only compares it: a
  // table is never given to a claimer with another one.
  uint64_t schema = 0;

  // The size of the memory, in bytes, if the table is to be created; must then
  // be positive. Address space only: pages are taken when they are touched. A
  // table that exists keeps the size it has.
  uint64_t max_bytes = 0;

  // Whether a table that does not exist is created.
  bool may_create = true;

  // Whether it is then given the machine's huge pages: see
  // common/arena/arena_file.h.
  bool huge_pages = false;

  // How long to stand in line while the table has a living owner. Zero does
  // not stand in line; `absl::InfiniteDuration()` waits for ever.
  absl::Duration wait = absl::ZeroDuration();
};

// Grant
//
// The ownership of a table, as given to a claimer.
struct Grant {
  UniqueFd fd = {};     // the memory, read-write; its size cannot change
  uint64_t epoch = 0;   // greater than that of every owner before
  uint64_t bytes = 0;   // size of the memory
  uint64_t schema = 0;  // as claimed
  bool fresh = false;   // all zeroes, to be formatted
  uint32_t deaths = 0;  // owners that died, since the table was formatted
};

// ReadGrant
//
// A read-only view of a table that somebody else may own. Its descriptor
// cannot be mapped for writing.
struct ReadGrant {
  UniqueFd fd = {};
  uint64_t epoch = 0;
  uint64_t bytes = 0;
  uint64_t schema = 0;
};

// KeeperClient
//
// A connection to a keeper.
class KeeperClient {
 public:
  // How long a keeper may take for an answer before it counts as hung.
  static constexpr absl::Duration kAnswerTime = absl::Seconds(5);

  // KeeperClient::Connect()
  //
  // Connects to the keeper that listens at `path` and makes sure that it
  // answers. kNoKeeper when nobody does; kDenied when the keeper, or this
  // client's judgement of the keeper, does not allow it (the keeper must run
  // as root or as the same user); kNoMemory when the keeper has as many
  // connections as it may have, in all or of this process; kProtocol when the
  // two are of versions that do not understand each other; kBadOption when
  // `path` is too long for a socket.
  [[nodiscard]] static absl::StatusOr<KeeperClient> Connect(
      absl::string_view path, absl::Duration answer_time = kAnswerTime);

  KeeperClient(KeeperClient&&) noexcept;
  KeeperClient& operator=(KeeperClient&&) noexcept;
  ~KeeperClient();

  // KeeperClient::Claim()
  //
  // Makes this process the owner of a table. The memory has been checked: it
  // is as large as the grant says and sealed against any change of its size.
  //
  //   kTableNotFound   no such table, and `may_create` is false
  //   kAlreadyOwned    a living process owns it (the message names it), and
  //                    `wait` is zero; or this process owns it
  //   kTimeout         the owner was still alive when `wait` was over
  //   kSchemaMismatch  the table was created with another schema
  //   kBadOption       a bad name, a size that is zero or over the keeper's
  //                    limit
  //   kNoMemory        the keeper has as many tables or claims as it may have
  //   kUnavailable     the keeper could not make the memory
  //
  // A grant becomes final with `Attached()`. If that call fails with kNoKeeper,
  // the keeper may have read it all the same: make it again, over another
  // connection. If it fails otherwise, unmap and forget the grant; the process
  // may then claim the table again.
  [[nodiscard]] absl::StatusOr<Grant> Claim(const ClaimRequest& request);

  // KeeperClient::Attached()
  //
  // Tells the keeper that the memory of the grant holds a well-formed table.
  // A table whose owner dies before this was never formatted: its memory is
  // thrown away if it was fresh. kNotOwner when `epoch` is not the current one
  // or another process owns the table; kTableNotFound.
  [[nodiscard]] absl::Status Attached(absl::string_view name, uint64_t epoch);

  // KeeperClient::SayAttached()
  //
  // Says the same and awaits no answer: for a grant just received that is not
  // fresh. The answer would be yes: while this process lives, nobody else is
  // granted the table. Should it turn out to be of no use, release it.
  // Ok when the words are on their way: the keeper reads them before it deems
  // this connection lost. kNoKeeper when they are not: call `Attached()`, over
  // another connection. kBadOption for a bad name.
  [[nodiscard]] absl::Status SayAttached(absl::string_view name,
                                         uint64_t epoch);

  // KeeperClient::Release()
  //
  // Gives the table back; it is kept for the next claimer. Unmap it first.
  // Errors as for `Attached()`.
  [[nodiscard]] absl::Status Release(absl::string_view name, uint64_t epoch);

  // KeeperClient::Drop()
  //
  // Deletes the table: when this returns, its name is free. The memory goes
  // when the last process has unmapped it. Ok when there is no such table;
  // kDenied when another living process owns it (the message names it).
  [[nodiscard]] absl::Status Drop(absl::string_view name);

  // KeeperClient::Open()
  //
  // A read-only view of a table, whoever owns it. kTableNotFound when there is
  // no such table or its first owner has not formatted it yet.
  [[nodiscard]] absl::StatusOr<ReadGrant> Open(absl::string_view name);

  // KeeperClient::List()
  //
  // All tables, by name. One exchange per table: tables that come or go
  // meanwhile may or may not be seen.
  [[nodiscard]] absl::StatusOr<std::vector<KeeperTableInfo>> List();

  // KeeperClient::Ping()
  //
  // Ok when the keeper answers. It has then dealt with all that this client
  // asked before, but for claims that wait.
  [[nodiscard]] absl::Status Ping();

 private:
  class Connection;

  explicit KeeperClient(std::shared_ptr<Connection> connection);

  absl::Status Tell(RequestType type, absl::string_view name, uint64_t epoch);

  std::shared_ptr<Connection> connection_;
};

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_CLIENT_H_
