// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/plot_goals.h"

#include <string>

#include "benchmarks/plot_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PlotGoalsTest, TheWorstMarkOfARowSpeaks) {
  const std::string svg = DrawGoals(
      {.title = "Goals",
       .subtitle = "all",
       .rows = {{"find", {{0.5, "10M"}, {1.25, "1k"}, {0.75, "100k"}}}}});
  EXPECT_EQ(WhyNotWellFormed(svg), "");
  EXPECT_THAT(svg, HasSubstr("1.25× 1k"));
  EXPECT_THAT(svg, Not(HasSubstr("10M")));
  EXPECT_THAT(svg, HasSubstr("<polygon")) << "missed: a form of its own";
  EXPECT_THAT(svg, HasSubstr("<circle"));
}

TEST(PlotGoalsTest, JustReachedIsReached) {
  const std::string svg =
      DrawGoals({.title = "Goals", .rows = {{"find", {{1, "10M"}}}}});
  EXPECT_THAT(svg, Not(HasSubstr("<polygon")));
}

TEST(PlotGoalsTest, ARowThatWasNotMeasuredSaysWhy) {
  const std::string svg = DrawGoals(
      {.title = "Goals", .rows = {{"ordered", {}, "not measured: why"}}});
  EXPECT_EQ(WhyNotWellFormed(svg), "");
  EXPECT_THAT(svg, HasSubstr("not measured: why"));
}

TEST(PlotGoalsTest, WhatIsFarBeyondIsAtTheEdge) {
  const std::string svg =
      DrawGoals({.title = "Goals", .rows = {{"find", {{50, "10M"}}}}});
  EXPECT_THAT(svg, HasSubstr("▸ 50× 10M"));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
