// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: intent.h
// -----------------------------------------------------------------------------
//
// How several words of an arena change together although the process may be
// killed before any of the stores: a redo log.
//
// A `Transaction` writes word stores down in an `IntentLog` in the arena
// without performing them; whoever computes them reads through it, so a later
// step sees the earlier ones. Then
//
//   1. the log's `committed` word gets their number: the commit point, one
//      store,
//   2. the stores are performed in the order in which they were added, and
//      `committed` says how far that has come,
//   3. `committed` becomes 0.
//
// Killed before 1, nothing happened; killed after it, `ReplayIntent()` goes on
// with the store at which it ended. It may perform that one a second time, but
// none before it: so recovery, killed or not, leads through the same states as
// the writer would have, and only forward.
//
//   Transaction transaction(&arena, log);
//   transaction.Store(slot, new_word);
//   transaction.Store(count, transaction.Load(count) + 1);
//   transaction.Commit();
//
// Readers do not wait for step 2, nor for a recovery: whoever orders the stores
// sees to it that every prefix of them reads correctly.
//
// Thread safety: a Transaction belongs to one thread, and a log to whoever
// holds the lock of the lane it is in.
//
// The method is the redo log ("ulog") of PMDK's libpmemobj without its flushes:
// memory that survives a process, unlike memory that survives power, needs
// none.

#ifndef COMMON_ARENA_INTENT_H_
#define COMMON_ARENA_INTENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"

namespace ets_keeper {

// IntentEntry
//
// One store: the word at `offset` becomes `value`.
struct IntentEntry {
  uint64_t offset;
  uint64_t value;
};

// IntentLog
//
// The log of one lane, as stored. Zero is "no intent in flight".
struct IntentLog {
  static constexpr uint64_t kCapacity = 63;

  uint64_t committed;  // how many entries count << 32 | how many of them are
                       // performed; the commit point
  uint64_t unused;
  IntentEntry entries[kCapacity];
};
static_assert(sizeof(IntentLog) == 1024);

// PerformEntries()
//
// Performs the stores [performed, count) of a log, and says after each but the
// last in `*progress` how many are performed, as `base` + their number.
inline void PerformEntries(const Arena& arena, const IntentEntry* entries,
                           uint64_t performed, uint64_t count,
                           uint64_t* progress, uint64_t base) {
  for (uint64_t i = performed; i < count; ++i) {
    StoreWord(arena.At(LoadWord(&entries[i].offset)),
              LoadWord(&entries[i].value));
    if (IsSeeded(SeededBug::kReplayFromTheStart)) continue;
    if (i + 1 < count) StoreWord(progress, base + i + 1);
  }
}

// CommitStores()
//
// A transaction of these stores, which are known at once, through a lane's log:
// as a Transaction to which they are added, that is committed. `base` is where
// the arena is mapped.
template <size_t kStores>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void CommitStores(
    char* base, IntentLog* log, const IntentEntry (&stores)[kStores]) {
  static_assert(kStores <= IntentLog::kCapacity);
  if (IsSeeded(SeededBug::kNotCrashAtomic)) {
    for (const IntentEntry& store : stores) {
      StoreWord(reinterpret_cast<uint64_t*>(base + store.offset), store.value);
    }
    return;
  }
  constexpr uint64_t kBase = uint64_t{kStores} << 32;
  for (size_t i = 0; i < kStores; ++i) {
    StoreWord(&log->entries[i].offset, stores[i].offset);
    StoreWord(&log->entries[i].value, stores[i].value);
    if (IsSeeded(SeededBug::kCommitBeforeLastEntry)) {
      StoreWord(&log->committed, uint64_t{i + 1} << 32);
    }
  }
  if (!IsSeeded(SeededBug::kNoIntent)) StoreWord(&log->committed, kBase);
  for (size_t i = 0; i < kStores; ++i) {
    StoreWord(reinterpret_cast<uint64_t*>(base + stores[i].offset),
              stores[i].value);
    if (i + 1 < kStores) StoreWord(&log->committed, kBase + i + 1);
  }
  StoreWord(&log->committed, 0);
}

// IntentStores
//
// A transaction, through a lane's log, of stores that nobody reads through and
// that are fewer than IntentLog::kCapacity: no more than writing them down.
class IntentStores {
 public:
  IntentStores(char* base, IntentLog* log) : base_(base), log_(*log) {}

  // As those of a Transaction.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Store(uint64_t offset, uint64_t value) {
    if (IsSeeded(SeededBug::kNotCrashAtomic)) {
      return StoreWord(reinterpret_cast<uint64_t*>(base_ + offset), value);
    }
    IntentEntry& entry = log_.entries[size_++];
    StoreWord(&entry.offset, offset);
    StoreWord(&entry.value, value);
    if (IsSeeded(SeededBug::kCommitBeforeLastEntry)) {
      StoreWord(&log_.committed, size_ << 32);
    }
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Commit() {
    if (IsSeeded(SeededBug::kNotCrashAtomic)) return;
    // Copies, which no store can have changed.
    const IntentEntry* const entries = log_.entries;
    uint64_t* const committed = &log_.committed;
    char* const arena = base_;
    const uint64_t size = size_;
    const uint64_t base = size << 32;
    if (!IsSeeded(SeededBug::kNoIntent)) StoreWord(committed, base);
    for (uint64_t i = 0; i < size; ++i) {
      StoreWord(
          reinterpret_cast<uint64_t*>(arena + LoadWord(&entries[i].offset)),
          LoadWord(&entries[i].value));
      if (i + 1 < size) StoreWord(committed, base + i + 1);
    }
    StoreWord(committed, 0);
  }

