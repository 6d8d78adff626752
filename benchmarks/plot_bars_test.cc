// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/plot_bars.h"

#include <string>

#include "benchmarks/plot_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::HasSubstr;

BarPlot Small() {
  return {
      .title = "Time & space",
      .subtitle = "less is better",
      .unit = "ns",
      .columns = {"1 thread", "2 threads"},
      .panels = {{"find", {{"slow <map>", 80, "peer"}, {"table", 42, "ours"}}},
                 {"find", {{"table", 21, "ours"}}}}};
}

TEST(PlotBarsTest, EverythingIsNamed) {
  const std::string svg = DrawBars(Small());
  EXPECT_EQ(WhyNotWellFormed(svg), "");
  for (const char* text : {"Time &amp; space", "less is better", "1 thread",
                           "2 threads", "slow &lt;map&gt;", ">80<", ">42<",
                           ">21<", "ns<", "class=\"ours\"", "class=\"peer\""}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
}

TEST(PlotBarsTest, TheShortestIsFirst) {
  const std::string svg = DrawBars(Small());
  EXPECT_LT(svg.find(">table<"), svg.find("slow &lt;map&gt;"));
}

TEST(PlotBarsTest, NothingToDrawIsNoError) {
  EXPECT_EQ(WhyNotWellFormed(DrawBars({})), "");
  EXPECT_EQ(WhyNotWellFormed(DrawBars({.panels = {{}, {"x", {{"a", 0, ""}}}}})),
            "");
}

}  // namespace
}  // namespace ets_keeper::benchmarks
