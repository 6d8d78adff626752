// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_growth.h
// -----------------------------------------------------------------------------
//
// How a hash table grows and shrinks: one bucket at a time, while readers read
// and writers write.
//
//   if (BucketsFor(rows) > n) status = SplitBuckets(geometry, lane, 1);
//
// The table has n buckets, 2^l <= n < 2^(l+1). To grow, bucket P = n - 2^l is
// split. With its lock held,
//
//   1. bucket N = n, which does not exist, gets copies of those items of P
//      whose hash has bit l,
//   2. three stores follow, in this order: N's head, so that N exists; P's head
//      with the next level and without those items; n + 1.
//   3. If P has a chain, these are the first stores of an intent that goes on:
//      what stays of the chain moves into the room that became free, one store
//      of the head makes it live there, then the link is cut from the cells
//      that are empty, then the version goes up, then they are freed. What has
//      no room stays in its cell; of a long chain it goes into new ones.
//
// Why a reader is right in every state of this: up to the store of P's head, P
// shows all of its keys. After it, P's level sends whoever looks for a key that
// moved to N, where it is; who had loaded P's old head finds the keys in what
// it loaded then, or finds that the head has changed. That a key is visible in
// both buckets for a while does no harm, as nobody can change it: both are
// locked.
//
// To shrink, bucket N = n - 1 is merged into its P by the reverse: N's items
// are put where P has room, the rest into new cells in front of P's chain; then
// P's chain is stored; P's head with the former level and the new items, in one
// store; N's head, so that N does not exist; n - 1: with chains by an intent.
// Who comes to N later, by an old number of buckets, goes on to P.
//
// Without an intent, what a killed split or merge left is seen by what n says
// and what the buckets do: bucket n exists, so it was being split off, and P's
// level tells whether P has given anything away; or bucket n - 1 does not exist
// or its P answers for all that it has, so it was being merged. Recovery goes
// on from there, or lets bucket n vanish.
//
// Thread safety: one at a time, which the core's growth mutex sees to; needs a
// lane, and takes the locks of the two buckets itself.
//
// One split or merge costs a few hundred nanoseconds at most for each cell of
// the chains involved; of more than kMaxCellsToSplit cells (hash_move.h) it is
// refused.

#ifndef COMMON_HASH_HASH_GROWTH_H_
#define COMMON_HASH_HASH_GROWTH_H_

#include <bit>
#include <cstdint>

#include "absl/status/status.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_record.h"

namespace ets_keeper {

// BucketsFor()
//
// How many buckets a table of that many rows should have: with 3.84 rows of two
// words a bucket, which has room for seven, one in 29 is in an overflow cell,
// and a row costs less than 36 bytes.
[[nodiscard]] inline uint64_t BucketsFor(const HashGeometry& geometry,
                                         uint64_t rows) {
  // Rows in 64 buckets, by the words of an item.
  constexpr uint64_t kRows[] = {0, 488, 246, 170};
  return rows * 64 / kRows[geometry.item_words()] + 1;
}

// SplitBuckets(), MergeBuckets()
//
// Add or take away the last bucket, `count` times, or until an error.
// `kNoMemory`, with nothing changed, if the arena is full or a chain too long;
// the table then goes on with longer chains, or with more buckets than it
// needs. `kOutOfRange`: there is only one bucket.
[[nodiscard]] absl::Status SplitBuckets(const HashGeometry& geometry,
                                        uint32_t lane, uint64_t count);
[[nodiscard]] absl::Status MergeBuckets(const HashGeometry& geometry,
                                        uint32_t lane, uint64_t count);

// RecoverGrowth()
//
// Ends a split or merge that was going on when its process died, while no
// process writes, after all intents. `kCorrupt` if the levels are impossible.
// May be killed and repeated.
[[nodiscard]] absl::Status RecoverGrowth(const HashGeometry& geometry);

// PrefetchSplit()
//
// Has the lines loaded that the splits after that of bucket n - `half` into
// itself and bucket n will want: the bucket of one, and the chain and records
// of one that comes before it.
inline void PrefetchSplit(const HashGeometry& geometry, uint64_t n,
                          uint64_t half) {
  const HashBucket* const split =
      geometry.BucketAt(geometry.BucketOffset(n - half));
  // Beyond the last one that will be split it is some other bucket or memory.
  PrefetchCell(split + 4);
  if (half < 4) return;
  const uint64_t link = LinkOf(LoadWord(&split[2].chain));
  if (geometry.HoldsCell(link)) PrefetchCell(geometry.BucketAt(link));
  if (geometry.is_inline()) return;
  // Their hashes say which of them move.
  PrefetchRecords(geometry, split[2],
                  LoadWord(&split[2].head) & geometry.places(), 1);
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_GROWTH_H_
