// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// How an arena gets its pages, with a supplier that does nothing by itself.

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/arena/arena.h"
#include "common/arena/arena_file.h"
#include "common/arena/arena_growth_testing.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

TEST_P(ArenaGrowthTest, SmallArenasTakeNothingAhead) {
  GrowFront(256 * kKiB - 32 * kKiB);
  ASSERT_THAT(CommitBack(kBytes - 128 * kKiB), IsOk());
  EXPECT_FALSE(supplier_.ordered);
  EXPECT_FALSE(arena_->SupplyPages());
  EXPECT_EQ(ready(), 0);
  EXPECT_EQ(arena_->committed_bytes(), front() + kBytes - back());
  EXPECT_EQ(arena_->committed_bytes(), arena_->allocated_bytes());
}

TEST_P(ArenaGrowthTest, AQuarterOfWhatIsUsedIsReadyAheadUntilThatIsMuch) {
  for (const uint64_t used : {256 * kKiB, 512 * kKiB, 768 * kKiB}) {
    GrowFront(used);
    supplier_.ordered = true;
    supplier_.CarryOut(*arena_);
    EXPECT_EQ(ready(), front() / 4) << used;
  }
  GrowFront(2 * kMiB);
  supplier_.ordered = true;
  supplier_.CarryOut(*arena_);
  EXPECT_EQ(ready(), 256 * kKiB);
}

TEST_P(ArenaGrowthTest, AVerySmallOneTakesLittleMoreThanItWasAskedFor) {
  ASSERT_THAT(CommitFront(4097), IsOk());
  ASSERT_THAT(CommitBack(kBytes - 64), IsOk());
  EXPECT_EQ(arena_->committed_bytes(), 12 * kKiB);
}

TEST_P(ArenaGrowthTest, AWriterAllocatesSmallStepsItself) {
  ASSERT_THAT(CommitFront(4 * kMiB), IsOk());
  for (int i = 0; i < 100; ++i) {
    const uint64_t before = front();
    ASSERT_THAT(CommitFront(before + 8), IsOk());
    EXPECT_LE(front() - before, Arena::kMaxOwnStep);
    EXPECT_TRUE(IsResident(before));
    EXPECT_TRUE(IsResident(front() - 1));
  }
}

TEST_P(ArenaGrowthTest, PagesAreReadyAheadOfWhatIsUsed) {
  GrowFront(2 * kMiB);
  EXPECT_TRUE(supplier_.ordered);
  const uint64_t before = front();
  supplier_.CarryOut(*arena_);
  EXPECT_EQ(front(), before) << "what may be used is for the writer to say";
  EXPECT_GE(ready(), 256 * kKiB);
  EXPECT_LE(ready(), 512 * kKiB);
  EXPECT_TRUE(IsResident(before));
  EXPECT_TRUE(IsResident(before + 256 * kKiB - 1));
  const uint64_t allocated = arena_->allocated_bytes();
  GrowFront(before + 96 * kKiB);
  EXPECT_EQ(arena_->allocated_bytes(), allocated) << "they were ready";
  EXPECT_FALSE(supplier_.ordered) << "there are still enough";
  GrowFront(before + 192 * kKiB);
  EXPECT_TRUE(supplier_.ordered);
  EXPECT_THAT(arena_->Validate(kKind), IsOk());
}

TEST_P(ArenaGrowthTest, TheHeapHasPagesAheadLikewise) {
  ASSERT_THAT(CommitBack(kBytes - 2 * kMiB), IsOk());
  EXPECT_TRUE(supplier_.ordered);
  const uint64_t before = back();
  supplier_.CarryOut(*arena_);
  EXPECT_EQ(back(), before);
  EXPECT_GE(ready(), 256 * kKiB);
  EXPECT_TRUE(IsResident(before - 256 * kKiB));
  const uint64_t allocated = arena_->allocated_bytes();
  ASSERT_THAT(CommitBack(before - 96 * kKiB), IsOk());
  EXPECT_EQ(arena_->allocated_bytes(), allocated);
  EXPECT_FALSE(supplier_.ordered);
  ASSERT_THAT(CommitBack(before - 192 * kKiB), IsOk());
  EXPECT_TRUE(supplier_.ordered);
}

