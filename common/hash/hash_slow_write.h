// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_slow_write.h
// -----------------------------------------------------------------------------
//
// `HashSlowWrite`: the parts of a `HashWrite` (hash_write.h) that are not
// short, or not frequent. They are calls, so that what they are not made for
// stays short.
//
//   using Slow = HashSlowWrite<2>;
//   HashPlace place = Slow::Begin(geometry, key, lane);
//   Slow::Edited edited = Slow::Put(geometry, lane, place, key.hash, row);
//   UnlockBucket(geometry, place.bucket);
//
// Each is made for the words of an inline row, or for 0, if rows are records.
//
// Thread safety: the lane belongs to the calling thread.

#ifndef COMMON_HASH_HASH_SLOW_WRITE_H_
#define COMMON_HASH_HASH_SLOW_WRITE_H_

#include <array>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"

namespace ets_keeper {

// HashSlowWrite
//
// The parts of a write that are not short, or not frequent. All of them need
// the lock of the bucket, named in the first word of the lane's `held`.
template <uint32_t kWords>
class HashSlowWrite {
 public:
  using InlineRow = std::array<uint64_t, kWords>;

  // What an edit did: its error, and by how many rows there are more.
  struct Edited {
    absl::Status status;
    int64_t added = 0;
  };

  // Finds the key wherever it is and takes the lock, as soon as nobody else has
  // it. The bucket is 0 if words of the arena are impossible.
  static HashPlace Begin(const HashGeometry& geometry, const KeyView& key,
                         uint32_t lane);
  // The same for a key of one or two words. `bucket`: in whose chain it may be,
  // and its head; or 0.
  static HashPlace BeginInline(const HashGeometry& geometry, uint64_t hash,
                               uint64_t first, uint64_t second, uint32_t lane,
                               uint64_t bucket, uint64_t head);

  // Puts an inline row into a place that is free in the chain of its bucket,
  // which is full, or into a new cell in front of it. False if there is none to
  // be had easily.
  static bool AddToChain(const HashGeometry& geometry, uint32_t lane,
                         uint64_t bucket, uint64_t head, uint64_t hash,
                         InlineRow row);
  // Removes an inline row that is in a chain.
  static void RemoveFromChain(const HashGeometry& geometry, uint32_t lane,
                              const HashPlace& place);

  // Puts a record into the bucket itself. False if there is no place, or no
  // memory to be had easily.
  static bool AddRecord(const HashGeometry& geometry, uint32_t lane,
                        uint64_t bucket, uint64_t head, uint64_t hash,
                        absl::Span<const uint64_t> row);

  // Removes a record whose item is in the bucket itself.
  static void RemoveRecord(const HashGeometry& geometry, uint32_t lane,
                           const HashPlace& place);

  // By a HashEdit, but for records that one of these two will do for.
  static Edited Put(const HashGeometry& geometry, uint32_t lane,
                    HashPlace place, uint64_t hash,
                    absl::Span<const uint64_t> row);
  static Edited Remove(const HashGeometry& geometry, uint32_t lane,
                       HashPlace place);
  static Edited Edit(const HashGeometry& geometry, uint32_t lane,
                     absl::FunctionRef<absl::Status(HashEdit<kWords>&)> edit);

  // Errors of HashWrite::Add().
  static absl::Status NoRow();
  static absl::Status NoWord(uint64_t words, uint32_t word);
  static absl::Status NoSum(uint64_t word, int64_t amount);
};

extern template class HashSlowWrite<0>;
extern template class HashSlowWrite<1>;
extern template class HashSlowWrite<2>;
extern template class HashSlowWrite<3>;

// FillPlace()
//
// Puts an inline row into the first of the free places of a cell, where nobody
// looks until the head says that it is live.
template <uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void FillPlace(HashBucket* cell,
                                                   uint64_t free,
                                                   const uint64_t* row) {
  uint64_t* const head = &cell->head;
  if (IsSeeded(SeededBug::kPublishBeforeFill)) {
    StoreWord(head, WithLive(LoadWord(head),
                             LiveOf(LoadWord(head)) | (free & -free)));
  }
  uint64_t* const word = head + FirstItem(free);
  ForConstants<kWords>([&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    StoreWord(&word[i], row[i]);
  });
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_SLOW_WRITE_H_
