// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_edit.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::Optional;

// All in one bucket, which nobody splits, so that chains grow.
class HashEditTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  HashEditTest() : t_({.fixed_words = GetParam()}) {}
  ~HashEditTest() override { EXPECT_THAT(CheckHashTable(geometry()), IsOk()); }

  const HashGeometry& geometry() const { return t_.core->geometry(); }
  IntentLog* log() { return &geometry().LaneAt(0)->intent; }
  uint64_t Bucket() const { return geometry().BucketOffset(0); }
  uint64_t Head() const {
    return LoadWord(&geometry().BucketAt(Bucket())->head);
  }
  // Items of a cell.
  uint64_t Room() const { return kItemWords / geometry().item_words(); }

  static void Commit(Transaction& transaction, AnyHashEdit& edit) {
    edit.Finish();
    transaction.Commit();
  }

  absl::Status PutIn(AnyHashEdit& edit, uint64_t key, uint64_t value) {
    const TestKey hash_key(key);
    return edit.Put(*edit.Find(hash_key), hash_key.hash_key.hash,
                    t_.Row(key, value));
  }
  void Put(uint64_t key, uint64_t value) {
    Transaction transaction(t_.arena.get(), log());
    AnyHashEdit edit(geometry(), 0, &transaction);
    ASSERT_THAT(PutIn(edit, key, value), IsOk());
    Commit(transaction, edit);
  }
  void Remove(uint64_t key) {
    Transaction transaction(t_.arena.get(), log());
    AnyHashEdit edit(geometry(), 0, &transaction);
    edit.Remove(*edit.Find(TestKey(key)));
    EXPECT_EQ(edit.added(), -1);
    Commit(transaction, edit);
  }

  uint64_t CellsInChain() const {
    uint64_t cells = 0;
    for (uint64_t cell = Bucket();; ++cells) {
      cell = LinkOf(LoadWord(&geometry().BucketAt(cell)->chain));
      if (cell == 0) return cells;
    }
  }

  TestTable t_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashEditTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

TEST_P(HashEditTest, AnEditSeesItsOwnChangesBeforeTheyAreCommitted) {
  Transaction transaction(t_.arena.get(), log());
  AnyHashEdit edit(geometry(), 0, &transaction);
  const TestKey key(7);
  EXPECT_FALSE(edit.Find(key)->found());
  ASSERT_THAT(PutIn(edit, 7, 1), IsOk());
  ASSERT_TRUE(edit.Find(key)->found());
  EXPECT_EQ(LoadRow(geometry(), transaction, *edit.Find(key)), t_.Row(7, 1));
  EXPECT_EQ(edit.added(), 1);
  EXPECT_EQ(t_.Lookup(7), std::nullopt);
  ASSERT_THAT(PutIn(edit, 7, 2), IsOk());
  EXPECT_EQ(LoadRow(geometry(), transaction, *edit.Find(key)), t_.Row(7, 2));
  EXPECT_EQ(edit.added(), 1);
  edit.Remove(*edit.Find(key));
  EXPECT_FALSE(edit.Find(key)->found());
  EXPECT_EQ(edit.added(), 0);
  Commit(transaction, edit);
  EXPECT_EQ(t_.Lookup(7), std::nullopt);
}

TEST_P(HashEditTest, WhatIsNotCommittedNeverHappened) {
  Put(1, 1);
  const uint64_t head = Head();
  {
    Transaction transaction(t_.arena.get(), log());
    AnyHashEdit edit(geometry(), 0, &transaction);
    for (uint64_t key = 0; key < 20; ++key) {
      ASSERT_THAT(PutIn(edit, key, 2), IsOk());
    }
    edit.Finish();
  }
  EXPECT_EQ(Head(), head);
  EXPECT_THAT(t_.Lookup(1), Optional(t_.Row(1, 1)));
  EXPECT_EQ(t_.Rows().size(), 1);
}

TEST_P(HashEditTest, AFullBucketGetsAChainAndLosesItWithItsRows) {
  const uint64_t rows = 3 * Room();
  for (uint64_t key = 0; key < rows; ++key) {
    const uint64_t head = Head();
    Put(key, key);
    EXPECT_FALSE(SameButForLock(Head(), head));
    ASSERT_THAT(CheckHashTable(geometry()), IsOk());
    EXPECT_EQ(CellsInChain(), key / Room());
  }
  for (uint64_t key = 0; key < rows; ++key) {
    EXPECT_THAT(t_.Lookup(key), Optional(t_.Row(key, key)));
  }
  for (uint64_t key = rows; key-- > 0;) {
    const uint64_t head = Head();
    Remove(key);
    EXPECT_FALSE(SameButForLock(Head(), head));
    ASSERT_THAT(CheckHashTable(geometry()), IsOk());
  }
  EXPECT_EQ(CellsInChain(), 0);
}