// So a commit, which has the lock, does not call the system.
TEST_P(ArenaGrowthTest, WhatWasMadeReadyIsOnlyCommitted) {
  GrowFront(64 * kKiB);
  ASSERT_THAT(CommitBack(kBytes - 64 * kKiB), IsOk());
  const uint64_t front_before = front(), back_before = back();
  arena_->ReadyFront(front_before + 8);
  arena_->ReadyBack(back_before - 8);
  EXPECT_EQ(front(), front_before);
  EXPECT_EQ(back(), back_before);
  EXPECT_TRUE(IsResident(front_before));
  EXPECT_TRUE(IsResident(back_before - 8));
  const uint64_t allocated = arena_->allocated_bytes();
  ASSERT_THAT(CommitFront(front_before + 8), IsOk());
  ASSERT_THAT(CommitBack(back_before - 8), IsOk());
  EXPECT_EQ(arena_->allocated_bytes(), allocated);
  EXPECT_EQ(ready(), 0) << "as much as a commit takes";
  EXPECT_FALSE(supplier_.ordered) << "it is small";
}

TEST_P(ArenaGrowthTest, MakingReadyOrdersWhatIsToBeReadyBehindIt) {
  GrowFront(192 * kKiB);
  ASSERT_FALSE(supplier_.ordered);
  arena_->ReadyFront(256 * kKiB + 8);
  EXPECT_TRUE(std::exchange(supplier_.ordered, false));
  ASSERT_THAT(CommitBack(kBytes - 192 * kKiB), IsOk());
  supplier_.CarryOut(*arena_);
  arena_->ReadyBack(kBytes - 256 * kKiB - 8);
  EXPECT_TRUE(supplier_.ordered);
}

TEST_P(ArenaGrowthTest, AWriterMakesAStepReadyAheadIfTheSupplierIsLate) {
  GrowFront(300 * kKiB);
  const uint64_t before = front();
  ASSERT_EQ(ready(), 0);
  arena_->ReadyAhead(before);
  EXPECT_EQ(ready(), 0) << "all are there";
  arena_->ReadyAhead(before + 8);
  EXPECT_EQ(ready(), Arena::kMaxOwnStep);
  EXPECT_EQ(front(), before);
  EXPECT_TRUE(IsResident(before + Arena::kMaxOwnStep - 8));
  arena_->ReadyAhead(before + Arena::kMaxOwnStep);
  EXPECT_EQ(ready(), Arena::kMaxOwnStep) << "all are there";
  arena_->ReadyAhead(before + Arena::kMaxOwnStep + 8);
  EXPECT_EQ(ready(), 2 * Arena::kMaxOwnStep);
  GrowFront(before + 2 * Arena::kMaxOwnStep);
  EXPECT_EQ(ready(), 0);
}

TEST_P(ArenaGrowthTest, SmallAndVeryLargeEndsAreLeftToTheOthers) {
  GrowFront(64 * kKiB);
  arena_->ReadyAhead(front() + 8);
  EXPECT_EQ(ready(), 0);
  ASSERT_THAT(CommitFront(20 * kMiB), IsOk());
  arena_->ReadyAhead(front() + 8);
  EXPECT_EQ(ready(), GetParam().huge_pages ? 0 : Arena::kMaxOwnStep);
}

TEST_P(ArenaGrowthTest, NothingIsReadyAheadWhereTheEndsMeet) {
  ASSERT_THAT(CommitFront(400 * kKiB), IsOk());
  ASSERT_THAT(CommitBack(front() + 8 * kKiB), IsOk());
  arena_->ReadyAhead(kBytes);
  EXPECT_EQ(arena_->allocated_bytes(), kBytes);
  arena_->ReadyAhead(kBytes);
  EXPECT_EQ(arena_->allocated_bytes(), kBytes);
}

TEST_P(ArenaGrowthTest, NobodyMakesReadyAheadWhileSomebodyMakesReady) {
  GrowFront(300 * kKiB);
  const uint64_t before = front();
  int made = 0;
  supplier_.before_making_ready = [&] {
    ++made;
    arena_->ReadyAhead(before + kMiB);
  };
  arena_->ReadyAhead(before + kMiB);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(ready(), Arena::kMaxOwnStep);
  arena_->SupplyPages();
  EXPECT_EQ(made, 2);
  arena_->ReadyFront(before + 512 * kKiB);
  EXPECT_EQ(made, 3);
  arena_->ReadyAhead(before + kMiB);
  EXPECT_EQ(made, 4) << "they all have an end";
}

TEST_P(ArenaGrowthTest, NoMoreCanBeMadeReadyThanThereIs) {
  ASSERT_THAT(CommitFront(100 * kMiB), IsOk());
  ASSERT_THAT(CommitBack(100 * kMiB + 4 * kKiB), IsOk());
  const uint64_t committed = arena_->committed_bytes();
  arena_->ReadyFront(101 * kMiB);
  arena_->ReadyBack(99 * kMiB);
  EXPECT_EQ(arena_->allocated_bytes(), committed) << "neither is possible";
  // A step would be more than what is between the ends.
  arena_->ReadyFront(100 * kMiB + 8);
  arena_->ReadyBack(100 * kMiB + 4 * kKiB - 8);
  EXPECT_EQ(arena_->committed_bytes(), committed);
  EXPECT_EQ(arena_->allocated_bytes(), kBytes);
  EXPECT_EQ(CauseOf(CommitFront(101 * kMiB)), Cause::kNoMemory);
  EXPECT_EQ(CauseOf(CommitBack(99 * kMiB)), Cause::kNoMemory);
  EXPECT_THAT(arena_->Validate(kKind), IsOk());
}

