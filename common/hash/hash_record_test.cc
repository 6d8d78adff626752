// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_record.h"

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/types/span.h"
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
  static constexpr uint64_t kHash = 0x1234'5678'9abc'def0;

  HashRecordTest() : arena_(*Arena::CreatePrivate(Arena::kMinBytes)) {
    geometry_ = HashGeometry::Of(arena_.get());
  }

  void Put(const RowBuffer& row) {
    StoreWord(arena_->At(kRecord), MakeRecordHead(kHash, row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      StoreWord(arena_->At(kRecord + sizeof(HashRecord) + i * 8), row[i]);
    }
  }

  bool HasKey(const RowBuffer& key, uint64_t bytes) {
    const HashKey hash_key = MakeHashKey(0, key, bytes);
    const uint64_t words = *RecordWords(*arena_, kRecord);
    const bool has = RecordHasKey(geometry_, kRecord, words, hash_key);
    const KeyView view = hash_key;
    const uint64_t* const row = arena_->At(kRecord + sizeof(HashRecord));
    EXPECT_EQ(RowHasKey(row, words, geometry_.key, view), has);
    EXPECT_EQ(WordsIfKey(kRecord, view), has ? words : 0);
    // If the type says where its bytes begin, it is seen there and only there.
    for (uint32_t begin = 1; geometry_.key.variable && begin < 4; ++begin) {
      const bool there =
          has && DescriptorWord(LoadWord(&row[geometry_.key.word])) == begin;
      EXPECT_EQ(WordsIfKey(kRecord, view, begin), there ? words : 0);
    }
    return has;
  }

  // Of what RowIfKey() finds in a record.
  uint64_t WordsIfKey(uint64_t record, const KeyView& key,
                      uint32_t begin = 0) const {
    return RowIfKey(geometry_, {geometry_.key, begin}, record, key).size();
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

TEST_F(HashRecordTest, AnItemAndItsRecordKnowMostOfTheHash) {
  const uint64_t head = MakeRecordHead(kHash, 3);
  EXPECT_EQ(head, 0x0000'0003'9abc'def0);
  EXPECT_EQ(HashOfItem(MakeSlot(kHash, kRecord), head), 0x1234'0000'9abc'def0);
}

TEST_F(HashRecordTest, WhereNoRecordCanBeThereIsNone) {
  EXPECT_EQ(RecordWords(*arena_, kRecord), std::nullopt);  // of no words
  EXPECT_EQ(RecordWords(*arena_, 0), std::nullopt);
  EXPECT_EQ(RecordWords(*arena_, kRecord + 4), std::nullopt);
  EXPECT_EQ(RecordWords(*arena_, arena_->bytes()), std::nullopt);
  EXPECT_EQ(RecordWords(*arena_, kTagBits ^ ~uint64_t{7}), std::nullopt);
  // As long as there is room to the end, and a word longer.
  const uint64_t room = (arena_->bytes() - kRecord) / 8 - 1;
  StoreWord(arena_->At(kRecord), MakeRecordHead(kHash, room));
  EXPECT_THAT(RecordWords(*arena_, kRecord), Optional(room));
  StoreWord(arena_->At(kRecord), MakeRecordHead(kHash, room + 1));
  EXPECT_EQ(RecordWords(*arena_, kRecord), std::nullopt);
  StoreWord(arena_->At(kRecord), ~uint64_t{0});
  EXPECT_EQ(RecordWords(*arena_, kRecord), std::nullopt);
  const uint64_t last = arena_->bytes() - 8;  // has room for a head alone
  StoreWord(arena_->At(last), MakeRecordHead(kHash, 1));
  EXPECT_EQ(RecordWords(*arena_, last), std::nullopt);
}

TEST_F(HashRecordTest, WordsAreCopiedWhateverTheBufferHolds) {
  Put({1, 2, 3});
  for (const size_t size : {0, 2, 3, 50}) {
    RowBuffer row(size, 9);
    CopyWords(arena_->At(kRecord + 8), 3, &row);
    EXPECT_THAT(row, ElementsAre(1, 2, 3));
  }
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

TEST_F(HashRecordTest, AnywhereElseIsNoRecordWithTheKey) {
  geometry_.key = {};
  Put({7, 8, 9});
  const uint64_t word = 7;
  const KeyView key = MakeHashKey(0, absl::MakeConstSpan(&word, 1), 8);
  EXPECT_EQ(WordsIfKey(kRecord, key), 3);
  for (const uint64_t nowhere :
       {uint64_t{0}, uint64_t{8}, sizeof(ArenaHeader) - 8, kRecord + 4,
        kRecord + 1, arena_->bytes(), arena_->bytes() - 8, arena_->bytes() - 7,
        arena_->bytes() + 8, ~kTagBits, ~kTagBits ^ uint64_t{7}}) {
    EXPECT_EQ(WordsIfKey(nowhere, key), 0);
  }
  // With words up to the end of the arena, and one more.
  const uint64_t room = (arena_->bytes() - kRecord) / 8 - 1;
  StoreWord(arena_->At(kRecord), MakeRecordHead(kHash, room));
  EXPECT_EQ(WordsIfKey(kRecord, key), room);
  StoreWord(arena_->At(kRecord), MakeRecordHead(kHash, room + 1));
  EXPECT_EQ(WordsIfKey(kRecord, key), 0);
  StoreWord(arena_->At(kRecord), MakeRecordHead(kHash, 0));
  EXPECT_EQ(WordsIfKey(kRecord, key), 0);
}

TEST_F(HashRecordTest, ItemsWithATagAreLiveOnesOfTheBucketItself) {
  HashBucket bucket = {};
  for (const int i : {1, 3, 5}) bucket.word[i] = MakeSlot(kHash, 64 * i);
  bucket.word[2] = MakeSlot(~kHash, 64);
  for (const InstructionSet set :
       {InstructionSet::kScalar, DetectInstructionSet()}) {
    EXPECT_EQ(TaggedItems(set, bucket, ~uint64_t{0}, kHash), 0b10101000);
    EXPECT_EQ(TaggedItems(set, bucket, 0b11010111, kHash), 0b10000000);
  }
  EXPECT_EQ(FirstRecord(bucket, 0b10100000), 64 * 3);
}

// A cell may hold anything while a writer is at it.
TEST_F(HashRecordTest, PrefetchingRecordsIsHarmlessWhereverItemsLead) {
  HashBucket cell = {};
  const uint64_t offsets[] = {0,
                              1,
                              kRecord + 3,
                              kRecord,
                              arena_->bytes() - 8,
                              arena_->bytes(),
                              ~uint64_t{0}};
  for (const uint64_t offset : offsets) {
    for (uint64_t& word : cell.word) word = offset;
    PrefetchRecords(geometry_, cell, geometry_.places(), 2);
    PrefetchKey(geometry_, RecordOf(offset));
  }
  EXPECT_EQ(std::popcount(geometry_.places()), kItemWords);
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

TEST_F(HashRecordTest, TheHashOfARowIsThatOfItsKey) {
  geometry_.seed = 42;
  geometry_.key = {.word = 1, .words = 2};
  const RowBuffer row = {9, 2, 3}, key = {2, 3};
  EXPECT_EQ(HashOfRow(geometry_, row), HashWords(42, key, 16));
  geometry_.key = {.word = 0, .words = 1, .variable = true};
  const RowBuffer string = {MakeDescriptor(1, 11), 2, 3};
  EXPECT_EQ(HashOfRow(geometry_, string), HashWords(42, key, 11));
}

}  // namespace
}  // namespace ets_keeper
