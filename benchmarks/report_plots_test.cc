// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_plots.h"

#include <set>
#include <string>
#include <vector>

#include "benchmarks/figures.h"
#include "benchmarks/plot.h"
#include "benchmarks/plot_testing.h"
#include "benchmarks/report_data.h"
#include "benchmarks/report_targets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// Every run of every target, by every peer that it names.
Report Whole() {
  Report report = {.sizes = ReportSizes::Full()};
  report.targets = Targets(report.sizes);
  double ns = 10;
  for (const Target& target : report.targets) {
    std::vector<std::string> runs = OurRuns(target);
    runs.insert(runs.end(), target.theirs.begin(), target.theirs.end());
    for (const std::string& run : runs) {
      ++ns;
      report.figures.Add(run, ns,
                         {{"p50_ns", ns},
                          {"p99_ns", 4 * ns},
                          {"p999_ns", 9 * ns},
                          {"repeating_max_ns", 1e5 * ns},
                          {"bytes_per_entry", 40}});
    }
  }
  report.JudgeAll();
  return report;
}

TEST(ReportPlotsTest, EachPictureIsWellFormedAndNamesItsPeers) {
  const std::vector<Picture> pictures = DrawPictures(Whole());
  std::set<std::string> names;
  for (const Picture& picture : pictures) {
    EXPECT_EQ(WhyNotWellFormed(picture.svg), "") << picture.name;
    EXPECT_FALSE(picture.alt.empty());
    names.insert(picture.name);
    if (picture.name == "goals") continue;
    EXPECT_THAT(picture.svg, HasSubstr(">table, private<")) << picture.name;
    EXPECT_THAT(picture.svg, HasSubstr(">table, memfd<")) << picture.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"goals", "operations", "strings",
                                          "latency", "memory", "ets"}));
}

TEST(ReportPlotsTest, TheOverviewHasARowForEachRowOfTargets) {
  const Report report = Whole();
  const std::string svg = DrawPictures(report)[0].svg;
  for (const Target& target : report.targets) {
    EXPECT_THAT(svg, HasSubstr(EscapeXml(target.row)));
  }
  EXPECT_THAT(svg, HasSubstr("not measured: there are no ordered tables"));
}

TEST(ReportPlotsTest, WithoutFiguresThereIsOnlyTheOverview) {
  Report report = {.sizes = ReportSizes::Full()};
  EXPECT_THAT(DrawPictures(report), SizeIs(0));
  report.targets = Targets(report.sizes);
  report.JudgeAll();
  EXPECT_THAT(DrawPictures(report), SizeIs(1));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
