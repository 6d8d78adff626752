// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/limits.h"

#include <set>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

class Names final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      EXPECT_GT(run.iterations, 0);
      EXPECT_GT(run.GetAdjustedRealTime(), 0);
      names.insert(run.run_name.function_name + "/" + run.run_name.threads);
      for (const auto& [counter, value] : run.counters) {
        EXPECT_GT(value, 0);
        counters.insert(run.run_name.function_name + " " + counter);
      }
    }
  }

  std::set<std::string> names;
  std::set<std::string> counters;
};

TEST(LimitsTest, EachLimitIsMeasured) {
  RegisterLimitBenchmarks({.dram_bytes = 1 << 20, .iterations = 2048});
  Names names;
  benchmark::RunSpecifiedBenchmarks(&names, "limit/.*");
  EXPECT_THAT(
      names.names,
      IsSupersetOf({"limit/chase/L1/threads:1", "limit/chase/dram_4k/threads:1",
                    "limit/random_read/prefetched/threads:2",
                    "limit/memcpy/64/threads:1", "limit/fetch_add/threads:2",
                    "limit/mutex/threads:1", "limit/ping_pong/threads:2",
                    "limit/clock/threads:1"}));
  EXPECT_THAT(names.counters, ElementsAre("limit/clock max_ns"));
  EXPECT_EQ(names.names.size(), 23u);
  ReleaseLimitMemory();
}

}  // namespace
}  // namespace ets_keeper::benchmarks
