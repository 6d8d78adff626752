// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_layout.h"

#include <cstddef>
#include <cstdint>

#include "common/arena/arena.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

// Where the words lie is the format: another process, or another build, maps
// the same arena.
TEST(HashLayoutTest, TheLayoutIsPartOfTheFormat) {
  EXPECT_EQ(sizeof(HashLane), 2112);
  EXPECT_EQ(offsetof(HashLane, count), 64);
  EXPECT_EQ(offsetof(HashLane, heap), 128);
  EXPECT_EQ(offsetof(HashLane, intent), 1088);
  EXPECT_EQ(HashGeometry::LaneOffset(0), 4160);
  EXPECT_EQ(HashGeometry::LaneOffset(1), 4160 + 2112);
  const HashGeometry geometry = {.lanes_log2 = 2};
  EXPECT_EQ(geometry.buckets_begin(), 4160 + 4 * 2112);
  EXPECT_EQ(geometry.buckets_begin() % 64, 0);
  EXPECT_EQ(geometry.BucketOffset(3, 1),
            geometry.buckets_begin() + (4 + 3) * 64);
}

TEST(HashLayoutTest, ASlotHoldsATagAndAnOffset) {
  const uint64_t slot = MakeSlot(0xabcd'0000'0000'1234, 0x5678);
  EXPECT_EQ(slot, 0xabcd'0000'0000'5678);
  EXPECT_EQ(RecordOf(slot), 0x5678);
  EXPECT_LE(Arena::kMaxBytes, kTagBits & -kTagBits);
}

// Linear hashing: with one more bucket, a hash stays where it is or goes to
// the new one, from the one bucket that is split.
TEST(HashLayoutTest, AddingABucketMovesHashesOnlyFromTheOneThatIsSplit) {
  const HashGeometry geometry = {.lanes_log2 = 3};
  for (uint64_t n = 1; n < 300; ++n) {
    const uint64_t split = n - std::bit_floor(n);
    for (uint64_t position = 0; position < 1024; ++position) {
      const uint64_t hash = position << 3;
      const uint64_t before = geometry.Home(hash, n);
      const uint64_t after = geometry.Home(hash, n + 1);
      ASSERT_LT(before, n);
      if (after != before) {
        ASSERT_EQ(after, n);
        ASSERT_EQ(before, split);
      }
    }
  }
}

}  // namespace
}  // namespace ets_keeper
