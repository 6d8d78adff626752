// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// What does the real ETS do on this machine? See ets.h. The flags are those of
// Google Benchmark.

#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "benchmarks/ets.h"

int main(int argc, char** argv) {
  namespace benchmarks = ets_keeper::benchmarks;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const absl::StatusOr<std::unique_ptr<benchmarks::Erlang>> erlang =
      benchmarks::Erlang::Start();
  if (!erlang.ok()) {
    const std::string why(erlang.status().message());
    std::fprintf(stderr, "ets_benchmark: %s\n", why.c_str());
    return 1;
  }
  benchmark::AddCustomContext("erlang", (*erlang)->version());
  benchmarks::RegisterEtsBenchmarks(**erlang, benchmarks::AllEtsRequests());
  benchmark::RunSpecifiedBenchmarks();
}
