// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/row_buffer.h"

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(RowBufferTest, ThirtyTwoWordsNeedNoAllocation) {
  RowBuffer row(32);
  const char* const words = reinterpret_cast<const char*>(row.data());
  const char* const object = reinterpret_cast<const char*>(&row);
  EXPECT_GE(words, object);
  EXPECT_LT(words, object + sizeof(row));
  EXPECT_EQ(row.capacity(), 32);
}

TEST(RowBufferTest, WordsWithAValueHaveIt) {
  RowBuffer row(40, 7);
  row.resize(50, 8);
  row.push_back(9);
  EXPECT_EQ(row[0], 7);
  EXPECT_EQ(row[39], 7);
  EXPECT_EQ(row[49], 8);
  EXPECT_EQ(row[50], 9);
  const RowBuffer copy = row;
  EXPECT_EQ(copy, row);
}

template <typename Words>
void ExpectKeeps(Words& words, size_t size) {
  uint64_t* const room = words.Reset(size);
  for (size_t i = 0; i < size; ++i) room[i] = i;
  ASSERT_EQ(words.words().size(), size);
  for (size_t i = 0; i < size; ++i) ASSERT_EQ(words.words()[i], i);
}

TEST(ExactWordsTest, AreOfTheirLength) {
  ExactWords<3> words;
  ExpectKeeps(words, 3);
  EXPECT_EQ(sizeof(words), 3 * sizeof(uint64_t));
}

TEST(ScratchWordsTest, AreOfTheLengthThatWasSetLast) {
  ScratchWords<8> words;
  EXPECT_TRUE(words.words().empty());
  for (const size_t size : {8, 9, 1000, 3, 0}) ExpectKeeps(words, size);
}

}  // namespace
}  // namespace ets_keeper
