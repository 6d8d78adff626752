// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_state.h
// -----------------------------------------------------------------------------
//
// `KeeperState` is what the keeper knows and decides: which tables there are,
// who owns them, who stands in line, and what each request is answered with.
// It makes no system call. Requests, deaths, lost connections and the time come
// in as calls; answers and memory go out through a `KeeperHost`. The same calls
// in the same order have the same effects, which is how it is tested.
//
//   KeeperState state(limits, host);
//   state.HandleRequest(peer, request, now_ms);   // host.SendReply() is called
//   state.HandleDeath(peer.process, now_ms);      // the next in line gets it
//
// What always holds:
//   * a table has at most one owner, and is granted to nobody else before that
//     owner's process has died or has released or dropped it;
//   * the epochs of one name strictly increase, over drops as well;
//   * every claim gets one answer, unless its connection is lost first;
//   * every table that is not being decided upon has one memory.
//
// Thread safety: none; one thread at a time. Calls may not come from within the
// host's members.

#ifndef PROTETS_KEEPER_STATE_H_
#define PROTETS_KEEPER_STATE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protets/keeper_protocol.h"

namespace ets_keeper {
namespace protets {

// Names given out by the host; 0 names nothing. A process has one id, however
// many connections it has, and the id is never used again.
using ConnectionId = uint64_t;
using ProcessId = uint64_t;
using MemoryId = uint64_t;

// Peer
//
// The sender of a request.
struct Peer {
  ConnectionId connection = 0;
  ProcessId process = 0;
  pid_t pid = 0;  // for people
  uid_t uid = 0;  // for people
};

// KeeperLimits
struct KeeperLimits {
  size_t max_tables = 1024;
  uint64_t max_bytes_per_table = uint64_t{1} << 40;
  size_t max_connections = 256;
  size_t max_connections_per_process = 64;  // who leaks them locks nobody out
  size_t max_waiting_claims_per_connection = 64;
};

// AuditEvent
//
// Something that an operator may want to find in a log.
struct AuditEvent {
  absl::string_view what;  // grant, deny, release, drop, owner_death, protocol
  Peer peer = {};
  absl::string_view table = "";
  uint64_t epoch = 0;
  absl::string_view reason = "";
};

// KeeperHost
//
// What `KeeperState` needs of the world.
class KeeperHost {
 public:
  virtual ~KeeperHost() = default;

  // KeeperHost::MakeMemory(), FreeMemory()
  //
  // New memory of zeroes for a table, until it is freed. What cannot be made is
  // told to the claimer.
  virtual absl::StatusOr<MemoryId> MakeMemory(absl::string_view table,
                                              uint64_t bytes,
                                              bool huge_pages) = 0;
  virtual void FreeMemory(MemoryId memory) = 0;

  // KeeperHost::SendReply()
  //
  // Sends `reply`, with `memory` attached if it is a kGrant or a kReadGrant.
  // Never blocks. Returns false if the client will never see it; the host
  // reports the connection as lost afterwards.
  virtual bool SendReply(ConnectionId connection, const Reply& reply,
                         MemoryId memory) = 0;

  // KeeperHost::Audit()
  virtual void Audit(const AuditEvent& event) = 0;
};

// KeeperState
class KeeperState {
 public:
  // `host` must outlive the state. The state frees no memory at its end.
  KeeperState(const KeeperLimits& limits, KeeperHost& host);

  KeeperState(const KeeperState&) = delete;
  KeeperState& operator=(const KeeperState&) = delete;

  // KeeperState::HandleRequest()
  //
  // `request` as it was decoded; `now_ms` on any clock that does not go back.
  void HandleRequest(const Peer& peer, const Request& request, uint64_t now_ms);

  // KeeperState::HandleDisconnect()
  //
  // The connection is no more: its claims leave the line. Its process keeps
  // what it owns.
  void HandleDisconnect(ConnectionId connection);

  // KeeperState::HandleDeath()
  //
  // The process is dead beyond doubt. Its tables go to the next in line.
  void HandleDeath(ProcessId process, uint64_t now_ms);

