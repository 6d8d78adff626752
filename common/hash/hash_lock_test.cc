// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_lock.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_layout.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

class HashLockTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kHead = 7 * kVersionOne | 3 << kLevelShift | 0x54;

  HashLockTest() : arena_(*Arena::CreatePrivate(Arena::kMinBytes)) {
    geometry_ = HashGeometry::Of(arena_.get());
    geometry_.SetLanes(4);
    bucket_ = geometry_.BucketOffset(3);
    StoreWord(head(), kHead);
  }

  HashBucket* bucket() { return geometry_.BucketAt(bucket_); }
  uint64_t* head() { return &bucket()->head; }
  HashLane* lane(uint32_t i) { return geometry_.LaneAt(i); }

  const std::unique_ptr<Arena> arena_;
  HashGeometry geometry_;
  uint64_t bucket_;
};

TEST_F(HashLockTest, TakingALockNamesItInTheLaneFirst) {
  EXPECT_TRUE(TryLockBucket(lane(2), 1, bucket(), bucket_, kHead));
  EXPECT_EQ(LoadWord(&lane(2)->held[1]), bucket_);
  EXPECT_EQ(LoadWord(&lane(2)->held[0]), 0);
  EXPECT_EQ(LoadWord(head()), kHead | kLockBit);
  UnlockBucket(geometry_, bucket_);
  EXPECT_EQ(LoadWord(head()), kHead);
}

TEST_F(HashLockTest, ALockThatIsTakenIsNotTakenAgain) {
  LockBucket(geometry_, lane(0), 0, bucket_);
  EXPECT_FALSE(TryLockBucket(lane(1), 0, bucket(), bucket_, kHead));
  EXPECT_FALSE(TryLockBucket(lane(1), 0, bucket(), bucket_, kHead | kLockBit));
  EXPECT_EQ(LoadWord(head()), kHead | kLockBit);
}

TEST_F(HashLockTest, AWriterThatSawAnotherHeadDoesNotGetTheLock) {
  StoreWord(head(), WithLive(kHead, 0));
  EXPECT_FALSE(TryLockBucket(lane(0), 0, bucket(), bucket_, kHead));
  EXPECT_EQ(LoadWord(head()), WithLive(kHead, 0));
}

TEST_F(HashLockTest, UnlockingLeavesWhatTheHolderStored) {
  LockBucket(geometry_, lane(0), 0, bucket_);
  StoreWord(head(), WithLive(LoadWord(head()), 0xfc));
  UnlockBucket(geometry_, bucket_);
  EXPECT_EQ(LoadWord(head()), WithLive(kHead, 0xfc));
}

TEST_F(HashLockTest, AWriterWaitsForTheHolder) {
  LockBucket(geometry_, lane(0), 0, bucket_);
  absl::Notification begun;
  std::atomic<bool> unlocked = false;
  std::thread waiter([&] {
    begun.Notify();
    LockBucket(geometry_, lane(1), 0, bucket_);
    EXPECT_TRUE(unlocked);
    UnlockBucket(geometry_, bucket_);
  });
  begun.WaitForNotification();
  unlocked = true;
  UnlockBucket(geometry_, bucket_);
  waiter.join();
  EXPECT_EQ(LoadWord(head()), kHead);
}

TEST_F(HashLockTest, OneThreadAtATimeHasTheLock) {
  constexpr uint64_t kRounds = 5000;
  uint64_t count = 0;  // no atomic: the lock orders the threads
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (uint64_t round = 0; round < kRounds; ++round) {
        LockBucket(geometry_, lane(i), round % 2, bucket_);
        ++count;
        UnlockBucket(geometry_, bucket_);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 4 * kRounds);
  EXPECT_EQ(LoadWord(head()), kHead);
}

TEST(SpinPauseTest, AWaitEnds) {
  SpinPause pause;
  for (int i = 0; i < 200; ++i) pause.Wait();
}

}  // namespace
}  // namespace ets_keeper
