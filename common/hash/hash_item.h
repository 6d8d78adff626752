// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_item.h
// -----------------------------------------------------------------------------
//
// Reading a row of a known number of words that lies in a cell: the few
// instructions that a lookup consists of, all that its type says a constant.
//
//   const FixedKey<kKey> key(view);
//   const uint64_t head = LoadWord(&bucket->head);
//   const uint64_t found = MatchItem<kWords, kKey>(bucket, head, key);
//   if (found != 0) CopyItem<kWords>(bucket, found, key, row);
//   if (IsUnchanged(bucket, head)) ...  // that is what was there
//
// Thread safety: pure functions of the arena's words.

#ifndef COMMON_HASH_HASH_ITEM_H_
#define COMMON_HASH_HASH_ITEM_H_

#include <cstdint>

#include "absl/base/attributes.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
#include "common/row/layout.h"

namespace ets_keeper {

// FixedKey
//
// A key of one or two words, by themselves.
template <KeyLayout kKey>
struct FixedKey {
  static_assert(!kKey.variable);
  ABSL_ATTRIBUTE_ALWAYS_INLINE explicit FixedKey(const KeyView& key)
      : words{key.Word(0), kKey.words == 2 ? key.Word(1) : 0} {}
  uint64_t words[2];
};

// MatchItem()
//
// The item with the key, among the live ones of the cell with that head, as the
// lowest bit; or 0.
template <uint32_t kWords, KeyLayout kKey>
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t MatchItem(
    InstructionSet set, const HashBucket* cell, uint64_t head,
    const FixedKey<kKey>& key) {
  return MatchInline::MatchKey<kWords>(set, *cell,
                                       {.want = key.words[0],
                                        .second = key.words[1],
                                        .shift = kKey.word,
                                        .two_words = kKey.words == 2},
                                       head);
}

// CopyItem()
//
// Copies the item that was found with the key, which is loaded no more.
template <uint32_t kWords, KeyLayout kKey>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void CopyItem(const HashBucket* cell,
                                                  uint64_t found,
                                                  const FixedKey<kKey>& key,
                                                  uint64_t* row) {
  const uint64_t* from = &cell->head + FirstItem(found);
  ForConstants<kWords>([&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    const uint32_t of_key = i - kKey.word;
    row[i] = of_key < kKey.words ? key.words[of_key] : LoadWord(&from[i]);
  });
}

// IsUnchanged()
//
// Whether the head of the bucket is what it was before all the loads before
// this, and nobody had it locked then.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool IsUnchanged(
    const HashBucket* bucket, uint64_t head) {
  MatchFence();
  return ABSL_PREDICT_TRUE(!IsLocked(head)) && IsWord(&bucket->head, head);
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_ITEM_H_