// From the middle of a chain, its end, its front.
TEST_P(HashEditTest, ACellGoesFromAnywhereInTheChain) {
  const uint64_t rows = 4 * Room();
  for (uint64_t first = 0; first < rows; ++first) {
    for (uint64_t key = 0; key < rows; ++key) Put(key, key);
    for (uint64_t i = 0; i < rows; ++i) {
      Remove((first + i) % rows);
      ASSERT_THAT(CheckHashTable(geometry()), IsOk());
      for (uint64_t left = i + 1; left < rows; ++left) {
        ASSERT_TRUE(t_.Lookup((first + left) % rows).has_value());
      }
    }
    EXPECT_EQ(CellsInChain(), 0);
  }
}

TEST_P(HashEditTest, ARoomThatBecameFreeIsUsedBeforeANewCellIs) {
  for (uint64_t key = 0; key < 3 * Room(); ++key) Put(key, key);
  EXPECT_EQ(CellsInChain(), 2);
  for (uint64_t key = 0; key < 3 * Room(); ++key) {
    Remove(key);
    Put(key + 100, key);
    EXPECT_LE(CellsInChain(), 2);
  }
}

// A row that differs in one word is changed in its place, with a new version
// only where a reader could see two words of different ages.
TEST_P(HashEditTest, OneWordIsReplacedInItsPlace) {
  Put(7, 1);
  for (const uint64_t word : {1, 2}) {
    Transaction transaction(t_.arena.get(), log());
    AnyHashEdit edit(geometry(), 0, &transaction);
    const TestKey key(7);
    RowBuffer row = *t_.Lookup(7);
    if (word >= row.size()) return;
    row[word] = 9;
    const HashPlace before = *edit.Find(key);
    const uint64_t head = Head();
    ASSERT_THAT(edit.Put(before, key.hash_key.hash, row), IsOk());
    EXPECT_EQ(LoadRow(geometry(), transaction, *edit.Find(key)), row);
    Commit(transaction, edit);
    EXPECT_EQ(t_.core->geometry().words_can_tear(),
              !SameButForLock(Head(), head));
    EXPECT_THAT(t_.Lookup(7), Optional(row));
    Transaction again(t_.arena.get(), log());
    EXPECT_EQ(AnyHashEdit(geometry(), 0, &again).Find(key)->row(),
              before.row());
  }
}

TEST_P(HashEditTest, TheSameRowAgainIsNoStore) {
  Put(7, 1);
  Transaction transaction(t_.arena.get(), log());
  AnyHashEdit edit(geometry(), 0, &transaction);
  ASSERT_THAT(PutIn(edit, 7, 1), IsOk());
  edit.Finish();
  EXPECT_EQ(transaction.size(), 0);
}

TEST_P(HashEditTest, WhatWasReplacedIsReusedByALaterEdit) {
  for (uint64_t key = 0; key < 20; ++key) Put(key, 0);
  for (uint64_t i = 0; i < 10; ++i) Put(1, i);
  const uint64_t top = LoadWord(&t_.arena->header().heap_top);
  for (uint64_t i = 0; i < 10'000; ++i) Put(1, i);
  EXPECT_EQ(LoadWord(&t_.arena->header().heap_top), top);
  EXPECT_THAT(t_.Lookup(1), Optional(t_.Row(1, 9'999)));
}

TEST_P(HashEditTest, WordsThatLeadNowhereAreReported) {
  for (uint64_t key = 0; key < 20; ++key) Put(key, key);
  const auto cause = [&](uint64_t key) {
    Transaction transaction(t_.arena.get(), log());
    AnyHashEdit edit(geometry(), 0, &transaction);
    return CauseOf(edit.Find(TestKey(key)).status());
  };
  HashBucket* bucket = geometry().BucketAt(Bucket());
  const uint64_t chain = LoadWord(&bucket->chain);
  StoreWord(&bucket->chain, MakeChain(t_.arena->bytes(), FilterOf(chain)));
  EXPECT_EQ(cause(1000), Cause::kCorrupt);
  StoreWord(&bucket->chain, MakeChain(Bucket(), FilterOf(chain)));  // a circle
  EXPECT_EQ(cause(1000), Cause::kCorrupt);
  StoreWord(&bucket->chain, chain);
  const uint64_t head = Head();
  StoreWord(&bucket->head, WithLevel(head, 0));
  EXPECT_EQ(cause(1), Cause::kCorrupt);
  StoreWord(&bucket->head, head);
  EXPECT_EQ(cause(1), std::nullopt);
}

}  // namespace
}  // namespace ets_keeper
