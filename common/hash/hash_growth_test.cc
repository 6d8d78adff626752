// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_growth.h"

#include <cstdint>

#include "absl/status/status_matchers.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;
using ::testing::Optional;

constexpr uint64_t kEpoch = TestTable::epoch;

uint64_t Buckets(const TestTable& table) {
  return LoadWord(&table.core->geometry().LaneAt(0)->buckets);
}

TEST(HashGrowthTest, BucketsGrowWithTheRows) {
  TestTable t(/*lanes_log2=*/0);
  for (uint64_t key = 0; key < 10'000; ++key) {
    ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), TestRow(key, {})), IsOk());
    ASSERT_FALSE(NeedsSplit(t.core->geometry(), 0));
  }
  EXPECT_NEAR(Buckets(t), 10'000 / kRowsPerBucket, 2);
}

TEST(HashGrowthTest, SplittingKeepsEveryRow) {
  TestTable t(/*lanes_log2=*/0);
  for (uint64_t key = 0; key < 50; ++key) {
    ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), TestRow(key, {key})),
                IsOk());
  }
  for (int i = 0; i < 200; ++i) {
    ASSERT_THAT(SplitBucket(t.core->geometry(), 0), IsOk());
    ASSERT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  }
  for (uint64_t key = 0; key < 50; ++key) {
    EXPECT_THAT(t.Lookup(key), Optional(ElementsAre(key, key)));
  }
}

// More keys of one hash position than fit into one intent's worth of stores.
TEST(HashGrowthTest, AVeryLongChainSplitsInSeveralIntents) {
  TestTable t(/*lanes_log2=*/0);
  uint64_t rows = 0;
  for (uint64_t key = 0; rows < 300; ++key) {
    if (TestKey(key).hash_key.hash % 64 != 63) continue;
    ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), TestRow(key, {key})),
                IsOk());
    ++rows;
  }
  while (Buckets(t) < 512) {
    ASSERT_THAT(SplitBucket(t.core->geometry(), 0), IsOk());
  }
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  EXPECT_EQ(t.Rows().size(), 300);
}

TEST(HashGrowthTest, AFullArenaStaysAsItIs) {
  TestTable t(/*lanes_log2=*/0, Arena::kMinBytes);
  absl::Status status;
  while (status.ok()) status = SplitBucket(t.core->geometry(), 0);
  EXPECT_EQ(CauseOf(status), Cause::kNoMemory);
  const uint64_t buckets = Buckets(t);
  EXPECT_EQ(CauseOf(SplitBucket(t.core->geometry(), 0)), Cause::kNoMemory);
  EXPECT_EQ(Buckets(t), buckets);
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
}

TEST(HashGrowthTest, AnImpossibleBucketToCleanIsReported) {
  TestTable t(/*lanes_log2=*/0);
  StoreWord(&t.core->geometry().LaneAt(0)->cleaning, 1000);
  EXPECT_EQ(CauseOf(CleanBucket(t.core->geometry(), 0)), Cause::kCorrupt);
}

}  // namespace
}  // namespace ets_keeper
