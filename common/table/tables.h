// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: tables.h
// -----------------------------------------------------------------------------
//
// `Tables` is the directory of the tables of one OS process: their names, their
// owners, and what happens to them when an owner dies. `TableHandle` is the
// authority over one of them, without the type of its rows; `table.h` has the
// typed handles that programs use.
//
//   Tables tables(&processes);
//   auto users = Table<User, &User::id>::New(tables, me, {.name = "users"});
//   ...
//   tables.OwnerDied(me);   // the first living heir owns it now
//
// AUTHORITY IS A HANDLE, fenced by an epoch. Each change of owner raises the
// table's epoch, and a handle of an owner works only in its own one: an owner
// that gave its table away, or was taken for dead, is told `kNotOwner`, also by
// a write that it had begun to prepare before. A handle of a deleted table is
// told `kTableNotFound`, whatever table has its name by then.
//
// Thread safety: everything may be called from any thread.
//
// Lifetime: the processes must outlive the Tables; handles may outlive both.
//
// It does not run processes: what it must know of them it asks a
// `TableProcesses`. ETS: erl_db.c, `give_away_to_heir()` and its callers.

#ifndef COMMON_TABLE_TABLES_H_
#define COMMON_TABLE_TABLES_H_

#include <any>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/hash/hash_core.h"
#include "common/pid/pid.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/table/table_options.h"
#include "common/table/table_state.h"

namespace ets_keeper {

// TableProcesses
//
// What tables need to know of processes.
class TableProcesses {
 public:
  virtual ~TableProcesses() = default;

  // TableProcesses::IsAlive()
  //
  // False for ever from the moment a process begins to die, which is before
  // `Tables::OwnerDied()` is called for it. Called with a lock held.
  [[nodiscard]] virtual bool IsAlive(Pid pid) const = 0;

  // TableProcesses::Deliver()
  //
  // Sends the message, to nobody if `to` has died. Called with a lock held: it
  // must not wait, nor use the Tables.
  virtual void Deliver(Pid to, TableTransfer transfer) = 0;
};

class Tables;

// TableHandle
//
// A table and a right: the owner's, or everybody's. A value: cheap to copy, and
// a copy has the same right. Destroying it does nothing to the table.
class TableHandle {
 public:
  // TableHandle::ForReading()
  //
  // A handle of a table in which another OS process writes, for reading only.
  // `kBadOption` if the arena is not mapped so, `kCorrupt` if it is no table.
  [[nodiscard]] static absl::StatusOr<TableHandle> ForReading(
      absl::string_view name, std::unique_ptr<Arena> arena);

  [[nodiscard]] TableId id() const { return state_->id(); }
  [[nodiscard]] std::string name() const { return state_->name(); }

  // TableHandle::is_owner()
  //
  // Whether the handle was made for the owner, which may have changed since.
  [[nodiscard]] bool is_owner() const { return epoch_ != kAnyEpoch; }

  // The epoch of the owner that the handle was made for.
  [[nodiscard]] uint64_t epoch() const { return epoch_; }
  [[nodiscard]] const TableState& state() const { return *state_; }

 private:
  friend class Tables;

  TableHandle(std::shared_ptr<const TableState> state, uint64_t epoch)
      : state_(std::move(state)), epoch_(epoch) {}

  std::shared_ptr<const TableState> state_;
  uint64_t epoch_;
};

class Tables {
 public:
  // `processes` null: all processes live for ever, and none is told anything.
  explicit Tables(TableProcesses* processes = nullptr)
      : processes_(processes) {}

  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;

  // Tables::Create()
  //
  // A new table that `owner` owns, and its handle. `kAlreadyExists` if the name
  // is taken, `kRecipientDead` if the owner is not alive, and the errors of
  // TableState::Make(); then there is no new table.
  [[nodiscard]] absl::StatusOr<TableHandle> Create(Pid owner,
                                                   TableOptions options,
                                                   const Schema& schema,
                                                   const KeyLayout& key);