 private:
  char* const base_;
  IntentLog& log_;
  uint64_t size_ = 0;
};

class Transaction {
 public:
  // One that writes its stores down in the lane's log, or, for a log of another
  // shape, in `entries`, which has room for all of them.
  Transaction(Arena* arena, IntentLog* log)
      : arena_(*arena),
        log_(log),
        begin_(log->entries),
        end_(log->entries + IntentLog::kCapacity),
        next_(begin_) {}
  Transaction(Arena* arena, absl::Span<IntentEntry> entries)
      : arena_(*arena),
        log_(nullptr),
        begin_(entries.data()),
        end_(entries.data() + entries.size()),
        next_(begin_) {}

  // Releases the heap lock if `HoldHeap()` took it. What was not committed
  // never happened.
  ~Transaction() {
    if (ABSL_PREDICT_FALSE(holds_heap_)) ReleaseHeap();
  }

  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Transaction::Load()
  //
  // The word at `offset` as it will be after the stores added so far.
  [[nodiscard]] uint64_t Load(uint64_t offset) const {
    const IntentEntry* pending = MayStore(offset) ? Find(offset) : nullptr;
    return LoadWord(pending != nullptr ? &pending->value : arena_.At(offset));
  }

  // Transaction::Store()
  //
  // Adds a store behind all others. Two stores to one word are both performed,
  // in their order, so that whoever sees the second sees what came between.
  void Store(uint64_t offset, uint64_t value) {
    if (IsSeeded(SeededBug::kNotCrashAtomic)) {
      return StoreWord(arena_.At(offset), value);
    }
    IntentEntry* const entry = next_;
    CHECK(entry != end_);
    next_ = entry + 1;
    stored_ |= Summary(offset);
    StoreWord(&entry->offset, offset);
    StoreWord(&entry->value, value);
    if (ABSL_PREDICT_FALSE(entry + 1 >= begin_ + kIndexed)) Index();
    if (IsSeeded(SeededBug::kCommitBeforeLastEntry)) {
      if (log_ != nullptr) {
        StoreWord(&log_->committed, uint64_t{size()} << 32);
      }
    }
  }

  // Transaction::Replace()
  //
  // The same for a word that only writers look at, so that its order does not
  // matter: if the word has a store already, that one gets the new value.
  void Replace(uint64_t offset, uint64_t value);

  // Transaction::Stores()
  //
  // Whether the word at `offset` has a store.
  [[nodiscard]] bool Stores(uint64_t offset) const {
    return MayStore(offset) && Find(offset) != nullptr;
  }

  // Transaction::HoldHeap()
  //
  // Takes the arena's grow mutex, once, until this object is destroyed: between
  // the load of a word that all lanes share and the end of the intent that
  // changes it, no other lane may come.
  void HoldHeap();
  [[nodiscard]] bool holds_heap() const { return holds_heap_; }

  // Transaction::Commit()
  //
  // Performs the stores through the lane's log, as described above.
  void Commit() {
    if (IsSeeded(SeededBug::kNotCrashAtomic)) return;
    const uint64_t base = uint64_t{size()} << 32;
    if (!IsSeeded(SeededBug::kNoIntent)) {
      StoreWord(&log_->committed, base);
    }
    Apply(&log_->committed, base);
    StoreWord(&log_->committed, 0);
  }

  // Transaction::Apply()
  //
  // Only step 2, for a log whose owner makes the commit point itself: see
  // PerformEntries().
  void Apply(uint64_t* progress, uint64_t base) const {
    PerformEntries(arena_, begin_, 0, size(), progress, base);
  }

  [[nodiscard]] size_t size() const { return next_ - begin_; }
  [[nodiscard]] Arena& arena() const { return arena_; }

 private:
  // From this size on an index finds a pending store, below it a scan does.
  static constexpr size_t kIndexed = 48;

  // A bit for each store, so that most loads need not look for one.
  static uint64_t Summary(uint64_t offset) {
    return uint64_t{1} << (((offset >> 3) ^ (offset >> 9)) % 64);
  }
  bool MayStore(uint64_t offset) const {
    if (IsSeeded(SeededBug::kNotCrashAtomic)) return false;
    return stored_ != 0 && (stored_ & Summary(offset)) != 0;
  }

  // The newest entry for `offset`, or null.
  const IntentEntry* Find(uint64_t offset) const;
  void Index();
  void ReleaseHeap();

  Arena& arena_;
  IntentLog* const log_;
  IntentEntry* const begin_;
  IntentEntry* const end_;
  IntentEntry* next_;
  uint64_t stored_ = 0;
  bool holds_heap_ = false;
  std::unique_ptr<absl::flat_hash_map<uint64_t, size_t>> index_;  // from
                                                                  // kIndexed on
};

// ReplayEntries()
//
// Performs the stores [performed, count) of a log found in `arena`, trusting
// none of it, as PerformEntries() does: `kCorrupt`,
// with nothing stored, if an entry names a word that no intent may change. May
// be killed and repeated at any point.
[[nodiscard]] absl::Status ReplayEntries(Arena& arena,
                                         const IntentEntry* entries,
                                         uint64_t performed, uint64_t count,
                                         uint64_t* progress, uint64_t base);

// ReplayIntent()
//
// Finishes the intent in `log` if one is in flight.
[[nodiscard]] absl::Status ReplayIntent(Arena& arena, IntentLog* log);

}  // namespace ets_keeper

#endif  // COMMON_ARENA_INTENT_H_
