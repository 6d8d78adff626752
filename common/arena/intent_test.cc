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
#include "absl/types/span.h"
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
  void SetEntry(int i, uint64_t offset, uint64_t value) {
    StoreWord(&log()->entries[i].offset, offset);
    StoreWord(&log()->entries[i].value, value);
  }
  IntentLog* log() { return reinterpret_cast<IntentLog*>(arena_->At(kLog)); }

  std::unique_ptr<Arena> arena_;
};

TEST_F(IntentTest, ATransactionSeesItsOwnStoresAndNobodyElseDoes) {
  Transaction transaction(arena_.get(), log());
  transaction.Store(At(0), 5);
  EXPECT_EQ(transaction.Load(At(0)), 5);
  EXPECT_TRUE(transaction.Stores(At(0)));
  EXPECT_FALSE(transaction.Stores(At(1)));
  EXPECT_EQ(Word(0), 0);
}

TEST_F(IntentTest, WhatIsNotCommittedNeverHappened) {
  {
    Transaction transaction(arena_.get(), log());
    transaction.Store(At(0), 5);
  }
  EXPECT_EQ(Word(0), 0);
}

TEST_F(IntentTest, CommitPerformsAllStores) {
  Transaction transaction(arena_.get(), log());
  transaction.Store(At(0), 5);
  transaction.Replace(At(1), 6);
  transaction.Replace(At(1), 7);
  transaction.Store(At(0), 8);
  EXPECT_EQ(transaction.size(), 3);  // a replaced store is one
  transaction.Commit();
  EXPECT_EQ(Word(0), 8);
  EXPECT_EQ(Word(1), 7);
  EXPECT_EQ(LoadWord(&log()->committed), 0);
}

TEST_F(IntentTest, ALargeTransactionFindsItsStoresToo) {
  std::vector<IntentEntry> entries(1000);
  Transaction transaction(arena_.get(), absl::MakeSpan(entries));
  for (int i = 0; i < 500; ++i) transaction.Store(At(i), i);
  for (int i = 0; i < 500; i += 7) transaction.Store(At(i), i + 1000);
  for (int i = 0; i < 500; i += 5) transaction.Replace(At(i), i + 2000);
  uint64_t progress = 0;
  transaction.Apply(&progress, 7000);
  EXPECT_EQ(progress, 7000 + transaction.size() - 1);
  for (int i = 0; i < 500; ++i) {
    const uint64_t expected = i % 5 == 0 ? i + 2000 : i % 7 == 0 ? i + 1000 : i;
    EXPECT_EQ(transaction.Load(At(i)), expected);
    EXPECT_EQ(Word(i), expected);
  }
}

TEST_F(IntentTest, StoresToOneWordAreAllPerformedInTheirOrder) {
  Transaction transaction(arena_.get(), log());
  transaction.Store(At(0), 1);
  transaction.Store(At(1), 2);
  transaction.Store(At(0), 3);
  EXPECT_EQ(transaction.Load(At(0)), 3);
  transaction.Replace(At(0), 4);  // the newest of them
  EXPECT_EQ(transaction.size(), 3);
  EXPECT_EQ(LoadWord(&log()->entries[0].value), 1);
  EXPECT_EQ(LoadWord(&log()->entries[2].value), 4);
}

TEST_F(IntentTest, StoresThatAreKnownAtOnceAreATransaction) {
  CommitStores(reinterpret_cast<char*>(arena_->At(0)), log(),
               {{At(0), 1}, {At(1), 2}, {At(0), 3}});
  EXPECT_EQ(Word(0), 3);
  EXPECT_EQ(Word(1), 2);
  EXPECT_EQ(LoadWord(&log()->committed), 0);
  EXPECT_EQ(LoadWord(&log()->entries[0].offset), At(0));
  EXPECT_EQ(LoadWord(&log()->entries[0].value), 1);
  EXPECT_EQ(LoadWord(&log()->entries[2].value), 3);
}

TEST_F(IntentTest, StoresThatNobodyReadsThroughAreATransaction) {
  IntentStores stores(reinterpret_cast<char*>(arena_->At(0)), log());
  stores.Store(At(0), 1);
  stores.Store(At(1), 2);
  stores.Store(At(0), 3);
  EXPECT_EQ(Word(0), 0);
  EXPECT_THAT(ReplayIntent(*arena_, log()), IsOk());
  EXPECT_EQ(Word(0), 0);  // it was not committed
  stores.Commit();
  EXPECT_EQ(Word(0), 3);
  EXPECT_EQ(Word(1), 2);
  EXPECT_EQ(LoadWord(&log()->committed), 0);
  EXPECT_EQ(LoadWord(&log()->entries[0].value), 1);
}

