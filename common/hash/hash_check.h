// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_check.h
// -----------------------------------------------------------------------------
//
// Examines a whole hash table at rest: what must be true after every operation
// and after every recovery, however it was interrupted.
//
//   absl::Status status = CheckHashTable(core->geometry());
//
// Every byte of the heap is in exactly one place: a record that one slot names,
// a cell of one chain, the batch log, a free list, a lane's chunk, or counted
// as waste. So there is no leak and no double use. Every row is in the bucket
// where readers look for it, once, and the counts are exact.
//
// Thread safety: nobody may write meanwhile.
//
// It does not decode rows, and it repairs nothing. O(size of the table).

#ifndef COMMON_HASH_HASH_CHECK_H_
#define COMMON_HASH_HASH_CHECK_H_

#include "absl/status/status.h"
#include "common/hash/hash_layout.h"

namespace ets_keeper {

// CheckHashTable()
//
// `kCorrupt`, saying what is wrong where, or ok.
[[nodiscard]] absl::Status CheckHashTable(const HashGeometry& geometry);

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_CHECK_H_
