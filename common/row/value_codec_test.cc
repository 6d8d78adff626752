// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/value_codec.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/row/encoding.h"
#include "common/row/layout.h"
#include "common/row/rows_testing.h"
#include "common/row/value_type.h"
#include "gtest/gtest.h"

namespace ets_keeper::row_internal {
namespace {

// The words of a row with the one field `value`, written over garbage.
template <typename T>
std::vector<uint64_t> Words(const T& value) {
  const uint64_t fixed = FixedWordsOf(ValueTypeOf<T>());
  TailPlan plan(fixed);
  uint64_t bytes = 0;
  EXPECT_TRUE(PlanValue(value, plan, bytes));
  std::vector<uint64_t> words(plan.words(), UINT64_MAX);
  uint64_t tail = fixed;
  StoreValue(value, words.data(), 0, tail);
  EXPECT_EQ(tail, words.size());
  return words;
}

// Reads back over `old` what was written from `value`.
template <typename T>
void ExpectRoundTrip(const T& value, T old = T{}) {
  const std::vector<uint64_t> words = Words(value);
  TailReader tail(words, FixedWordsOf(ValueTypeOf<T>()));
  EXPECT_EQ(CheckValue(ValueTypeOf<T>(), words.data(), tail), nullptr);
  EXPECT_TRUE(tail.at_end());
  LoadValue(words.data(), 0, old);
  EXPECT_EQ(old, value);
}

TEST(ValueCodecTest, EachShapeRoundTripsOverOldContent) {
  ExpectRoundTrip<int16_t>(-5, 7);
  ExpectRoundTrip<std::array<int16_t, 5>>({1, 2, 3, 4, -5}, {9, 9, 9, 9, 9});
  ExpectRoundTrip<std::string>("", "old");
  ExpectRoundTrip<std::string>(std::string("\0a\0", 3), "old");
  const std::string longer(100, 'x'), other(100, 'y');
  ExpectRoundTrip<std::string>("new", "old");
  ExpectRoundTrip<std::string>("new", "older");
  ExpectRoundTrip<std::string>("new", longer);
  ExpectRoundTrip<std::string>(longer, "old");
  ExpectRoundTrip<std::string>(longer, other);
  ExpectRoundTrip<std::string>(longer, other + other);
  ExpectRoundTrip<std::vector<uint16_t>>({}, {1});
  ExpectRoundTrip<std::vector<uint16_t>>({1, 2, 3}, {1});
  ExpectRoundTrip<std::vector<bool>>({true, false, true}, {false});
  ExpectRoundTrip<std::vector<Color>>({Color::kMax}, {});
  ExpectRoundTrip<std::vector<std::string>>({}, {"old"});
  ExpectRoundTrip<std::vector<std::string>>({"", "a", "bc"}, {"old"});
}

TEST(ValueCodecTest, StringsOfEachLengthReplaceOthersAndThemselves) {
  for (size_t size = 0; size < 40; ++size) {
    std::string value(size, ' ');
    for (size_t i = 0; i < size; ++i) value[i] = static_cast<char>('a' + i);
    for (size_t old = 0; old < 40; ++old) {
      std::string out(old, 'x');
      LoadString(value, out);
      ASSERT_EQ(out, value);
    }
    std::string same = value;
    LoadString(same, same);
    EXPECT_EQ(same, value);
    LoadString(absl::string_view(same).substr(size / 2), same);
    EXPECT_EQ(same, value.substr(size / 2));
  }
}

TEST(ValueCodecTest, OptionalsRoundTripOverOldContent) {
  ExpectRoundTrip<std::optional<int>>(std::nullopt, 1);
  ExpectRoundTrip<std::optional<int>>(0, std::nullopt);
  ExpectRoundTrip<std::optional<std::string>>(std::nullopt, "old");
  ExpectRoundTrip<std::optional<std::string>>("", std::nullopt);
  ExpectRoundTrip<std::optional<std::string>>("new", "old");
  ExpectRoundTrip<std::optional<std::vector<std::string>>>({{"a", ""}});
}

TEST(ValueCodecTest, PaddingIsWrittenAsZero) {
  EXPECT_EQ(Words(std::array<uint8_t, 9>{}), (std::vector<uint64_t>{0, 0}));
  EXPECT_EQ(Words(std::string(1, '\0')),
            (std::vector<uint64_t>{MakeDescriptor(1, 1), 0}));
  EXPECT_EQ(Words(std::vector<bool>{false}),
            (std::vector<uint64_t>{MakeDescriptor(1, 1), 0}));
  EXPECT_EQ(Words(std::optional<std::array<char, 9>>()),
            (std::vector<uint64_t>{0, 0, 0}));
}

TEST(ValueCodecTest, KeysAreWhatEqualsByItsWords) {
  EXPECT_TRUE(KeyValue<uint64_t>);
  EXPECT_TRUE(KeyValue<bool>);
  EXPECT_TRUE(KeyValue<Color>);
  EXPECT_TRUE(KeyValue<char[3]>);
  EXPECT_TRUE(KeyValue<std::string>);
  EXPECT_TRUE(KeyValue<std::vector<Color>>);
  EXPECT_FALSE(KeyValue<float>);
  EXPECT_FALSE(KeyValue<std::vector<double>>);
  EXPECT_FALSE((KeyValue<std::array<float, 2>>));
  EXPECT_FALSE(KeyValue<std::vector<std::string>>);
  EXPECT_FALSE(KeyValue<std::optional<int>>);
}

TEST(ValueCodecTest, BytesAreCountedWithoutPadding) {
  EXPECT_EQ(BytesOf(std::string("abc")), 3);
  EXPECT_EQ(BytesOf(std::vector<uint32_t>{1, 2}), 8);
  EXPECT_EQ(BytesOf(std::vector<bool>{true}), 1);
  EXPECT_EQ(BytesOf(absl::Span<const uint16_t>({1, 2, 3})), 6);
  EXPECT_EQ(BytesOf(std::vector<std::string>{}), 0);
  EXPECT_EQ(BytesOf(std::vector<std::string>{"ab", ""}), 14);
}

}  // namespace
}  // namespace ets_keeper::row_internal
