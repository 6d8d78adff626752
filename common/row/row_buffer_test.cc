// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/row_buffer.h"

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

}  // namespace
}  // namespace ets_keeper
