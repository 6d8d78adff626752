// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: write_each.h
// -----------------------------------------------------------------------------
//
// `WriteEachIn()`: many writes, one after the other, whose memory accesses go
// on side by side. Internal: `TableWriter::InsertEach()` and
// `UpdateCounterEach()`.
//
//   absl::Status status = WriteEachIn<Codec, &User::id>(
//       core, ids.size(), [&](size_t i) { return ids[i]; },
//       [&](size_t i, const KeyView& key) { return core.Delete(epoch, key); });
//
// How: of a group of keys first the buckets are asked for, then, when they are
// there, the records or overflow cells.
//
// Thread safety: as writes.

#ifndef COMMON_TABLE_WRITE_EACH_H_
#define COMMON_TABLE_WRITE_EACH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_reader.h"
#include "common/table/encoded.h"

namespace ets_keeper {

// kWriteGroup
//
// How many keys are asked for together.
inline constexpr size_t kWriteGroup = 32;

// WriteEachIn()
//
// Calls `write(i, key)` for the keys `key_of(0)` to `key_of(count - 1)`, in
// order, and ends with its first error.
template <typename Codec, auto Key, typename KeyOf, typename Write>
[[nodiscard]] absl::Status WriteEachIn(const HashCore& core, size_t count,
                                       const KeyOf& key_of,
                                       const Write& write) {
  const HashReader& reader = core.reader();
  using Wanted = LookupKey<Codec, Key>;
  typename Wanted::Kept group[kWriteGroup];
  for (size_t begin = 0; begin < count; begin += kWriteGroup) {
    const size_t size = std::min(kWriteGroup, count - begin);
    for (size_t i = 0; i < size; ++i) {
      const Wanted key(key_of(begin + i));
      group[i] = typename Wanted::Kept(key.view(core.seed()));
      reader.PrefetchBucket(group[i].hash());
    }
    if (reader.prefetches_records()) {
      for (size_t i = 0; i < size; ++i) reader.PrefetchRecord(group[i].hash());
    }
    for (size_t i = 0; i < size; ++i) {
      const Wanted key(key_of(begin + i));
      absl::Status status = write(begin + i, key.view_of(group[i]));
      if (ABSL_PREDICT_FALSE(!status.ok())) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace ets_keeper

#endif  // COMMON_TABLE_WRITE_EACH_H_
