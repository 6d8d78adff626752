// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/heap.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

TEST(HeapClassTest, EveryClassHoldsWhatItIsTheClassOf) {
  HeapClass last = {0};
  for (uint64_t bytes = 1; bytes < 100'000; ++bytes) {
    const HeapClass size = ClassOf(bytes);
    ASSERT_GE(size.bytes(), bytes);
    ASSERT_GE(size.index, last.index);
    ASSERT_EQ(ClassOf(size.bytes()), size);
    ASSERT_EQ(size.bytes() % 16, 0);
    if (bytes > 256) {
      ASSERT_LE(size.bytes() - bytes, bytes / 4);
      ASSERT_EQ(size.bytes() % 64, 0);
    }
    last = size;
  }
}

TEST(HeapClassTest, TheLargestBlockHasAClass) {
  EXPECT_EQ(ClassOf(kMaxBlockBytes).bytes(), kMaxBlockBytes);
  EXPECT_LT(ClassOf(kMaxBlockBytes).index, kHeapClasses);
  EXPECT_EQ(kCellClass.bytes(), kCellBytes);
}

class HeapTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kLane = 4096;
  static constexpr uint64_t kLog = 8192;

  HeapTest() : arena_(*Arena::CreatePrivate(1 << 20)) {
    EXPECT_THAT(arena_->BeginFormat({}), IsOk());
    Lock lock(arena_->grow_mutex());
    EXPECT_THAT(arena_->CommitFront(16384), IsOk());
  }

  IntentLog* log() { return reinterpret_cast<IntentLog*>(arena_->At(kLog)); }
  const HeapLane& lane() {
    return *reinterpret_cast<HeapLane*>(arena_->At(kLane));
  }

  absl::StatusOr<uint64_t> Allocate(HeapClass size) {
    Transaction transaction(arena_.get(), log());
    HeapTransaction heap(&transaction, kLane);
    const absl::StatusOr<uint64_t> block = heap.Allocate(size);
    if (!block.ok()) return block;
    heap.Finish();
    transaction.Commit();
    return block;
  }

  void Free(uint64_t block, HeapClass size) {
    Transaction transaction(arena_.get(), log());
    HeapTransaction heap(&transaction, kLane);
    heap.Free(block, size);
    heap.Finish();
    transaction.Commit();
  }

  std::unique_ptr<Arena> arena_;
};

TEST_F(HeapTest, BlocksAreAlignedAndApart) {
  std::map<uint64_t, uint64_t> blocks;
  for (int i = 0; i < 300; ++i) {
    const HeapClass size = i % 3 == 0 ? kCellClass : ClassOf(20 + i);
    const auto block = Allocate(size);
    ASSERT_THAT(block, IsOk());
    EXPECT_EQ(*block % (size == kCellClass ? kCellBytes : 16), 0);
    blocks[*block] = size.bytes();
  }
  uint64_t end = 0;
  for (const auto& [begin, bytes] : blocks) {
    EXPECT_GE(begin, end);
    end = begin + bytes;
  }
  EXPECT_LE(end, arena_->bytes());
}

TEST_F(HeapTest, AFreedBlockIsGivenOutAgain) {
  const uint64_t block = *Allocate(ClassOf(100));
  Free(block, ClassOf(100));
  EXPECT_EQ(*Allocate(ClassOf(100)), block);
}

// The link of a free block: a reader to whom the block is still a cell sees no
// live bit in its first word.
TEST_F(HeapTest, TheFirstWordOfAFreeBlockIsALinkWhoseLow16BitsAreZero) {
  const uint64_t first = *Allocate(kCellClass);
  const uint64_t second = *Allocate(kCellClass);
  Free(first, kCellClass);
  EXPECT_EQ(LoadWord(arena_->At(first)), FreeLink(0));
  Free(second, kCellClass);
  EXPECT_EQ(LoadWord(arena_->At(second)), FreeLink(first));
  EXPECT_EQ(LoadWord(arena_->At(second)) & 0xffff, 0);
  EXPECT_EQ(FreeLinkTarget(FreeLink(Arena::kMaxBytes)), Arena::kMaxBytes);
  EXPECT_EQ(*Allocate(kCellClass), second);
  EXPECT_EQ(*Allocate(kCellClass), first);
}

