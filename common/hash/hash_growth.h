// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_growth.h
// -----------------------------------------------------------------------------
//
// How a lane of a hash table grows: one bucket at a time, while readers read.
//
//   if (NeedsSplit(geometry, lane)) status = SplitBucket(geometry, lane);
//
// The lane has n buckets, 2^l <= n < 2^(l+1). Bucket p = n - 2^l splits:
//
//   1. Bucket n, which nobody looks into yet, gets the slots of those rows of p
//      whose home it will be. The records stay where they are.
//   2. One intent stores n + 1 and `cleaning` = p + 1. From here on readers
//      look for these rows in bucket n. In p the same slots, ghosts, still name
//      the same records; nobody can change them, for this lane is locked.
//   3. `CleanBucket()` takes the ghosts away, moves rows of p's chain into the
//      slots that became free, and stores `cleaning` = 0.
//
// Killed before the commit point of 2, nothing happened; killed after it,
// recovery goes on with 3. A reader that began with the old n and misses a row
// in p finds that n has changed and looks again.
//
// Thread safety: needs the lane's lock.

#ifndef COMMON_HASH_HASH_GROWTH_H_
#define COMMON_HASH_HASH_GROWTH_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/hash/hash_layout.h"

namespace ets_keeper {

// kRowsPerBucket
//
// A lane grows when it has more rows than this a bucket, of kSlots slots: then
// about a tenth of the buckets have an overflow cell.
inline constexpr uint64_t kRowsPerBucket = 4;

// NeedsSplit()
//
// Whether the lane has too few buckets for its rows and `coming` more.
[[nodiscard]] bool NeedsSplit(const HashGeometry& geometry, uint32_t lane,
                              uint64_t coming = 0);

// SplitBucket()
//
// `kNoMemory`, with nothing changed, if the arena is full; the table then goes
// on with longer chains.
[[nodiscard]] absl::Status SplitBucket(const HashGeometry& geometry,
                                       uint32_t lane);

// CleanBucket()
//
// Step 3, if the lane has a bucket to clean. May be killed and repeated at any
// point.
[[nodiscard]] absl::Status CleanBucket(const HashGeometry& geometry,
                                       uint32_t lane);

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_GROWTH_H_
