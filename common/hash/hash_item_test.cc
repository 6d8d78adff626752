// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_item.h"

#include <cstdint>

#include "absl/types/span.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/row/layout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::testing::ElementsAreArray;

constexpr uint64_t kAll = ~uint64_t{0};

// A cell whose words are 2 to 15, as their places in it are.
alignas(128) constexpr HashBucket kCell = {
    .head = 0,
    .chain = 1,
    .word = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

template <KeyLayout kKey>
FixedKey<kKey> KeyOf(uint64_t first) {
  const uint64_t words[] = {first, first + 1};
  return FixedKey<kKey>(
      MakeHashKey(0, absl::MakeConstSpan(words, kKey.words), kKey.words * 8));
}

template <uint32_t kWords, KeyLayout kKey>
void ExpectItems(InstructionSet set) {
  for (uint64_t word = 0; word < 20; ++word) {
    const FixedKey<kKey> key = KeyOf<kKey>(word);
    const uint64_t item = word - kKey.word;  // would begin there
    const bool there =
        item >= 2 && item <= 16 - kWords && (item - 2) % kWords == 0;
    const uint64_t bit = there ? uint64_t{1} << item : 0;
    // The lowest bit is the item's.
    const uint64_t found = MatchItem<kWords, kKey>(set, &kCell, kAll, key);
    EXPECT_EQ(found & -found, bit) << word;
    EXPECT_EQ((MatchItem<kWords, kKey>(set, &kCell, ~bit, key)), 0) << word;
    if (!there) continue;
    uint64_t row[kWords], expected[kWords];
    for (uint32_t i = 0; i < kWords; ++i) expected[i] = item + i;
    CopyItem<kWords>(&kCell, bit, key, row);
    EXPECT_THAT(row, ElementsAreArray(expected));
  }
}

TEST(HashItemTest, ALiveItemWithTheKeyIsFoundAndCopied) {
  for (const InstructionSet set :
       {InstructionSet::kScalar, DetectInstructionSet()}) {
    ExpectItems<1, KeyLayout{}>(set);
    ExpectItems<2, KeyLayout{}>(set);
    ExpectItems<2, KeyLayout{.word = 1}>(set);
    ExpectItems<2, KeyLayout{.words = 2}>(set);
    ExpectItems<3, KeyLayout{}>(set);
    ExpectItems<3, KeyLayout{.word = 2}>(set);
    ExpectItems<3, KeyLayout{.word = 1, .words = 2}>(set);
  }
}

TEST(HashItemTest, ABucketIsUnchangedIfItsHeadIsAndNobodyHasItLocked) {
  HashBucket bucket = {};
  bucket.head = 5 * kVersionOne;
  EXPECT_TRUE(IsUnchanged(&bucket, 5 * kVersionOne));
  EXPECT_FALSE(IsUnchanged(&bucket, 4 * kVersionOne));
  EXPECT_FALSE(IsUnchanged(&bucket, 5 * kVersionOne | kLockBit));
  bucket.head |= kLockBit;
  EXPECT_FALSE(IsUnchanged(&bucket, 5 * kVersionOne));
  EXPECT_FALSE(IsUnchanged(&bucket, bucket.head));
}

}  // namespace
}  // namespace ets_keeper
