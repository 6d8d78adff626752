// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/plot_lines.h"

#include <string>

#include "benchmarks/plot.h"
#include "benchmarks/plot_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::HasSubstr;

TEST(PlotLinesTest, EverythingIsNamed) {
  const std::string svg =
      DrawLines({.title = "Longest",
                 .subtitle = "of 10M",
                 .x = {.title = "part", .names = {"half", "all"}},
                 .y = {.title = "time",
                       .log = true,
                       .format = Time,
                       .low = 10,
                       .high = 1e6},
                 .series = {{"table", {{0, 100}, {1, 3e4}}, 0},
                            {"other", {{0, 90}, {1, 9e9}}, 2}},
                 .goals = {{"goal: 50 µs", 5e4, 1}}});
  EXPECT_EQ(WhyNotWellFormed(svg), "");
  for (const char* text :
       {"Longest", "of 10M", ">part<", ">half<", ">all<", ">time<", ">table<",
        ">other<", "goal: 50 µs", "100 ns", "100 µs", "class=\"s0\""}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_LT(svg.find("class=\"s2\""), svg.find("class=\"s0\""))
      << "ours is on top";
}

// Where two lines end together their names do not.
TEST(PlotLinesTest, LabelsDoNotCoverEachOther) {
  const std::string svg =
      DrawLines({.title = "t",
                 .x = {.title = "x", .log = true, .format = Count},
                 .y = {.title = "y"},
                 .series = {{"first", {{1, 5}, {100, 50}}, 0},
                            {"second", {{1, 6}, {100, 50}}, 2}}});
  const auto y_of = [&](const std::string& label) {
    const size_t end = svg.find(">" + label + "<");
    const size_t begin = svg.rfind(" y=\"", end) + 4;
    return std::stod(svg.substr(begin));
  };
  EXPECT_GE(y_of("second") - y_of("first"), 15);
}

TEST(PlotLinesTest, NothingToDrawIsNoError) {
  EXPECT_EQ(WhyNotWellFormed(DrawLines({})), "");
  EXPECT_EQ(WhyNotWellFormed(DrawLines({.series = {{"empty", {}}}})), "");
  EXPECT_EQ(WhyNotWellFormed(DrawLines({.x = {.log = true}})), "");
}

}  // namespace
}  // namespace ets_keeper::benchmarks
