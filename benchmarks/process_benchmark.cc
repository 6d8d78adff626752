// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// What do lightweight processes cost? See process_benchmarks.h.

#include "benchmark/benchmark.h"
#include "benchmarks/process_benchmarks.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  ets_keeper::benchmarks::RegisterProcessBenchmarks();
  benchmark::RunSpecifiedBenchmarks();
}
