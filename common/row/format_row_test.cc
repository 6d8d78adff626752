// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/format_row.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/row/codec.h"
#include "common/row/row_buffer.h"
#include "common/row/rows_testing.h"
#include "common/row/schema.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

template <typename Row>
std::string Format(const Row& row) {
  RowBuffer words;
  EXPECT_TRUE(RowCodec<Row>::Encode(row, words).ok());
  const absl::StatusOr<Schema> schema =
      Schema::Parse(RowCodec<Row>::schema().text());
  EXPECT_TRUE(schema.ok()) << schema.status();
  const absl::StatusOr<std::string> text = FormatRow(*schema, words);
  EXPECT_TRUE(text.ok()) << text.status();
  return *text;
}

TEST(FormatRowTest, PrintsNamesAndValues) {
  EXPECT_EQ(Format(User{7, "a\n", -3}), R"({id: 7, name: "a\n", visits: -3})");
}

TEST(FormatRowTest, PrintsEveryScalar) {
  EXPECT_EQ(
      Format(Scalars{true, 'x', -128, -2, -3, INT64_MIN, 255, 6, 7, UINT64_MAX,
                     0.1f, -0.0, Color::kMax, kLow, Grade::kA}),
      "{flag: true, letter: 'x', i8: -128, i16: -2, i32: -3, i64: "
      "-9223372036854775808, u8: 255, u16: 6, u32: 7, u64: "
      "18446744073709551615, f32: 0.1, f64: -0, color: 255, level: -300, "
      "grade: 97}");
}

TEST(FormatRowTest, PrintsFloatsThatAreNoNumbers) {
  const Scalars row = {.f32 = std::numeric_limits<float>::infinity(),
                       .f64 = std::numeric_limits<double>::quiet_NaN()};
  const std::string text = Format(row);
  EXPECT_NE(text.find("f32: inf, f64: nan"), std::string::npos) << text;
}

TEST(FormatRowTest, PrintsEveryShape) {
  EXPECT_EQ(
      Format(FullRow()),
      R"({scalar: -1, array: [1, -2, 3, -4, 5], c_array: "ab\000cdefg", )"
      R"(flags: [true, false, true], string: "nul\000inside", )"
      R"(vector: [1, 2, 4294967295], bits: [true, false, true, true, false, )"
      R"(false, true, false, true], colors: [1, 255], )"
      R"(strings: ["", "one", "xxxxxxxxxxxxxxxxxxxx"], maybe_scalar: -0.5, )"
      R"(maybe_array: [9, 8, 7, 6, 5, 4, 3, 2, 1], maybe_string: "there", )"
      R"(maybe_vector: [-9223372036854775808, 9223372036854775807], )"
      R"(maybe_strings: ["a", ""]})");
}

TEST(FormatRowTest, PrintsEmptyAndAbsentValues) {
  EXPECT_EQ(
      Format(Everything{}),
      R"({scalar: 0, array: [0, 0, 0, 0, 0], c_array: "", )"
      R"(flags: [false, false, false], string: "", vector: [], bits: [], )"
      R"(colors: [], strings: [], maybe_scalar: none, maybe_array: none, )"
      R"(maybe_string: none, maybe_vector: none, maybe_strings: none})");
}

TEST(FormatRowTest, PrintsNothingThatATerminalWouldObey) {
  EXPECT_EQ(Format(User{1, "\x1b[2J\xc2\x9b\"\\", 0}),
            R"({id: 1, name: "\033[2J\302\233\"\\", visits: 0})");
}

TEST(FormatRowTest, RefusesWhatIsNoRow) {
  const Schema& schema = RowCodec<User>::schema();
  EXPECT_EQ(CauseOf(FormatRow(schema, {}).status()), Cause::kCorrupt);
  const absl::StatusOr<std::string> text = FormatRow(schema, {1, 7, 2});
  EXPECT_EQ(CauseOf(text.status()), Cause::kCorrupt);
  EXPECT_EQ(text.status().message(), "field name has an offset but no bytes");
}

}  // namespace
}  // namespace ets_keeper