// From the free list, from the chunk; and nothing where that takes more.
TEST_F(HeapTest, ACellToTakeIsTheOneThatWouldBeAllocated) {
  const auto to_take = [&] {
    return BlockToTake::Of(*arena_, kLane, kCellClass);
  };
  EXPECT_EQ(to_take().offset, 0);  // there is no chunk
  std::vector<uint64_t> cells = {*Allocate(kCellClass)};
  for (int i = 0; i < 500; ++i) {
    const BlockToTake cell = to_take();
    const uint64_t before = LoadWord(arena_->At(cell.store.offset));
    cells.push_back(*Allocate(kCellClass));
    if (cell.offset == 0) {  // a new chunk
      EXPECT_NE(cells[i + 1], cells[i] + kCellBytes);
      continue;
    }
    EXPECT_EQ(cell.offset, cells.back());
    EXPECT_EQ(LoadWord(arena_->At(cell.store.offset)), cell.store.value);
    EXPECT_NE(before, cell.store.value);
  }
  Free(cells[0], kCellClass);
  Free(cells[1], kCellClass);
  for (const uint64_t expected : {cells[1], cells[0]}) {
    const BlockToTake cell = to_take();
    EXPECT_EQ(cell.offset, expected);
    EXPECT_EQ(*Allocate(kCellClass), expected);
    EXPECT_EQ(LoadWord(arena_->At(cell.store.offset)), cell.store.value);
  }
  // The rest of the chunk does not begin where a cell may.
  EXPECT_THAT(Allocate(ClassOf(32)), IsOk());
  EXPECT_EQ(to_take().offset, 0);
  // A word that leads nowhere.
  Free(cells[0], kCellClass);
  StoreWord(arena_->At(kLane + offsetof(HeapLane, free)), arena_->bytes());
  EXPECT_EQ(to_take().offset, 0);
}

// Of all classes, from free lists and chunks; or there is none by one store.
TEST_F(HeapTest, ABlockToTakeIsTheOneThatWouldBeAllocated) {
  int taken = 0, larger = 0;
  for (const uint64_t bytes : {24, 32, 48, 100, 256, 300, 500, 513, 4096}) {
    const HeapClass size = ClassOf(bytes);
    const auto allocate = [&] {
      const BlockToTake block = BlockToTake::Of(*arena_, kLane, size);
      const uint64_t allocated = *Allocate(size);
      if (block.offset != 0) {
        ++taken;
        EXPECT_EQ(block.offset, allocated);
        EXPECT_EQ(LoadWord(arena_->At(block.store.offset)), block.store.value);
      } else if (size.bytes() > LargestInChunk(*arena_)) {
        ++larger;
      }
      return allocated;
    };
    std::vector<uint64_t> blocks;
    for (int i = 0; i < 20; ++i) blocks.push_back(allocate());
    for (const uint64_t block : blocks) Free(block, size);
    for (int i = 0; i < 20; ++i) {
      EXPECT_NE(BlockToTake::Of(*arena_, kLane, size).offset, 0);
      allocate();
    }
    // A word that leads nowhere.
    Free(blocks[0], size);
    StoreWord(arena_->At(FreeListOffset(kLane, size)), arena_->bytes());
    EXPECT_EQ(BlockToTake::Of(*arena_, kLane, size).offset, 0);
    StoreWord(arena_->At(FreeListOffset(kLane, size)), 0);
  }
  EXPECT_GT(taken, 9 * 20);
  EXPECT_GT(larger, 0);
}