  // KeeperState::HandleTime()
  //
  // Answers the claims whose wait is over.
  void HandleTime(uint64_t now_ms);

  // KeeperState::NextDeadline()
  //
  // When `HandleTime()` next has something to do, if ever.
  [[nodiscard]] std::optional<uint64_t> NextDeadline() const;

  // KeeperState::OwnerOf()
  //
  // The process that owns the table; 0 when there is no owner or no table.
  [[nodiscard]] ProcessId OwnerOf(absl::string_view name) const;

  // KeeperState::OwnerConcernedBy()
  //
  // The process whose death, if it is not known here yet, would change the
  // answer to `request`: the owner of the table that it is about. 0 if none
  // would. Once that death was handled it may be another one.
  [[nodiscard]] ProcessId OwnerConcernedBy(const Request& request) const;

  // KeeperState::OwnsAnything()
  //
  // Whether the death of `process` would matter. Linear in the tables.
  [[nodiscard]] bool OwnsAnything(ProcessId process) const;

 private:
  // A claim that has not been answered.
  struct Waiter {
    Peer peer;
    Request request;
    uint64_t deadline_ms = 0;
  };

  struct Table {
    uint64_t schema = 0;
    uint64_t bytes = 0;
    uint64_t epoch = 0;
    MemoryId memory = 0;
    bool formatted = false;  // an owner has attached, once
    bool attached = false;   // the present owner has
    uint32_t deaths = 0;
    uint64_t orphaned_since_ms = 0;
    Peer owner;  // process 0: nobody; connection 0: the grant's one is closed
    std::deque<Waiter> line;

    bool owned() const { return owner.process != 0; }
  };

  using Tables = absl::btree_map<std::string, Table>;

  void HandleClaim(const Peer& peer, const Request& request, uint64_t now_ms);
  // Why the claim cannot even stand in line; ok if it can.
  absl::Status RefuseClaim(const Peer& peer, const Request& request) const;
  void HandleAttached(const Peer& peer, const Request& request);
  void HandleRelease(const Peer& peer, const Request& request, uint64_t now_ms);
  void HandleDrop(const Peer& peer, const Request& request, uint64_t now_ms);
  void HandleOpen(const Peer& peer, const Request& request, uint64_t now_ms);
  void HandleList(const Peer& peer, const Request& request, uint64_t now_ms);

  // The table that `request` names, if `peer` owns it with that epoch.
  absl::StatusOr<Tables::iterator> FindOwned(const Peer& peer,
                                             const Request& request);

  // The owner has left: gives the table to the first in line who can have it,
  // keeps it, or forgets it if nobody ever formatted it. Invalidates iterators.
  void Vacate(const std::string& name, uint64_t now_ms);
  // Answers `waiter`; true if it is the owner now.
  bool GrantTo(const std::string& name, Table& table, const Waiter& waiter,
               uint64_t now_ms);
  absl::Status MakeFresh(const std::string& name, Table& table,
                         const Waiter& waiter);
  // A grant that its process lost together with its connection, unattached.
  static bool IsAbandonedBy(const Table& table, ProcessId process);

  void Enqueue(Table& table, Waiter waiter);
  void Forget(const Waiter& waiter);
  // Takes out of all lines whom `leaves` says.
  void Dequeue(absl::FunctionRef<bool(const Table&, const Waiter&)> leaves);

  static KeeperTableInfo Describe(const std::string& name, const Table& table,
                                  uint64_t now_ms);
  void SendOk(const Peer& peer, const Request& request);
  void Deny(const Peer& peer, const Request& request,
            const absl::Status& status);

  const KeeperLimits limits_;
  KeeperHost& host_;
  Tables tables_;
  // Where the epochs of new tables start: not below those of forgotten ones.
  uint64_t epoch_floor_ = 0;
  absl::btree_multiset<uint64_t> deadlines_;
  absl::flat_hash_map<ConnectionId, size_t> waiting_;
};

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_STATE_H_
