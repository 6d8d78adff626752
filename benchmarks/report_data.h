// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: report_data.h
// -----------------------------------------------------------------------------
//
// `Report`: all that the page, the pictures and the terminal show.
//
//   Report report = {.quick = true, .sizes = ReportSizes::Quick()};
//   report.targets = Targets(report.sizes);
//   ...                                        // measure
//   report.JudgeAll();
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_REPORT_DATA_H_
#define BENCHMARKS_REPORT_DATA_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "benchmarks/figures.h"
#include "benchmarks/report_machine.h"
#include "benchmarks/report_targets.h"
#include "benchmarks/report_verdict.h"

namespace ets_keeper::benchmarks {

// Report
struct Report {
  bool quick = false;
  std::string date = "";
  std::string command = "";
  Facts facts = {};
  ReportSizes sizes = {};
  std::vector<Target> targets = {};
  Figures figures = {};
  MissingByName missing = {};
  std::vector<Outcome> outcomes = {};  // of the targets

  void JudgeAll() {
    outcomes.clear();
    for (const Target& target : targets) {
      outcomes.push_back(Judge(target, figures, missing));
    }
  }
};

// PeerInfo
//
// A peer that takes part in the benchmarks of maps.
struct PeerInfo {
  const char* name;   // in names of runs
  const char* label;  // as people call it
  const char* look;   // of its bars
  int series;         // look of its lines
};

// AllPeers()
//
// In the order in which they are shown: ours first, then general concurrent
// maps, then those that nothing synchronizes.
[[nodiscard]] const std::vector<PeerInfo>& AllPeers();

// Variants()
//
// Tables that are there to be compared with our own only: without
// crash-atomicity, and without huge pages. They are in the list of all figures
// but in no picture.
[[nodiscard]] const std::vector<PeerInfo>& Variants();

// LabelOf()
//
// The name itself of an unknown peer.
[[nodiscard]] std::string LabelOf(absl::string_view peer);

// OpLabel()
//
// What an operation is called in headings.
[[nodiscard]] std::string OpLabel(absl::string_view op);

// Whether the peer is a table, be it a variant: no rival.
[[nodiscard]] bool IsOurs(absl::string_view peer);

// Whether plots want the peer: not a variant; not a map that does not grow; and
// not a database that commits, which would take longer than all others
// together.
[[nodiscard]] bool IsPlotted(absl::string_view peer);

// Whether the peer is a map for one thread.
[[nodiscard]] bool IsUnsynchronized(absl::string_view peer);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_REPORT_DATA_H_
