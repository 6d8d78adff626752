// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_record.h"

#include <cstdint>
#include <memory>
#include <optional>

#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

class HashRecordTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kRecord = 8192;

  HashRecordTest() : arena_(*Arena::CreatePrivate(Arena::kMinBytes)) {
    geometry_.arena = arena_.get();
  }

  void Put(const RowBuffer& row) {
    StoreWord(arena_->At(kRecord + 8), row.size());
    for (size_t i = 0; i < row.size(); ++i) {
      StoreWord(arena_->At(kRecord + 16 + i * 8), row[i]);
    }
  }

  bool HasKey(const RowBuffer& key, uint64_t bytes) {
    return RecordHasKey(geometry_, kRecord, *RecordWords(*arena_, kRecord),
                        MakeHashKey(0, key, bytes));
  }

  std::unique_ptr<Arena> arena_;
  HashGeometry geometry_;
};

TEST_F(HashRecordTest, ARecordIsCopiedOut) {
  Put({1, 2, 3});
  EXPECT_THAT(RecordWords(*arena_, kRecord), Optional(3));
  RowBuffer row = {9};
  CopyRecord(*arena_, kRecord, 3, &row);
  EXPECT_THAT(row, ElementsAre(1, 2, 3));
}

TEST_F(HashRecordTest, WhereNoRecordCanBeThereIsNone) {
  EXPECT_EQ(RecordWords(*arena_, kRecord), std::nullopt);  // of no words
  EXPECT_EQ(RecordWords(*arena_, 0), std::nullopt);
  EXPECT_EQ(RecordWords(*arena_, arena_->bytes() - 8), std::nullopt);
  EXPECT_EQ(RecordWords(*arena_, kRecord + 4), std::nullopt);
  StoreWord(arena_->At(kRecord + 8), arena_->bytes() / 8);
  EXPECT_EQ(RecordWords(*arena_, kRecord), std::nullopt);
}

TEST_F(HashRecordTest, FixedKeysAreComparedWhereTheyAre) {
  geometry_.key = {.word = 1, .words = 2};
  Put({1, 2, 3});
  EXPECT_TRUE(HasKey({2, 3}, 16));
  EXPECT_FALSE(HasKey({1, 2}, 16));
  Put({1, 2});  // too short to have a key
  EXPECT_FALSE(HasKey({2, 3}, 16));
}

TEST_F(HashRecordTest, VariableKeysAreFoundByTheirDescriptor) {
  geometry_.key = {.word = 0, .words = 1, .variable = true};
  Put({MakeDescriptor(1, 11), 7, 8});
  EXPECT_TRUE(HasKey({7, 8}, 11));
  EXPECT_FALSE(HasKey({7, 8}, 12));
  EXPECT_FALSE(HasKey({7, 9}, 11));
  Put({MakeDescriptor(2, 11), 7, 8});  // leads out of the row
  EXPECT_FALSE(HasKey({8, 0}, 11));
  Put({MakeDescriptor(1000, 11), 7, 8});
  EXPECT_FALSE(HasKey({7, 8}, 11));
  Put({0});
  EXPECT_TRUE(HasKey({}, 0));
}

TEST_F(HashRecordTest, TheKeyOfARowThatHasNoneIsEmpty) {
  uint64_t bytes;
  const RowBuffer two = {5, 6}, one = {5};
  const KeyLayout fixed = {.word = 1, .words = 1};
  EXPECT_THAT(KeyInRow(fixed, two, &bytes), ElementsAre(6));
  EXPECT_EQ(bytes, 8);
  EXPECT_THAT(KeyInRow(fixed, one, &bytes), IsEmpty());
  const KeyLayout variable = {.word = 0, .words = 1, .variable = true};
  const RowBuffer string = {MakeDescriptor(1, 3), 6};
  EXPECT_THAT(KeyInRow(variable, string, &bytes), ElementsAre(6));
  EXPECT_EQ(bytes, 3);
  const RowBuffer astray = {MakeDescriptor(2, 3), 6};
  EXPECT_THAT(KeyInRow(variable, astray, &bytes), IsEmpty());
}

}  // namespace
}  // namespace ets_keeper
