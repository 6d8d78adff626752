// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_move.h"

#include <bit>
#include <cstdint>
#include <map>

#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::hash_internal {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;

constexpr uint64_t kEpoch = TestTable::epoch;

TEST(ItemListTest, ItemsLeaveInTheirOrderOneByOneOrACellAtATime) {
  ItemList<2> items;
  EXPECT_TRUE(items.empty());
  for (uint64_t i = 0; i < 9; ++i) {
    const uint64_t item[] = {i, i + 100};
    items.Add(item, i << 60);
  }
  EXPECT_THAT(absl::MakeConstSpan(items.Take(), 2), ElementsAre(0, 100));
  uint64_t filter = 0;
  EXPECT_THAT(
      items.TakeCell(&filter),
      ElementsAre(1, 101, 2, 102, 3, 103, 4, 104, 5, 105, 6, 106, 7, 107));
  uint64_t expected = 0;
  for (uint64_t i = 1; i < 8; ++i) expected |= FilterBit(i << 60);
  EXPECT_EQ(filter, expected);
  EXPECT_FALSE(items.empty());
  EXPECT_THAT(items.TakeCell(&filter), ElementsAre(8, 108));
  EXPECT_TRUE(items.empty());
}

TEST(PlacesTest, TheFreeOnesAreFilledAndTheOthersAreNotTouched) {
  TestTable t({.fixed_words = 2});
  const HashGeometry& geometry = t.core->geometry();
  HashBucket& bucket = *geometry.BucketAt(geometry.BucketOffset(0));
  for (uint64_t& word : bucket.word) StoreWord(&word, 7);
  Places<2> places(geometry, geometry.BucketOffset(0), 0b0101'0101'0001'0000);
  const uint64_t first[] = {1, 11}, second[] = {2, 12};
  EXPECT_FALSE(places.full());
  places.Add(first);
  EXPECT_EQ(places.live(), 0b0101'0101'0001'0100);
  places.Add(second);
  EXPECT_EQ(places.live(), 0b0101'0101'0101'0100);
  EXPECT_TRUE(places.full());
  EXPECT_THAT(bucket.word,
              ElementsAre(1, 11, 7, 7, 2, 12, 7, 7, 7, 7, 7, 7, 7, 7));
}

// Whatever the rows are: each item of the bucket, its bit and its hash.
TEST(ForEachItemTest, EveryLiveItemComesOnceWithItsHash) {
  for (const uint32_t fixed_words : {0, 1, 2, 3}) {
    TestTable t({.fixed_words = fixed_words});
    const HashGeometry& geometry = t.core->geometry();
    std::map<uint64_t, uint64_t> hashes;
    for (const uint64_t key : {5, 6}) {
      ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), t.Row(key, key)),
                  IsOk());
      ++hashes[TestKey(key).hash_key.hash];
    }
    uint64_t live = 0;
    WithWords(geometry.inline_words, [&](auto words) {
      EXPECT_THAT(ForEachItem<words>(
                      geometry, geometry.BucketOffset(0),
                      [&](uint64_t bit, const uint64_t*, uint64_t hash) {
                        EXPECT_EQ(live & bit, 0);
                        live |= bit;
                        // Of a record only the bits that it keeps.
                        const uint64_t known =
                            words == 0 ? kTagBits | 0xffff'ffff : ~uint64_t{0};
                        for (auto& [expected, count] : hashes) {
                          count -= ((expected ^ hash) & known) == 0;
                        }
                      }),
                  IsOk());
    });
    const HashBucket& bucket = *geometry.BucketAt(geometry.BucketOffset(0));
    EXPECT_EQ(live, LiveOf(LoadWord(&bucket.head)));
    for (const auto& [hash, count] : hashes) EXPECT_EQ(count, 0);
  }
}

TEST(CellsTest, AChainThatGoesAstrayOrOnForEverIsRefused) {
  TestTable t({.fixed_words = 2});
  const HashGeometry& geometry = t.core->geometry();
  Cells none;
  EXPECT_THAT(none.Read(geometry, 0), IsOk());
  EXPECT_EQ(none.size, 0);
  Cells astray;
  EXPECT_EQ(CauseOf(astray.Read(geometry, MakeChain(t.arena->bytes(), 0))),
            Cause::kCorrupt);
  const uint64_t cell = geometry.BucketOffset(0);
  StoreWord(&geometry.BucketAt(cell)->chain, MakeChain(cell, 0));
  Cells circle;
  EXPECT_EQ(CauseOf(circle.Read(geometry, MakeChain(cell, 0))),
            Cause::kNoMemory);
  StoreWord(&geometry.BucketAt(cell)->chain, 0);
}

TEST(ImageTest, IsStored256TimesADoubling) {
  constexpr uint64_t kPower = 1 << 16;
  int stored = 0;
  for (uint64_t n = kPower; n < 2 * kPower; ++n)
    stored += ImageIsDue(n, kPower);
  EXPECT_EQ(stored, 256);
  for (uint64_t n = 1; n < 256; ++n) {
    EXPECT_TRUE(ImageIsDue(n, std::bit_floor(n)));
  }
  // By a split that ends the doubling.
  for (uint64_t n = 1; n <= kPower; n *= 2) EXPECT_TRUE(ImageIsDue(2 * n, n));
}

}  // namespace
}  // namespace ets_keeper::hash_internal