TEST_F(HeapTest, SeveralBlocksOfOneTransactionAreAllFreed) {
  std::vector<uint64_t> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(*Allocate(ClassOf(100)));
  {
    Transaction transaction(arena_.get(), log());
    HeapTransaction heap(&transaction, kLane);
    for (const uint64_t block : blocks) heap.Free(block, ClassOf(100));
    heap.Finish();
    EXPECT_EQ(transaction.size(), blocks.size() + 1);  // and the list
    transaction.Commit();
  }
  for (size_t i = blocks.size(); i-- > 0;) {
    EXPECT_EQ(*Allocate(ClassOf(100)), blocks[i]);
  }
}

TEST_F(HeapTest, ABlockFreedInATransactionIsNotGivenOutByIt) {
  const uint64_t block = *Allocate(ClassOf(100));
  Transaction transaction(arena_.get(), log());
  HeapTransaction heap(&transaction, kLane);
  heap.Free(block, ClassOf(100));
  EXPECT_NE(*heap.Allocate(ClassOf(100)), block);
}

TEST_F(HeapTest, AnAbandonedTransactionAllocatesNothing) {
  const uint64_t first = *Allocate(ClassOf(100));
  uint64_t abandoned;
  {
    Transaction transaction(arena_.get(), log());
    HeapTransaction heap(&transaction, kLane);
    abandoned = *heap.Allocate(ClassOf(100));
    StoreWord(arena_->At(abandoned + 8), 1);  // filled, but never committed
  }
  EXPECT_NE(abandoned, first);
  EXPECT_EQ(*Allocate(ClassOf(100)), abandoned);
}

TEST_F(HeapTest, AFullArenaIsAnErrorAndWhatIsFreedCanBeUsed) {
  std::vector<uint64_t> blocks;
  absl::StatusOr<uint64_t> block = Allocate(ClassOf(1000));
  for (; block.ok(); block = Allocate(ClassOf(1000))) blocks.push_back(*block);
  EXPECT_EQ(CauseOf(block.status()), Cause::kNoMemory);
  EXPECT_GT(blocks.size(), 900);
  Free(blocks.back(), ClassOf(1000));
  EXPECT_THAT(Allocate(ClassOf(1000)), IsOk());
}

TEST_F(HeapTest, AFreeListThatLeadsNowhereIsReported) {
  const uint64_t list = FreeListOffset(kLane, ClassOf(100));
  for (const uint64_t hostile :
       {uint64_t{8}, arena_->bytes() - 8, ~uint64_t{7}}) {
    StoreWord(arena_->At(list), hostile);
    EXPECT_EQ(CauseOf(Allocate(ClassOf(100)).status()), Cause::kCorrupt);
  }
}

// live + free + rest of the chunk + waste is all that was ever taken.
TEST_F(HeapTest, EveryByteIsAccountedFor) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::pair<uint64_t, HeapClass>> live;
  for (int i = 0; i < 5000; ++i) {
    if (live.size() > 60 || (random() % 3 == 0 && !live.empty())) {
      std::swap(live[random() % live.size()], live.back());
      Free(live.back().first, live.back().second);
      live.pop_back();
    } else {
      const HeapClass size =
          random() % 4 == 0 ? kCellClass : ClassOf(1 + random() % 3000);
      const auto block = Allocate(size);
      ASSERT_THAT(block, IsOk());
      live.emplace_back(*block, size);
    }
  }
  uint64_t bytes = lane().waste + lane().chunk_end - lane().chunk_next;
  for (const auto& [block, size] : live) bytes += size.bytes();
  for (uint32_t i = 0; i < kHeapClasses; ++i) {
    uint64_t block = lane().free[i];
    for (; block != 0; block = FreeLinkTarget(LoadWord(arena_->At(block)))) {
      bytes += HeapClass{i}.bytes();
    }
  }
  EXPECT_EQ(bytes, arena_->bytes() - LoadWord(&arena_->header().heap_top));
}

}  // namespace
}  // namespace ets_keeper
