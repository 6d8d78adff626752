// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/value_type.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/row/layout.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Shape = ValueType::Shape;

enum class Fixed : int16_t {};
enum Loose { kLoose };

TEST(ValueTypeTest, IntegersAreKnownBySignAndWidth) {
  EXPECT_EQ(ValueTypeOf<long long>(), ValueTypeOf<int64_t>());
  EXPECT_EQ(ValueTypeOf<unsigned char>().scalar, ScalarType::kU8);
  EXPECT_EQ(ValueTypeOf<signed char>().scalar, ScalarType::kI8);
  EXPECT_EQ(ValueTypeOf<char16_t>().scalar, ScalarType::kU16);
  EXPECT_EQ(ValueTypeOf<char>().scalar, ScalarType::kChar);
  EXPECT_EQ(ValueTypeOf<bool>().scalar, ScalarType::kBool);
  EXPECT_EQ(WidthOf(ScalarType::kI16), 2);
  EXPECT_EQ(WidthOf(ScalarType::kF64), 8);
}

TEST(ValueTypeTest, AnEnumIsItsUnderlyingTypeButMarked) {
  EXPECT_EQ(ValueTypeOf<Fixed>(),
            (ValueType{.scalar = ScalarType::kI16, .is_enum = true}));
  EXPECT_NE(ValueTypeOf<Fixed>(), ValueTypeOf<int16_t>());
}

TEST(ValueTypeTest, ShapesNest) {
  EXPECT_EQ((ValueTypeOf<std::optional<std::array<Fixed, 3>>>()),
            (ValueType{.shape = Shape::kArray,
                       .scalar = ScalarType::kI16,
                       .is_enum = true,
                       .is_optional = true,
                       .count = 3}));
  EXPECT_EQ(ValueTypeOf<uint8_t[3]>(), (ValueTypeOf<std::array<uint8_t, 3>>()));
  EXPECT_EQ(ValueTypeOf<std::vector<std::string>>().shape,
            Shape::kStringVector);
  EXPECT_TRUE(ValueTypeOf<std::string>().is_variable());
  EXPECT_FALSE(ValueTypeOf<uint8_t[3]>().is_variable());
}

TEST(ValueTypeTest, OtherTypesAreRefused) {
  EXPECT_FALSE(FieldValue<Loose>);
  EXPECT_FALSE(FieldValue<void*>);
  EXPECT_FALSE(FieldValue<long double>);
  EXPECT_FALSE(FieldValue<const int>);
  EXPECT_FALSE((FieldValue<std::array<int, 0>>));
  EXPECT_FALSE((FieldValue<int[2][2]>));
  EXPECT_FALSE((FieldValue<std::map<int, int>>));
  EXPECT_FALSE(FieldValue<std::vector<std::vector<int>>>);
  EXPECT_FALSE(FieldValue<std::vector<std::optional<int>>>);
  EXPECT_FALSE(FieldValue<std::optional<std::optional<int>>>);
  EXPECT_FALSE((FieldValue<std::array<std::string, 2>>));
}

TEST(ValueTypeTest, FixedWordsCountThePresenceWord) {
  EXPECT_EQ(FixedWordsOf(ValueTypeOf<bool>()), 1);
  EXPECT_EQ(FixedWordsOf(ValueTypeOf<std::string>()), 1);
  EXPECT_EQ(FixedWordsOf(ValueTypeOf<uint16_t[5]>()), 2);
  EXPECT_EQ((FixedWordsOf(ValueTypeOf<std::optional<std::array<char, 8>>>())),
            2);
}

TEST(ValueTypeTest, LayoutsFollowEachOther) {
  const auto layouts =
      LayoutsOf<3>({ValueTypeOf<int32_t>(), ValueTypeOf<uint16_t[5]>(),
                    ValueTypeOf<std::optional<uint64_t>>()});
  EXPECT_EQ(layouts[0], (FieldLayout{.index = 0,
                                     .word = 0,
                                     .words = 1,
                                     .kind = FieldKind::kWord,
                                     .is_signed = true,
                                     .width = 4}));
  EXPECT_EQ(layouts[1],
            (FieldLayout{
                .index = 1, .word = 1, .words = 2, .kind = FieldKind::kWords}));
  EXPECT_EQ(
      layouts[2],
      (FieldLayout{
          .index = 2, .word = 3, .words = 2, .kind = FieldKind::kOptional}));
}

TEST(ValueTypeTest, OnlyPlainIntegersCount) {
  EXPECT_TRUE(LayoutAt(ValueTypeOf<uint8_t>(), 0, 0).is_unsigned);
  EXPECT_TRUE(LayoutAt(ValueTypeOf<int8_t>(), 0, 0).is_signed);
  EXPECT_FALSE(LayoutAt(ValueTypeOf<bool>(), 0, 0).is_integer());
  EXPECT_FALSE(LayoutAt(ValueTypeOf<char>(), 0, 0).is_integer());
  EXPECT_FALSE(LayoutAt(ValueTypeOf<float>(), 0, 0).is_integer());
  EXPECT_FALSE(LayoutAt(ValueTypeOf<Fixed>(), 0, 0).is_integer());
  EXPECT_FALSE(LayoutAt(ValueTypeOf<std::optional<int>>(), 0, 0).is_integer());
}

}  // namespace
}  // namespace ets_keeper
