// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_head_change.h"

#include <cstdint>

#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

class HashHeadChangeTest : public ::testing::Test {
 protected:
  HashHeadChangeTest() : t_({.fixed_words = 2}) {}

  const HashGeometry& geometry() const { return t_.core->geometry(); }
  HashLane* lane() const { return geometry().LaneAt(1); }
  uint64_t bucket() const { return geometry().BucketOffset(0); }
  HashBucket* words() const { return geometry().BucketAt(bucket()); }
  uint64_t* head_word() const { return &words()->head; }
  uint64_t Head() const { return LoadWord(head_word()); }
  uint64_t Count() const { return LoadWord(&lane()->count); }

  TestTable t_;
};

TEST_F(HashHeadChangeTest, HeadAndCountChange) {
  const uint64_t head = Head();
  ASSERT_TRUE(TryLockBucketToChange(lane(), words(), bucket(), head));
  EXPECT_TRUE(IsLocked(Head()));
  EXPECT_EQ(LoadWord(&lane()->changing), bucket());
  CommitHeadChange(lane(), words(), WithLive(head, 4), 1);
  EXPECT_EQ(Head(), WithLive(head, 4));
  EXPECT_EQ(Count(), 1);
  EXPECT_EQ(LoadWord(&lane()->changing), 0);
}

TEST_F(HashHeadChangeTest, HeadThatHasChangedIsNotLocked) {
  const uint64_t head = Head();
  EXPECT_FALSE(
      TryLockBucketToChange(lane(), words(), bucket(), head + kVersionOne));
  EXPECT_FALSE(
      TryLockBucketToChange(lane(), words(), bucket(), head | kLockBit));
  EXPECT_EQ(Head(), head);
  EXPECT_EQ(LoadWord(&lane()->changing), 0);
}

// Killed when the count is stored and the head is not.
TEST_F(HashHeadChangeTest, CountIsPutBackIfTheHeadHasNotChanged) {
  StoreWord(&lane()->count, 7);
  ASSERT_TRUE(TryLockBucketToChange(lane(), words(), bucket(), Head()));
  StoreWord(&lane()->count, 8);
  RecoverHeadChange(geometry(), lane());
  EXPECT_EQ(Count(), 7);
  EXPECT_EQ(LoadWord(&lane()->changing), 0);
  EXPECT_EQ(LoadWord(&lane()->held[1]), bucket()) << "its lock is not named";
}

// Killed when both are stored; another writer has the bucket by now.
TEST_F(HashHeadChangeTest, CountStaysIfTheHeadHasChanged) {
  StoreWord(&lane()->count, 7);
  const uint64_t head = Head();
  ASSERT_TRUE(TryLockBucketToChange(lane(), words(), bucket(), head));
  StoreWord(&lane()->count, 8);
  StoreWord(head_word(), WithLive(head, 4) | kLockBit);
  RecoverHeadChange(geometry(), lane());
  EXPECT_EQ(Count(), 8);
}

// Killed before the lock was taken: it is another writer's.
TEST_F(HashHeadChangeTest, LockOfAnotherChangesNothing) {
  StoreWord(&lane()->count, 7);
  BeginHeadChange(lane(), bucket(), Head());
  StoreWord(head_word(), Head() | kLockBit);
  RecoverHeadChange(geometry(), lane());
  EXPECT_EQ(Count(), 7);
}

TEST_F(HashHeadChangeTest, NothingIsRecoveredWhereNothingWasGoingOn) {
  StoreWord(&lane()->count, 7);
  StoreWord(&lane()->held[1], 64);
  StoreWord(&lane()->seen, Head());
  RecoverHeadChange(geometry(), lane());
  EXPECT_EQ(Count(), 7);
  EXPECT_EQ(LoadWord(&lane()->held[1]), 64);
}

TEST_F(HashHeadChangeTest, HostileCellIsNotFollowed) {
  StoreWord(&lane()->count, 7);
  for (const uint64_t cell : {~uint64_t{0}, uint64_t{1} << 40, uint64_t{63}}) {
    StoreWord(&lane()->changing, cell);
    RecoverHeadChange(geometry(), lane());
    EXPECT_EQ(Count(), 7);
    EXPECT_EQ(LoadWord(&lane()->changing), 0);
  }
}

TEST_F(HashHeadChangeTest, LockIsNamedAllTheWhileWhenTheChangeIsGivenUp) {
  ASSERT_TRUE(TryLockBucketToChange(lane(), words(), bucket(), Head()));
  NameLockInstead(lane(), bucket());
  EXPECT_EQ(LoadWord(&lane()->changing), 0);
  EXPECT_EQ(LoadWord(&lane()->held[0]), bucket());
}

}  // namespace
}  // namespace ets_keeper
