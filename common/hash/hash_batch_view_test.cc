// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_batch_view.h"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <random>
#include <vector>

#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_layout.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

// A log in the middle of an arena, written by hand.
class HashBatchViewTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kLog = 32768;
  static constexpr uint64_t kBytes = 4096;
  static constexpr uint64_t kRecord = 16384;

  HashBatchViewTest() : arena_(*Arena::CreatePrivate(Arena::kMinBytes)) {
    geometry_ = HashGeometry::Of(arena_.get());
    StoreWord(&geometry_.root()->batch_log, kLog);
    StoreWord(&geometry_.root()->batch_log_bytes, kBytes);
    StoreWord(&arena_->header().batch, 1);
  }

  HashBatchLog* log() {
    return reinterpret_cast<HashBatchLog*>(arena_->At(kLog));
  }

  // Writes the words that follow the log's head.
  void Write(uint64_t room, uint64_t entries, uint64_t keys,
             std::initializer_list<uint64_t> words) {
    StoreWord(&log()->room, room);
    StoreWord(&log()->entries, entries);
    StoreWord(&log()->keys, keys);
    auto* word = reinterpret_cast<uint64_t*>(log() + 1);
    for (const uint64_t value : words) StoreWord(word++, value);
  }

  const std::unique_ptr<Arena> arena_;
  HashGeometry geometry_;
};

TEST_F(HashBatchViewTest, WithoutABatchThereIsNothing) {
  Write(0, 1, 1, {1, 2, 3, 4, 5});
  StoreWord(&arena_->header().batch, 2);
  const HashBatchView view(geometry_, 2);
  EXPECT_FALSE(view.in_flight());
  EXPECT_EQ(view.size(), 0);
  EXPECT_TRUE(view.entries().empty());
  EXPECT_TRUE(view.Unchanged());
}

TEST_F(HashBatchViewTest, ShowsRecords) {
  Write(2, 1, 3,
        {111, 222,         // locks
         5000, 6,          // entry
         10, kRecord, 4,   // put
         20, kRecord | 1,  // deleted
         4,                //
         20, kRecord + 64, 2});
  const HashBatchView view(geometry_, 1);
  EXPECT_TRUE(view.in_flight());
  ASSERT_EQ(view.entries().size(), 1);
  EXPECT_EQ(view.entries()[0].offset, 5000);
  EXPECT_EQ(view.entries()[0].value, 6);
  ASSERT_EQ(view.size(), 3);
  EXPECT_EQ(view.Hash(0), 10);
  EXPECT_EQ(view.Record(0), kRecord);
  EXPECT_EQ(view.RecordWords(0), 4);
  EXPECT_FALSE(view.IsDeleted(0));
  EXPECT_EQ(view.Record(1), kRecord);
  EXPECT_TRUE(view.IsDeleted(1));
  EXPECT_EQ(view.RecordWords(2), 2);
}

TEST_F(HashBatchViewTest, ShowsInlineRows) {
  geometry_.inline_words = 3;
  Write(0, 0, 2, {10, 0, 1, 2, 3, 20, 1, 4, 5, 6});
  const HashBatchView view(geometry_, 1);
  ASSERT_EQ(view.size(), 2);
  EXPECT_FALSE(view.IsDeleted(0));
  EXPECT_EQ(view.InlineRow(0)[0], 1);
  EXPECT_EQ(view.InlineRow(0)[2], 3);
  EXPECT_TRUE(view.IsDeleted(1));
  EXPECT_EQ(view.Hash(1), 20);
  EXPECT_EQ(view.InlineRow(1)[0], 4);
}

