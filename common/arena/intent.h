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
// A `Transaction` collects word stores without performing them; whoever
// computes them reads through it, so a later step sees the earlier ones. Then
//
//   1. the stores are written down in an `IntentLog` in the arena,
//   2. the log's `committed` word gets their number: the commit point, one
//      store,
//   3. the stores are performed in the order in which they were added,
//   4. `committed` becomes 0.
//
// Killed before 2, nothing happened; killed after it, `ReplayIntent()` performs
// the stores (again): they are absolute values, so doing it twice, or being
// killed while doing it, changes nothing.
//
//   Transaction transaction(&arena);
//   transaction.Store(slot, new_word);
//   transaction.Store(count, transaction.Load(count) + 1);
//   transaction.Commit(log);
//
// Readers do not wait for step 3, nor for a recovery: whoever orders the stores
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

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
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

  uint64_t committed;  // how many entries count; the commit point
  uint64_t unused;
  IntentEntry entries[kCapacity];
};
static_assert(sizeof(IntentLog) == 1024);

class Transaction {
 public:
  explicit Transaction(Arena* arena) : arena_(*arena) {}

  // Releases the heap lock if `HoldHeap()` took it. What was not committed
  // never happened.
  ~Transaction();

  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Transaction::Load()
  //
  // The word at `offset` as it will be after the stores added so far.
  [[nodiscard]] uint64_t Load(uint64_t offset) const {
    if (entries_.empty()) return LoadWord(arena_.At(offset));
    const IntentEntry* pending = Find(offset);
    return pending != nullptr ? pending->value : LoadWord(arena_.At(offset));
  }

  // Transaction::Store()
  //
  // Adds a store behind all others. Two stores to one word are both performed,
  // in their order, so that whoever sees the second sees what came between.
  void Store(uint64_t offset, uint64_t value) { Append(offset, value); }

  // Transaction::Replace()
  //
  // The same for a word that only writers look at, so that its order does not
  // matter: if the word has a store already, that one gets the new value.
  void Replace(uint64_t offset, uint64_t value);

  // Transaction::Stores()
  //
  // Whether the word at `offset` has a store.
  [[nodiscard]] bool Stores(uint64_t offset) const {
    return Find(offset) != nullptr;
  }

  // Transaction::HoldHeap()
  //
  // Takes the arena's grow mutex, once, until this object is destroyed: between
  // the load of a word that all lanes share and the end of the intent that
  // changes it, no other lane may come.
  void HoldHeap();

  // Transaction::Commit()
  //
  // Performs the stores through `log`, as described above. There must be at
  // most IntentLog::kCapacity of them.
  void Commit(IntentLog* log);

  // Transaction::Write(), Transaction::Apply()
  //
  // The same in two halves for a log of another shape, whose owner makes the
  // commit point in between: `Write()` copies the entries to `log`, which has
  // room for size() of them; `Apply()` performs the stores.
  void Write(IntentEntry* log) const;
  void Apply() const;

  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] Arena& arena() const { return arena_; }

 private:
  // From this size on an index finds a pending store, below it a scan does.
  static constexpr size_t kIndexed = 48;

  // The newest entry for `offset`, or null.
  const IntentEntry* Find(uint64_t offset) const;
  void Append(uint64_t offset, uint64_t value);

  Arena& arena_;
  absl::InlinedVector<IntentEntry, kIndexed> entries_;
  absl::flat_hash_map<uint64_t, size_t> index_;  // used from kIndexed on
  bool holds_heap_ = false;
};

// ReplayEntries()
//
// Performs `count` stores of a log found in `arena`, trusting none of it:
// `kCorrupt`, with nothing stored, if an entry names a word that no intent may
// change. May be killed and repeated at any point.
[[nodiscard]] absl::Status ReplayEntries(Arena& arena,
                                         const IntentEntry* entries,
                                         uint64_t count);

// ReplayIntent()
//
// Finishes the intent in `log` if one is in flight.
[[nodiscard]] absl::Status ReplayIntent(Arena& arena, IntentLog* log);

}  // namespace ets_keeper

#endif  // COMMON_ARENA_INTENT_H_
