// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_page.h"

#include <string>
#include <vector>

#include "benchmarks/figures.h"
#include "benchmarks/plot_testing.h"
#include "benchmarks/report_data.h"
#include "benchmarks/report_plots.h"
#include "benchmarks/report_targets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

void AddRuns(Figures& figures, RunName run, const char* peer, double ns) {
  run.peer = peer;
  for (const double noise : {0.98, 1.0, 1.02}) {
    figures.Add(run.ToString(), ns * noise,
                {{"p50_ns", ns},
                 {"p99_ns", 10 * ns},
                 {"p999_ns", 100 * ns},
                 {"max_ns", 1000 * ns},
                 {"repeating_max_ns", 150 * ns},
                 {"bytes_per_entry", 36}});
  }
}

// Tables that find in 40 and 44 ns, boost in 100; that insert in 200, boost in
// 150; and no other peers.
Report Small() {
  Report report = {.date = "1 January 2026",
                   .command = "./measure --all",
                   .facts = {{"processor", "A | B"}},
                   .sizes = ReportSizes::Full(),
                   .missing = {{"libcuckoo", "apt-get install libcuckoo-dev"},
                               {"ets", "apt-get install erlang-base"}}};
  report.targets = Targets(report.sizes);
  const RunName find = {.op = "find_hit", .rows = 10'000'000};
  AddRuns(report.figures, find, "table_private", 40);
  AddRuns(report.figures, find, "table_memfd", 44);
  AddRuns(report.figures, find, "boost_concurrent_flat_map", 100);
  const RunName insert = {.op = "insert", .rows = 10'000'000};
  AddRuns(report.figures, insert, "table_private", 200);
  AddRuns(report.figures, insert, "table_memfd", 200);
  AddRuns(report.figures, insert, "boost_concurrent_flat_map", 150);
  report.figures.Add("limit/chase/L1/threads:1", 1.5, {});
  report.figures.Add("hand_over/1000/threads:1", 90'000, {{"max_ns", 2e5}});
  report.JudgeAll();
  return report;
}

TEST(ReportPageTest, ThePageSaysWhereTheFiguresComeFrom) {
  const std::string page = WritePage(Small(), {});
  for (const char* text :
       {"./measure --all", "1 January 2026", "| processor | A \\| B |",
        "[benchmarks_notes.md](benchmarks_notes.md)"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
  EXPECT_THAT(page, Not(HasSubstr("quick run")));
}

TEST(ReportPageTest, EachGoalHasItsFiguresAndItsVerdict) {
  const std::string page = WritePage(Small(), {});
  EXPECT_THAT(page,
              HasSubstr("| find hit, u64 rows | 10M, 1 thread, by boost | "
                        "at most 0.5x | 0.4x | 0.44x | reached |"));
  EXPECT_THAT(page, HasSubstr("**missed**"));
  EXPECT_THAT(page, HasSubstr("not measured: there are no ordered tables"));
  EXPECT_THAT(page, HasSubstr("ets: not there; to get it: apt-get install "
                              "erlang-base"));
  EXPECT_THAT(page, HasSubstr("| 90 µs |  | reached |"));
}

TEST(ReportPageTest, AllFiguresAreThereWithTheirSpread) {
  const std::string page = WritePage(Small(), {});
  EXPECT_THAT(page, HasSubstr("### find (hit), u64"));
  EXPECT_THAT(page, HasSubstr("| 10M | uniform | 1 | 40 (39.2 to 40.8) | 44 "
                              "(43.1 to 44.9) | 100 (98 to 102) |"));
  EXPECT_THAT(page, HasSubstr("| limit/chase/L1/threads:1 | 1.5 ns |"));
  EXPECT_THAT(page, HasSubstr("| hand_over/1000/threads:1 | 90 µs | 90 µs | "
                              "90 µs | 200 µs |"));
  EXPECT_THAT(page, HasSubstr("| insert (growing) | u64, 10M, uniform | 1 | "
                              "boost concurrent_flat_map | 150 ns | 1.5 µs | "
                              "15 µs | 150 µs | 22.5 µs | 36 |"));
}

TEST(ReportPageTest, TheLongestInsertIsJudgedByWhatRepeats) {
  EXPECT_THAT(WritePage(Small(), {}),
              HasSubstr("| 10M, 1 thread, longest insert that repeats | at "
                        "most 50 µs | 30 µs | 30 µs | reached |"));
}

TEST(ReportPageTest, RivalsThatWinAreFound) {
  const Report report = Small();
  const std::vector<Rival> rivals = RivalsThatWin(report.figures);
  ASSERT_THAT(rivals, SizeIs(2)) << "against both memories";
  EXPECT_EQ(rivals[0].run.op, "insert");
  EXPECT_EQ(rivals[0].run.peer, "boost_concurrent_flat_map");
  EXPECT_NEAR(rivals[0].factor, 200.0 / 150, 1e-9);
  EXPECT_TRUE(rivals[0].is_clear);
  EXPECT_THAT(WritePage(report, {}),
              HasSubstr("| insert (growing) | u64, 10M, uniform | 1 | table, "
                        "private | boost concurrent_flat_map | 1.33x |  |"));
}

TEST(ReportPageTest, ARivalThatOverlapsMayBeChance) {
  Figures figures;
  const RunName run = {.op = "erase", .rows = 1000};
  AddRuns(figures, run, "table_private", 100);
  AddRuns(figures, run, "libcuckoo", 99);
  const std::vector<Rival> rivals = RivalsThatWin(figures);
  ASSERT_THAT(rivals, SizeIs(1));
  EXPECT_FALSE(rivals[0].is_clear);
  EXPECT_THAT(RivalsThatWin(Figures()), IsEmpty());
}

TEST(ReportPageTest, TheCoreWithoutCrashAtomicityIsNoRival) {
  Report report = Small();
  const RunName run = {.op = "erase", .rows = 100'000};
  AddRuns(report.figures, run, "table_private", 105);
  AddRuns(report.figures, run, "not_atomic_private", 100);
  report.JudgeAll();
  for (const Rival& rival : RivalsThatWin(report.figures)) {
    EXPECT_NE(rival.run.op, "erase");
  }
  const std::string page = WritePage(report, {});
  EXPECT_THAT(page,
              HasSubstr("| erase, 100k, 1 thread | at most 1.1x | 1.05x |"));
  EXPECT_THAT(page, HasSubstr("| table, not crash-atomic |"));
  EXPECT_THAT(page, HasSubstr("| 105 (103 to 107) | 100 (98 to 102) |"));
}

TEST(ReportPageTest, AMemfdIsHeldAgainstPrivateMemoryWithoutHugePages) {
  Report report = Small();
  const RunName find = {.op = "find_hit", .rows = 10'000'000};
  AddRuns(report.figures, find, "table_memfd_4k", 44);
  AddRuns(report.figures, find, "table_private_4k", 55);
  report.JudgeAll();
  const std::string page = WritePage(report, {});
  EXPECT_THAT(page, HasSubstr("| memfd against private memory, both in 4 KiB "
                              "pages | find_hit, 10M, 1 thread | at most 1.05x "
                              "| 0.8x |  | reached |"));
  EXPECT_THAT(page, HasSubstr("| table, private, 4 KiB pages | table, memfd, "
                              "4 KiB pages |"));
}

TEST(ReportPageTest, AQuickRunSaysSo) {
  Report report = Small();
  report.quick = true;
  report.sizes = ReportSizes::Quick();
  EXPECT_THAT(WritePage(report, {}), HasSubstr("**This was a quick run**"));
}

TEST(ReportPageTest, TheTableHasALineForEachTarget) {
  const Report report = Small();
  const std::string table = WriteTable(report);
  for (const Target& target : report.targets) {
    EXPECT_THAT(table, HasSubstr(target.what));
    EXPECT_THAT(table, HasSubstr("\n" + target.row + "\n"));
  }
  EXPECT_THAT(table, HasSubstr("goals reached"));
}

TEST(ReportPageTest, ThePicturesAreShown) {
  const Report report = Small();
  const std::vector<Picture> pictures = DrawPictures(report);
  const std::string page = WritePage(report, pictures);
  for (const Picture& picture : pictures) {
    EXPECT_EQ(WhyNotWellFormed(picture.svg), "") << picture.name;
    EXPECT_THAT(page, HasSubstr("](benchmarks/" + picture.name + ".svg)"));
  }
}

TEST(ReportPageTest, NoFiguresAreNoError) {
  Report report = {.sizes = ReportSizes::Full()};
  report.targets = Targets(report.sizes);
  report.JudgeAll();
  const std::string page = WritePage(report, DrawPictures(report));
  EXPECT_THAT(page, HasSubstr("Nowhere in this run."));
  EXPECT_THAT(page, HasSubstr("0 goals reached, 0 missed"));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
