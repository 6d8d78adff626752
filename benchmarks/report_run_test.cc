// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_run.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "benchmarks/figures.h"
#include "benchmarks/peer_cache.h"
#include "benchmarks/report_data.h"
#include "benchmarks/report_targets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Report Tiny() {
  Report report = {.quick = true,
                   .sizes = {.small = 100,
                             .middle = 200,
                             .large = 400,
                             .strings = 300,
                             .ets = 500,
                             .lmdb = 600,
                             .hand_over = {10}}};
  report.targets = Targets(report.sizes);
  return report;
}

// What was measured of the only group whose text has this in it.
std::set<std::string> PeersOf(const std::string& only) {
  Report report = Tiny();
  std::vector<std::string> shown;
  EXPECT_THAT(Measure({.only = only}, report,
                      [&](const std::string& text) { shown.push_back(text); }),
              IsOk());
  // In two passes.
  EXPECT_THAT(shown, ElementsAre(AllOf(HasSubstr("[1/2] "), HasSubstr(only)),
                                 AllOf(HasSubstr("[2/2] "), HasSubstr(only))));
  std::set<std::string> peers;
  for (const std::string& name : report.figures.Names()) {
    const std::optional<RunName> run = ParseRunName(name);
    EXPECT_TRUE(run.has_value()) << name;
    peers.insert(run->peer);
    EXPECT_GT(report.figures.Find(name)->time.median, 0) << name;
  }
  return peers;
}

TEST(ReportRunTest, OfSmallTablesWhatATargetNamesIsMeasured) {
  EXPECT_THAT(PeersOf("update_counter u64 100 zipf, 2 threads"),
              AllOf(Contains("table_private"), Contains("table_memfd"),
                    Not(Contains("sharded_absl"))));
}

TEST(ReportRunTest, OfLargeOnesEveryMapThatIsPlottedIsToo) {
  EXPECT_THAT(PeersOf("find_miss u64 400 uniform, 1 thread"),
              AllOf(Contains("sharded_absl"), Contains("absl_flat"),
                    Not(Contains("not_atomic_private")),
                    Not(Contains("table_private_4k")),
                    Not(Contains("table_memfd_4k")), Not(Contains("lmdb"))));
  EXPECT_THAT(PeersOf("find_hit u64 400 uniform, 1 thread"),
              AllOf(Contains("sharded_absl"), Contains("not_atomic_private"),
                    Contains("table_private_4k"), Contains("table_memfd_4k")));
}

TEST(ReportRunTest, FilledMapsAreKeptAsLongAsAnythingWillUseThem) {
  Report report = Tiny();
  std::vector<std::string> shown;
  std::vector<size_t> maps;
  EXPECT_THAT(Measure({.only = "u64 500 uniform, 1 thread"}, report,
                      [&](const std::string& text) {
                        shown.push_back(text);
                        maps.push_back(TheCache().size());
                      }),
              IsOk());
  EXPECT_THAT(shown,
              ElementsAre(HasSubstr("find_hit"), HasSubstr("update_counter"),
                          HasSubstr("insert"), HasSubstr("find_hit"),
                          HasSubstr("update_counter"), HasSubstr("insert")));
  // The second pass has maps of its own.
  EXPECT_THAT(maps, ElementsAre(0, Gt(0), 0, 0, Gt(0), 0));
}

TEST(ReportRunTest, WhereNoGroupIsMeantNothingIsMeasured) {
  Report report = Tiny();
  EXPECT_THAT(
      Measure({.only = "no such group"}, report,
              [](const std::string& text) { ADD_FAILURE() << text; }),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("no group with 'no such group'"),
                     HasSubstr("'find_hit u64 400 uniform, 1 thread'"))));
  EXPECT_THAT(report.figures.Names(), IsEmpty());
  for (const auto& [peer, how] : report.missing) {
    EXPECT_FALSE(how.empty()) << peer;
    EXPECT_FALSE(IsOurs(peer)) << peer;
  }
}

}  // namespace
}  // namespace ets_keeper::benchmarks
