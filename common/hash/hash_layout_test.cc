// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_layout.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/row/layout.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

// Where the words lie is the format: another process, or another build, maps
// the same arena.
TEST(HashLayoutTest, TheLayoutIsPartOfTheFormat) {
  EXPECT_EQ(offsetof(HashBucket, chain), 8);
  EXPECT_EQ(offsetof(HashBucket, word), 16);
  EXPECT_EQ(sizeof(HashRecord), 8);
  EXPECT_EQ(offsetof(HashLane, held), 8);
  EXPECT_EQ(offsetof(HashLane, changing), 24);
  EXPECT_EQ(offsetof(HashLane, before), 40);
  EXPECT_EQ(offsetof(HashLane, heap), 64);
  EXPECT_EQ(offsetof(HashLane, intent), 1024);
  EXPECT_EQ(sizeof(HashLane), 2048);
  EXPECT_EQ(offsetof(HashRoot, inline_words), 40);
  EXPECT_EQ(offsetof(HashRoot, image), 48);
  EXPECT_EQ(offsetof(HashRoot, buckets), 64);
  EXPECT_EQ(offsetof(HashRoot, batch_log), 72);
  EXPECT_EQ(sizeof(HashBatchLog), 48);
  EXPECT_EQ(sizeof(HashBatchKey), 16);
  EXPECT_EQ(HashGeometry::RootWord(offsetof(HashRoot, buckets)), 4096 + 64);
  EXPECT_EQ(HashGeometry::LaneOffset(0), 4096 + 128);
  EXPECT_EQ(HashGeometry::LaneOffset(3), 4096 + 128 + 3 * 2048);
}

TEST(HashLayoutTest, BucketsFollowTheLanesAndAreTwoLines) {
  auto arena = *Arena::CreatePrivate(Arena::kMinBytes);
  HashGeometry geometry = HashGeometry::Of(arena.get());
  for (const uint32_t lanes : {1, 2, 9}) {
    geometry.SetLanes(lanes);
    EXPECT_EQ(geometry.buckets_begin, HashGeometry::LaneOffset(lanes));
    EXPECT_EQ(geometry.buckets_begin % sizeof(HashBucket), 0);
    for (const uint64_t bucket : {0, 1, 77}) {
      const uint64_t offset = geometry.BucketOffset(bucket);
      EXPECT_EQ(offset, geometry.buckets_begin + bucket * 128);
      EXPECT_EQ(geometry.BucketNumber(offset), bucket);
      EXPECT_TRUE(geometry.HoldsCell(offset));
      EXPECT_FALSE(geometry.HoldsCell(offset + 8));
    }
  }
  EXPECT_FALSE(geometry.HoldsCell(0));
  EXPECT_FALSE(geometry.HoldsCell(arena->bytes()));
  EXPECT_FALSE(geometry.HoldsCell(~uint64_t{127}));
}

TEST(HashLayoutTest, ASlotHoldsATagAndAnOffset) {
  const uint64_t slot = MakeSlot(0xabcd'0000'0000'1234, 0x5678);
  EXPECT_EQ(slot, 0xabcd'0000'0000'5678);
  EXPECT_EQ(RecordOf(slot), 0x5678);
  EXPECT_LE(Arena::kMaxBytes, kTagBits & -kTagBits);
  EXPECT_EQ(ClassOfRecord(5), ClassOf(48));
}

TEST(HashLayoutTest, SmallRowsOfSmallKeysAreItems) {
  EXPECT_EQ(InlineWords(1, {}), 1);
  EXPECT_EQ(InlineWords(2, {.word = 1}), 2);
  EXPECT_EQ(InlineWords(3, {.words = 2}), 3);
  EXPECT_EQ(InlineWords(0, {}), 0);  // of various sizes
  EXPECT_EQ(InlineWords(4, {}), 0);
  EXPECT_EQ(InlineWords(3, {.words = 3}), 0);
  EXPECT_EQ(InlineWords(3, {.words = 0}), 0);
  EXPECT_EQ(InlineWords(2, {.variable = true}), 0);
  EXPECT_EQ(InlineWords(~uint64_t{0}, {}), 0);
}

TEST(HashLayoutTest, PlacesOfACellAreAsManyAsItemsFit) {
  for (const uint32_t words : {0, 1, 2, 3}) {
    const HashGeometry geometry = {.inline_words = words};
    const uint32_t item = words == 0 ? 1 : words;
    EXPECT_EQ(geometry.item_words(), item);
    EXPECT_EQ(std::popcount(geometry.places()), 14 / item);
    // They begin behind the cell's own words and do not overlap.
    uint32_t next = 2;
    for (uint64_t places = geometry.places(); places != 0;
         places &= places - 1) {
      EXPECT_EQ(std::countr_zero(places), next);
      next += item;
    }
    EXPECT_LE(next, 16);
  }
}

TEST(HashLayoutTest, WordsTearWhereSeveralCanChange) {
  EXPECT_TRUE(HashGeometry{}.words_can_tear());  // records
  EXPECT_FALSE(HashGeometry{.inline_words = 1}.words_can_tear());
  EXPECT_FALSE(HashGeometry{.inline_words = 2}.words_can_tear());
  EXPECT_TRUE(HashGeometry{.inline_words = 3}.words_can_tear());
  const KeyLayout two = {.words = 2};
  EXPECT_FALSE((HashGeometry{.key = two, .inline_words = 2}).words_can_tear());
  EXPECT_FALSE((HashGeometry{.key = two, .inline_words = 3}).words_can_tear());
}

// Linear hashing: with one more bucket, a hash stays where it is or goes to
// the new one, from the one bucket that is split.
TEST(HashLayoutTest, AddingABucketMovesHashesOnlyFromTheOneThatIsSplit) {
  EXPECT_EQ(HashGeometry::Home(~uint64_t{0}, 1), 0);
  for (uint64_t n = 1; n < 300; ++n) {
    const uint64_t split = n - std::bit_floor(n);
    for (uint64_t hash = 0; hash < 1024; ++hash) {
      const uint64_t before = HashGeometry::Home(hash, n);
      const uint64_t after = HashGeometry::Home(hash, n + 1);
      ASSERT_LT(before, n);
      if (after != before) {
        ASSERT_EQ(after, n);
        ASSERT_EQ(before, split);
      }
    }
  }
  // Of numbers that are no such, nothing worse than a large bucket comes.
  EXPECT_EQ(HashGeometry::Home(12345, kMaxBuckets), 12345);
  EXPECT_EQ(HashGeometry::Home(5, ~uint64_t{0}), 5);
}

}  // namespace
}  // namespace ets_keeper
