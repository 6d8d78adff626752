// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: plot_goals.h
// -----------------------------------------------------------------------------
//
// Figures against their goals: a row for each goal, and marks in it on the good
// or on the bad side of a line.
//
//   GoalPlot plot{.title = "Against the goals"};
//   plot.rows.push_back({.label = "find hit", .marks = {{0.8, "10M, 1 thread"},
//                                                       {1.3, "1k"}}});
//   std::string svg = DrawGoals(plot);
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_PLOT_GOALS_H_
#define BENCHMARKS_PLOT_GOALS_H_

#include <string>
#include <vector>

namespace ets_keeper::benchmarks {

// GoalMark
struct GoalMark {
  double ratio = 1;  // to the goal: 1 is just reached, less is better
  std::string label = "";
};

// GoalRow
//
// The worst mark is emphasised, and labelled. A row without marks says `why`.
struct GoalRow {
  std::string label = "";
  std::vector<GoalMark> marks = {};
  std::string why = "";
};

// GoalPlot
struct GoalPlot {
  std::string title = "";
  std::string subtitle = "";
  std::vector<GoalRow> rows = {};
};

// DrawGoals()
//
// On a logarithmic scale, whose ends hold what is beyond them.
[[nodiscard]] std::string DrawGoals(const GoalPlot& plot);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PLOT_GOALS_H_
