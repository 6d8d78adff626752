// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// What does the machine itself allow? See limits.h for what is measured.

#include "benchmark/benchmark.h"
#include "benchmarks/limits.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  ets_keeper::benchmarks::RegisterLimitBenchmarks();
  benchmark::RunSpecifiedBenchmarks();
}
