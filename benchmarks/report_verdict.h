// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: report_verdict.h
// -----------------------------------------------------------------------------
//
// Whether a target is reached, by figures of one run of all benchmarks:
//
//   const Outcome outcome = Judge(target, figures, missing);
//   std::cout << GoalText(target) << ": " << VerdictText(outcome) << "\n";
//
// Ratios are medians of those of single repetitions: see `Figures::Ratio()`.
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_REPORT_VERDICT_H_
#define BENCHMARKS_REPORT_VERDICT_H_

#include <map>
#include <string>
#include <vector>

#include "benchmarks/figures.h"
#include "benchmarks/report_targets.h"

namespace ets_keeper::benchmarks {

// Verdict
enum class Verdict { kReached, kMissed, kNotMeasured };

// Outcome
struct Outcome {
  Verdict verdict = Verdict::kNotMeasured;

  // In the target's unit: of a private arena and of a memfd, or one only.
  std::vector<double> figures = {};

  // Of the worst figure to the goal: at most 1 if it is reached.
  double ratio_to_goal = 0;

  // Whom it was compared with: the fastest.
  std::string rival = "";

  // Why it was not measured; or who else should have been compared with.
  std::string why = "";
};

// MissingByName
//
// The peers that are not there, and how to get them.
using MissingByName = std::map<std::string, std::string>;

// Judge()
[[nodiscard]] Outcome Judge(const Target& target, const Figures& figures,
                            const MissingByName& missing);

// Text
[[nodiscard]] std::string GoalText(const Target& target);  // "at most 0.5x"
[[nodiscard]] std::string FigureText(Unit unit, double figure);
[[nodiscard]] std::string VerdictText(const Outcome& outcome);

// PeerOf()
//
// Whose run it is, by the run's name: the last part but one, or "limit" or
// "hand_over".
[[nodiscard]] std::string PeerOf(const std::string& run);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_REPORT_VERDICT_H_
