// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_head_change.h
// -----------------------------------------------------------------------------
//
// How a row comes or goes together with the count of the lane, with no log: the
// row does by one store of the head of its cell, which is the commit point, so
// of the two words only the count must be told to recovery.
//
//   1. lane: `before` = count, `seen` = the cell's head, `changing` = the cell
//   2. lane: the new count
//   3. cell: the new head
//   4. lane: `changing` = 0
//
//   BeginHeadChange(lane, cell, head);
//   CommitHeadChange(geometry, lane, cell, WithLive(head, live), +1);
//
// Killed before 3, the head is `seen`, but for its lock, and recovery puts the
// count back to `before`; killed after it, the head is another one, and the
// count stays. Killed within 1, the count is `before` anyway.
//
// That the head cannot have become `seen` again by 4: the head of a cell of a
// chain changes only under the lock of the bucket, which the caller has. That
// of a bucket gets a version that it never had, so there 3 may give the lock
// back in the same store, and others may change the head before 4.
//
// `changing` also names a bucket whose lock the lane may have, as `held` does
// (hash_lock.h): a writer that will change the head of a bucket says so before
// it takes the lock.
//
// Thread safety: the lane's words belong to one thread.

#ifndef COMMON_HASH_HASH_HEAD_CHANGE_H_
#define COMMON_HASH_HASH_HEAD_CHANGE_H_

#include <cstdint>

#include "absl/base/attributes.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"

namespace ets_keeper {

// BeginHeadChange()
//
// `head`: of the bucket or cell at offset `cell`, with the lock free.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void BeginHeadChange(HashLane* lane,
                                                         uint64_t cell,
                                                         uint64_t head) {
  if (IsSeeded(SeededBug::kNotCrashAtomic)) return;
  StoreWord(&lane->before, LoadWord(&lane->count));
  StoreWord(&lane->seen, head);
  StoreWord(&lane->changing, cell);
}

// EndHeadChange()
//
// Of one that was committed or given up. The lock of the bucket, if only
// `changing` names it, has been given back.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void EndHeadChange(HashLane* lane) {
  if (IsSeeded(SeededBug::kNotCrashAtomic)) return;
  StoreWord(&lane->changing, 0);
}

// CommitHeadChange()
//
// The cell gets that head, and the lane counts `added` rows more.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void CommitHeadChange(HashLane* lane,
                                                          HashBucket* cell,
                                                          uint64_t head,
                                                          int64_t added) {
  if (IsSeeded(SeededBug::kHeadBeforeCount)) StoreWord(&cell->head, head);
  AddToOwnWord(&lane->count, static_cast<uint64_t>(added));
  StoreWord(&cell->head, head);
  EndHeadChange(lane);
}

// TryLockBucketToChange()
//
// TryLockBucket() for a writer that will change the head, or give that up.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool TryLockBucketToChange(
    HashLane* lane, HashBucket* bucket, uint64_t offset, uint64_t head) {
  if (ABSL_PREDICT_FALSE(IsLocked(head))) return false;
  BeginHeadChange(lane, offset, head);
  if (ABSL_PREDICT_TRUE(SwapInLock(&bucket->head, head))) return true;
  EndHeadChange(lane);
  return false;
}

// NameLockInstead()
//
// Gives up to change the head of a locked bucket, whose lock stays named.
inline void NameLockInstead(HashLane* lane, uint64_t offset) {
  NameLock(lane, 0, offset);
  EndHeadChange(lane);
}

// RecoverHeadChange()
//
// Ends the change of a dead lane, if one was going on; the lock is named in
// `held` from then on. To be called for all lanes before any lock is freed: a
// lock is what tells a head that has not changed yet. May be killed and
// repeated.
inline void RecoverHeadChange(const HashGeometry& geometry, HashLane* lane) {
  const uint64_t cell = LoadWord(&lane->changing);
  if (cell == 0) return;
  if (geometry.HoldsCell(cell) &&
      SameButForLock(LoadWord(&geometry.BucketAt(cell)->head),
                     LoadWord(&lane->seen))) {
    StoreWord(&lane->count, LoadWord(&lane->before));
  }
  // Not in place of the bucket's name, if this is a cell of its chain.
  NameLock(lane, 1, cell);
  EndHeadChange(lane);
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_HEAD_CHANGE_H_
