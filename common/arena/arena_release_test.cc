// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// How an arena gives its pages back, with a supplier that does nothing by
// itself.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <thread>

#include "absl/status/status_matchers.h"
#include "common/arena/arena.h"
#include "common/arena/arena_file.h"
#include "common/arena/arena_growth_testing.h"
#include "common/arena/pages_testing.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

class ArenaReleaseTest : public ArenaGrowthTest {};

// Who knows only what the front was before it was released reads there what it
// left, or zeroes.
TEST_P(ArenaReleaseTest, TheBackNeverTakesWhatWasTheFronts) {
  GrowFront(100 * kMiB);
  ReleaseAll(kMiB);
  ASSERT_LT(front(), 20 * kMiB);
  ASSERT_THAT(CommitBack(101 * kMiB), IsOk());
  supplier_.CarryOut(*arena_);
  const uint64_t reach = LoadWord(&arena_->header().front_reach);
  ASSERT_GE(reach, 100 * kMiB);
  ASSERT_THAT(CommitBack(reach), IsOk());
  EXPECT_EQ(CauseOf(CommitBack(reach - 8)), Cause::kNoMemory);
  arena_->ReadyBack(reach - 8);
  supplier_.CarryOut(*arena_);
  EXPECT_EQ(back(), reach);
  for (uint64_t at = front() + ready(); at < 100 * kMiB; at += 4096) {
    ASSERT_EQ(LoadWord(arena_->At(at)), 0) << at;
  }
  EXPECT_THAT(arena_->Validate(kKind), IsOk());
  GrowFront(reach);
  EXPECT_EQ(CauseOf(CommitFront(reach + 8)), Cause::kNoMemory);
  EXPECT_EQ(LoadWord(&arena_->header().front_reach), reach);
  EXPECT_THAT(arena_->Validate(kKind), IsOk());
  StoreWord(&arena_->header().front_reach, reach - 4096);
  EXPECT_EQ(CauseOf(arena_->Validate(kKind)), Cause::kCorrupt);
}

TEST_P(ArenaReleaseTest, WhatIsReleasedIsGoneAndReadsAsZeroes) {
  GrowFront(16 * kMiB);
  supplier_.CarryOut(*arena_);
  ReleaseAll(6 * kMiB);
  EXPECT_GE(front(), 6 * kMiB) << "what is in use stays";
  EXPECT_LE(front(), 7 * kMiB);
  EXPECT_LE(ready(), kMiB);
  EXPECT_THAT(arena_->Validate(kKind), IsOk());
  const uint64_t end = front() + ready();
  for (uint64_t at = 4096; at < 17 * kMiB; at += 4096) {
    ASSERT_EQ(IsResident(at), at < end) << at;
  }
  for (uint64_t at = 4096; at < 16 * kMiB; at += 4096) {
    ASSERT_EQ(LoadWord(arena_->At(at)), at < end ? at : 0);
  }
  GrowFront(16 * kMiB);
  EXPECT_EQ(LoadWord(arena_->At(16 * kMiB - 4096)), 16 * kMiB - 4096);
}

TEST_P(ArenaReleaseTest, ReleasingIsTheSuppliersInShortSteps) {
  GrowFront(8 * kMiB);
  supplier_.CarryOut(*arena_);
  uint64_t before = arena_->allocated_bytes();
  ReleaseFront(0);
  EXPECT_GE(front(), 128 * kKiB);
  EXPECT_LE(front(), 512 * kKiB);
  EXPECT_EQ(arena_->allocated_bytes(), before) << "not by who releases";
  ASSERT_TRUE(supplier_.ordered);
  bool more = true;
  while (more) {
    more = arena_->SupplyPages();
    const uint64_t released = before - arena_->allocated_bytes();
    EXPECT_GT(released, 0);
    EXPECT_LE(released,
              GetParam().huge_pages ? kHugePageBytes : Arena::kReleaseStep);
    before = arena_->allocated_bytes();
  }
  EXPECT_LE(ready(), 512 * kKiB);
  supplier_.ordered = false;
  ReleaseFront(0);
  EXPECT_FALSE(supplier_.ordered);
}

// Nobody has given it back yet.
TEST_P(ArenaReleaseTest, WhatIsReleasedAndWantedAgainIsThere) {
  GrowFront(8 * kMiB);
  ReleaseFront(kMiB);
  ASSERT_LT(front(), 2 * kMiB);
  ASSERT_TRUE(arena_->SupplyPages()) << "some of it";
  const uint64_t there = arena_->allocated_bytes();
  ASSERT_THAT(CommitFront(6 * kMiB), IsOk());
  EXPECT_EQ(arena_->allocated_bytes(), there);
  for (uint64_t at = 4096; at < 6 * kMiB; at += 4096) {
    ASSERT_TRUE(IsResident(at));
    ASSERT_EQ(LoadWord(arena_->At(at)), at);
  }
  supplier_.CarryOut(*arena_);
  for (uint64_t at = 4096; at < 6 * kMiB; at += 4096) {
    ASSERT_EQ(LoadWord(arena_->At(at)), at) << "it is in use again";
  }
}

