// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: rows_testing.h
// -----------------------------------------------------------------------------
//
// Row types for the tests of this folder: a usual one, one with only scalars,
// one with a field of every kind.

#ifndef COMMON_ROW_ROWS_TESTING_H_
#define COMMON_ROW_ROWS_TESTING_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/row/fields.h"

namespace ets_keeper {

enum class Color : uint8_t { kRed = 1, kGreen = 2, kMax = 255 };
enum Level : int16_t { kLow = -300, kHigh = 300 };
enum class Grade : char { kA = 'a' };

struct User {
  uint64_t id = 0;
  std::string name;
  int64_t visits = 0;

  static constexpr auto Fields() {
    return FieldList(Field("id", &User::id), Field("name", &User::name),
                     Field("visits", &User::visits));
  }
  friend bool operator==(const User&, const User&) = default;
};

// Every scalar type.
struct Scalars {
  bool flag = false;
  char letter = 0;
  int8_t i8 = 0;
  int16_t i16 = 0;
  int32_t i32 = 0;
  int64_t i64 = 0;
  uint8_t u8 = 0;
  uint16_t u16 = 0;
  uint32_t u32 = 0;
  uint64_t u64 = 0;
  float f32 = 0;
  double f64 = 0;
  Color color = Color::kRed;
  Level level = kLow;
  Grade grade = Grade::kA;

  static constexpr auto Fields() {
    return FieldList(
        Field("flag", &Scalars::flag), Field("letter", &Scalars::letter),
        Field("i8", &Scalars::i8), Field("i16", &Scalars::i16),
        Field("i32", &Scalars::i32), Field("i64", &Scalars::i64),
        Field("u8", &Scalars::u8), Field("u16", &Scalars::u16),
        Field("u32", &Scalars::u32), Field("u64", &Scalars::u64),
        Field("f32", &Scalars::f32), Field("f64", &Scalars::f64),
        Field("color", &Scalars::color), Field("level", &Scalars::level),
        Field("grade", &Scalars::grade));
  }
  friend bool operator==(const Scalars&, const Scalars&) = default;
};

// Every shape, plain and optional.
struct Everything {
  int32_t scalar = 0;
  std::array<int16_t, 5> array = {};
  char c_array[9] = {};
  bool flags[3] = {};
  std::string string;
  std::vector<uint32_t> vector;
  std::vector<bool> bits;
  std::vector<Color> colors;
  std::vector<std::string> strings;
  std::optional<double> maybe_scalar;
  std::optional<std::array<uint8_t, 9>> maybe_array;
  std::optional<std::string> maybe_string;
  std::optional<std::vector<int64_t>> maybe_vector;
  std::optional<std::vector<std::string>> maybe_strings;

  static constexpr auto Fields() {
    using E = Everything;
    return FieldList(Field("scalar", &E::scalar), Field("array", &E::array),
                     Field("c_array", &E::c_array), Field("flags", &E::flags),
                     Field("string", &E::string), Field("vector", &E::vector),
                     Field("bits", &E::bits), Field("colors", &E::colors),
                     Field("strings", &E::strings),
                     Field("maybe_scalar", &E::maybe_scalar),
                     Field("maybe_array", &E::maybe_array),
                     Field("maybe_string", &E::maybe_string),
                     Field("maybe_vector", &E::maybe_vector),
                     Field("maybe_strings", &E::maybe_strings));
  }
  friend bool operator==(const Everything&, const Everything&) = default;
};

inline Everything FullRow() {
  return {.scalar = -1,
          .array = {1, -2, 3, -4, 5},
          .c_array = "ab\0cdefg",
          .flags = {true, false, true},
          .string = std::string("nul\0inside", 10),
          .vector = {1, 2, UINT32_MAX},
          .bits = {true, false, true, true, false, false, true, false, true},
          .colors = {Color::kRed, Color::kMax},
          .strings = {"", "one", std::string(20, 'x')},
          .maybe_scalar = -0.5,
          .maybe_array = {{9, 8, 7, 6, 5, 4, 3, 2, 1}},
          .maybe_string = "there",
          .maybe_vector = {{INT64_MIN, INT64_MAX}},
          .maybe_strings = {{"a", ""}}};
}

}  // namespace ets_keeper

#endif  // COMMON_ROW_ROWS_TESTING_H_
