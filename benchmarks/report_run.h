// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: report_run.h
// -----------------------------------------------------------------------------
//
// Measures all that the report is about.
//
//   Report report = ...;                 // with its targets
//   absl::Status status =
//       Measure({}, report, [](const std::string& text) { Show(text); });
//
// Everything runs in this process but for Erlang, and for the owners and the
// keeper of hand-overs.
//
// Thread safety: one thread, once.

#ifndef BENCHMARKS_REPORT_RUN_H_
#define BENCHMARKS_REPORT_RUN_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "benchmarks/report_data.h"

namespace ets_keeper::benchmarks {

// MeasureOptions
struct MeasureOptions {
  // Only groups whose text contains this; empty: all.
  std::string only = "";
};

// Measure()
//
// Adds the figures, and what is missing, to the report. `show(text)` is told
// what is measured next. What cannot be measured is missing, with the reason;
// or its figures have an error. Fails, with nothing measured, only if no group
// is meant by the options.
[[nodiscard]] absl::Status Measure(
    const MeasureOptions& options, Report& report,
    absl::FunctionRef<void(const std::string& text)> show);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_REPORT_RUN_H_
