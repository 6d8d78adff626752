// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_state.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status.h"
#include "protets/keeper_protocol.h"

namespace ets_keeper {
namespace protets {
namespace {

constexpr uint64_t kNever = Request::kForever;

absl::Status NotFound(absl::string_view name) {
  return MakeStatus(Cause::kTableNotFound,
                    absl::StrCat("there is no table ", name));
}

uint64_t DeadlineOf(const Request& request, uint64_t now_ms) {
  return request.wait_ms > kNever - now_ms ? kNever : now_ms + request.wait_ms;
}

}  // namespace

KeeperState::KeeperState(const KeeperLimits& limits, KeeperHost& host)
    : limits_(limits), host_(host) {}

void KeeperState::HandleRequest(const Peer& peer, const Request& request,
                                uint64_t now_ms) {
  switch (request.type) {
    case RequestType::kPing:
      return SendOk(peer, request);
    case RequestType::kClaim:
      return HandleClaim(peer, request, now_ms);
    case RequestType::kAttached:
      return HandleAttached(peer, request);
    case RequestType::kRelease:
      return HandleRelease(peer, request, now_ms);
    case RequestType::kDrop:
      return HandleDrop(peer, request, now_ms);
    case RequestType::kOpen:
      return HandleOpen(peer, request, now_ms);
    case RequestType::kList:
      return HandleList(peer, request, now_ms);
  }
}

absl::Status KeeperState::RefuseClaim(const Peer& peer,
                                      const Request& request) const {
  const auto it = tables_.find(request.name);
  if (it == tables_.end()) {
    if (!request.may_create) return NotFound(request.name);
    if (tables_.size() < limits_.max_tables) return absl::OkStatus();
    return MakeStatus(
        Cause::kNoMemory,
        absl::StrCat("table ", request.name, " would be one more than the ",
                     limits_.max_tables, " that the keeper may have"));
  }
  const Table& table = it->second;
  if (table.schema != request.schema) {
    return MakeStatus(Cause::kSchemaMismatch,
                      absl::StrCat("table ", request.name, " has the schema 0x",
                                   absl::Hex(table.schema), ", claimed was 0x",
                                   absl::Hex(request.schema)));
  }
  if (!table.owned() || IsAbandonedBy(table, peer.process)) {
    return absl::OkStatus();
  }
  if (!request.wait || table.owner.process == peer.process) {
    return MakeStatus(Cause::kAlreadyOwned,
                      absl::StrCat("table ", request.name,
                                   " is owned by process ", table.owner.pid));
  }
  const auto waiting = waiting_.find(peer.connection);
  if (waiting != waiting_.end() &&
      waiting->second >= limits_.max_waiting_claims_per_connection) {
    return MakeStatus(
        Cause::kNoMemory,
        absl::StrCat("the claim of table ", request.name, " is one more than ",
                     limits_.max_waiting_claims_per_connection,
                     " that may wait on one connection"));
  }
  return absl::OkStatus();
}

void KeeperState::HandleClaim(const Peer& peer, const Request& request,
                              uint64_t now_ms) {
  if (absl::Status refusal = RefuseClaim(peer, request); !refusal.ok()) {
    return Deny(peer, request, refusal);
  }
  const auto [it, created] = tables_.try_emplace(request.name);
  Table& table = it->second;
  if (created) {
    table.epoch = epoch_floor_;
    table.schema = request.schema;
  }
  Waiter waiter{peer, request, DeadlineOf(request, now_ms)};
  if (IsAbandonedBy(table, peer.process)) {
    // Nobody else may have it while that process lives.
    const Peer owner = table.owner;
    if (!GrantTo(it->first, table, waiter, now_ms)) table.owner = owner;
    return;
  }
  Enqueue(table, std::move(waiter));
  if (!table.owned()) return Vacate(request.name, now_ms);
  HandleTime(now_ms);
}

void KeeperState::HandleAttached(const Peer& peer, const Request& request) {
  const absl::StatusOr<Tables::iterator> found = FindOwned(peer, request);
  if (!found.ok()) return Deny(peer, request, found.status());
  (*found)->second.formatted = true;
  (*found)->second.attached = true;
  SendOk(peer, request);
}

void KeeperState::HandleRelease(const Peer& peer, const Request& request,
                                uint64_t now_ms) {
  const absl::StatusOr<Tables::iterator> found = FindOwned(peer, request);
  if (!found.ok()) return Deny(peer, request, found.status());
  host_.Audit({"release", peer, request.name, request.epoch, ""});
  SendOk(peer, request);
  (*found)->second.owner = {};
  Vacate(request.name, now_ms);
}

void KeeperState::HandleDrop(const Peer& peer, const Request& request,
                             uint64_t now_ms) {
  const auto it = tables_.find(request.name);
  if (it == tables_.end()) return SendOk(peer, request);
  Table& table = it->second;
  if (table.owned() && table.owner.process != peer.process) {
    return Deny(
        peer, request,
        MakeStatus(Cause::kDenied,
                   absl::StrCat("table ", request.name, " is owned by process ",
                                table.owner.pid, ", nobody else may drop it")));
  }
  host_.Audit({"drop", peer, request.name, table.epoch, ""});
  SendOk(peer, request);
  // Who is in line for it gets a new one, as if they had come after this.
  table.owner = {};
  table.formatted = false;
  Vacate(request.name, now_ms);
}

void KeeperState::HandleOpen(const Peer& peer, const Request& request,
                             uint64_t now_ms) {
  const auto it = tables_.find(request.name);
  if (it == tables_.end() || !it->second.formatted) {
    return Deny(peer, request, NotFound(request.name));
  }
  Reply reply;
  reply.type = ReplyType::kReadGrant;
  reply.id = request.id;
  reply.table = Describe(it->first, it->second, now_ms);
  host_.SendReply(peer.connection, reply, it->second.memory);
}

void KeeperState::HandleList(const Peer& peer, const Request& request,
                             uint64_t now_ms) {
  const auto it = tables_.upper_bound(request.name);
  Reply reply;
  reply.type = it == tables_.end() ? ReplyType::kEnd : ReplyType::kTable;
  reply.id = request.id;
  if (it != tables_.end()) {
    reply.table = Describe(it->first, it->second, now_ms);
  }
  host_.SendReply(peer.connection, reply, 0);
}

void KeeperState::HandleDisconnect(ConnectionId connection) {
  Dequeue([connection](const Table&, const Waiter& waiter) {
    return waiter.peer.connection == connection;
  });
  for (auto& [name, table] : tables_) {
    if (table.owner.connection == connection) table.owner.connection = 0;
  }
}

void KeeperState::HandleDeath(ProcessId process, uint64_t now_ms) {
  Dequeue([process](const Table&, const Waiter& waiter) {
    return waiter.peer.process == process;
  });
  std::vector<std::string> names;
  for (auto& [name, table] : tables_) {
    if (table.owner.process != process) continue;
    if (table.formatted) ++table.deaths;
    host_.Audit({"owner_death", table.owner, name, table.epoch,
                 table.formatted ? "table is kept" : "never formatted"});
    table.owner = {};
    names.push_back(name);
  }
  for (const std::string& name : names) Vacate(name, now_ms);
}

void KeeperState::HandleTime(uint64_t now_ms) {
  if (deadlines_.empty() || *deadlines_.begin() > now_ms) return;
  Dequeue([this, now_ms](const Table& table, const Waiter& waiter) {
    if (waiter.deadline_ms == kNever || waiter.deadline_ms > now_ms) {
      return false;
    }
    Deny(
        waiter.peer, waiter.request,
        MakeStatus(Cause::kTimeout,
                   absl::StrCat("table ", waiter.request.name,
                                " was still owned by process ", table.owner.pid,
                                " after ", waiter.request.wait_ms, " ms")));
    return true;
  });
}

std::optional<uint64_t> KeeperState::NextDeadline() const {
  if (deadlines_.empty() || *deadlines_.begin() == kNever) return std::nullopt;
  return *deadlines_.begin();
}

ProcessId KeeperState::OwnerOf(absl::string_view name) const {
  const auto it = tables_.find(name);
  return it == tables_.end() ? 0 : it->second.owner.process;
}

ProcessId KeeperState::OwnerConcernedBy(const Request& request) const {
  if (request.type != RequestType::kList) return OwnerOf(request.name);
  const auto it = tables_.upper_bound(request.name);
  return it == tables_.end() ? 0 : it->second.owner.process;
}

bool KeeperState::OwnsAnything(ProcessId process) const {
  return std::any_of(tables_.begin(), tables_.end(), [&](const auto& entry) {
    return entry.second.owner.process == process;
  });
}

absl::StatusOr<KeeperState::Tables::iterator> KeeperState::FindOwned(
    const Peer& peer, const Request& request) {
  const auto it = tables_.find(request.name);
  if (it == tables_.end()) return NotFound(request.name);
  const Table& table = it->second;
  if (table.owner.process == peer.process && table.epoch == request.epoch) {
    return it;
  }
  return MakeStatus(
      Cause::kNotOwner,
      absl::StrCat("process ", peer.pid, " does not own table ", request.name,
                   " with epoch ", request.epoch, ": ",
                   table.owned() ? absl::StrCat("process ", table.owner.pid,
                                                " does with epoch ")
                                 : "nobody owns it since epoch ",
                   table.epoch));
}

void KeeperState::Vacate(const std::string& name, uint64_t now_ms) {
  const auto it = tables_.find(name);
  Table& table = it->second;
  table.attached = false;
  table.orphaned_since_ms = now_ms;
  while (!table.owned() && !table.line.empty()) {
    const Waiter waiter = std::move(table.line.front());
    table.line.pop_front();
    Forget(waiter);
    GrantTo(it->first, table, waiter, now_ms);
  }
  if (table.owned() || table.formatted) return;
  if (table.memory != 0) host_.FreeMemory(table.memory);
  epoch_floor_ = std::max(epoch_floor_, table.epoch);
  tables_.erase(it);
}

bool KeeperState::GrantTo(const std::string& name, Table& table,
                          const Waiter& waiter, uint64_t now_ms) {
  if (!table.formatted) {
    absl::Status made = MakeFresh(name, table, waiter);
    if (!made.ok()) {
      Deny(waiter.peer, waiter.request, made);
      return false;
    }
  }
  ++table.epoch;
  table.owner = waiter.peer;
  table.attached = false;
  Reply reply;
  reply.type = ReplyType::kGrant;
  reply.id = waiter.request.id;
  reply.fresh = !table.formatted;
  reply.table = Describe(name, table, now_ms);
  if (!host_.SendReply(waiter.peer.connection, reply, table.memory)) {
    host_.Audit({"deny", waiter.peer, name, table.epoch, "grant not received"});
    table.owner = {};
    return false;
  }
  host_.Audit({"grant", waiter.peer, name, table.epoch,
               reply.fresh ? "fresh" : "inherited"});
  return true;
}

absl::Status KeeperState::MakeFresh(const std::string& name, Table& table,
                                    const Waiter& waiter) {
  const Request& request = waiter.request;
  if (!request.may_create) return NotFound(name);
  if (request.max_bytes == 0 ||
      request.max_bytes > limits_.max_bytes_per_table) {
    return MakeStatus(
        Cause::kBadOption,
        absl::StrCat("table ", name, " cannot have ", request.max_bytes,
                     " bytes: the keeper gives 1 to ",
                     limits_.max_bytes_per_table));
  }
  const absl::StatusOr<MemoryId> memory =
      host_.MakeMemory(name, request.max_bytes, request.huge_pages);
  if (!memory.ok()) return memory.status();
  if (table.memory != 0) host_.FreeMemory(table.memory);
  table.memory = *memory;
  table.bytes = request.max_bytes;
  table.deaths = 0;
  return absl::OkStatus();
}

bool KeeperState::IsAbandonedBy(const Table& table, ProcessId process) {
  return table.owned() && table.owner.process == process && !table.attached &&
         table.owner.connection == 0;
}

void KeeperState::Enqueue(Table& table, Waiter waiter) {
  deadlines_.insert(waiter.deadline_ms);
  ++waiting_[waiter.peer.connection];
  table.line.push_back(std::move(waiter));
}

void KeeperState::Forget(const Waiter& waiter) {
  deadlines_.erase(deadlines_.find(waiter.deadline_ms));
  const auto it = waiting_.find(waiter.peer.connection);
  if (--it->second == 0) waiting_.erase(it);
}

void KeeperState::Dequeue(
    absl::FunctionRef<bool(const Table&, const Waiter&)> leaves) {
  for (auto& [name, table] : tables_) {
    for (auto it = table.line.begin(); it != table.line.end();) {
      if (!leaves(table, *it)) {
        ++it;
        continue;
      }
      Forget(*it);
      it = table.line.erase(it);
    }
  }
}

KeeperTableInfo KeeperState::Describe(const std::string& name,
                                      const Table& table, uint64_t now_ms) {
  KeeperTableInfo info;
  info.name = name;
  info.state = !table.formatted ? KeeperTableState::kCreating
               : table.owned()  ? KeeperTableState::kOwned
                                : KeeperTableState::kOrphaned;
  info.epoch = table.epoch;
  info.owner_pid = table.owner.pid;
  info.bytes = table.bytes;
  info.schema = table.schema;
  info.deaths = table.deaths;
  if (!table.owned()) {
    info.orphaned_for = absl::Milliseconds(
        static_cast<int64_t>(now_ms - table.orphaned_since_ms));
  }
  return info;
}

void KeeperState::SendOk(const Peer& peer, const Request& request) {
  Reply reply;
  reply.type = ReplyType::kOk;
  reply.id = request.id;
  host_.SendReply(peer.connection, reply, 0);
}

void KeeperState::Deny(const Peer& peer, const Request& request,
                       const absl::Status& status) {
  host_.Audit({"deny", peer, request.name, request.epoch, status.message()});
  host_.SendReply(peer.connection, ErrorReply(request.id, status), 0);
}

}  // namespace protets
}  // namespace ets_keeper
