// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/process_benchmarks.h"

#include <set>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::ElementsAre;

class Names final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      EXPECT_GE(run.iterations, 1);
      EXPECT_GT(run.GetAdjustedRealTime(), 0);
      names.insert(run.run_name.function_name + "/" + run.run_name.threads);
    }
  }

  std::set<std::string> names;
};

// What they check while they run is that each operation has its effect.
TEST(ProcessBenchmarksTest, EachIsMeasured) {
  int argc = 2;
  std::string program = "test";
  std::string time = "--benchmark_min_time=0.001";
  char* argv[] = {program.data(), time.data(), nullptr};
  benchmark::Initialize(&argc, argv);
  RegisterProcessBenchmarks(/*rounds=*/20);
  Names names;
  benchmark::RunSpecifiedBenchmarks(&names, "process/.*");
  EXPECT_THAT(names.names,
              ElementsAre("process/heir/ets_keeper/threads:1",
                          "process/message_round_trip/ets_keeper/threads:1",
                          "process/spawn_exit/ets_keeper/threads:1",
                          "process/table_with_worker/ets_keeper/threads:1"));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