TEST_P(ArenaReleaseTest, GrowingAndShrinkingAroundOneSizeCostsNothing) {
  for (const uint64_t size :
       {kMiB / 2, kMiB, 3 * kMiB, 8 * kMiB, 9 * kMiB, 40 * kMiB}) {
    Make(kBytes);
    GrowFront(size);
    supplier_.CarryOut(*arena_);
    const uint64_t allocated = arena_->allocated_bytes();
    for (int i = 0; i < 10; ++i) {
      ReleaseFront(size - size / 32 / 4096 * 4096);
      EXPECT_FALSE(supplier_.ordered) << size;
      GrowFront(size);
      supplier_.CarryOut(*arena_);
    }
    EXPECT_EQ(arena_->allocated_bytes(), allocated) << size;
  }
}

TEST_P(ArenaReleaseTest, ReleasingMoreThanThereIsDoesNothing) {
  ASSERT_THAT(CommitFront(64 * kKiB), IsOk());
  const uint64_t before = front();
  for (const uint64_t begin : {uint64_t{0}, before, ~uint64_t{0}}) {
    ReleaseFront(begin);
    EXPECT_EQ(front(), before);
    EXPECT_FALSE(supplier_.ordered);
    EXPECT_FALSE(arena_->SupplyPages());
  }
}

TEST_P(ArenaReleaseTest, PagesOfTheHeapAreNotReleasedWithTheFront) {
  Make(32 * kMiB);
  GrowFront(16 * kMiB);
  // Ready for the front, then taken by the heap.
  supplier_.CarryOut(*arena_);
  const uint64_t heap = (16 * kMiB + 64 * kKiB);
  ASSERT_THAT(CommitBack(heap), IsOk());
  for (uint64_t at = back(); at < 32 * kMiB; at += 4096) {
    StoreWord(arena_->At(at), at);
  }
  supplier_.CarryOut(*arena_);
  ReleaseFront(kMiB);
  EXPECT_LE(front(), 2 * kMiB);
  const uint64_t reach = LoadWord(&arena_->header().front_reach);
  ASSERT_LT(reach, heap);
  ASSERT_TRUE(arena_->SupplyPages());
  EXPECT_FALSE(IsResident(reach)) << "it was ready for the heap, too";
  supplier_.CarryOut(*arena_);
  for (uint64_t at = back(); at < 32 * kMiB; at += 4096) {
    ASSERT_EQ(LoadWord(arena_->At(at)), at);
  }
  // It is allocated anew.
  ASSERT_THAT(CommitBack(reach), IsOk());
  for (uint64_t at = reach; at < heap + kMiB; at += 4096) {
    ASSERT_TRUE(IsResident(at)) << at;
  }
}

