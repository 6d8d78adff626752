// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: figures_reporter.h
// -----------------------------------------------------------------------------
//
// Collects what Google Benchmark measures:
//
//   Figures figures;
//   FiguresReporter reporter(figures);
//   benchmark::RunSpecifiedBenchmarks(&reporter);
//
// A run goes by the name it was registered with and its number of threads;
// what else Google Benchmark puts into names (arguments, kinds of time) does
// not count.
//
// Thread safety: as Google Benchmark has it.

#ifndef BENCHMARKS_FIGURES_REPORTER_H_
#define BENCHMARKS_FIGURES_REPORTER_H_

#include <vector>

#include "benchmark/benchmark.h"
#include "benchmarks/figures.h"

namespace ets_keeper::benchmarks {

// FiguresReporter
class FiguresReporter final : public benchmark::BenchmarkReporter {
 public:
  explicit FiguresReporter(Figures& figures) : figures_(figures) {}

  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  Figures& figures_;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_FIGURES_REPORTER_H_
