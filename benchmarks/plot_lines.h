// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: plot_lines.h
// -----------------------------------------------------------------------------
//
// Lines, each with its name at its end.
//
//   LinePlot plot{.title = "Bytes by entry",
//                 .x = {.title = "rows", .log = true, .format = Count},
//                 .y = {.title = "bytes"}};
//   plot.series.push_back({.label = "table", .points = {{1e3, 40}, {1e6, 36}},
//                          .look = 0});
//   std::string svg = DrawLines(plot);
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_PLOT_LINES_H_
#define BENCHMARKS_PLOT_LINES_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/plot.h"

namespace ets_keeper::benchmarks {

// Axis
struct Axis {
  std::string title = "";
  bool log = false;
  std::function<std::string(double)> format = Rounded;
  // Instead of round values: these, at 0, 1, 2...
  std::vector<std::string> names = {};
  // Where it ends, if not where the data does. What is outside is at the edge.
  std::optional<double> low = {};
  std::optional<double> high = {};
};

// Series
struct Series {
  std::string label = "";
  std::vector<std::pair<double, double>> points = {};
  int look = 2;  // 0 and 1: ours, drawn thick and on top; up to 7
};

// PlotGoal
//
// A level of y that is aimed at; at one value of x, if that is given.
struct PlotGoal {
  std::string label = "";
  double y = 0;
  std::optional<double> x = {};
};

// LinePlot
struct LinePlot {
  std::string title = "";
  std::string subtitle = "";
  Axis x = {};
  Axis y = {};
  std::vector<Series> series = {};
  std::vector<PlotGoal> goals = {};
};

// DrawLines()
[[nodiscard]] std::string DrawLines(const LinePlot& plot);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PLOT_LINES_H_
