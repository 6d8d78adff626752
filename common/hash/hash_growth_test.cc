// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_growth.h"

#include <bit>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_move.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::Optional;

constexpr uint64_t kEpoch = TestTable::epoch;

class HashGrowthTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  HashGrowthTest() : t_({.fixed_words = GetParam()}) {}
  ~HashGrowthTest() override {
    EXPECT_EQ(t_.Rows(), model_);
    EXPECT_EQ(t_.core->reader().Size(), model_.size());
  }

  const HashGeometry& geometry() const { return t_.core->geometry(); }
  uint64_t Image() const { return LoadWord(&geometry().root()->image); }
  uint64_t* Head(uint64_t bucket) const {
    return &geometry().BucketAt(geometry().BucketOffset(bucket))->head;
  }
  uint64_t Version(uint64_t bucket) const {
    return LoadWord(Head(bucket)) & kVersionBits;
  }

  void Insert(uint64_t key) {
    model_[key] = t_.Row(key, key);
    ASSERT_THAT(t_.core->Insert(kEpoch, TestKey(key), model_[key]), IsOk());
  }
  void Split() { ASSERT_THAT(SplitBuckets(geometry(), 0, 1), IsOk()); }
  void Merge() { ASSERT_THAT(MergeBuckets(geometry(), 0, 1), IsOk()); }
  void ExpectWhole() {
    ASSERT_THAT(CheckHashTable(geometry()), IsOk());
    for (const auto& [key, row] : model_) {
      ASSERT_THAT(t_.Lookup(key), Optional(row));
    }
  }

  // `count` keys that are in one bucket while the table has up to 1024, of
  // which, with twice as many, every `nth` goes to the new one.
  static std::vector<uint64_t> KeysOfOneBucket(size_t count, size_t nth) {
    std::vector<uint64_t> keys;
    for (uint64_t key = 0; keys.size() < count; ++key) {
      const uint64_t hash = TestKey(key).hash_key.hash;
      const bool moves = keys.size() % nth == nth - 1;
      if (hash % 1024 == 0 && (hash / 1024 % 2 == 1) == moves) {
        keys.push_back(key);
      }
    }
    return keys;
  }

  // Items for which a bucket and its longest chain that can be split have room.
  size_t MostItems() const {
    return (kMaxCellsToSplit + 1) * (kItemWords / geometry().item_words());
  }

  TestTable t_;
  std::map<uint64_t, RowBuffer> model_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashGrowthTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

TEST_P(HashGrowthTest, BucketsGrowWithTheRows) {
  for (uint64_t key = 0; key < 10'000; ++key) {
    Insert(key);
    const uint64_t wanted = BucketsFor(geometry(), key + 1);
    ASSERT_LE(t_.Buckets(), wanted);
    ASSERT_GE(t_.Buckets() + 32, wanted);
  }
  ExpectWhole();
}

