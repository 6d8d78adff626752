// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/layout.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(LayoutTest, BytesAreRoundedUpToWords) {
  EXPECT_EQ(WordsFor(0), 0);
  EXPECT_EQ(WordsFor(1), 1);
  EXPECT_EQ(WordsFor(8), 1);
  EXPECT_EQ(WordsFor(9), 2);
  EXPECT_EQ(WordsFor(UINT64_MAX), UINT64_MAX / 8 + 1);
}

TEST(LayoutTest, ADescriptorKeepsOffsetAndLength) {
  const uint64_t descriptor = MakeDescriptor(3, 5);
  EXPECT_EQ(descriptor, 0x0000000500000003);
  EXPECT_EQ(DescriptorWord(descriptor), 3);
  EXPECT_EQ(DescriptorBytes(descriptor), 5);
  const uint64_t largest = MakeDescriptor(UINT32_MAX, UINT32_MAX);
  EXPECT_EQ(DescriptorWord(largest), UINT32_MAX);
  EXPECT_EQ(DescriptorBytes(largest), UINT32_MAX);
}

TEST(LayoutTest, NoBytesHaveNoOffset) { EXPECT_EQ(MakeDescriptor(7, 0), 0); }

TEST(LayoutTest, KeysWhoseBytesBeginElsewhereAreElsewhere) {
  const KeyLayout layout = {.variable = true};
  EXPECT_EQ(KeyPlace(layout, 2), KeyPlace(layout, 2));
  EXPECT_NE(KeyPlace(layout, 2), KeyPlace(layout, 3));
  EXPECT_NE(KeyPlace(layout, 2), KeyPlace(layout));
  EXPECT_NE(KeyPlace(KeyLayout()), KeyPlace(layout));
}

TEST(LayoutTest, OnlySignedAndUnsignedFieldsAreIntegers) {
  EXPECT_FALSE(FieldLayout{}.is_integer());
  EXPECT_TRUE(FieldLayout{.is_signed = true}.is_integer());
  EXPECT_TRUE(FieldLayout{.is_unsigned = true}.is_integer());
}

}  // namespace
}  // namespace ets_keeper
