// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/intent.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status_matchers.h"
#include "absl/synchronization/mutex.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

constexpr uint64_t kLog = 4096;
constexpr uint64_t kWords = 8192;  // words to play with

// The analysis would believe an assertion to the end of the function.
void ExpectHeld(absl::Mutex& mutex) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex.AssertHeld();
}

class IntentTest : public ::testing::Test {
 protected:
  IntentTest() : arena_(*Arena::CreatePrivate(Arena::kMinBytes)) {
    EXPECT_THAT(arena_->BeginFormat({}), IsOk());
    Lock lock(arena_->grow_mutex());
    EXPECT_THAT(arena_->CommitFront(16384), IsOk());
  }

  uint64_t Word(int i) { return LoadWord(arena_->At(kWords + i * 8)); }
  static uint64_t At(int i) { return kWords + i * 8; }
  IntentLog* log() { return reinterpret_cast<IntentLog*>(arena_->At(kLog)); }

  std::unique_ptr<Arena> arena_;
};

TEST_F(IntentTest, ATransactionSeesItsOwnStoresAndNobodyElseDoes) {
  Transaction transaction(arena_.get());
  transaction.Store(At(0), 5);
  EXPECT_EQ(transaction.Load(At(0)), 5);
  EXPECT_TRUE(transaction.Stores(At(0)));
  EXPECT_FALSE(transaction.Stores(At(1)));
  EXPECT_EQ(Word(0), 0);
}

TEST_F(IntentTest, WhatIsNotCommittedNeverHappened) {
  {
    Transaction transaction(arena_.get());
    transaction.Store(At(0), 5);
  }
  EXPECT_EQ(Word(0), 0);
}

TEST_F(IntentTest, CommitPerformsAllStores) {
  Transaction transaction(arena_.get());
  transaction.Store(At(0), 5);
  transaction.Replace(At(1), 6);
  transaction.Replace(At(1), 7);
  transaction.Store(At(0), 8);
  EXPECT_EQ(transaction.size(), 3);  // a replaced store is one
  transaction.Commit(log());
  EXPECT_EQ(Word(0), 8);
  EXPECT_EQ(Word(1), 7);
  EXPECT_EQ(LoadWord(&log()->committed), 0);
}

TEST_F(IntentTest, ALargeTransactionFindsItsStoresToo) {
  Transaction transaction(arena_.get());
  for (int i = 0; i < 500; ++i) transaction.Store(At(i), i);
  for (int i = 0; i < 500; i += 7) transaction.Store(At(i), i + 1000);
  for (int i = 0; i < 500; i += 5) transaction.Replace(At(i), i + 2000);
  std::vector<IntentEntry> entries(transaction.size());
  transaction.Write(entries.data());
  transaction.Apply();
  for (int i = 0; i < 500; ++i) {
    const uint64_t expected = i % 5 == 0 ? i + 2000 : i % 7 == 0 ? i + 1000 : i;
    EXPECT_EQ(transaction.Load(At(i)), expected);
    EXPECT_EQ(Word(i), expected);
  }
}

TEST_F(IntentTest, AnIntentInFlightIsReplayed) {
  StoreWord(&log()->entries[0].offset, At(0));
  StoreWord(&log()->entries[0].value, 5);
  StoreWord(&log()->entries[1].offset, At(1));
  StoreWord(&log()->entries[1].value, 6);
  EXPECT_THAT(ReplayIntent(*arena_, log()), IsOk());
  EXPECT_EQ(Word(0), 0);  // it was not committed
  StoreWord(&log()->committed, 2);
  EXPECT_THAT(ReplayIntent(*arena_, log()), IsOk());
  EXPECT_EQ(Word(0), 5);
  EXPECT_EQ(Word(1), 6);
  EXPECT_EQ(LoadWord(&log()->committed), 0);
}

TEST_F(IntentTest, AnImpossibleIntentIsReportedAndNotPerformed) {
  StoreWord(&log()->entries[0].offset, At(0));
  StoreWord(&log()->entries[0].value, 5);
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{8}, offsetof(ArenaHeader, epoch), At(1) + 1,
        arena_->bytes(), ~uint64_t{7}}) {
    StoreWord(&log()->entries[1].offset, offset);
    StoreWord(&log()->committed, 2);
    EXPECT_EQ(CauseOf(ReplayIntent(*arena_, log())), Cause::kCorrupt);
    EXPECT_EQ(Word(0), 0);
  }
  StoreWord(&log()->committed, IntentLog::kCapacity + 1);
  EXPECT_EQ(CauseOf(ReplayIntent(*arena_, log())), Cause::kCorrupt);
}

TEST_F(IntentTest, TheHeapLockIsHeldToTheEndOfTheTransaction) {
  {
    Transaction transaction(arena_.get());
    transaction.HoldHeap();
    transaction.HoldHeap();
    ExpectHeld(arena_->grow_mutex());
  }
  Lock lock(arena_->grow_mutex());  // would wait for ever if it were not free
}

}  // namespace
}  // namespace ets_keeper
