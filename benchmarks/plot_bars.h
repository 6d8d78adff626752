// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: plot_bars.h
// -----------------------------------------------------------------------------
//
// Horizontal bars in panels: who takes how long for what.
//
//   BarPlot plot{.title = "Time of an operation", .unit = "ns"};
//   plot.panels.push_back({.title = "find", .bars = {{"table", 42, "ours"},
//                                                    {"map", 80, "peer"}}});
//   std::string svg = DrawBars(plot);
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_PLOT_BARS_H_
#define BENCHMARKS_PLOT_BARS_H_

#include <string>
#include <vector>

namespace ets_keeper::benchmarks {

// Bar
struct Bar {
  std::string label = "";
  double value = 0;
  std::string look;  // ours, ours2, peer, ceiling
};

// BarPanel
//
// Its bars are drawn from the shortest to the longest.
struct BarPanel {
  std::string title = "";
  std::vector<Bar> bars = {};
};

// BarPlot
struct BarPlot {
  std::string title = "";
  std::string subtitle = "";
  std::string unit = "";
  std::vector<std::string> columns = {};  // headings; panels fill row after row
  std::vector<BarPanel> panels = {};
};

// DrawBars()
//
// The panels of one row have one scale, which begins at zero.
[[nodiscard]] std::string DrawBars(const BarPlot& plot);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PLOT_BARS_H_