// The items that BucketsFor() has in mind are fewer than there is room for in
// the buckets, and more than half as many.
TEST_P(HashGrowthTest, BucketsAreNeitherFullNorEmpty) {
  EXPECT_EQ(BucketsFor(geometry(), 0), 1);
  for (const uint64_t rows : {1000u, 1'000'000u, 1'000'000'000u}) {
    const double room = static_cast<double>(BucketsFor(geometry(), rows)) *
                        (kItemWords / geometry().item_words());
    EXPECT_LT(static_cast<double>(rows), room * 0.8);
    EXPECT_GT(static_cast<double>(rows), room * 0.5);
  }
}

// What a split or merge leaves that is killed between its stores of the heads
// and of the number of buckets.
TEST_P(HashGrowthTest, HalfASplitOrMergeIsRecovered) {
  for (uint64_t key = 0; key < 20; ++key) Insert(key);
  while (t_.Buckets() < 21) Split();
  const auto recover = [&](uint64_t buckets) {
    StoreWord(&geometry().root()->buckets, buckets);
    ASSERT_THAT(RecoverGrowth(geometry()), IsOk());
    ExpectWhole();
  };
  recover(21);
  EXPECT_EQ(t_.Buckets(), 21);
  recover(20);  // bucket 20 exists, and its other half has given rows away
  EXPECT_EQ(t_.Buckets(), 21);

  // Bucket n exists, and its other half has all of its rows. (Of one with a
  // chain an intent would say so.)
  uint64_t half = 5;
  while (geometry().BucketAt(geometry().BucketOffset(half))->chain != 0) {
    Split();
    ++half;
  }
  const uint64_t head = LoadWord(Head(half));
  Split();
  StoreWord(Head(half), head);
  recover(half + 16);
  EXPECT_EQ(t_.Buckets(), half + 16);
  EXPECT_EQ(LevelOf(LoadWord(Head(half + 16))), 0);

  // The last bucket does not exist any more, and the number says that it does.
  Merge();
  recover(half + 16);
  EXPECT_EQ(t_.Buckets(), half + 15);
}

TEST_P(HashGrowthTest, ImpossibleLevelsAreNotRecovered) {
  for (uint64_t key = 0; key < 20; ++key) Insert(key);
  while (t_.Buckets() < 20) Split();
  const auto expect_corrupt = [&](uint64_t bucket) {
    const uint64_t head = LoadWord(Head(bucket));
    StoreWord(Head(bucket), WithLevel(head, kMaxLevel));
    EXPECT_EQ(CauseOf(RecoverGrowth(geometry())), Cause::kCorrupt) << bucket;
    StoreWord(Head(bucket), head);
  };
  expect_corrupt(3);
  expect_corrupt(19);
  ExpectWhole();
  Split();
  StoreWord(&geometry().root()->buckets, 20);  // bucket 20 exists; its half, 4:
  expect_corrupt(4);
  StoreWord(&geometry().root()->buckets, 21);
  ExpectWhole();
}

TEST_P(HashGrowthTest, SplittingAndMergingKeepsEveryRow) {
  for (uint64_t key = 0; key < 50; ++key) Insert(key);
  while (t_.Buckets() < 200) {
    Split();
    ExpectWhole();
  }
  while (t_.Buckets() > 10) {
    Merge();
    ExpectWhole();
  }
  while (t_.Buckets() < 100) {
    Split();
    ExpectWhole();
  }
}

TEST_P(HashGrowthTest, TheImageFollowsTheNumberOfBuckets) {
  const auto expect_near = [&] {
    const uint64_t buckets = t_.Buckets();
    const uint64_t apart =
        Image() > buckets ? Image() - buckets : buckets - Image();
    ASSERT_LE(apart * 128, buckets);
  };
  uint64_t stores = 0;
  for (int i = 0; i < 3000; ++i) {
    const uint64_t before = Image();
    Split();
    if (t_.Buckets() > 1024 && t_.Buckets() <= 2048)
      stores += Image() != before;
    expect_near();
  }
  EXPECT_EQ(stores, 256);  // while the number doubles
  while (t_.Buckets() > 1) {
    Merge();
    expect_near();
  }
  EXPECT_EQ(Image(), 1);
}

TEST_P(HashGrowthTest, AVersionIsNeverThatOfAnotherState) {
  for (uint64_t key = 0; key < 30; ++key) Insert(key);
  while (t_.Buckets() < 16) Split();
  uint64_t parent = Version(0), child = 0;
  for (int round = 0; round < 5; ++round) {
    Split();  // 0 into 0 and 16
    EXPECT_GT(Version(0), parent);
    EXPECT_GT(Version(16), child);
    parent = Version(0);
    child = Version(16);
    Merge();
    EXPECT_GT(Version(0), parent);
    EXPECT_GT(Version(16), child);
    EXPECT_EQ(LevelOf(LoadWord(Head(16))), 0);
    EXPECT_EQ(LiveOf(LoadWord(Head(16))), 0);
    parent = Version(0);
    child = Version(16);
  }
}

// The longest chain of which an intent has room for all stores, whatever stays
// and goes.
TEST_P(HashGrowthTest, ALongChainIsSplitAndMerged) {
  for (const size_t nth : {size_t{1}, size_t{2}, size_t{3}, size_t{7},
                           size_t{19}, MostItems() + 1}) {
    TestTable t({.fixed_words = GetParam()});
    const HashGeometry& geometry = t.core->geometry();
    while (t.Buckets() < 1024) {
      ASSERT_THAT(SplitBuckets(geometry, 0, 1), IsOk());
    }
    std::map<uint64_t, RowBuffer> model;
    for (const uint64_t key : KeysOfOneBucket(MostItems(), nth)) {
      // Not by the core, which would make the table shrink.
      Transaction transaction(t.arena.get(), &geometry.LaneAt(0)->intent);
      AnyHashEdit edit(geometry, 0, &transaction);
      const TestKey hash_key(key);
      model[key] = t.Row(key, key);
      ASSERT_THAT(
          edit.Put(*edit.Find(hash_key), hash_key.hash_key.hash, model[key]),
          IsOk());
      edit.Finish();
      transaction.Commit();
    }
    ASSERT_THAT(CheckHashTable(geometry), IsOk());
    ASSERT_THAT(SplitBuckets(geometry, 0, 1), IsOk()) << nth;
    ASSERT_THAT(CheckHashTable(geometry), IsOk()) << nth;
    ASSERT_EQ(t.Rows(), model);
    ASSERT_THAT(MergeBuckets(geometry, 0, 1), IsOk()) << nth;
    ASSERT_THAT(CheckHashTable(geometry), IsOk()) << nth;
    ASSERT_EQ(t.Rows(), model);
  }
}

TEST_P(HashGrowthTest, AChainThatIsTooLongStaysAsItIs) {
  while (t_.Buckets() < 64) Split();
  const auto insert_by_hand = [&](uint64_t key) {
    Transaction transaction(t_.arena.get(), &geometry().LaneAt(0)->intent);
    AnyHashEdit edit(geometry(), 0, &transaction);
    const TestKey hash_key(key);
    model_[key] = t_.Row(key, key);
    ASSERT_THAT(
        edit.Put(*edit.Find(hash_key), hash_key.hash_key.hash, model_[key]),
        IsOk());
    edit.Finish();
    transaction.Commit();
  };
  for (const uint64_t key : KeysOfOneBucket(MostItems() + 1, 2)) {
    insert_by_hand(key);
  }
  EXPECT_EQ(CauseOf(SplitBuckets(geometry(), 0, 1)), Cause::kNoMemory);
  EXPECT_EQ(t_.Buckets(), 64);
  ExpectWhole();
}

TEST_P(HashGrowthTest, TheOnlyBucketIsNotMerged) {
  EXPECT_EQ(t_.Buckets(), 1);
  EXPECT_EQ(CauseOf(MergeBuckets(geometry(), 0, 1)), Cause::kOutOfRange);
}

TEST_P(HashGrowthTest, AFullArenaStaysAsItIs) {
  TestTable t({.fixed_words = GetParam(), .bytes = Arena::kMinBytes});
  ASSERT_THAT(t.core->Insert(kEpoch, TestKey(1), t.Row(1, 1)), IsOk());
  absl::Status status;
  while (status.ok()) status = SplitBuckets(t.core->geometry(), 0, 1);
  EXPECT_EQ(CauseOf(status), Cause::kNoMemory);
  const uint64_t buckets = t.Buckets();
  EXPECT_GT(buckets, 400);
  EXPECT_EQ(CauseOf(SplitBuckets(t.core->geometry(), 0, 1)), Cause::kNoMemory);
  EXPECT_EQ(t.Buckets(), buckets);
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  EXPECT_THAT(t.Lookup(1), Optional(t.Row(1, 1)));
  // Harmless, also where nothing can be split any more.
  for (uint64_t n = 1; n <= t.core->geometry().most_buckets; ++n) {
    PrefetchSplit(t.core->geometry(), n, std::bit_floor(n));
  }
}

TEST_P(HashGrowthTest, AnImpossibleLevelIsReported) {
  Split();
  Split();
  for (const uint64_t bucket : {1, 2}) {
    const uint64_t head = LoadWord(Head(bucket));
    StoreWord(Head(bucket), WithLevel(head, 9));
    const absl::Status status = bucket == 1 ? SplitBuckets(geometry(), 0, 1)
                                            : MergeBuckets(geometry(), 0, 1);
    EXPECT_EQ(CauseOf(status), Cause::kCorrupt);
    StoreWord(Head(bucket), head);
    EXPECT_THAT(CheckHashTable(geometry()), IsOk());
  }
  EXPECT_EQ(t_.Buckets(), 3);
}

TEST_P(HashGrowthTest, AChainThatLeadsNowhereIsReported) {
  HashBucket* bucket = geometry().BucketAt(geometry().BucketOffset(0));
  for (const uint64_t link : {t_.arena->bytes(), uint64_t{64}}) {
    StoreWord(&bucket->chain, MakeChain(link, FilterBit(0)));
    EXPECT_EQ(CauseOf(SplitBuckets(geometry(), 0, 1)), Cause::kCorrupt);
    EXPECT_FALSE(IsLocked(LoadWord(&bucket->head)));
    StoreWord(&bucket->chain, 0);
  }
  Split();
}

}  // namespace
}  // namespace ets_keeper