// A word of the arena that names an impossible end costs no memory.
TEST_P(ArenaGrowthTest, NothingIsMadeReadyForWhatACommitRefuses) {
  ASSERT_THAT(CommitFront(64 * kKiB), IsOk());
  ASSERT_THAT(CommitBack(kBytes - 64 * kKiB), IsOk());
  const uint64_t allocated = arena_->allocated_bytes();
  arena_->ReadyFront(kBytes);
  arena_->ReadyBack(0);
  EXPECT_EQ(arena_->allocated_bytes(), allocated);
  EXPECT_FALSE(IsResident(kBytes / 2));
  EXPECT_EQ(CauseOf(CommitFront(kBytes)), Cause::kNoMemory);
  EXPECT_EQ(CauseOf(CommitBack(0)), Cause::kNoMemory);
}

TEST_P(ArenaGrowthTest, HowManyAreReadyFollowsHowManyAreUsed) {
  for (const uint64_t used : {16 * kMiB, 64 * kMiB, 128 * kMiB}) {
    ASSERT_THAT(CommitFront(used), IsOk());
    supplier_.CarryOut(*arena_);
    EXPECT_GE(ready(), used / 16);
    EXPECT_LE(ready(), used / 16 + 6 * kMiB);
  }
}

TEST_P(ArenaGrowthTest, OnlyLargePartsHaveHugePagesAndOnlyAheadOfTheWriter) {
  for (uint64_t end = kMiB; end <= 32 * kMiB; end += kMiB / 2) {
    GrowFront(end);
    ASSERT_THAT(CommitBack(kBytes - end), IsOk());
    supplier_.CarryOut(*arena_);
  }
  const auto huge = [this](uint64_t at) {
    return HasFlag(AddressOf(at), "hg");
  };
  EXPECT_FALSE(huge(kMiB));
  EXPECT_FALSE(huge(8 * kMiB));
  EXPECT_EQ(huge(24 * kMiB), GetParam().huge_pages);
  if (GetParam().huge_pages && GetParam().shared) {
    EXPECT_GT(HugeBytes(AddressOf(24 * kMiB)), 8 * kMiB);
    EXPECT_GT(HugeBytes(AddressOf(kBytes - 24 * kMiB)), 8 * kMiB);
  }
  EXPECT_EQ(huge(33 * kMiB), GetParam().huge_pages) << "ready";
  EXPECT_FALSE(huge(64 * kMiB));
  EXPECT_FALSE(huge(kBytes - 64 * kMiB));
  EXPECT_EQ(huge(kBytes - 33 * kMiB), GetParam().huge_pages);
  EXPECT_EQ(huge(kBytes - 24 * kMiB), GetParam().huge_pages);
  EXPECT_FALSE(huge(kBytes - 8 * kMiB));
}

// Else the writer might soon need the huge page that has just been begun.
TEST_P(ArenaGrowthTest, WithLittleReadyTheSupplierTakesShortSteps) {
  ASSERT_THAT(CommitFront(32 * kMiB), IsOk());
  const uint64_t before = arena_->allocated_bytes();
  EXPECT_TRUE(arena_->SupplyPages());
  EXPECT_LE(arena_->allocated_bytes() - before, 256 * kKiB);
}

