// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "blanket/wards.h"

#include <algorithm>
#include <any>
#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "blanket/inheritance.h"
#include "blanket/kept_table.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/status/status.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "registry/registry.h"

namespace ets_keeper::blanket::internal {
namespace {

ClaimId NewClaimId() {
  static std::atomic<uint64_t> last{0};
  return {last.fetch_add(1, std::memory_order_relaxed) + 1};
}

bool Contains(const std::vector<Pid>& pids, Pid pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

std::string Label(const WardKey& key) {
  return absl::StrCat("table \"", key.table, "\" of owner \"", key.owner,
                      "\": ");
}

absl::Status Error(const WardKey& key, Cause cause, std::string_view text) {
  return MakeStatus(cause, absl::StrCat(Label(key), text));
}

absl::Status NotKept(const WardKey& key) {
  return Error(key, Cause::kTableNotFound, "no such table is kept");
}

absl::Status CheckDefinition(const WardKey& key,
                             const TableDefinition& definition) {
  if (key.owner.empty()) {
    return Error(key, Cause::kBadOption, "the name of the owner is empty");
  }
  const Heirs& heirs = definition.table.heirs;
  if (!heirs.chain.empty() || heirs.data.has_value() || heirs.silent) {
    return Error(key, Cause::kBadOption,
                 "heirs are given, but it is the blanket that names them");
  }
  if (definition.give_up_after <= absl::ZeroDuration()) {
    return Error(key, Cause::kBadOption,
                 absl::StrCat("give_up_after is ",
                              absl::FormatDuration(definition.give_up_after),
                              ", and must be more than nothing"));
  }
  return absl::OkStatus();
}

absl::Status CallInit(
    const TableHandle& table,
    absl::FunctionRef<absl::Status(const TableHandle&)> init) {
  try {
    return init(table);
  } catch (...) {
    return table.state().Error(
        Cause::kInitFailed,
        absl::StrCat("the init function threw: ",
                     ExitReason::FromException(std::current_exception())));
  }
}

}  // namespace

Wards::Wards(Inheritance& inheritance, const registry::Registry& registry)
    : inheritance_(inheritance),
      registry_(registry),
      keeper_(inheritance.NewKeeper()) {}

// -----------------------------------------------------------------------------
// Making tables
// -----------------------------------------------------------------------------

absl::StatusOr<Pid> Wards::New(
    std::string_view owner, TableDefinition definition, const Schema& schema,
    const KeyLayout& key_layout,
    absl::FunctionRef<absl::Status(const TableHandle&)> init) {
  const WardKey key = {std::string(owner), definition.table.name};
  if (absl::Status s = CheckDefinition(key, definition); !s.ok()) return s;
  absl::StatusOr<std::optional<Pid>> found =
      FindOrBegin(key, schema, key_layout);
  if (!found.ok()) return found.status();
  if (found->has_value()) return **found;
  absl::StatusOr<TableHandle> table =
      Make(std::move(definition.table), schema, key_layout, init);
  return End(key, std::move(table), std::move(definition));
}

absl::StatusOr<std::optional<Pid>> Wards::FindOrBegin(
    const WardKey& key, const Schema& schema, const KeyLayout& key_layout) {
  Lock lock(mu_);
  const At at = places_.try_emplace(key).first;
  Settle(at);
  Place& place = at->second;
  if (place.in_the_making) {
    return Error(key, Cause::kAlreadyExists, "it is being made right now");
  }
  if (!place.ward.has_value()) {
    place.in_the_making = true;
    return std::optional<Pid>();
  }
  const absl::StatusOr<TableHandle> table = tables().Open(place.ward->table);
  if (!table.ok()) return table.status();
  absl::Status status = table->state().CheckSchema(schema, key_layout);
  if (!status.ok()) return status;
  return std::optional<Pid>(place.ward->heir);
}

// The keeper owns the table while it is made: what `init` cannot lose, and what
// needs no process on the caller's side.
absl::StatusOr<TableHandle> Wards::Make(
    TableOptions options, const Schema& schema, const KeyLayout& key_layout,
    absl::FunctionRef<absl::Status(const TableHandle&)> init) {
  absl::StatusOr<TableHandle> table =
      tables().Create(keeper_, std::move(options), schema, key_layout);
  if (!table.ok()) return table;
  absl::Status status = CallInit(*table, init);
  const bool still_ours = tables().Own(table->id(), keeper_).ok();
  if (!status.ok()) {
    if (still_ours) tables().Delete(*table).IgnoreError();
    return status;
  }
  if (!still_ours) {
    return table->state().Error(
        Cause::kInitFailed,
        "the init function deleted the table, or gave it away");
  }
  return table;
}

absl::StatusOr<Pid> Wards::End(const WardKey& key,
                               absl::StatusOr<TableHandle> table,
                               TableDefinition how) {
  Lock lock(mu_);
  const At at = places_.find(key);
  Place& place = at->second;
  place.in_the_making = false;
  if (!table.ok()) {
    EraseIfEmpty(at);
    return table.status();
  }
  place.ward.emplace();
  place.ward->table = table->id();
  place.ward->how = std::move(how);
  place.ward->heir = SpawnHeir(key);
  keys_[table->id()] = key;
  // Where it fails, `Settle()` finds out why.
  tables().SetHeirs(*table, ChainOf(*place.ward)).IgnoreError();
  Settle(at);
  if (place.ward.has_value()) return place.ward->heir;
  EraseIfEmpty(at);
  return Error(key, Cause::kTableNotFound, "it was deleted at once");
}

// -----------------------------------------------------------------------------
// Claims
// -----------------------------------------------------------------------------

absl::StatusOr<ClaimId> Wards::Claim(const WardKey& key, Pid claimer) {
  if (key.owner.empty()) {
    return Error(key, Cause::kBadOption, "the name of the owner is empty");
  }
  Lock lock(mu_);
  // Under this lock: a claimer that dies from here on is found by the hook.
  if (!IsAlive(claimer)) {
    return Error(key, Cause::kRecipientDead,
                 absl::StrCat("process ", claimer, ", to get it, is dead"));
  }
  const At at = places_.try_emplace(key).first;
  Settle(at);
  if (at->second.ward.has_value()) {
    const Ward& ward = *at->second.ward;
    const absl::StatusOr<TableInfo> info = tables().Info(ward.table);
    if (info.ok() && info->owner != ward.heir && info->owner != keeper_ &&
        IsAlive(info->owner)) {
      return Error(key, Cause::kAlreadyOwned,
                   absl::StrCat("process ", info->owner, " owns it"));
    }
  }
  const ClaimId id = NewClaimId();
  at->second.line.push_back({id, claimer});
  involved_.insert({claimer, key});
  Settle(at);
  return id;
}

std::optional<absl::Status> Wards::Withdraw(const WardKey& key, ClaimId claim,
                                            absl::Duration waited) {
  Lock lock(mu_);
  const At at = places_.find(key);
  if (at == places_.end()) return std::nullopt;
  std::deque<PendingClaim>& line = at->second.line;
  const auto it = std::find_if(
      line.begin(), line.end(),
      [&](const PendingClaim& pending) { return pending.id.id == claim.id; });
  if (it == line.end()) return std::nullopt;
  absl::Status status =
      Error(key, Cause::kTimeout,
            absl::StrCat("not received within ", absl::FormatDuration(waited),
                         ": ", WhyNot(key, at->second, it->claimer)));
  line.erase(it);
  EraseIfEmpty(at);
  return status;
}

std::string Wards::WhyNot(const WardKey& key, const Place& place,
                          Pid claimer) const {
  if (!place.ward.has_value()) return "no such table is kept";
  const Pid holder = registry_.WhereIs(key.owner);
  if (!holder) return "no process is registered by the name of the owner";
  if (holder != claimer) {
    return absl::StrCat("process ", holder, ", not ", claimer,
                        ", is registered by the name of the owner");
  }
  return absl::StrCat("process ", place.ward->owner, " has not finished dying");
}

// -----------------------------------------------------------------------------
// The end of a ward
// -----------------------------------------------------------------------------

absl::Status Wards::Abandon(const TableHandle& table) {
  Lock lock(mu_);
  const auto key = keys_.find(table.id());
  if (key == keys_.end()) {
    return table.state().Error(Cause::kTableNotFound, "it is not kept");
  }
  absl::Status status = tables().SetHeirs(table, {});
  if (!status.ok()) return status;
  const At at = places_.find(key->second);
  Drop(at);
  EraseIfEmpty(at);
  return absl::OkStatus();
}

absl::Status Wards::Release(const TableHandle& table) {
  Lock lock(mu_);
  const auto key = keys_.find(table.id());
  if (key == keys_.end()) {
    return table.state().Error(Cause::kTableNotFound, "it is not kept");
  }
  const At at = places_.find(key->second);
  Settle(at);  // so that there is an heir
  if (!at->second.ward.has_value()) return NotKept(at->first);
  absl::Status status =
      tables().GiveAway(table, at->second.ward->heir, std::any());
  Settle(at);
  return status;
}

void Wards::Drop(At at) {
  keys_.erase(at->second.ward->table);
  const Pid heir = at->second.ward->heir;
  at->second.ward.reset();
  runtime().Exit(heir, ExitReason::Shutdown());
}

void Wards::DeleteIfOurs(const Ward& ward) {
  for (const Pid owner : {ward.heir, keeper_}) {
    const absl::StatusOr<TableHandle> table = tables().Own(ward.table, owner);
    if (table.ok()) tables().Delete(*table).IgnoreError();
  }
}

void Wards::EraseIfEmpty(At at) {
  const Place& place = at->second;
  if (place.ward.has_value() || place.in_the_making || !place.line.empty()) {
    return;
  }
  places_.erase(at);
}

void Wards::Close() {
  {
    Lock lock(mu_);
    closed_ = true;
    for (auto& [key, place] : places_) {
      if (!place.ward.has_value()) continue;
      DeleteIfOurs(*place.ward);
      runtime().Exit(place.ward->heir, ExitReason::Shutdown());
    }
    places_.clear();
    keys_.clear();
    involved_.clear();
  }
  inheritance_.EndKeeper(keeper_);
}

// -----------------------------------------------------------------------------
// Looking
// -----------------------------------------------------------------------------

absl::StatusOr<KeptTable> Wards::Info(const WardKey& key) {
  Lock lock(mu_);
  const At at = places_.find(key);
  if (at == places_.end()) return NotKept(key);
  std::optional<KeptTable> kept = SettleAndDescribe(at);
  EraseIfEmpty(at);
  if (!kept.has_value()) return NotKept(key);
  return *std::move(kept);
}

std::vector<KeptTable> Wards::List() {
  Lock lock(mu_);
  std::vector<KeptTable> list;
  for (At at = places_.begin(); at != places_.end();) {
    const At next = std::next(at);
    std::optional<KeptTable> kept = SettleAndDescribe(at);
    if (kept.has_value()) list.push_back(*std::move(kept));
    EraseIfEmpty(at);
    at = next;
  }
  return list;
}

std::optional<KeptTable> Wards::SettleAndDescribe(At at) {
  Settle(at);
  if (!at->second.ward.has_value()) return std::nullopt;
  const Ward& ward = *at->second.ward;
  const absl::StatusOr<TableInfo> info = tables().Info(ward.table);
  if (!info.ok()) return std::nullopt;
  return KeptTable{
      .owner_name = at->first.owner,
      .table_name = at->first.table,
      .table = ward.table,
      .protection = ProtectionOf(ward, *info),
      .owner = info->owner,
      .heir = ward.heir,
      .since = ward.held_since.value_or(ward.owned_since.value_or(Now())),
      .waiting = static_cast<int>(at->second.line.size()),
  };
}

Protection Wards::ProtectionOf(const Ward& ward, const TableInfo& info) const {
  if (ward.held_since.has_value()) {
    return ward.orphaned ? Protection::kOrphaned : Protection::kHeld;
  }
  if (!IsAlive(info.owner) || info.owner == ward.heir) {
    return Protection::kOrphaned;
  }
  return Contains(info.heirs, keeper_) ? Protection::kOwned
                                       : Protection::kUnprotected;
}

}  // namespace ets_keeper::blanket::internal
