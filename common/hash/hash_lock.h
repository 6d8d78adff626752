// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_lock.h
// -----------------------------------------------------------------------------
//
// The locks of buckets. A lock is a bit of the bucket's head in the arena, so a
// writer that dies leaves it taken; therefore
//
//   1. the writer stores the bucket's offset in `held` of its lane,
//   2. takes the lock, by one compare-and-swap against the head it has seen,
//   3. and gives it back by a store, after its intent has ended,
//
// and recovery, when all writers are dead, frees whatever `held` names (or
// `changing`, for writers that change nothing but the head: see
// hash_head_change.h). An
// intent that is in flight thus has the locks of all words that it names, so no
// other writer can have changed them since, and replaying it is right.
//
// Thread safety: as said. Memory ordering: taking a lock acquires what its last
// holder stored, and is a full barrier on x86-64.

#ifndef COMMON_HASH_HASH_LOCK_H_
#define COMMON_HASH_HASH_LOCK_H_

#include <sched.h>

#include <cstdint>

#include "absl/base/attributes.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_layout.h"

namespace ets_keeper {

// SpinPause
//
// How a writer waits for another one, which holds a lock for less than a
// microsecond unless it was put to sleep.
class SpinPause {
 public:
  void Wait() {
    if (++rounds_ % 64 == 0) {
      sched_yield();
    } else {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  }

 private:
  uint32_t rounds_ = 0;
};

// NameLock()
//
// Says that the lane may have the lock of the bucket at `offset`, in a word of
// its `held`.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void NameLock(HashLane* lane, int slot,
                                                  uint64_t offset) {
  if (IsSeeded(SeededBug::kNotCrashAtomic)) return;
  StoreWord(&lane->held[slot], offset);
}

// SwapInLock()
//
// Takes the lock of a bucket if its head still is `head`, with the lock free.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool SwapInLock(
    uint64_t* word, uint64_t head) {
  if (IsSeeded(SeededBug::kLockUnseen)) head = LoadWord(word) & ~kLockBit;
  return CompareAndSwapWord(word, head, head + kLockBit);
}

// TryLockBucket()
//
// Takes the lock of the bucket, which is at `offset`, if its head still is
// `head`, with the lock free. `slot` says which word of the lane's `held` to
// use.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool TryLockBucket(
    HashLane* lane, int slot, HashBucket* bucket, uint64_t offset,
    uint64_t head) {
  if (ABSL_PREDICT_FALSE(IsLocked(head))) return false;
  NameLock(lane, slot, offset);
  return SwapInLock(&bucket->head, head);
}

// LockNamedBucket()
//
// Waits for the lock of a bucket whose offset the caller has stored where
// recovery looks for it.
inline void LockNamedBucket(const HashGeometry& geometry, uint64_t offset) {
  uint64_t* word = &geometry.BucketAt(offset)->head;
  SpinPause pause;
  for (;;) {
    const uint64_t head = LoadWord(word);
    if (!IsLocked(head) && SwapInLock(word, head)) return;
    pause.Wait();
  }
}

// LockBucket()
//
// Waits for the lock of the bucket, which `slot` of the lane's `held` names.
inline void LockBucket(const HashGeometry& geometry, HashLane* lane, int slot,
                       uint64_t offset) {
  NameLock(lane, slot, offset);
  LockNamedBucket(geometry, offset);
}

// UnlockBucket()
//
// Gives back the lock of a bucket, which this thread has.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void UnlockBucket(
    const HashGeometry& geometry, uint64_t offset) {
  uint64_t* head = &geometry.BucketAt(offset)->head;
  StoreWord(head, LoadWord(head) & ~kLockBit);
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_LOCK_H_
