// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hash_benchmarks.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "benchmarks/hash_operations.h"
#include "benchmarks/peer_cache.h"
#include "benchmarks/peer_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

// Collects the names of what was run, and of what of it was in error.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      names.push_back(run.benchmark_name());
      if (run.real_accumulated_time == 0) failed.push_back(names.back());
    }
  }

  std::vector<std::string> names;
  std::vector<std::string> failed;
};

// Runs all that is registered with the options, briefly.
Collector RunWith(const HashBenchmarkOptions& options) {
  benchmark::ClearRegisteredBenchmarks();
  RegisterHashBenchmarks(options);
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, nullptr, ".*");
  benchmark::ClearRegisteredBenchmarks();
  EXPECT_THAT(collector.failed, IsEmpty());
  return collector;
}

TEST(HashBenchmarksTest, ANameSaysAllThatIsMeasured) {
  EXPECT_THAT(
      RunWith({.sizes = {100},
               .threads = {2},
               .ops = {"update_counter"},
               .rows = {"str16"},
               .distributions = {"zipf"},
               .peers = {"table_memfd"}})
          .names,
      ElementsAre("update_counter/str16/100/zipf/table_memfd/threads:2"));
}

TEST(HashBenchmarksTest, WhatIsNotGivenMeansAll) {
  EXPECT_THAT(
      RunWith({.sizes = {100}, .ops = {"find_hit"}, .peers = {"sharded_absl"}})
          .names,
      UnorderedElementsAre("find_hit/u64/100/uniform/sharded_absl/threads:1",
                           "find_hit/u64/100/uniform/sharded_absl/threads:2",
                           "find_hit/u64/100/zipf/sharded_absl/threads:1",
                           "find_hit/u64/100/zipf/sharded_absl/threads:2",
                           "find_hit/str16/100/uniform/sharded_absl/threads:1",
                           "find_hit/str16/100/uniform/sharded_absl/threads:2",
                           "find_hit/str16/100/zipf/sharded_absl/threads:1",
                           "find_hit/str16/100/zipf/sharded_absl/threads:2"));
}

TEST(HashBenchmarksTest, WhatNothingSynchronizesHasOneThread) {
  EXPECT_THAT(RunWith({.sizes = {100},
                       .ops = {"find_miss"},
                       .rows = {"u64"},
                       .peers = {"absl_flat"}})
                  .names,
              ElementsAre("find_miss/u64/100/uniform/absl_flat/threads:1"));
}

TEST(HashBenchmarksTest, OnlyWhatSurvivesAKillAcknowledges) {
  const std::vector<std::string> names = RunWith({.sizes = {100},
                                                  .threads = {1},
                                                  .ops = {"put_acked"},
                                                  .rows = {"u64"}})
                                             .names;
  EXPECT_THAT(names,
              Contains("put_acked/u64/100/uniform/table_private/threads:1"));
  EXPECT_THAT(names,
              Contains("put_acked/u64/100/uniform/table_memfd/threads:1"));
  EXPECT_THAT(
      names, Not(Contains("put_acked/u64/100/uniform/sharded_absl/threads:1")));
}

TEST(HashBenchmarksTest, WhatIsBuiltInIsNotMissing) {
  std::set<std::string> missing;
  for (const MissingPeer& peer : MissingPeers()) {
    EXPECT_THAT(KnownPeers(), Contains(peer.peer));
    EXPECT_FALSE(peer.how.empty());
    missing.insert(peer.peer);
  }
  for (const char* peer : {"table_private", "table_private_4k", "table_memfd",
                           "table_memfd_4k", "absl_flat", "sharded_absl"}) {
    EXPECT_FALSE(missing.contains(peer)) << peer;
  }
}

TEST(HashBenchmarksTest, OnlyMapsThatAreWantedAreKept) {
  HashBenchmarkOptions both = {.sizes = {100},
                               .threads = {1},
                               .ops = {"find_miss", "mix90"},
                               .rows = {"u64"},
                               .peers = {"sharded_absl", "absl_flat"}};
  const auto with = [&](const char* op) {
    HashBenchmarkOptions one = both;
    one.ops = {op};
    return one;
  };
  KeepMapsOf({});
  EXPECT_EQ(TheCache().size(), 0u);
  RunWith(both);
  EXPECT_EQ(TheCache().size(), 4u);
  KeepMapsOf({with("mix90"), with("find_hit")});  // which finds what is read
  EXPECT_EQ(TheCache().size(), 4u);
  KeepMapsOf({with("insert"), with("mix90")});
  EXPECT_EQ(TheCache().size(), 2u);
  both.sizes = {200};
  KeepMapsOf({both});
  EXPECT_EQ(TheCache().size(), 0u);
}

// What is measured under two names is two things.
TEST(HashBenchmarksTest, EveryPeerHasItsOwnCode) {
  using Operation = std::function<void(benchmark::State&)>;
  using Make = Operation (*)(const benchmarks::Run&);
  std::set<Make> seen;
  for (const auto& [name, peer] : RegisteredPeers()) {
    for (const auto& [row, make] : peer.make) {
      ASSERT_NE(make.target<Make>(), nullptr) << name;
      EXPECT_TRUE(seen.insert(*make.target<Make>()).second)
          << name << " of " << row;
    }
  }
}

TEST(HashBenchmarksTest, EveryPeerIsMeasuredOrMissing) {
  const std::vector<std::string> names = RunWith({.sizes = {100},
                                                  .threads = {1},
                                                  .ops = {"find_hit"},
                                                  .rows = {"u64"},
                                                  .distributions = {"uniform"}})
                                             .names;
  EXPECT_EQ(names.size() + MissingPeers().size(), KnownPeers().size());
}

}  // namespace
}  // namespace ets_keeper::benchmarks

// As the test's own main, but brief.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  char brief[] = "--benchmark_min_time=0.001";
  char* args[] = {argv[0], brief, nullptr};
  int count = 2;
  benchmark::Initialize(&count, args);
  return RUN_ALL_TESTS();
}
