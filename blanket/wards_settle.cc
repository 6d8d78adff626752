// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// What follows from how things are, and the lives of heirs.

#include <algorithm>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/log.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "blanket/kept_table.h"
#include "blanket/wards.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/message.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "registry/registry.h"

namespace ets_keeper::blanket::internal {
namespace {

// Tells an heir to look at the time.
struct HeldNow {};

bool Contains(const std::vector<Pid>& pids, Pid pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

void CallGiveUp(const std::function<void(const TableHandle&)>& on_give_up,
                const TableHandle& table) {
  if (on_give_up == nullptr) return;
  try {
    on_give_up(table);
  } catch (...) {
    LOG(ERROR) << "on_give_up of table " << absl::StrCat(table.id())
               << " threw, and is passed over: "
               << absl::StrCat(
                      ExitReason::FromException(std::current_exception()));
  }
}

}  // namespace

void Wards::Settle(At at) {
  std::optional<Ward>& ward = at->second.ward;
  while (ward.has_value()) {
    const absl::StatusOr<TableInfo> info = tables().Info(ward->table);
    if (!info.ok()) return Drop(at);
    if (!EnsureHeir(at)) return;
    if (Rearm(*ward, *info)) continue;
    if (info->owner != ward->heir) return NoteOwned(*ward);
    if (!NoteHeld(*ward) || !Grant(at)) return;
  }
}

bool Wards::EnsureHeir(At at) {
  Ward& ward = *at->second.ward;
  if (IsAlive(ward.heir)) return true;
  const Pid old_heir = std::exchange(ward.heir, SpawnHeir(at->first));
  if (ward.how.report_heir_death && ward.owner) {
    runtime().Send(ward.owner, HeirReplaced{ward.table, old_heir, ward.heir});
  }
  return IsAlive(ward.heir);
}

// A chain without the keeper is the owner's own, and is left alone while it has
// the table.
bool Wards::Rearm(Ward& ward, const TableInfo& info) {
  const bool ours = info.owner == keeper_ || info.owner == ward.heir;
  const bool has_keeper = Contains(info.heirs, keeper_);
  const bool has_heir = Contains(info.heirs, ward.heir);
  const bool broken = (ours || has_keeper) && !(has_keeper && has_heir);
  if (!broken && info.owner != keeper_) return false;
  const absl::StatusOr<TableHandle> table =
      tables().Own(ward.table, info.owner);
  if (!table.ok()) return true;  // it changed hands: look again
  // Where these fail somebody has just died or changed hands: the same.
  if (broken) {
    tables().SetHeirs(*table, ChainOf(ward)).IgnoreError();
  } else {
    tables().GiveAway(*table, ward.heir, {}).IgnoreError();
  }
  return true;
}

void Wards::NoteOwned(Ward& ward) {
  if (!ward.held_since.has_value()) return;
  ward.held_since.reset();
  ward.owned_since = Now();
}

bool Wards::NoteHeld(Ward& ward) {
  // The hook of its death is still to come, and knows the reason.
  if (ward.owner && !IsAlive(ward.owner)) return false;
  if (!ward.held_since.has_value()) {
    ward.held_since = Now();
    ward.orphaned = !ward.owner && ward.owned_since.has_value();
    runtime().Send(ward.heir, HeldNow());
  }
  ward.owner = kNoPid;
  return true;
}

bool Wards::Grant(At at) {
  Ward& ward = *at->second.ward;
  std::deque<PendingClaim>& line = at->second.line;
  const Pid holder = registry_.WhereIs(at->first.owner);
  const auto it = std::find_if(
      line.begin(), line.end(),
      [&](const PendingClaim& pending) { return pending.claimer == holder; });
  if (it == line.end()) return false;
  const absl::StatusOr<TableHandle> table = tables().Own(ward.table, ward.heir);
  if (!table.ok()) return true;  // it changed hands: look again
  if (tables().GiveAway(*table, holder, it->id).ok()) {
    ward.owner = holder;
    NoteOwned(ward);
    line.erase(it);
  } else if (!IsAlive(holder)) {
    line.erase(it);
  }
  return true;
}

void Wards::ProcessDied(Pid pid, const ExitReason& reason) {
  Lock lock(mu_);
  std::vector<WardKey> keys;
  auto it = involved_.lower_bound({pid, WardKey()});
  while (it != involved_.end() && it->first == pid) {
    keys.push_back(it->second);
    it = involved_.erase(it);
  }
  for (const WardKey& key : keys) {
    const At at = places_.find(key);
    if (at == places_.end()) continue;
    std::erase_if(at->second.line, [&](const PendingClaim& pending) {
      return pending.claimer == pid;
    });
    std::optional<Ward>& ward = at->second.ward;
    if (ward.has_value() && ward->owner == pid) {
      ward->owner = kNoPid;
      if (ward->how.transient && !reason.IsCrash()) DeleteIfOurs(*ward);
    }
    Settle(at);
    EraseIfEmpty(at);
  }
}

void Wards::NameRegistered(std::string_view owner) {
  Lock lock(mu_);
  At at = places_.lower_bound({std::string(owner), std::string()});
  for (; at != places_.end() && at->first.owner == owner; ++at) Settle(at);
}

// -----------------------------------------------------------------------------
// Heirs
// -----------------------------------------------------------------------------

Pid Wards::SpawnHeir(const WardKey& key) {
  const Pid heir =
      runtime().Spawn([wards = shared_from_this(), key](Self& self) -> Task<> {
        return wards->BeHeir(self, key);
      });
  involved_.insert({heir, key});
  return heir;
}

Task<> Wards::BeHeir(Self& self, const WardKey& key) {
  for (;;) {
    const std::optional<absl::Duration> wait = Tend(key, self.pid());
    if (!wait.has_value()) co_return;
    // Whatever comes: a table, or a stray message.
    (void)co_await self.Receive<Message>(*wait);
  }
}

std::optional<absl::Duration> Wards::Tend(const WardKey& key, Pid heir) {
  std::optional<TableHandle> given_up;
  std::function<void(const TableHandle&)> on_give_up;
  {
    Lock lock(mu_);
    Ward* const ward = SettleAsHeir(key, heir);
    if (ward == nullptr) return std::nullopt;
    const absl::Duration left = PatienceLeft(*ward);
    if (left > absl::ZeroDuration()) return left;
    absl::StatusOr<TableHandle> table = tables().Own(ward->table, heir);
    if (!table.ok()) return absl::ZeroDuration();  // just deleted: look again
    given_up = *std::move(table);
    on_give_up = ward->how.on_give_up;
  }
  CallGiveUp(on_give_up, *given_up);
  Lock lock(mu_);
  Ward* ward = SettleAsHeir(key, heir);
  if (ward == nullptr) return std::nullopt;
  if (PatienceLeft(*ward) <= absl::ZeroDuration()) DeleteIfOurs(*ward);
  ward = SettleAsHeir(key, heir);
  if (ward == nullptr) return std::nullopt;
  return PatienceLeft(*ward);
}

Ward* Wards::SettleAsHeir(const WardKey& key, Pid heir) {
  if (closed_) return nullptr;
  const At at = places_.find(key);
  if (at == places_.end()) return nullptr;
  const auto is_heir = [&] {
    return at->second.ward.has_value() && at->second.ward->heir == heir;
  };
  if (is_heir()) Settle(at);
  if (is_heir()) return &*at->second.ward;
  EraseIfEmpty(at);
  return nullptr;
}

absl::Duration Wards::PatienceLeft(const Ward& ward) const {
  if (!ward.held_since.has_value()) return absl::InfiniteDuration();
  return *ward.held_since + ward.how.give_up_after - Now();
}

}  // namespace ets_keeper::blanket::internal
