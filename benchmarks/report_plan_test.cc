// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_plan.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "benchmarks/figures.h"
#include "benchmarks/report_targets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Group> FullPlan() {
  return PlanOf(Targets(ReportSizes::Full()), ReportSizes::Full());
}

const Group* Find(const std::vector<Group>& plan, const RunName& run) {
  for (const Group& group : plan) {
    if (group.run == run) return &group;
  }
  return nullptr;
}

TEST(ReportPlanTest, EachRunOfATargetIsInAGroup) {
  const std::vector<Group> plan = FullPlan();
  for (const Target& target : Targets(ReportSizes::Full())) {
    std::vector<std::string> names = OurRuns(target);
    names.insert(names.end(), target.theirs.begin(), target.theirs.end());
    names.insert(names.end(), target.beside.begin(), target.beside.end());
    for (const std::string& name : names) {
      std::optional<RunName> run = ParseRunName(name);
      if (!run.has_value()) continue;
      const std::string peer = run->peer;
      run->peer = "";
      const Group* group = Find(plan, *run);
      ASSERT_NE(group, nullptr) << name;
      EXPECT_THAT(group->peers, Contains(peer)) << name;
    }
  }
}

TEST(ReportPlanTest, NoGroupIsThereTwice) {
  std::set<std::string> seen;
  for (const Group& group : FullPlan()) {
    EXPECT_TRUE(seen.insert(group.ToString()).second) << group.ToString();
    EXPECT_GE(group.repetitions, 1);
  }
}

TEST(ReportPlanTest, EveryMapIsMeasuredWithLargeTables) {
  const std::vector<Group> plan = FullPlan();
  const Group* large = Find(plan, {.op = "find_hit", .rows = 10'000'000});
  ASSERT_NE(large, nullptr);
  EXPECT_TRUE(large->all_maps);
  EXPECT_EQ(large->repetitions, 6);
  const Group* small = Find(plan, {.op = "find_hit", .rows = 1'000});
  ASSERT_NE(small, nullptr);
  EXPECT_THAT(small->peers, ElementsAre("table_private", "table_memfd",
                                        "boost_concurrent_flat_map"));
  EXPECT_FALSE(small->all_maps);
  EXPECT_EQ(small->repetitions, 6);
  EXPECT_EQ(small->ToString(), "find_hit u64 1k uniform, 1 thread");
}

// It takes its turn with what it is compared with.
TEST(ReportPlanTest, TheCoreWithoutCrashAtomicityIsBesideTheOneWithIt) {
  for (const ReportSizes& sizes : {ReportSizes::Full(), ReportSizes::Quick()}) {
    const std::vector<Group> plan = PlanOf(Targets(sizes), sizes);
    for (const uint64_t rows : {sizes.middle, sizes.large}) {
      for (const char* op :
           {"find_hit", "mix90", "update_counter", "insert", "erase"}) {
        const Group* group = Find(plan, {.op = op, .rows = rows});
        ASSERT_NE(group, nullptr) << op;
        EXPECT_THAT(group->peers, Contains("table_private")) << op;
        EXPECT_THAT(group->peers, Contains("not_atomic_private")) << op;
        EXPECT_EQ(group->repetitions, 6) << op;
      }
    }
  }
}

// That it wins there is said, but it is no goal to be faster.
TEST(ReportPlanTest, AMapThatDoesNotGrowIsBesideThoseThatDo) {
  const std::vector<Group> plan = FullPlan();
  for (const int threads : {1, 2}) {
    const Group* group =
        Find(plan, {.op = "insert", .rows = 100'000, .threads = threads});
    ASSERT_NE(group, nullptr);
    EXPECT_THAT(group->peers, Contains("libcuckoo"));
    EXPECT_THAT(group->peers, Contains("libcuckoo_sized"));
  }
  for (const Target& target : Targets(ReportSizes::Full())) {
    for (const std::string& name : target.theirs) {
      EXPECT_THAT(name, Not(HasSubstr("libcuckoo_sized")));
    }
  }
}

// What is measured for its bytes only does not lose its rivals.
TEST(ReportPlanTest, EtsStaysInAGroupThatAllMapsAreIn) {
  const ReportSizes quick = ReportSizes::Quick();
  const std::vector<Group> plan = PlanOf(Targets(quick), quick);
  const Group* group = Find(plan, {.op = "insert", .rows = quick.ets});
  ASSERT_NE(group, nullptr);
  EXPECT_TRUE(group->all_maps);
  EXPECT_THAT(group->peers, Contains("ets"));
}

TEST(ReportPlanTest, BytesAreMeasuredOnceBetweenTheSizes) {
  const std::vector<uint64_t> sizes = MemorySizes(ReportSizes::Full());
  EXPECT_THAT(sizes, Contains(1'000));
  EXPECT_THAT(sizes, Contains(10'000'000));
  EXPECT_TRUE(std::is_sorted(sizes.begin(), sizes.end()));
  const std::vector<Group> plan = FullPlan();
  for (const uint64_t rows : sizes) {
    const Group* group = Find(plan, {.op = "insert", .rows = rows});
    ASSERT_NE(group, nullptr);
    EXPECT_TRUE(group->all_maps);
    const bool is_timed =
        rows == 100'000 || rows == 1'000'000 || rows == 10'000'000;
    EXPECT_EQ(group->repetitions, is_timed ? 6 : 1) << rows;
  }
}

}  // namespace
}  // namespace ets_keeper::benchmarks
