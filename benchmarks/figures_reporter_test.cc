// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/figures_reporter.h"

#include <optional>
#include <string>

#include "benchmark/benchmark.h"
#include "benchmarks/figures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(FiguresReporterTest, RunsAreCollectedByTheirNames) {
  benchmark::RegisterBenchmark("manual/1000",
                               [](benchmark::State& state) {
                                 for (auto _ : state) {
                                   state.SetIterationTime(25e-9);
                                 }
                                 state.counters["max_ns"] = 70;
                               })
      ->Threads(1)
      ->Iterations(10)
      ->Repetitions(3)
      ->UseManualTime();
  // In another unit, and with the number of threads in its name.
  benchmark::RegisterBenchmark("slow/threads:2",
                               [](benchmark::State& state) {
                                 for (auto _ : state) {
                                   state.SetIterationTime(0.5);
                                 }
                               })
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond)
      ->UseManualTime();
  benchmark::RegisterBenchmark("failing", [](benchmark::State& state) {
    state.SkipWithError("no memory");
    for (auto _ : state) {
    }
  });
  Figures figures;
  FiguresReporter reporter(figures);
  benchmark::RunSpecifiedBenchmarks(&reporter, "all");
  EXPECT_THAT(figures.Names(),
              ElementsAre("manual/1000/threads:1", "slow/threads:2"));
  const std::optional<Sample> time = figures.Value("manual/1000/threads:1", "");
  ASSERT_TRUE(time.has_value());
  EXPECT_THAT(time->median, DoubleNear(25, 1e-6));
  EXPECT_EQ(time->count, 3) << "no aggregates";
  EXPECT_EQ(figures.Value("manual/1000/threads:1", "max_ns")->median, 70);
  EXPECT_THAT(figures.Value("slow/threads:2", "")->median, DoubleNear(5e8, 1));
  EXPECT_EQ(figures.Error("failing"), "no memory");
}

}  // namespace
}  // namespace ets_keeper::benchmarks
