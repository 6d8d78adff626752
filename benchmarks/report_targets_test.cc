// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_targets.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/figures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ReportTargetsTest, EachTargetCanBeMeasuredOrSaysWhyNot) {
  for (const ReportSizes& sizes : {ReportSizes::Full(), ReportSizes::Quick()}) {
    for (const Target& target : Targets(sizes)) {
      SCOPED_TRACE(target.row + ", " + target.what);
      EXPECT_FALSE(target.row.empty());
      EXPECT_FALSE(target.what.empty());
      EXPECT_GT(target.limit, 0);
      EXPECT_NE(target.ours.empty(), target.missing.empty());
      const bool is_relative =
          target.unit == Unit::kRatio || target.unit == Unit::kSpeedup;
      if (target.missing.empty()) {
        EXPECT_EQ(is_relative, !target.theirs.empty());
      }
    }
  }
}

TEST(ReportTargetsTest, NoTargetIsThereTwice) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Target& target : Targets(ReportSizes::Full())) {
    EXPECT_TRUE(seen.emplace(target.row, target.what).second)
        << target.row << ", " << target.what;
  }
}

TEST(ReportTargetsTest, TheRowsOfATargetStandTogether) {
  std::set<std::string> ended;
  std::string row;
  for (const Target& target : Targets(ReportSizes::Full())) {
    if (target.row == row) continue;
    ended.insert(row);
    row = target.row;
    EXPECT_EQ(ended.count(row), 0u) << row;
  }
  EXPECT_EQ(ended.size(), 17u);  // all but the last, and "" before the first
}

TEST(ReportTargetsTest, QuickIsSmaller) {
  const ReportSizes full = ReportSizes::Full();
  const ReportSizes quick = ReportSizes::Quick();
  EXPECT_LT(quick.large, full.large);
  EXPECT_LT(quick.strings, full.strings);
  EXPECT_LT(quick.ets, full.ets);
  EXPECT_THAT(Targets(quick), SizeIs(Targets(full).size() - 1))
      << "one hand-over less";
}

TEST(ReportTargetsTest, BothMemoriesCount) {
  EXPECT_THAT(OurRuns({.ours = "a/{table}/b"}),
              ElementsAre("a/table_private/b", "a/table_memfd/b"));
  EXPECT_THAT(OurRuns({.ours = "a/b"}), ElementsAre("a/b"));
  EXPECT_THAT(OurRuns({}), IsEmpty());
}

// Whatever else differs between two runs, it is not the operation.
TEST(ReportTargetsTest, CrashAtomicityIsComparedWithTheSameRunWithoutIt) {
  int count = 0;
  for (const Target& target : Targets(ReportSizes::Quick())) {
    if (target.row != "what crash-atomicity costs") continue;
    ++count;
    ASSERT_THAT(target.theirs, SizeIs(1));
    std::optional<RunName> ours = ParseRunName(target.ours);
    const std::optional<RunName> theirs = ParseRunName(target.theirs[0]);
    ASSERT_TRUE(ours.has_value() && theirs.has_value());
    EXPECT_EQ(ours->peer, "table_private");
    EXPECT_EQ(theirs->peer, "not_atomic_private");
    ours->peer = theirs->peer;
    EXPECT_EQ(*ours, *theirs) << target.ours;
  }
  EXPECT_EQ(count, 11);
}

// So is a memfd: neither has huge pages, and they differ in nothing else.
TEST(ReportTargetsTest, AMemfdIsComparedWithPrivateMemoryInPagesOfTheSameSize) {
  int count = 0;
  for (const Target& target : Targets(ReportSizes::Quick())) {
    if (target.row.rfind("memfd against private memory", 0) != 0) continue;
    ++count;
    ASSERT_THAT(target.theirs, SizeIs(1));
    std::optional<RunName> ours = ParseRunName(target.ours);
    const std::optional<RunName> theirs = ParseRunName(target.theirs[0]);
    ASSERT_TRUE(ours.has_value() && theirs.has_value());
    EXPECT_EQ(ours->peer, "table_memfd_4k");
    EXPECT_EQ(theirs->peer, "table_private_4k");
    ours->peer = theirs->peer;
    EXPECT_EQ(*ours, *theirs) << target.ours;
  }
  EXPECT_EQ(count, 4);
}

// The longest of one run is the machine's longest pause.
TEST(ReportTargetsTest, TheLongestInsertIsTheOneThatRepeats) {
  int count = 0;
  for (const Target& target : Targets(ReportSizes::Full())) {
    EXPECT_NE(target.counter, "max_ns") << target.what;
    count += target.counter == "repeating_max_ns";
  }
  EXPECT_EQ(count, 2);
}

// The table itself: one line of each kind, word by word.
TEST(ReportTargetsTest, TheGoalsAreThoseOfTheTable) {
  std::set<std::string> lines;
  for (const Target& target : Targets(ReportSizes::Full())) {
    lines.insert(target.row + ", " + target.what + ": " +
                 std::to_string(target.limit).substr(0, 5));
  }
  for (const char* line :
       {"find hit, u64 rows, 10M, 1 thread, by boost: 0.500",
        "find hit, u64 rows, 1k, 2 threads, by boost: 0.600",
        "find hit, u64 rows, 10M, 1 thread, by the ceiling: 1.100",
        "find in batches of 32, 10M, 2 threads, by prefetched reads: 2.200",
        "90/10 mix, uniform and zipf, 100k zipf, 1 thread, by boost: 0.450",
        "update_counter, 1k zipf, 2 threads, by boost: 1.000",
        "insert into a growing table, 10M, 1 thread, longest insert that "
        "repeats: 50000",
        "erase, 10M, 2 threads, by boost: 0.700",
        "memfd against private memory, both in 4 KiB pages, insert, 10M, 1 "
        "thread: 1.050",
        "what crash-atomicity costs, find_hit, 100k, 1 thread: 1.100",
        "what crash-atomicity costs, erase, 10M, 1 thread: 1.100",
        "what crash-atomicity costs, insert of strings, 2M, 1 thread: 1.100",
        "against ETS, find_hit, 1M, 1 thread: 12.00",
        "against LMDB on tmpfs, one acknowledged put: 5.000",
        "in-process, by the BEAM, spawn and exit: 1.000",
        "hand-over between OS processes, 1M rows: 10000"}) {
    EXPECT_EQ(lines.count(line), 1u) << line;
  }
}

}  // namespace
}  // namespace ets_keeper::benchmarks
