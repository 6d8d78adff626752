// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_verdict.h"

#include <string>

#include "benchmarks/figures.h"
#include "benchmarks/report_targets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Target kFind = {.row = "find",
                      .what = "1k",
                      .unit = Unit::kRatio,
                      .limit = 0.5,
                      .ours = "find/{table}/threads:1",
                      .theirs = {"find/fast/threads:1", "find/slow/threads:1"}};

// Three repetitions each; medians: private 40, memfd 48, fast 100, slow 200.
Figures Measured() {
  Figures figures;
  for (const double noise : {0.0, -20.0, 15.0}) {
    figures.Add("find/table_private/threads:1", 40 + noise, {});
    figures.Add("find/table_memfd/threads:1", 48 + noise, {});
    figures.Add("find/fast/threads:1", 100 + noise, {{"max_ns", 7000}});
    figures.Add("find/slow/threads:1", 200 + noise, {});
  }
  return figures;
}

TEST(ReportVerdictTest, ARatioIsThatToTheBestRival) {
  const Outcome outcome = Judge(kFind, Measured(), {});
  EXPECT_EQ(outcome.verdict, Verdict::kReached);
  EXPECT_THAT(outcome.figures, ElementsAre(DoubleEq(0.4), DoubleEq(0.48)));
  EXPECT_THAT(outcome.ratio_to_goal, DoubleEq(0.96));
  EXPECT_EQ(outcome.rival, "fast");
  EXPECT_EQ(VerdictText(outcome), "reached");
  EXPECT_EQ(GoalText(kFind), "at most 0.5x");
}

TEST(ReportVerdictTest, ARatioIsTheMedianOfThoseOfSingleRepetitions) {
  Figures figures;
  for (const double ns : {10, 100, 30}) figures.Add("ours", ns, {});
  for (const double ns : {20, 200, 600}) figures.Add("rival", ns, {});
  Target target = {
      .unit = Unit::kRatio, .limit = 1, .ours = "ours", .theirs = {"rival"}};
  EXPECT_THAT(Judge(target, figures, {}).figures, ElementsAre(DoubleEq(0.5)));
  target.unit = Unit::kSpeedup;
  EXPECT_THAT(Judge(target, figures, {}).figures, ElementsAre(DoubleEq(2)));
}

TEST(ReportVerdictTest, TheWorseMemoryDecides) {
  Target target = kFind;
  target.limit = 0.45;
  const Outcome outcome = Judge(target, Measured(), {});
  EXPECT_EQ(outcome.verdict, Verdict::kMissed);
  EXPECT_THAT(outcome.ratio_to_goal, DoubleEq(0.48 / 0.45));
  EXPECT_EQ(VerdictText(outcome), "missed");
}

TEST(ReportVerdictTest, JustReachedIsReached) {
  Target target = kFind;
  target.limit = 0.48;
  EXPECT_EQ(Judge(target, Measured(), {}).verdict, Verdict::kReached);
}

TEST(ReportVerdictTest, ASpeedupIsTheOtherWayRound) {
  Target target = kFind;
  target.unit = Unit::kSpeedup;
  target.theirs = {"find/slow/threads:1"};
  target.limit = 5;
  const Outcome outcome = Judge(target, Measured(), {});
  EXPECT_THAT(outcome.figures, ElementsAre(DoubleEq(5), DoubleEq(200.0 / 48)));
  EXPECT_EQ(outcome.verdict, Verdict::kMissed);
  EXPECT_THAT(outcome.ratio_to_goal, DoubleEq(5 * 48.0 / 200));
  EXPECT_EQ(GoalText(target), "at least 5x");
  target.limit = 4;
  EXPECT_EQ(Judge(target, Measured(), {}).verdict, Verdict::kReached);
}

TEST(ReportVerdictTest, ATimeOrACounterStandsByItself) {
  Target target = {
      .unit = Unit::kTime, .limit = 50, .ours = "find/table_private/threads:1"};
  EXPECT_THAT(Judge(target, Measured(), {}).figures, ElementsAre(40));
  EXPECT_EQ(Judge(target, Measured(), {}).verdict, Verdict::kReached);
  target.ours = "find/fast/threads:1";
  target.counter = "max_ns";
  EXPECT_THAT(Judge(target, Measured(), {}).figures, ElementsAre(7000));
  EXPECT_EQ(Judge(target, Measured(), {}).verdict, Verdict::kMissed);
  EXPECT_EQ(GoalText(target), "at most 50 ns");
  EXPECT_EQ(FigureText(Unit::kBytes, 35.6), "35.6 B");
}

TEST(ReportVerdictTest, WithoutOneOfTheRivalsItSaysSo) {
  Target target = kFind;
  target.theirs.push_back("find/other/threads:1");
  const Outcome outcome =
      Judge(target, Measured(), {{"other", "apt-get install other-dev"}});
  EXPECT_EQ(outcome.verdict, Verdict::kReached);
  EXPECT_THAT(VerdictText(outcome), HasSubstr("reached (other: not there"));
  EXPECT_THAT(VerdictText(outcome), HasSubstr("apt-get install other-dev"));
}

TEST(ReportVerdictTest, WithoutAnyRivalItIsNotMeasured) {
  Target target = kFind;
  target.theirs = {"find/other/threads:1"};
  const Outcome outcome =
      Judge(target, Measured(), {{"other", "apt-get install other-dev"}});
  EXPECT_EQ(outcome.verdict, Verdict::kNotMeasured);
  EXPECT_THAT(outcome.figures, IsEmpty());
  EXPECT_EQ(VerdictText(outcome),
            "not measured: other: not there; to get it: apt-get install "
            "other-dev");
}

TEST(ReportVerdictTest, WithoutOneOfOursItIsNotMeasured) {
  Figures figures = Measured();
  figures.AddError("find/table_memfd/threads:1", "no memory");
  EXPECT_EQ(VerdictText(Judge(kFind, figures, {})),
            "not measured: table_memfd: failed, no memory");
  EXPECT_EQ(VerdictText(Judge(kFind, Figures(), {})),
            "not measured: fast, slow: not run");
  Target target = kFind;
  target.counter = "p50_ns";
  EXPECT_EQ(Judge(target, Measured(), {}).verdict, Verdict::kNotMeasured);
}

TEST(ReportVerdictTest, WhatNothingMeasuresSaysWhy) {
  const Outcome outcome = Judge(
      {.limit = 1, .missing = "there are no ordered tables"}, Measured(), {});
  EXPECT_EQ(VerdictText(outcome), "not measured: there are no ordered tables");
}

TEST(ReportVerdictTest, ThePeerIsInTheNameOfARun) {
  EXPECT_EQ(PeerOf("find_hit/u64/1000/uniform/boost_flat/threads:2"),
            "boost_flat");
  EXPECT_EQ(PeerOf("process/heir/beam/threads:1"), "beam");
  EXPECT_EQ(PeerOf("limit/random_read/prefetched/threads:2"), "limit");
  EXPECT_EQ(PeerOf("hand_over/1000/threads:1"), "hand_over");
  EXPECT_EQ(PeerOf("x"), "x");
}

}  // namespace
}  // namespace ets_keeper::benchmarks
