// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// How long is a table without an owner when its OS process is killed? See
// hand_over.h.

#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "benchmarks/hand_over.h"

int main(int argc, char** argv) {
  namespace benchmarks = ets_keeper::benchmarks;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const absl::StatusOr<std::unique_ptr<benchmarks::HandOver>> hand_over =
      benchmarks::HandOver::Start();
  if (!hand_over.ok()) {
    const std::string why(hand_over.status().message());
    std::fprintf(stderr, "hand_over_benchmark: %s\n", why.c_str());
    return 1;
  }
  benchmarks::RegisterHandOverBenchmarks(**hand_over,
                                         {1'000, 100'000, 1'000'000});
  benchmark::RunSpecifiedBenchmarks();
}
