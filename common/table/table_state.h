// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: table_state.h
// -----------------------------------------------------------------------------
//
// `TableState`: one table as this OS process sees it, without the type of its
// rows. All handles of the table share it; the last one to go unmaps it.
//
//   auto state = TableState::Make({.name = "users"}, schema, key_layout);
//
// Thread safety: everything may be called from any thread.
//
// It knows no other tables and decides nothing about owners: that is `Tables`.

#ifndef COMMON_TABLE_TABLE_STATE_H_
#define COMMON_TABLE_TABLE_STATE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_layout.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/status/status.h"
#include "common/table/table_options.h"

namespace ets_keeper {

class TableState {
 public:
  // TableState::Make()
  //
  // A new table of rows of `schema` with the key at `key`, as `options` say; in
  // their arena, if there is one: an empty arena is formatted, a used one
  // recovered, its epoch raised. The heirs are not looked at. Errors:
  // `kBadOption`, `kNoMemory`, `kCorrupt`, `kSchemaMismatch`.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<TableState>> Make(
      TableOptions options, const Schema& schema, const KeyLayout& key);

  // TableState::MakeReader()
  //
  // A table that another process owns, from an arena that is mapped read-only,
  // else `kBadOption`. `kCorrupt` if it is no table.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<TableState>> MakeReader(
      absl::string_view name, std::unique_ptr<Arena> arena);

  [[nodiscard]] TableId id() const { return id_; }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE HashCore& core() const {
    return core_;
  }
  [[nodiscard]] Arena& arena() const { return *arena_; }

  [[nodiscard]] std::string name() const ABSL_LOCKS_EXCLUDED(mutex_);
  void set_name(absl::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);

  [[nodiscard]] TableAccess access() const {
    const uint64_t state = LoadWord(&state_);
    return (state & kPrivate) != 0  ? TableAccess::kPrivate
           : (state & kPublic) != 0 ? TableAccess::kPublic
                                    : TableAccess::kProtected;
  }
  void set_access(TableAccess access) {
    ChangeState(kPrivate | kPublic, Bit(access));
  }

  // TableState::MarkDeleted()
  //
  // From now on every handle is told `kTableNotFound`.
  void MarkDeleted() { ChangeState(0, kDeleted); }
  [[nodiscard]] bool deleted() const { return Has(kDeleted); }

  // TableState::AllMayRead(), TableState::AllOwnersMayWrite()
  //
  // Whether every handle may read now without CheckRead(), and every one that
  // was made for an owner write: one load, which is the answer nearly always.
  // No load of the caller's passes it.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool AllMayRead() const {
    return !Has(kDeleted | kPrivate | kReadOnly);
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool AllOwnersMayWrite() const {
    return !Has(kDeleted | kReadOnly);
  }

  // TableState::CheckRead(), TableState::CheckWrite()
  //
  // Whether a handle that was made under `epoch` (kAnyEpoch: of no
  // owner) may read or write now. That the epoch is still the owner's is for
  // the core to say when it writes. Of a table in which another process writes
  // CheckRead() also looks at how it is cut now.
  [[nodiscard]] absl::Status CheckRead(uint64_t epoch) const;
  [[nodiscard]] absl::Status CheckWrite(uint64_t epoch) const;

  // TableState::CheckSchema()
  //
  // `kSchemaMismatch`, naming both, unless the rows and the key are these;
  // `kCorrupt` if the buckets are not made for them.
  [[nodiscard]] absl::Status CheckSchema(const Schema& schema,
                                         const KeyLayout& key) const;

  // TableState::Name()
  //
  // The status with the table named in front of its message.
  [[nodiscard]] absl::Status Name(const absl::Status& status) const;

  // TableState::Error()
  //
  // An error of this table.
  [[nodiscard]] absl::Status Error(Cause cause,
                                   absl::string_view message) const;

 private:
  // What keeps a handle from something, as bits of one word.
  static constexpr uint64_t kPrivate = 1;
  static constexpr uint64_t kPublic = 2;
  static constexpr uint64_t kDeleted = 4;
  static constexpr uint64_t kReadOnly = 8;  // another process owns it

  static uint64_t Bit(TableAccess access) {
    return access == TableAccess::kPrivate  ? kPrivate
           : access == TableAccess::kPublic ? kPublic
                                            : 0;
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool Has(uint64_t bits) const {
    return HasBits(&state_, bits);
  }
  void ChangeState(uint64_t clear, uint64_t set) {
    for (;;) {
      const uint64_t state = LoadWord(&state_);
      if (CompareAndSwapWord(&state_, state, (state & ~clear) | set)) return;
    }
  }

  TableState(absl::string_view name, TableAccess access,
             std::unique_ptr<Arena> arena, const HashGeometry& geometry);

  const TableId id_;
  const std::unique_ptr<Arena> arena_;
  mutable HashCore core_;  // which minds its threads itself
  uint64_t state_;
  mutable absl::Mutex mutex_;
  std::string name_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_TABLE_STATE_H_
