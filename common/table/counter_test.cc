// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/counter.h"

#include <cstdint>
#include <limits>

#include "absl/status/status_matchers.h"
#include "common/row/layout.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOkAndHolds;

constexpr FieldLayout kI64 = {.is_signed = true, .width = 8};
constexpr FieldLayout kU64 = {.is_unsigned = true, .width = 8};
constexpr FieldLayout kI8 = {.is_signed = true, .width = 1};
constexpr FieldLayout kU8 = {.is_unsigned = true, .width = 1};

absl::StatusOr<uint64_t> IncrementWord(const FieldLayout& field, uint64_t word,
                                       const Increment& increment) {
  uint64_t result = 0;
  absl::Status status =
      ets_keeper::IncrementWord(field, word, increment, &result);
  if (!status.ok()) return status;
  return result;
}

uint64_t Word(int64_t value) { return static_cast<uint64_t>(value); }

TEST(CounterTest, AddsAndSubtracts) {
  EXPECT_THAT(IncrementWord(kI64, Word(5), 3), IsOkAndHolds(Word(8)));
  EXPECT_THAT(IncrementWord(kI64, Word(5), -8), IsOkAndHolds(Word(-3)));
  EXPECT_THAT(IncrementWord(kU64, 5, -5), IsOkAndHolds(0));
  EXPECT_THAT(IncrementWord(kI8, Word(-100), -28), IsOkAndHolds(Word(-128)));
}

TEST(CounterTest, A19_AThresholdWrapsInTheDirectionOfTheIncrement) {
  EXPECT_THAT(IncrementWord(kI64, Word(8), {3, 10, 1}), IsOkAndHolds(Word(1)));
  EXPECT_THAT(IncrementWord(kI64, Word(7), {3, 10, 1}), IsOkAndHolds(Word(10)));
  EXPECT_THAT(IncrementWord(kI64, Word(2), {-3, 0, 9}), IsOkAndHolds(Word(9)));
  EXPECT_THAT(IncrementWord(kI64, Word(3), {-3, 0, 9}), IsOkAndHolds(Word(0)));
  // Zero counts as an increment that is not negative.
  EXPECT_THAT(IncrementWord(kI64, Word(11), {0, 10, 1}), IsOkAndHolds(Word(1)));
  EXPECT_THAT(IncrementWord(kI64, Word(9), {0, 10, 1}), IsOkAndHolds(Word(9)));
}

TEST(CounterTest, A22_WhatDoesNotFitIsAnError) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  const auto cause = [](const FieldLayout& field, uint64_t word, int64_t by) {
    return CauseOf(IncrementWord(field, word, by).status());
  };
  EXPECT_EQ(cause(kI64, Word(kMax), 1), Cause::kOutOfRange);
  EXPECT_EQ(cause(kI64, Word(kMin), -1), Cause::kOutOfRange);
  EXPECT_EQ(cause(kU64, kMost, 1), Cause::kOutOfRange);
  EXPECT_EQ(cause(kU64, 0, -1), Cause::kOutOfRange);
  EXPECT_EQ(cause(kI8, Word(127), 1), Cause::kOutOfRange);
  EXPECT_EQ(cause(kU8, 255, 1), Cause::kOutOfRange);
  EXPECT_THAT(IncrementWord(kU64, kMost, kMin),
              IsOkAndHolds(kMost - (uint64_t{1} << 63)));
}

}  // namespace
}  // namespace ets_keeper
