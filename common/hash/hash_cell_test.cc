// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_cell.h"

#include <bit>
#include <cstdint>
#include <set>

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

// Where the bits lie is the format.
TEST(HashCellTest, TheBitsOfAHeadArePartOfTheFormat) {
  EXPECT_EQ(kLockBit, 1);
  EXPECT_EQ(kLiveBits, 0xfffc);
  EXPECT_EQ(kLevelBits, 0x3f'0000);
  EXPECT_EQ(kVersionOne, 0x40'0000);
  EXPECT_EQ(kVersionBits, 0xffff'ffff'ffc0'0000);
  // Together they are all bits but one, which is always 0.
  EXPECT_EQ(kLockBit | kLiveBits | kLevelBits | kVersionBits, ~uint64_t{2});
  EXPECT_EQ(std::popcount(kLockBit) + std::popcount(kLiveBits) +
                std::popcount(kLevelBits) + std::popcount(kVersionBits),
            63);
  // Levels 0, 1 and 33: none, all hashes, and those with 32 bits in common.
  EXPECT_EQ(WithLevel(0, 0), 0);
  EXPECT_EQ(WithLevel(0, 1), 0x39'0000);
  EXPECT_EQ(WithLevel(0, 33), 0x19'0000);
}

TEST(HashCellTest, OtherLiveBitsAreAnotherVersion) {
  const uint64_t head =
      WithLevel(7 * kVersionOne | 0b1010'1000'1010'1000 | kLockBit, 5);
  EXPECT_TRUE(IsLocked(head));
  EXPECT_EQ(LiveOf(head), 0b1010'1000'1010'1000);
  EXPECT_EQ(LevelOf(head), 5);
  const uint64_t next = WithLive(head, 0b0101'0100'0101'0100);
  EXPECT_TRUE(IsLocked(next));
  EXPECT_EQ(LiveOf(next), 0b0101'0100'0101'0100);
  EXPECT_EQ(LevelOf(next), 5);
  EXPECT_EQ(next & kVersionBits, 8 * kVersionOne);
  EXPECT_FALSE(SameButForLock(head, next));
  // Also if the live bits are the same.
  EXPECT_FALSE(SameButForLock(head, WithLive(head, LiveOf(head))));
}

TEST(HashCellTest, AVersionThatWrapsAroundLeavesTheRestAlone) {
  const uint64_t head = kVersionBits | kLevelBits | kLiveBits | kLockBit;
  EXPECT_EQ(WithLive(head, kLiveBits), kLevelBits | kLiveBits | kLockBit);
}

TEST(HashCellTest, ALevelIsSetAlone) {
  const uint64_t head = WithLevel(7 * kVersionOne | 0xa8a8, 5);
  for (const uint64_t level : {0, 1, 33, kMaxLevel}) {
    const uint64_t changed = WithLevel(head, level);
    EXPECT_EQ(LevelOf(changed), level);
    EXPECT_EQ(changed & ~kLevelBits, head & ~kLevelBits);
  }
  // Shifts that no level has.
  for (uint64_t shift = kMaxLevel + 1; shift < 64; ++shift) {
    EXPECT_EQ(LevelOf((head & ~kLevelBits) | shift << kLevelShift), 0);
  }
  EXPECT_EQ(LevelMask(1), 0);  // the only bucket answers for all hashes
  EXPECT_EQ(LevelMask(2), 1);
  EXPECT_EQ(LevelMask(33), 0xffff'ffff);
  EXPECT_EQ(LevelMask(kMaxLevel), ~uint64_t{0} >> 8);
}

// For every level, and hashes that differ from the number in one bit or none.
TEST(HashCellTest, ABucketAnswersForTheHashesWithItsLowBits) {
  const uint64_t other_bits = 7 * kVersionOne | 0xa8a8 | kLockBit;
  for (uint64_t level = 0; level <= kMaxLevel; ++level) {
    const uint64_t head = WithLevel(other_bits, level);
    EXPECT_EQ(AnswersFor(head, 0), level != 0) << level;
    for (int bit = 0; bit < 64; ++bit) {
      const uint64_t differs = uint64_t{1} << bit;
      EXPECT_EQ(AnswersFor(head, differs),
                level != 0 && (differs & LevelMask(level)) == 0)
          << level << " " << bit;
    }
  }
}

TEST(HashCellTest, ALockChangesNoState) {
  EXPECT_TRUE(SameButForLock(0x1234, 0x1234 | kLockBit));
  EXPECT_TRUE(SameButForLock(0x1234, 0x1234));
  EXPECT_FALSE(SameButForLock(0x1234, 0x1234 + kVersionOne));
  EXPECT_FALSE(SameButForLock(0x1234, 0x1234 ^ 4));
}

TEST(HashCellTest, AChainIsALinkAndAFilter) {
  for (const uint64_t link :
       {uint64_t{128}, uint64_t{8192}, (uint64_t{1} << 48) - 128}) {
    const uint64_t filter = FilterBit(0) | FilterBit(~uint64_t{0});
    const uint64_t chain = MakeChain(link, filter);
    EXPECT_EQ(LinkOf(chain), link);
    EXPECT_EQ(FilterOf(chain), filter);
  }
  EXPECT_EQ(MakeChain(0, FilterBit(0)), 0);  // no chain, no filter
  // Whatever a word says, it leads to a word.
  EXPECT_EQ(LinkOf(~uint64_t{0}) % 8, 0);
  EXPECT_EQ(LinkOf(7), 0);
}

TEST(HashCellTest, FilterBitsAreSpreadOverTheFilter) {
  std::set<uint64_t> bits;
  for (uint64_t top = 0; top < 256; ++top) {
    const uint64_t bit = FilterBit(top << 56 | 0xab'cdef);
    EXPECT_TRUE(std::has_single_bit(bit));
    EXPECT_EQ(FilterOf(bit), bit);
    EXPECT_EQ(bit, FilterBit(top << 56));  // only the top bits count
    bits.insert(bit);
  }
  EXPECT_EQ(bits.size(), 16);
}

TEST(HashCellTest, TheFirstItemIsTheLowestBit) {
  for (uint64_t word = 0; word < 64; ++word) {
    const uint64_t bit = uint64_t{1} << word;
    EXPECT_EQ(FirstItem(bit), word);
    EXPECT_EQ(FirstItem(-bit), word);  // and all above
  }
}

}  // namespace
}  // namespace ets_keeper
