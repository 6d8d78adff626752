// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/encoding.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/row/layout.h"
#include "common/row/rows_testing.h"
#include "common/row/value_type.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper::row_internal {
namespace {

template <typename T>
void ExpectRoundTrip(T value, uint64_t word) {
  EXPECT_EQ(ScalarToWord(value), word);
  EXPECT_TRUE(IsScalarWord(ScalarTypeOf<T>(), word));
  EXPECT_EQ(ScalarFromWord<T>(word), value);
}

TEST(EncodingTest, ScalarsAreExtendedToAWordAndBack) {
  ExpectRoundTrip<int8_t>(-128, 0xffffffffffffff80);
  ExpectRoundTrip<int32_t>(-1, UINT64_MAX);
  ExpectRoundTrip<int64_t>(INT64_MIN, uint64_t{1} << 63);
  ExpectRoundTrip<uint16_t>(UINT16_MAX, UINT16_MAX);
  ExpectRoundTrip<uint64_t>(UINT64_MAX, UINT64_MAX);
  ExpectRoundTrip<bool>(true, 1);
  ExpectRoundTrip<char>('\xff', 0xff);
  ExpectRoundTrip<float>(-1.0f, 0xbf800000);
  ExpectRoundTrip<double>(-1.0, 0xbff0000000000000);
  ExpectRoundTrip<Color>(Color::kMax, 255);
  ExpectRoundTrip<Level>(kLow, static_cast<uint64_t>(-300));
}

TEST(EncodingTest, AWordOutOfATypesRangeIsSeen) {
  EXPECT_FALSE(IsScalarWord(ScalarType::kBool, 2));
  EXPECT_FALSE(IsScalarWord(ScalarType::kChar, 256));
  EXPECT_FALSE(IsScalarWord(ScalarType::kU8, 256));
  EXPECT_FALSE(IsScalarWord(ScalarType::kU16, 65536));
  EXPECT_FALSE(IsScalarWord(ScalarType::kU32, uint64_t{1} << 32));
  EXPECT_FALSE(IsScalarWord(ScalarType::kF32, uint64_t{1} << 32));
  EXPECT_FALSE(IsScalarWord(ScalarType::kI8, 128));
  EXPECT_FALSE(IsScalarWord(ScalarType::kI16, 0xffff));
  EXPECT_FALSE(IsScalarWord(ScalarType::kI32, 0xffffffff));
  EXPECT_FALSE(IsScalarWord(static_cast<ScalarType>(200), 0));
}

TEST(EncodingTest, APlanStopsAtWhatADescriptorCanExpress) {
  TailPlan plan(3);
  EXPECT_TRUE(plan.Add(0));
  EXPECT_EQ(plan.words(), 3);
  EXPECT_TRUE(plan.Add(9));
  EXPECT_EQ(plan.words(), 5);
  EXPECT_FALSE(plan.Add(kMaxFieldBytes + 1));
  EXPECT_FALSE(plan.Add(UINT64_MAX));
  TailPlan large(3);
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(large.Add(kMaxFieldBytes));
  EXPECT_FALSE(large.Add(kMaxFieldBytes));
}

TEST(EncodingTest, BytesOfATailMustFollowEachOther) {
  const std::vector<uint64_t> row = {0, 0, 'a', 'b'};
  absl::string_view bytes;
  TailReader tail(row, 2);
  EXPECT_NE(tail.Take(MakeDescriptor(3, 1), bytes), nullptr);
  EXPECT_EQ(tail.Take(MakeDescriptor(2, 1), bytes), nullptr);
  EXPECT_EQ(bytes, "a");
  EXPECT_FALSE(tail.at_end());
  EXPECT_EQ(tail.Take(0, bytes), nullptr);
  EXPECT_EQ(bytes, "");
  EXPECT_NE(tail.Take(MakeDescriptor(2, 1), bytes), nullptr);
  EXPECT_NE(tail.Take(3, bytes), nullptr);
  EXPECT_NE(tail.Take(MakeDescriptor(3, 9), bytes), nullptr);
  EXPECT_NE(tail.Take(MakeDescriptor(3, UINT32_MAX), bytes), nullptr);
  EXPECT_EQ(tail.Take(MakeDescriptor(3, 1), bytes), nullptr);
  EXPECT_TRUE(tail.at_end());
  EXPECT_NE(tail.Take(MakeDescriptor(4, 1), bytes), nullptr);
}

// What lies behind the row would be good bytes, were it part of the row.
TEST(EncodingTest, ATailEndsWhereItsRowEnds) {
  const std::vector<uint64_t> memory = {0, 0, 'a', 'b'};
  const absl::Span<const uint64_t> row = absl::MakeConstSpan(memory).first(3);
  absl::string_view bytes;
  EXPECT_NE(TailReader(row, 2).Take(MakeDescriptor(2, 9), bytes), nullptr);
  EXPECT_NE(TailReader(row, 3).Take(MakeDescriptor(3, 1), bytes), nullptr);
  EXPECT_EQ(TailReader(row, 2).Take(MakeDescriptor(2, 8), bytes), nullptr);
}

TEST(EncodingTest, PaddingMustBeZero) {
  const std::vector<uint64_t> row = {UINT64_MAX};
  absl::string_view bytes;
  EXPECT_NE(TailReader(row, 0).Take(MakeDescriptor(0, 7), bytes), nullptr);
  TailReader tail(row, 1);
  EXPECT_NE(CheckValue(ValueTypeOf<uint8_t[7]>(), row.data(), tail), nullptr);
  EXPECT_EQ(CheckValue(ValueTypeOf<uint8_t[8]>(), row.data(), tail), nullptr);
  EXPECT_NE(CheckValue(ValueTypeOf<bool[8]>(), row.data(), tail), nullptr);
}

// Checks `value` as the bytes of a vector of strings.
bool AreStrings(std::vector<uint32_t> numbers, uint32_t bytes) {
  std::vector<uint64_t> row(1 + WordsFor(bytes));
  row[0] = MakeDescriptor(1, bytes);
  numbers.resize((row.size() - 1) * 2);
  std::memcpy(row.data() + 1, numbers.data(), numbers.size() * 4);
  TailReader tail(row, 1);
  return CheckValue(ValueTypeOf<std::vector<std::string>>(), row.data(),
                    tail) == nullptr;
}

TEST(EncodingTest, AVectorOfStringsFillsItsBytesExactly) {
  EXPECT_TRUE(AreStrings({}, 0));
  EXPECT_TRUE(AreStrings({1, 0}, 8));
  EXPECT_TRUE(AreStrings({2, 4, 0x61616161, 0}, 16));
  EXPECT_FALSE(AreStrings({1}, 3)) << "no room for the count";
  EXPECT_FALSE(AreStrings({0}, 4)) << "zero strings have zero bytes";
  EXPECT_FALSE(AreStrings({1}, 4)) << "no room for a length";
  EXPECT_FALSE(AreStrings({1, 5, 0x61616161}, 12)) << "string too long";
  EXPECT_FALSE(AreStrings({1, 0, 0}, 12)) << "bytes left over";
  EXPECT_FALSE(AreStrings({UINT32_MAX, 0, 0}, 12)) << "count too large";
  EXPECT_FALSE(AreStrings({1, UINT32_MAX}, 8)) << "length too large";
}

TEST(EncodingTest, AnOptionalIsPresentOrAllZero) {
  const ValueType type = ValueTypeOf<std::optional<uint8_t>>();
  const auto check = [&](std::vector<uint64_t> row) {
    TailReader tail(row, 2);
    return CheckValue(type, row.data(), tail) == nullptr;
  };
  EXPECT_TRUE(check({0, 0}));
  EXPECT_TRUE(check({1, 0}));
  EXPECT_TRUE(check({1, 255}));
  EXPECT_FALSE(check({0, 1}));
  EXPECT_FALSE(check({2, 1}));
  EXPECT_FALSE(check({1, 256}));
}

TEST(EncodingTest, ErrorsNameTheFieldAndTheNumbers) {
  const absl::Status corrupt = CorruptField("name", "is out of range");
  EXPECT_EQ(CauseOf(corrupt), Cause::kCorrupt);
  EXPECT_EQ(corrupt.message(), "field name is out of range");
  EXPECT_EQ(CorruptSize(2, 3).message(), "a row of 2 words where 3 are needed");
  EXPECT_EQ(CorruptSize(4, 3), CorruptTail());
  EXPECT_EQ(CauseOf(CorruptTail()), Cause::kCorrupt);
  EXPECT_EQ(CauseOf(FieldTooLarge("name", 5)), Cause::kBadRow);
}

}  // namespace
}  // namespace ets_keeper::row_internal
