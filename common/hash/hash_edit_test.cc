// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_edit.h"

#include <cstdint>
#include <vector>

#include "absl/status/status_matchers.h"
#include "common/arena/intent.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;
using ::testing::Optional;

// All in one lane of one bucket, so that chains grow.
class HashEditTest : public ::testing::Test {
 protected:
  HashEditTest() : table_(/*lanes_log2=*/0) {}

  const HashGeometry& geometry() { return table_.core->geometry(); }

  void Commit(Transaction& transaction, HashEdit& edit) {
    edit.Finish();
    transaction.Commit(&geometry().LaneAt(0)->intent);
  }

  void Put(uint64_t key) {
    Transaction transaction(table_.arena.get());
    HashEdit edit(geometry(), 0, &transaction);
    const TestKey hash_key(key);
    ASSERT_THAT(edit.Put(*edit.Find(hash_key), hash_key.hash_key.hash,
                         TestRow(key, {key})),
                IsOk());
    Commit(transaction, edit);
  }

  void Remove(uint64_t key) {
    Transaction transaction(table_.arena.get());
    HashEdit edit(geometry(), 0, &transaction);
    edit.Remove(*edit.Find(TestKey(key)));
    Commit(transaction, edit);
  }

  uint64_t CellsInChain() {
    uint64_t cells = 0;
    uint64_t link = geometry().BucketAt(geometry().BucketOffset(0, 0))->link;
    for (; link != 0; link = geometry().BucketAt(link)->link) ++cells;
    return cells;
  }

  TestTable table_;
};

TEST_F(HashEditTest, AnEditSeesItsOwnChangesBeforeTheyAreCommitted) {
  Transaction transaction(table_.arena.get());
  HashEdit edit(geometry(), 0, &transaction);
  const TestKey key(7);
  EXPECT_FALSE(edit.Find(key)->found());
  ASSERT_THAT(edit.Put(*edit.Find(key), key.hash_key.hash, TestRow(7, {1})),
              IsOk());
  ASSERT_TRUE(edit.Find(key)->found());
  EXPECT_THAT(edit.Row(edit.Find(key)->record), ElementsAre(7, 1));
  EXPECT_EQ(table_.Lookup(7), std::nullopt);
  edit.Remove(*edit.Find(key));
  EXPECT_FALSE(edit.Find(key)->found());
  Commit(transaction, edit);
  EXPECT_EQ(table_.Lookup(7), std::nullopt);
  EXPECT_THAT(CheckHashTable(geometry()), IsOk());
}

TEST_F(HashEditTest, AFullBucketGetsAChainAndLosesItWithItsRows) {
  for (uint64_t key = 0; key < 20; ++key) {
    Put(key);
    EXPECT_THAT(CheckHashTable(geometry()), IsOk());
  }
  EXPECT_EQ(CellsInChain(), 3);  // 6 + 3 * 6 slots for 20 rows
  for (uint64_t key = 0; key < 20; ++key) {
    EXPECT_THAT(table_.Lookup(key), Optional(ElementsAre(key, key)));
  }
  for (uint64_t key = 20; key-- > 0;) {
    Remove(key);
    EXPECT_THAT(CheckHashTable(geometry()), IsOk());
  }
  EXPECT_EQ(CellsInChain(), 0);
}

TEST_F(HashEditTest, AReplacedRecordIsReusedByALaterEdit) {
  Put(1);
  const uint64_t top = LoadWord(&table_.arena->header().heap_top);
  for (int i = 0; i < 10'000; ++i) Put(1);
  EXPECT_EQ(LoadWord(&table_.arena->header().heap_top), top);
}

}  // namespace
}  // namespace ets_keeper