// The supplier had decided what to allocate, and was late.
TEST_P(ArenaReleaseTest,
       WhatIsReleasedUnderTheSuppliersHandsIsNotTakenForReady) {
  std::mt19937_64 random(testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(testing::UnitTest::GetInstance()->random_seed());
  std::thread thread([&] {
    for (int i = 0; i < 20'000; ++i) arena_->SupplyPages();
  });
  for (int round = 0; round < 10; ++round) {
    GrowFront((2 + random() % 12) * kMiB);
    for (uint64_t at = 4096; at < written_; at += 4096) {
      ASSERT_TRUE(IsResident(at));
      ASSERT_EQ(LoadWord(arena_->At(at)), at);
    }
    ReleaseFront((random() % 1024) * 4 * kKiB);
  }
  thread.join();
  supplier_.ordered = true;
  supplier_.CarryOut(*arena_);
  const uint64_t ahead =
      front() < 256 * kKiB ? 0 : std::min(front() / 4, 256 * kKiB);
  const uint64_t expected = front() + ahead;
  for (uint64_t at = 0; at < expected; at += 4096) {
    ASSERT_TRUE(IsResident(at));
  }
  EXPECT_THAT(arena_->Validate(kKind), IsOk());
}

// Whoever wants it waits, if need be, and then finds it as it was left there.
TEST_P(ArenaReleaseTest, WhatIsWantedWhileItIsGivenBackStays) {
  for (const bool made_ready : {false, true}) {
    GrowFront(8 * kMiB);
    ReleaseFront(kMiB);
    std::atomic<bool> begun = false;
    std::atomic<bool> stored = false;
    supplier_.before_giving_back = [&] {
      begun = true;
      // That it comes to the store meanwhile must not be, so this can only
      // give it the time to.
      for (int i = 0; i < 10'000 && !stored; ++i) std::this_thread::yield();
    };
    std::thread thread([&] { arena_->SupplyPages(); });
    while (!begun) std::this_thread::yield();
    supplier_.before_giving_back = nullptr;
    if (made_ready) arena_->ReadyFront(8 * kMiB);
    ASSERT_THAT(CommitFront(8 * kMiB), IsOk());
    StoreWord(arena_->At(8 * kMiB - 8), 42);
    stored = true;
    thread.join();
    EXPECT_EQ(LoadWord(arena_->At(8 * kMiB - 8)), 42);
    EXPECT_TRUE(IsResident(8 * kMiB - 8));
  }
}

// They may be the same pages.
TEST_P(ArenaReleaseTest, NothingIsMadeReadyAheadWhileAStepIsGivenBack) {
  GrowFront(8 * kMiB);
  ReleaseFront(kMiB);
  int made = 0;
  supplier_.before_making_ready = [&] { ++made; };
  int given_back = 0;
  supplier_.before_giving_back = [&] {
    if (given_back++ != 0) return;
    std::thread([&] { arena_->ReadyAhead(kBytes); }).join();
  };
  supplier_.CarryOut(*arena_);
  EXPECT_GT(given_back, 0);
  EXPECT_EQ(made, 0);
}

INSTANTIATE_TEST_SUITE_P(All, ArenaReleaseTest,
                         testing::ValuesIn(kArenaGrowthParams),
                         [](const auto& info) { return info.param.name; });

// The words may be those of a process that died: what is there is not asked.
TEST(ArenaReleaseAfterDeathTest, TheNextProcessGoesOnFromTheWords) {
  const UniqueFd file = *CreateArenaFile("arena_growth_test", kBytes);
  FakeSupplier supplier;
  const auto map = [&] {
    return *Arena::Map(UniqueFd(dup(file.get())), ArenaAccess::kReadWrite,
                       {.supplier = &supplier});
  };
  const auto dead = map();
  ASSERT_THAT(dead->BeginFormat({.kind = kKind}), IsOk());
  dead->FinishFormat();
  {
    Lock lock(dead->grow_mutex());
    ASSERT_THAT(dead->CommitFront(2 * kMiB), IsOk());
  }
  supplier.CarryOut(*dead);  // more pages than the words say
  // As if it had died in ReleaseFront(), after the first store.
  StoreWord(dead->At(2 * kMiB - 8), 42);
  StoreWord(&dead->header().front_committed, kMiB);
  const auto next = map();
  EXPECT_THAT(next->Validate(kKind), IsOk());
  EXPECT_EQ(next->committed_bytes(), kMiB);
  Lock lock(next->grow_mutex());
  ASSERT_THAT(next->CommitFront(2 * kMiB), IsOk());
  EXPECT_EQ(LoadWord(next->At(2 * kMiB - 8)), 42)
      << "not promised, but allowed";
}

// The words do not say how much of what was released has been given back.
TEST(ArenaReleaseAfterDeathTest, TheNextProcessGivesBackWhatIsLeft) {
  const UniqueFd file = *CreateArenaFile("arena_growth_test", kBytes);
  FakeSupplier supplier;
  const auto map = [&](ArenaAccess access) {
    return *Arena::Map(UniqueFd(dup(file.get())), access,
                       {.supplier = &supplier});
  };
  const auto dead = map(ArenaAccess::kReadWrite);
  ASSERT_THAT(dead->BeginFormat({.kind = kKind}), IsOk());
  dead->FinishFormat();
  {
    Lock lock(dead->grow_mutex());
    ASSERT_THAT(dead->CommitFront(8 * kMiB), IsOk());
    dead->ReleaseFront(kMiB);
  }
  const auto next = map(ArenaAccess::kReadWrite);
  const uint64_t front = LoadWord(&next->header().front_committed);
  ASSERT_LT(front, 2 * kMiB);
  const auto is_resident = [&](uint64_t at) {
    return IsResident(reinterpret_cast<const char*>(next->At(at)));
  };
  ASSERT_TRUE(is_resident(7 * kMiB));
  supplier.ordered = false;
  next->ReleaseLeftovers();
  supplier.CarryOut(*next);
  for (uint64_t at = 0; at < front; at += 4096) ASSERT_TRUE(is_resident(at));
  for (uint64_t at = 2 * kMiB; at < 8 * kMiB; at += 4096) {
    ASSERT_FALSE(is_resident(at)) << at;
  }
  EXPECT_FALSE(next->SupplyPages());
  next->ReleaseLeftovers();
  supplier.CarryOut(*next);
  Lock lock(next->grow_mutex());
  ASSERT_THAT(next->CommitFront(8 * kMiB), IsOk());
  StoreWord(next->At(8 * kMiB - 8), 1);
}

}  // namespace
}  // namespace ets_keeper