  // Tables::Own()
  //
  // The owner's handle for the process that owns the table. `kNotOwner` if
  // `self` does not, `kTableNotFound`.
  [[nodiscard]] absl::StatusOr<TableHandle> Own(TableId table, Pid self) const;

  // Tables::Open()
  //
  // A handle with everybody's right. `kTableNotFound`.
  [[nodiscard]] absl::StatusOr<TableHandle> Open(TableId table) const;
  [[nodiscard]] absl::StatusOr<TableHandle> Open(absl::string_view name) const;

  // Tables::WhereIs()
  //
  // The table of that name; nullopt if there is none.
  [[nodiscard]] std::optional<TableId> WhereIs(absl::string_view name) const;

  // Tables::All()
  //
  // All tables, in the order of their creation.
  [[nodiscard]] std::vector<TableId> All() const;

  // Tables::Info()
  //
  // `kTableNotFound`. Allowed to everybody, also for private tables.
  [[nodiscard]] absl::StatusOr<TableInfo> Info(TableId table) const;

  // The operations of an owner. All give `kNotOwner` if the handle is not, or
  // no longer, the owner's, and `kTableNotFound` if the table was deleted.

  // Tables::GiveAway()
  //
  // `to` becomes the owner and gets a TableTransfer with `gift`, unless it is
  // `silent`. When this returns no write through the old owner's handles will
  // succeed. The heirs stay. `kRecipientDead`; `kAlreadyOwned` if `to` is the
  // owner.
  absl::Status GiveAway(const TableHandle& table, Pid to, std::any gift,
                        bool silent = false);

  // Tables::SetHeirs()
  //
  // Replaces the heirs. Dead ones are left out: ask `Info()`.
  absl::Status SetHeirs(const TableHandle& table, Heirs heirs);

  // Tables::SetAccess()
  absl::Status SetAccess(const TableHandle& table, TableAccess access);

  // Tables::Rename()
  //
  // Also for everybody if the table is public. `kAlreadyExists` if the name is
  // taken, also by this table; `kBadOption` for an empty name.
  absl::Status Rename(const TableHandle& table, absl::string_view name);

  // Tables::Delete()
  //
  // The table is gone and its name is free when this returns; nobody inherits.
  // Also for everybody if the table is public. The memory goes with the last
  // handle; that of a small table is cleared then and kept for the next ones
  // (see common/arena/memory_pool.h). O(1).
  absl::Status Delete(const TableHandle& table);

  // Tables::OwnerDied()
  //
  // Each table of `pid` goes to its first living heir, which is told, or is
  // deleted. In the order of the tables' creation. To be called once, after
  // `IsAlive(pid)` has become false. O(log n) for each of its tables.
  void OwnerDied(Pid pid);

 private:
  struct Entry {
    std::shared_ptr<TableState> state;
    Pid owner;
    Heirs heirs;
  };

  bool IsAlive(Pid pid) const {
    return processes_ == nullptr || processes_->IsAlive(pid);
  }
  Heirs LivingHeirs(Heirs heirs) const;
  absl::Status CheckName(absl::string_view name) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const Entry* Find(TableId table) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The entry, if the handle may do what only an owner may, or, for a public
  // table and `or_public`, everybody.
  absl::StatusOr<Entry*> FindFor(const TableHandle& table, bool or_public)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ChangeOwner(Entry& entry, Pid to, std::any data, bool silent)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The table is in no list any more. Its memory may go with what is returned:
  // to be dropped without the lock, as unmapping much of it takes long.
  [[nodiscard]] std::shared_ptr<TableState> Forget(TableId table)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  TableProcesses* const processes_;
  mutable absl::Mutex mutex_;
  std::map<TableId, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // Each table with its owner, so that a death is not felt by the others'.
  std::set<std::pair<Pid, TableId>> owned_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, TableId> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_TABLES_H_
