// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// How an arena gets its pages and gives them back, with a supplier that does
// nothing by itself.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/arena/arena.h"
#include "common/arena/arena_file.h"
#include "common/arena/page_supplier.h"
#include "common/arena/pages_testing.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kBytes = 256 * kMiB;
constexpr uint64_t kKind = 7;

class FakeSupplier : public PageSupplier {
 public:
  void Order(PageConsumer&) override { ordered = true; }
  void Cancel(PageConsumer&) override { ++cancels; }

  // As the thread would.
  void CarryOut(PageConsumer& consumer) {
    if (!std::exchange(ordered, false)) return;
    while (consumer.SupplyPages()) {
    }
  }

  void BeforeGivingBack() override {
    // A copy: it may take itself away.
    if (const auto call = before_giving_back) call();
  }

  bool ordered = false;
  int cancels = 0;
  std::function<void()> before_giving_back;
};

struct Param {
  std::string name;
  bool shared;
  bool huge_pages;
};

class ArenaGrowthTest : public testing::TestWithParam<Param> {
 protected:
  ArenaGrowthTest() { Make(kBytes); }

  void Make(uint64_t bytes) {
    const ArenaOptions options = {.huge_pages = GetParam().huge_pages,
                                  .supplier = &supplier_};
    if (GetParam().shared) {
      file_ = *CreateArenaFile("arena_growth_test", bytes);
      arena_ = *Arena::Map(UniqueFd(dup(file_.get())), ArenaAccess::kReadWrite,
                           options);
    } else {
      arena_ = *Arena::CreatePrivate(bytes, options);
    }
    CHECK_OK(arena_->BeginFormat({.kind = kKind}));
    arena_->FinishFormat();
    written_ = 4096;
  }

  absl::Status CommitFront(uint64_t end) {
    Lock lock(arena_->grow_mutex());
    return arena_->CommitFront(end);
  }
  absl::Status CommitBack(uint64_t begin) {
    Lock lock(arena_->grow_mutex());
    return arena_->CommitBack(begin);
  }
  uint64_t front() const { return LoadWord(&arena_->header().front_committed); }
  uint64_t back() const { return LoadWord(&arena_->header().back_committed); }
  uint64_t ready() const {
    return arena_->allocated_bytes() - arena_->committed_bytes();
  }

  bool IsResident(uint64_t offset) const {
    return ets_keeper::IsResident(AddressOf(offset));
  }
  const char* AddressOf(uint64_t offset) const {
    return reinterpret_cast<const char*>(arena_->At(offset / 4096 * 4096));
  }

  // Grows by `step` to `end`, as a table does, and writes to all of it.
  void GrowFront(uint64_t end, uint64_t step = 4 * kKiB) {
    for (; written_ < end; written_ += step) {
      ASSERT_THAT(CommitFront(written_ + step), IsOk());
      StoreWord(arena_->At(written_), written_);
      StoreWord(arena_->At(written_ + step - 8), written_);
    }
  }

  // Nothing behind `begin` is in use.
  void ReleaseFront(uint64_t begin) {
    written_ = std::clamp<uint64_t>(begin / 4096 * 4096, 4096, written_);
    Lock lock(arena_->grow_mutex());
    arena_->ReleaseFront(begin);
  }
  void ReleaseAll(uint64_t begin) {
    ReleaseFront(begin);
    supplier_.CarryOut(*arena_);
  }

  FakeSupplier supplier_;
  UniqueFd file_;
  std::unique_ptr<Arena> arena_;
  uint64_t written_ = 0;
};

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

// Who knows only what the front was before it was released reads there what it
// left, or zeroes.
TEST_P(ArenaGrowthTest, TheBackNeverTakesWhatWasTheFronts) {
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

TEST_P(ArenaGrowthTest, WhatIsReleasedIsGoneAndReadsAsZeroes) {
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

TEST_P(ArenaGrowthTest, ReleasingIsTheSuppliersInShortSteps) {
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
TEST_P(ArenaGrowthTest, WhatIsReleasedAndWantedAgainIsThere) {
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

TEST_P(ArenaGrowthTest, GrowingAndShrinkingAroundOneSizeCostsNothing) {
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

TEST_P(ArenaGrowthTest, ReleasingMoreThanThereIsDoesNothing) {
  ASSERT_THAT(CommitFront(64 * kKiB), IsOk());
  const uint64_t before = front();
  for (const uint64_t begin : {uint64_t{0}, before, ~uint64_t{0}}) {
    ReleaseFront(begin);
    EXPECT_EQ(front(), before);
    EXPECT_FALSE(supplier_.ordered);
    EXPECT_FALSE(arena_->SupplyPages());
  }
}

TEST_P(ArenaGrowthTest, PagesOfTheHeapAreNotReleasedWithTheFront) {
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
TEST_P(ArenaGrowthTest,
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
TEST_P(ArenaGrowthTest, WhatIsWantedWhileItIsGivenBackStays) {
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

TEST_P(ArenaGrowthTest, ItsDestructionCancelsItsOrders) {
  const int before = supplier_.cancels;
  arena_.reset();
  EXPECT_EQ(supplier_.cancels, before + 1);
}

TEST_P(ArenaGrowthTest, SaysWhetherItHasHugePages) {
  EXPECT_EQ(arena_->huge_pages(), GetParam().huge_pages && !GetParam().shared);
}

INSTANTIATE_TEST_SUITE_P(All, ArenaGrowthTest,
                         testing::Values(Param{"private", false, false},
                                         Param{"privateWithHugePages", false,
                                               true},
                                         Param{"memfd", true, false}),
                         [](const auto& info) { return info.param.name; });

// The words may be those of a process that died: what is there is not asked.
TEST(ArenaGrowthAfterDeathTest, TheNextProcessGoesOnFromTheWords) {
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
TEST(ArenaGrowthAfterDeathTest, TheNextProcessGivesBackWhatIsLeft) {
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
  EXPECT_TRUE(arena->huge_pages());
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