TEST_P(ArenaGrowthTest, AWriterThatIsFasterThanTheSupplierGoesOnByItself) {
  std::mt19937_64 random(testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(testing::UnitTest::GetInstance()->random_seed());
  while (front() < 24 * kMiB) {
    GrowFront(written_ + (1 + random() % 200) * 4 * kKiB);
    if (random() % 4 == 0) arena_->SupplyPages();
  }
  EXPECT_THAT(arena_->Validate(kKind), IsOk());
  for (uint64_t at = 4096; at < written_; at += 4096) {
    ASSERT_EQ(LoadWord(arena_->At(at)), at);
  }
}

TEST_P(ArenaGrowthTest, TheEndsMeetWithPagesReadyOnBothSides) {
  ASSERT_THAT(CommitFront(100 * kMiB), IsOk());
  ASSERT_THAT(CommitBack(104 * kMiB), IsOk());
  supplier_.CarryOut(*arena_);
  EXPECT_EQ(arena_->allocated_bytes(), kBytes);
  ASSERT_THAT(CommitFront(102 * kMiB), IsOk());
  ASSERT_THAT(CommitBack(103 * kMiB), IsOk());
  supplier_.CarryOut(*arena_);
  ASSERT_THAT(CommitBack(102 * kMiB), IsOk());
  EXPECT_EQ(front(), back());
  EXPECT_EQ(CauseOf(CommitFront(102 * kMiB + 8)), Cause::kNoMemory);
  EXPECT_EQ(CauseOf(CommitBack(102 * kMiB - 8)), Cause::kNoMemory);
  EXPECT_FALSE(arena_->SupplyPages());
  EXPECT_FALSE(supplier_.ordered) << "there is nothing to be had";
  EXPECT_EQ(arena_->allocated_bytes(), kBytes);
  EXPECT_EQ(arena_->committed_bytes(), kBytes);
  EXPECT_THAT(arena_->Validate(kKind), IsOk());
}

TEST_P(ArenaGrowthTest, ItsDestructionCancelsItsOrders) {
  const int before = supplier_.cancels;
  arena_.reset();
  EXPECT_EQ(supplier_.cancels, before + 1);
}

TEST_P(ArenaGrowthTest, SaysWhetherItHasHugePages) {
  EXPECT_EQ(arena_->huge_pages(), GetParam().huge_pages);
  EXPECT_FALSE(arena_->all_huge_pages());
}

INSTANTIATE_TEST_SUITE_P(All, ArenaGrowthTest,
                         testing::ValuesIn(kArenaGrowthParams),
                         [](const auto& info) { return info.param.name; });

TEST(ArenaGrowthWithTheThreadTest, AnArenaGrowsWhileItIsSupplied) {
  for (const bool shared : {false, true}) {
    for (int round = 0; round < 3; ++round) {
      const auto arena =
          shared ? *Arena::Map(*CreateArenaFile("arena_growth_test", kBytes),
                               ArenaAccess::kReadWrite)
                 : *Arena::CreatePrivate(kBytes);
      ASSERT_THAT(arena->BeginFormat({.kind = kKind}), IsOk());
      arena->FinishFormat();
      for (uint64_t at = 4096; at < 16 * kMiB; at += 4096) {
        if (round == 1) {  // as tables do
          arena->ReadyFront(at + 4096);
          arena->ReadyBack(kBytes - at);
        }
        {
          Lock lock(arena->grow_mutex());
          ASSERT_THAT(arena->CommitFront(at + 4096), IsOk());
          ASSERT_THAT(arena->CommitBack(kBytes - at), IsOk());
        }
        StoreWord(arena->At(at), at);
        StoreWord(arena->At(kBytes - at), at);
      }
      for (uint64_t at = 4096; at < 16 * kMiB; at += 4096) {
        ASSERT_EQ(LoadWord(arena->At(at)), at);
        ASSERT_EQ(LoadWord(arena->At(kBytes - at)), at);
      }
    }
  }
}

// On a machine without a pool of huge pages there is no such arena to test.
TEST(ArenaGrowthInHugePagesTest, AnArenaFromThePoolWorksInItsPages) {
  absl::StatusOr<UniqueFd> file = CreateArenaFile(
      "arena_growth_test", 16 * kHugePageBytes, {.huge_pages = true});
  if (!file.ok()) {
    EXPECT_EQ(CauseOf(file.status()), Cause::kNoMemory);
    return;
  }
  FakeSupplier supplier;
  const auto arena = *Arena::Map(*std::move(file), ArenaAccess::kReadWrite,
                                 {.supplier = &supplier});
  EXPECT_TRUE(arena->all_huge_pages());
  EXPECT_FALSE(arena->huge_pages()) << "there is nothing to ask for";
  ASSERT_THAT(arena->BeginFormat({.kind = kKind}), IsOk());
  arena->FinishFormat();
  EXPECT_EQ(arena->committed_bytes(), kHugePageBytes);
  Lock lock(arena->grow_mutex());
  ASSERT_THAT(arena->CommitFront(kHugePageBytes + 8), IsOk());
  EXPECT_EQ(arena->committed_bytes(), 2 * kHugePageBytes);
  StoreWord(arena->At(kHugePageBytes), 1);
  ASSERT_THAT(arena->CommitBack(16 * kHugePageBytes - 8), IsOk());
  StoreWord(arena->At(16 * kHugePageBytes - 8), 1);
  EXPECT_THAT(arena->Validate(kKind), IsOk());
}

}  // namespace
}  // namespace ets_keeper