TEST_F(IntentTest, ALogHasRoomForItsCapacity) {
  Transaction transaction(arena_.get(), log());
  for (uint64_t i = 0; i < IntentLog::kCapacity; ++i) {
    transaction.Store(At(i), i + 1);
  }
  EXPECT_EQ(transaction.size(), IntentLog::kCapacity);
  for (uint64_t i = 0; i < IntentLog::kCapacity; ++i) {
    EXPECT_TRUE(transaction.Stores(At(i)));
    EXPECT_EQ(transaction.Load(At(i)), i + 1);
  }
  transaction.Commit();
  for (uint64_t i = 0; i < IntentLog::kCapacity; ++i) EXPECT_EQ(Word(i), i + 1);
}

TEST_F(IntentTest, AnIntentInFlightIsReplayed) {
  SetEntry(0, At(0), 5);
  SetEntry(1, At(1), 6);
  EXPECT_THAT(ReplayIntent(*arena_, log()), IsOk());
  EXPECT_EQ(Word(0), 0);  // it was not committed
  StoreWord(&log()->committed, uint64_t{2} << 32);
  EXPECT_THAT(ReplayIntent(*arena_, log()), IsOk());
  EXPECT_EQ(Word(0), 5);
  EXPECT_EQ(Word(1), 6);
  EXPECT_EQ(LoadWord(&log()->committed), 0);
}

// What was performed is not performed again: others may have gone on from
// there, and readers would see the past.
TEST_F(IntentTest, AReplayGoesOnWhereTheWriterEnded) {
  SetEntry(0, At(0), 5);
  SetEntry(1, At(1), 6);
  SetEntry(2, At(2), 7);
  StoreWord(&log()->committed, uint64_t{3} << 32 | 1);
  EXPECT_THAT(ReplayIntent(*arena_, log()), IsOk());
  EXPECT_EQ(Word(0), 0);
  EXPECT_EQ(Word(1), 6);
  EXPECT_EQ(Word(2), 7);
  EXPECT_EQ(LoadWord(&log()->committed), 0);
}

TEST_F(IntentTest, ReplayedEntriesKeepTheirProgress) {
  SetEntry(0, At(0), 5);
  SetEntry(1, At(1), 6);
  SetEntry(2, At(2), 7);
  uint64_t progress = 0;
  EXPECT_THAT(ReplayEntries(*arena_, log()->entries, 1, 3, &progress, 100),
              IsOk());
  EXPECT_EQ(progress, 102);  // the last store is for its owner to end
  EXPECT_EQ(Word(0), 0);
  EXPECT_EQ(Word(2), 7);
}

TEST_F(IntentTest, TheTopOfTheHeapIsAWordThatAnIntentMayChange) {
  SetEntry(0, offsetof(ArenaHeader, heap_top), 64);
  StoreWord(&log()->committed, uint64_t{1} << 32);
  EXPECT_THAT(ReplayIntent(*arena_, log()), IsOk());
  EXPECT_EQ(LoadWord(&arena_->header().heap_top), 64);
}

TEST_F(IntentTest, AnImpossibleIntentIsReportedAndNotPerformed) {
  SetEntry(0, At(0), 5);
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{8}, offsetof(ArenaHeader, epoch), At(1) + 1,
        arena_->bytes(), ~uint64_t{7}}) {
    SetEntry(1, offset, 6);
    StoreWord(&log()->committed, uint64_t{2} << 32);
    EXPECT_EQ(CauseOf(ReplayIntent(*arena_, log())), Cause::kCorrupt);
    EXPECT_EQ(Word(0), 0);
  }
  SetEntry(1, At(1), 6);
  for (const uint64_t committed :
       {uint64_t{1}, uint64_t{2} << 32 | 2, uint64_t{2} << 32 | 3,
        (IntentLog::kCapacity + 1) << 32, ~uint64_t{0}}) {
    StoreWord(&log()->committed, committed);
    EXPECT_EQ(CauseOf(ReplayIntent(*arena_, log())), Cause::kCorrupt);
    EXPECT_EQ(Word(0), 0);
  }
}

TEST_F(IntentTest, TheHeapLockIsHeldToTheEndOfTheTransaction) {
  {
    Transaction transaction(arena_.get(), log());
    transaction.HoldHeap();
    transaction.HoldHeap();
    ExpectHeld(arena_->grow_mutex());
  }
  Lock lock(arena_->grow_mutex());  // would wait for ever if it were not free
}

}  // namespace
}  // namespace ets_keeper
