// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// Which arenas leave their memory to the next one, and what that one finds.

#include <cstdint>
#include <memory>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "common/arena/arena.h"
#include "common/arena/memory_pool.h"
#include "common/arena/page_supplier.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

constexpr uint64_t kKind = 7;
constexpr uint64_t kBytes = 64 << 20;
constexpr uint64_t kRow = 0x726f77726f77726f;

class NoSupplier : public PageSupplier {
 public:
  void Order(PageConsumer&) override {}
  void Cancel(PageConsumer&) override {}
};

class ArenaReuseTest : public testing::Test {
 protected:
  std::unique_ptr<Arena> Make() {
    auto arena =
        Arena::CreatePrivate(kBytes, {.supplier = &supplier_, .pool = &pool_});
    CHECK_OK(arena.status());
    return *std::move(arena);
  }

  // Formats it and fills both ends, `front` and `at_back` bytes at least.
  static void Use(Arena& arena, uint64_t front, uint64_t at_back) {
    CHECK_OK(arena.BeginFormat({.kind = kKind, .schema_text = "{old:u64}"}));
    arena.FinishFormat();
    {
      Lock lock(arena.grow_mutex());
      CHECK_OK(arena.CommitFront(front));
      CHECK_OK(arena.CommitBack(kBytes - at_back));
    }
    const ArenaHeader& h = arena.header();
    for (uint64_t at = sizeof(ArenaHeader); at < LoadWord(&h.front_committed);
         at += 8) {
      StoreWord(arena.At(at), kRow);
    }
    for (uint64_t at = LoadWord(&h.back_committed); at < kBytes; at += 8) {
      StoreWord(arena.At(at), kRow);
    }
  }

  NoSupplier supplier_;
  MemoryPool pool_;
};

TEST_F(ArenaReuseTest, ASmallArenaIsFollowedByOneThatLooksNew) {
  auto old = Make();
  Use(*old, 30'000, 10'000);
  const uint64_t* const base = old->At(0);
  old = nullptr;
  const auto arena = Make();
  ASSERT_EQ(arena->At(0), base);
  EXPECT_TRUE(arena->blank());
  EXPECT_EQ(arena->committed_bytes(), 0);
  EXPECT_EQ(arena->allocated_bytes(), 0);
  EXPECT_EQ(CauseOf(arena->Validate(kKind)), Cause::kCorrupt);
  EXPECT_EQ(arena->schema_text(), "");
  uint64_t not_zero = 0;
  for (uint64_t at = 0; at < kBytes; at += 8) {
    not_zero += LoadWord(arena->At(at)) != 0 ? 1 : 0;
  }
  EXPECT_EQ(not_zero, 0);
}

TEST_F(ArenaReuseTest, WhatFollowsHasPagesThatItNeedNotCommit) {
  auto arena = Make();
  Use(*arena, 30'000, 10'000);
  arena = Make();  // beside it
  arena = Make();  // in its place
  ASSERT_THAT(arena->BeginFormat({.kind = kKind}), IsOk());
  arena->FinishFormat();
  EXPECT_THAT(arena->Validate(kKind), IsOk());
  EXPECT_EQ(arena->committed_bytes(), 4096) << "as of a new one";
  EXPECT_GE(arena->allocated_bytes(), 40'000);
  Lock lock(arena->grow_mutex());
  ASSERT_THAT(arena->CommitFront(200'000), IsOk());
  ASSERT_THAT(arena->CommitBack(kBytes - 200'000), IsOk());
  StoreWord(arena->At(200'000 - 8), 1);
  StoreWord(arena->At(kBytes - 200'000), 1);
}

TEST_F(ArenaReuseTest, TheMemoryOfAnArenaThatIsInUseIsNobodyElses) {
  const auto arena = Make();
  Use(*arena, 30'000, 10'000);
  const auto other = Make();
  EXPECT_NE(other->At(0), arena->At(0));
  EXPECT_EQ(LoadWord(arena->At(8192)), kRow);
}

TEST_F(ArenaReuseTest, LargeArenasLeaveNothing) {
  Use(*Make(), MemoryPool::kMaxReadyBytes, 4096);
  EXPECT_FALSE(pool_.Clear());
  Use(*Make(), 30'000, 2 << 20);
  EXPECT_FALSE(pool_.Clear());
}

TEST_F(ArenaReuseTest, BlankArenasLeaveNothing) {
  Make();
  EXPECT_FALSE(pool_.Clear());
}

// Its pages came and went: they may be anywhere.
TEST_F(ArenaReuseTest, ArenasThatGaveMemoryBackLeaveNothing) {
  auto arena = Make();
  Use(*arena, 1 << 20, 0);
  {
    Lock lock(arena->grow_mutex());
    arena->ReleaseFront(4096);
  }
  while (arena->SupplyPages()) {
  }
  arena = nullptr;
  EXPECT_FALSE(pool_.Clear());
}

}  // namespace
}  // namespace ets_keeper
