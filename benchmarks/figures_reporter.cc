// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/figures_reporter.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "benchmarks/figures.h"

namespace ets_keeper::benchmarks {
namespace {

// Why a run failed, if it did. Later versions of Google Benchmark spell it in
// another way.
template <typename Run>
std::optional<std::string> ErrorOf(const Run& run) {
  if constexpr (requires { run.error_occurred; }) {
    if (run.error_occurred) return run.error_message;
  } else {
    if (run.skipped) return run.skip_message;
  }
  return std::nullopt;
}

template <typename Run>
std::string NameOf(const Run& run) {
  const std::string& threads = run.run_name.threads;
  return threads.empty()
             ? run.run_name.function_name
             : absl::StrCat(run.run_name.function_name, "/", threads);
}

}  // namespace

void FiguresReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration) continue;
    if (const std::optional<std::string> error = ErrorOf(run)) {
      figures_.AddError(NameOf(run), *error);
      continue;
    }
    const double seconds = run.GetAdjustedRealTime() /
                           benchmark::GetTimeUnitMultiplier(run.time_unit);
    std::map<std::string, double> counters;
    for (const auto& [name, counter] : run.counters) counters[name] = counter;
    figures_.Add(NameOf(run), seconds * 1e9, counters);
  }
}

}  // namespace ets_keeper::benchmarks
