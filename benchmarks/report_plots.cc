// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_plots.h"

#include <bit>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "benchmarks/figures.h"
#include "benchmarks/plot.h"
#include "benchmarks/plot_bars.h"
#include "benchmarks/plot_goals.h"
#include "benchmarks/plot_lines.h"
#include "benchmarks/report_data.h"
#include "benchmarks/report_plan.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr char kAggregate[] =
    "wall time by the operations of all threads, median; less is better";

// The bars of one run, of those peers that have a figure.
BarPanel PanelOf(const Report& report, RunName run,
                 const std::vector<PeerInfo>& peers) {
  BarPanel panel = {.title = OpLabel(run.op)};
  for (const PeerInfo& peer : peers) {
    if (!IsPlotted(peer.name)) continue;
    run.peer = peer.name;
    const std::optional<Figure> figure = report.figures.Find(run);
    if (!figure.has_value()) continue;
    panel.bars.push_back({peer.label, figure->time.median, peer.look});
  }
  return panel;
}

void AddRow(const Report& report, RunName run, BarPlot& plot) {
  std::vector<BarPanel> row;
  bool is_empty = true;
  for (const int threads : {1, 2}) {
    run.threads = threads;
    row.push_back(PanelOf(report, run, AllPeers()));
    is_empty = is_empty && row.back().bars.empty();
  }
  if (is_empty) return;
  for (BarPanel& panel : row) plot.panels.push_back(std::move(panel));
}

void AddBars(const Report& report, std::vector<Picture>& pictures) {
  const std::string large = Count(static_cast<double>(report.sizes.large));
  BarPlot plot = {
      .title = absl::StrCat("Time of an operation with ", large, " rows"),
      .subtitle = absl::StrCat("8-byte keys and values, ", kAggregate),
      .unit = "ns",
      .columns = {"1 thread", "2 threads"}};
  for (const char* op : {"find_hit", "find_batch32", "find_miss", "mix90",
                         "update_counter", "insert", "erase"}) {
    AddRow(report, {.op = op, .rows = report.sizes.large}, plot);
  }
  if (plot.panels.empty()) return;
  pictures.push_back({"operations",
                      absl::StrCat("bars: nanoseconds of each operation with ",
                                   large, " rows, by map"),
                      DrawBars(plot)});
}

void AddStringBars(const Report& report, std::vector<Picture>& pictures) {
  const std::string rows = Count(static_cast<double>(report.sizes.strings));
  BarPlot plot = {
      .title =
          absl::StrCat("Strings: time of an operation with ", rows, " rows"),
      .subtitle = absl::StrCat("16-byte keys, 64-byte values, ", kAggregate),
      .unit = "ns",
      .columns = {"1 thread", "2 threads"}};
  for (const char* op :
       {"find_hit", "find_batch32", "insert", "update_counter"}) {
    AddRow(report, {.op = op, .row = "str16", .rows = report.sizes.strings},
           plot);
  }
  if (plot.panels.empty()) return;
  pictures.push_back({"strings",
                      absl::StrCat("bars: nanoseconds of each operation with ",
                                   rows, " rows of strings, by map"),
                      DrawBars(plot)});
}

void AddEts(const Report& report, std::vector<Picture>& pictures) {
  const std::string rows = Count(static_cast<double>(report.sizes.ets));
  BarPlot plot = {
      .title = absl::StrCat("Beside ETS: ", rows, " rows, 1 thread"),
      .subtitle = "integers, uniform keys, median; less is better",
      .unit = "ns",
      .columns = {"", ""}};
  std::vector<PeerInfo> peers;
  for (const PeerInfo& peer : AllPeers()) {
    if (IsOurs(peer.name) || peer.name == absl::string_view("ets")) {
      peers.push_back(peer);
    }
  }
  for (const char* op : {"find_hit", "update_counter", "insert"}) {
    RunName run = {.op = op, .rows = report.sizes.ets, .peer = "ets"};
    if (!report.figures.Find(run).has_value()) continue;
    plot.panels.push_back(PanelOf(report, run, peers));
  }
  if (plot.panels.empty()) return;
  pictures.push_back({"ets",
                      "bars: nanoseconds of an operation, a table beside ETS",
                      DrawBars(plot)});
}

