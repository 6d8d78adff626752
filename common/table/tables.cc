// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/tables.h"

#include <any>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/arena/arena.h"
#include "common/hash/hash_core.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/status/status.h"
#include "common/table/table_options.h"
#include "common/table/table_state.h"

namespace ets_keeper {
namespace {

absl::Status NotFound(TableId table) {
  return MakeStatus(Cause::kTableNotFound,
                    absl::StrCat("there is no table ", table));
}

absl::Status NotFound(absl::string_view name) {
  return MakeStatus(Cause::kTableNotFound,
                    absl::StrCat("there is no table '", name, "'"));
}

}  // namespace

absl::StatusOr<TableHandle> TableHandle::ForReading(
    absl::string_view name, std::unique_ptr<Arena> arena) {
  absl::StatusOr<std::shared_ptr<TableState>> state =
      TableState::MakeReader(name, std::move(arena));
  if (!state.ok()) return state.status();
  return TableHandle(*std::move(state), kAnyEpoch);
}

absl::StatusOr<TableHandle> Tables::Create(Pid owner, TableOptions options,
                                           const Schema& schema,
                                           const KeyLayout& key) {
  const std::string name = options.name;
  Heirs heirs = std::move(options.heirs);
  {
    // Asked here, so that a clash costs no arena, and again below.
    Lock lock(mutex_);
    if (absl::Status s = CheckName(name); !s.ok()) return s;
  }
  absl::StatusOr<std::shared_ptr<TableState>> state =
      TableState::Make(std::move(options), schema, key);
  if (!state.ok()) return state.status();
  Lock lock(mutex_);
  if (absl::Status s = CheckName(name); !s.ok()) return s;
  if (!IsAlive(owner)) {
    return MakeStatus(
        Cause::kRecipientDead,
        absl::StrCat("process ", owner, ", which was to own a table, is dead"));
  }
  const TableId id = (*state)->id();
  if (!name.empty()) names_[name] = id;
  const uint64_t epoch = (*state)->core().epoch();
  entries_[id] = {
      .state = *state, .owner = owner, .heirs = LivingHeirs(std::move(heirs))};
  owned_.emplace(owner, id);
  return TableHandle(*std::move(state), epoch);
}

absl::StatusOr<TableHandle> Tables::Own(TableId table, Pid self) const {
  Lock lock(mutex_);
  const Entry* entry = Find(table);
  if (entry == nullptr) return NotFound(table);
  if (entry->owner != self) {
    return entry->state->Error(
        Cause::kNotOwner,
        absl::StrCat("its owner is ", entry->owner, ", not ", self));
  }
  return TableHandle(entry->state, entry->state->core().epoch());
}

absl::StatusOr<TableHandle> Tables::Open(TableId table) const {
  Lock lock(mutex_);
  const Entry* entry = Find(table);
  if (entry == nullptr) return NotFound(table);
  return TableHandle(entry->state, kAnyEpoch);
}

absl::StatusOr<TableHandle> Tables::Open(absl::string_view name) const {
  const std::optional<TableId> table = WhereIs(name);
  if (!table.has_value()) return NotFound(name);
  return Open(*table);
}

std::optional<TableId> Tables::WhereIs(absl::string_view name) const {
  Lock lock(mutex_);
  const auto it = names_.find(name);
  if (it == names_.end()) return std::nullopt;
  return it->second;
}

std::vector<TableId> Tables::All() const {
  Lock lock(mutex_);
  std::vector<TableId> all;
  for (const auto& [id, entry] : entries_) all.push_back(id);
  return all;
}

absl::StatusOr<TableInfo> Tables::Info(TableId table) const {
  Lock lock(mutex_);
  const Entry* entry = Find(table);
  if (entry == nullptr) return NotFound(table);
  const TableState& state = *entry->state;
  return TableInfo{
      .id = table,
      .name = state.name(),
      .access = state.access(),
      .owner = entry->owner,
      .heirs = LivingHeirs({.chain = entry->heirs.chain}).chain,
      .epoch = state.core().epoch(),
      .size = state.core().reader().Size(),
      .memory = state.arena().committed_bytes(),
      .max_memory = state.arena().bytes(),
      .survives_process = state.arena().shared(),
      .schema = state.arena().schema_text(),
  };
}

absl::Status Tables::GiveAway(const TableHandle& table, Pid to, std::any gift,
                              bool silent) {
  Lock lock(mutex_);
  const absl::StatusOr<Entry*> entry = FindFor(table, /*or_public=*/false);
  if (!entry.ok()) return entry.status();
  const TableState& state = *(*entry)->state;
  if ((*entry)->owner == to) {
    return state.Error(Cause::kAlreadyOwned,
                       absl::StrCat("process ", to, " owns it already"));
  }
  // Under this lock: a process that dies from here on finds the table among its
  // own when `OwnerDied()` is called for it.
  if (!IsAlive(to)) {
    return state.Error(
        Cause::kRecipientDead,
        absl::StrCat("process ", to, ", which was to get it, is dead"));
  }
  ChangeOwner(**entry, to, std::move(gift), silent);
  return absl::OkStatus();
}

absl::Status Tables::SetHeirs(const TableHandle& table, Heirs heirs) {
  Lock lock(mutex_);
  const absl::StatusOr<Entry*> entry = FindFor(table, /*or_public=*/false);
  if (!entry.ok()) return entry.status();
  (*entry)->heirs = LivingHeirs(std::move(heirs));
  return absl::OkStatus();
}

absl::Status Tables::SetAccess(const TableHandle& table, TableAccess access) {
  Lock lock(mutex_);
  const absl::StatusOr<Entry*> entry = FindFor(table, /*or_public=*/false);
  if (!entry.ok()) return entry.status();
  (*entry)->state->set_access(access);
  return absl::OkStatus();
}

absl::Status Tables::Rename(const TableHandle& table, absl::string_view name) {
  Lock lock(mutex_);
  const absl::StatusOr<Entry*> entry = FindFor(table, /*or_public=*/true);
  if (!entry.ok()) return entry.status();
  TableState& state = *(*entry)->state;
  if (name.empty()) {
    return state.Error(Cause::kBadOption, "a table's name cannot be empty");
  }
  if (absl::Status s = CheckName(name); !s.ok()) return s;
  if (const std::string old = state.name(); !old.empty()) names_.erase(old);
  names_[name] = state.id();
  state.set_name(name);
  return absl::OkStatus();
}

absl::Status Tables::Delete(const TableHandle& table) {
  std::shared_ptr<TableState> gone;
  Lock lock(mutex_);
  const absl::StatusOr<Entry*> entry = FindFor(table, /*or_public=*/true);
  if (!entry.ok()) return entry.status();
  gone = Forget(table.id());
  return absl::OkStatus();
}

void Tables::OwnerDied(Pid pid) {
  std::vector<std::shared_ptr<TableState>> gone;
  Lock lock(mutex_);
  for (;;) {
    const auto next = owned_.lower_bound({pid, TableId{}});
    if (next == owned_.end() || next->first != pid) break;
    Entry& entry = entries_.at(next->second);
    Heirs living = LivingHeirs(entry.heirs);
    std::erase(living.chain, pid);
    if (living.chain.empty()) {
      gone.push_back(Forget(next->second));
    } else {
      ChangeOwner(entry, living.chain.front(), living.data, living.silent);
    }
  }
}

Heirs Tables::LivingHeirs(Heirs heirs) const {
  std::erase_if(heirs.chain, [&](Pid pid) { return !IsAlive(pid); });
  return heirs;
}

absl::Status Tables::CheckName(absl::string_view name) const {
  const auto it = names_.find(name);
  if (it == names_.end()) return absl::OkStatus();
  return MakeStatus(
      Cause::kAlreadyExists,
      absl::StrCat("there is a table '", name, "' already: ", it->second));
}

const Tables::Entry* Tables::Find(TableId table) const {
  const auto it = entries_.find(table);
  return it == entries_.end() ? nullptr : &it->second;
}

absl::StatusOr<Tables::Entry*> Tables::FindFor(const TableHandle& table,
                                               bool or_public) {
  const auto it = entries_.find(table.id());
  if (it == entries_.end()) return NotFound(table.id());
  Entry& entry = it->second;
  const bool owner = table.epoch() == entry.state->core().epoch();
  if (owner || (or_public && entry.state->access() == TableAccess::kPublic)) {
    return &entry;
  }
  return entry.state->Error(
      Cause::kNotOwner,
      absl::StrCat("only its owner, ", entry.owner, ", may do this"));
}

void Tables::ChangeOwner(Entry& entry, Pid to, std::any data, bool silent) {
  const Pid from = std::exchange(entry.owner, to);
  owned_.erase({from, entry.state->id()});
  owned_.emplace(to, entry.state->id());
  HashCore& core = entry.state->core();
  core.RaiseEpoch(core.epoch() + 1);
  if (silent || processes_ == nullptr) return;
  processes_->Deliver(to, {.table = entry.state->id(),
                           .name = entry.state->name(),
                           .from = from,
                           .data = std::move(data)});
}

std::shared_ptr<TableState> Tables::Forget(TableId table) {
  const auto it = entries_.find(table);
  std::shared_ptr<TableState> state = std::move(it->second.state);
  state->MarkDeleted();
  if (const std::string name = state->name(); !name.empty()) {
    names_.erase(name);
  }
  owned_.erase({it->second.owner, table});
  entries_.erase(it);
  return state;
}

}  // namespace ets_keeper