TEST_F(HashBatchViewTest, FindsTheFirstKeyOfAHash) {
  geometry_.inline_words = 1;
  Write(0, 0, 5, {10, 0, 1, 20, 0, 2, 20, 0, 3, 20, 0, 4, 30, 0, 5});
  const HashBatchView view(geometry_, 1);
  EXPECT_EQ(view.First(0), 0);
  EXPECT_EQ(view.First(10), 0);
  EXPECT_EQ(view.First(20), 1);
  EXPECT_EQ(view.First(25), 4);
  EXPECT_EQ(view.First(31), 5);
  EXPECT_TRUE(view.HasHash(3, 20));
  EXPECT_FALSE(view.HasHash(4, 20));
  EXPECT_FALSE(view.HasHash(5, 31));  // behind the last
}

TEST_F(HashBatchViewTest, ARecordOutsideOfTheArenaHasNoWords) {
  Write(0, 0, 1, {10, kRecord, 1});
  const HashBatchView view(geometry_, 1);
  auto* key = reinterpret_cast<uint64_t*>(log() + 1);
  EXPECT_EQ(view.RecordWords(0), 1);
  for (const uint64_t words :
       {arena_->bytes() / 8, ~uint64_t{0}, uint64_t{1} << 61}) {
    StoreWord(&key[2], words);
    EXPECT_EQ(view.RecordWords(0), 0);
  }
  StoreWord(&key[2], 1);
  for (const uint64_t record :
       {uint64_t{0}, uint64_t{8}, kRecord + 4, arena_->bytes() - 8,
        arena_->bytes(), ~uint64_t{7}}) {
    StoreWord(&key[1], record);
    EXPECT_EQ(view.RecordWords(0), 0) << record;
  }
}

TEST_F(HashBatchViewTest, TheNextBatchIsAnother) {
  const HashBatchView view(geometry_, 1);
  EXPECT_TRUE(view.Unchanged());
  StoreWord(&arena_->header().batch, 2);
  EXPECT_FALSE(view.Unchanged());
  StoreWord(&arena_->header().batch, 3);
  EXPECT_FALSE(view.Unchanged());
}

TEST_F(HashBatchViewTest, ALogThatCannotBeIsEmpty) {
  const auto expect_empty = [&] {
    const HashBatchView view(geometry_, 1);
    EXPECT_EQ(view.size(), 0);
    EXPECT_TRUE(view.entries().empty());
  };
  constexpr uint64_t kWords = (kBytes - sizeof(HashBatchLog)) / 8;
  const uint64_t huge[] = {kWords + 1, uint64_t{1} << 61, ~uint64_t{0}};
  for (const uint64_t value : huge) {
    Write(value, 1, 1, {});
    expect_empty();
    Write(0, value, 1, {});
    expect_empty();
    Write(0, 1, value, {});
    expect_empty();
    Write(1, 1, value, {});
    expect_empty();
  }
  Write(0, 1, 1, {});
  for (const uint64_t log : {uint64_t{0}, uint64_t{8}, kLog + 4,
                             arena_->bytes() - 64, ~uint64_t{7}}) {
    StoreWord(&geometry_.root()->batch_log, log);
    expect_empty();
  }
  StoreWord(&geometry_.root()->batch_log, kLog);
  for (const uint64_t bytes :
       {uint64_t{0}, sizeof(HashBatchLog) - 8, arena_->bytes(), ~uint64_t{0}}) {
    StoreWord(&geometry_.root()->batch_log_bytes, bytes);
    expect_empty();
  }
}

// Whatever the sizes are, all that the view shows lies inside the log.
TEST_F(HashBatchViewTest, NothingOutsideOfTheLogIsShown) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 5000; ++i) {
    geometry_.inline_words = random() % 4;
    Write(random() % 600, random() % 300, random() % 300, {});
    const HashBatchView view(geometry_, 1);
    const uint64_t* end = arena_->At(kLog + kBytes);
    if (!view.entries().empty()) {
      ASSERT_LE(reinterpret_cast<const uint64_t*>(view.entries().end()), end);
    }
    if (view.size() == 0) continue;
    const uint64_t last = view.size() - 1;
    ASSERT_LE(view.InlineRow(last) + geometry_.item_words(), end);
    (void)view.First(random());
  }
}

}  // namespace
}  // namespace ets_keeper