void AddLatencies(const Report& report, std::vector<Picture>& pictures) {
  constexpr std::pair<const char*, const char*> kParts[] = {
      {"p50_ns", "50 %"},
      {"p99_ns", "99 %"},
      {"p999_ns", "99.9 %"},
      {"repeating_max_ns", "all, each time"}};
  const std::string large = Count(static_cast<double>(report.sizes.large));
  LinePlot plot = {
      .title = absl::StrCat("Single inserts while ", large, " rows come in"),
      .subtitle =
          "8-byte keys and values, growing from empty, 1 thread; logarithmic",
      .x = {.title = "of all inserts"},
      .y = {.title = "take at most", .log = true, .format = Time},
      .goals = {{"goal: 50 µs", 50'000, 3}}};
  for (const auto& [counter, name] : kParts) plot.x.names.push_back(name);
  for (const PeerInfo& peer : AllPeers()) {
    if (IsUnsynchronized(peer.name)) continue;
    const RunName run = {
        .op = "insert", .rows = report.sizes.large, .peer = peer.name};
    Series series = {.label = peer.label, .look = peer.series};
    for (const auto& [counter, name] : kParts) {
      const std::optional<Sample> sample =
          report.figures.Value(run.ToString(), counter);
      if (!sample.has_value() || !(sample->median > 0)) break;
      series.points.emplace_back(series.points.size(), sample->median);
    }
    if (series.points.size() == std::size(kParts)) {
      plot.series.push_back(std::move(series));
    }
  }
  if (plot.series.empty()) return;
  pictures.push_back({"latency",
                      "lines: how long half, 99 %, 99.9 % and, whenever the "
                      "same rows come in, all of the inserts take at most, by "
                      "map",
                      DrawLines(plot)});
}

void AddMemory(const Report& report, std::vector<Picture>& pictures) {
  LinePlot plot = {
      .title = "Memory of an entry",
      .subtitle =
          "8-byte keys and values (16 bytes), grown from empty; each "
          "point is the mean from that size to twice as many rows",
      .x = {.title = "rows", .log = true, .format = Count},
      .y = {.title = "bytes per entry", .low = 0, .high = 120},
      .goals = {{"goal: 36 bytes", 36}}};
  for (const PeerInfo& peer : AllPeers()) {
    if (IsUnsynchronized(peer.name)) continue;
    Series series = {.label = peer.label, .look = peer.series};
    for (const uint64_t rows : MemorySizes(report.sizes)) {
      const RunName run = {.op = "insert", .rows = rows, .peer = peer.name};
      const std::optional<Sample> sample =
          report.figures.Value(run.ToString(), "bytes_per_entry");
      if (!sample.has_value()) continue;
      series.points.emplace_back(std::bit_floor(rows), sample->median);
    }
    if (!series.points.empty()) plot.series.push_back(std::move(series));
  }
  if (plot.series.empty()) return;
  pictures.push_back(
      {"memory", "lines: bytes per entry over rows, by map", DrawLines(plot)});
}

void AddGoals(const Report& report, std::vector<Picture>& pictures) {
  GoalPlot plot = {
      .title = "Figures against their goals",
      .subtitle =
          "A mark for each size and number of threads; the worst of a "
          "row is large, and named"};
  for (size_t i = 0; i < report.targets.size(); ++i) {
    const Target& target = report.targets[i];
    const Outcome& outcome = report.outcomes[i];
    if (plot.rows.empty() || plot.rows.back().label != target.row) {
      plot.rows.push_back({.label = target.row});
    }
    GoalRow& row = plot.rows.back();
    if (outcome.verdict == Verdict::kNotMeasured) {
      if (!row.why.empty()) continue;
      row.why = target.missing.empty()
                    ? "not measured"
                    : absl::StrCat("not measured: ", target.missing);
    } else {
      row.marks.push_back({outcome.ratio_to_goal, target.what});
    }
  }
  if (plot.rows.empty()) return;
  pictures.push_back(
      {"goals", "marks: each figure against its goal", DrawGoals(plot)});
}

}  // namespace

std::vector<Picture> DrawPictures(const Report& report) {
  std::vector<Picture> pictures;
  AddGoals(report, pictures);
  AddBars(report, pictures);
  AddStringBars(report, pictures);
  AddLatencies(report, pictures);
  AddMemory(report, pictures);
  AddEts(report, pictures);
  return pictures;
}

}  // namespace ets_keeper::benchmarks
