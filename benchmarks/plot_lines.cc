// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/plot_lines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/plot.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr double kWidth = 860;
constexpr double kHeight = 520;
constexpr double kTop = 84;
constexpr double kBottom = kHeight - 62;
constexpr double kLeft = 92;
constexpr double kFont = 12.5;
constexpr double kLineHeight = 16;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

Scale MakeScale(const Axis& axis, Range range, double from, double to) {
  if (!axis.names.empty()) {
    // Half a step of room on both sides.
    return Scale::Linear(-0.3, static_cast<double>(axis.names.size()) - 0.7,
                         from, to);
  }
  if (!(range.low <= range.high)) range = {1, 2};
  if (axis.log) {
    const double low = axis.low.value_or(range.low);
    return Scale::Log(std::max(low, 1e-9), axis.high.value_or(range.high), from,
                      to);
  }
  return Scale::Linear(axis.low.value_or(0),
                       axis.high.value_or(Scale::RoundUp(range.high, 5)), from,
                       to);
}

// A label and where it would like to be.
struct Label {
  std::string text;
  int look;
  double y;
};

// Moves labels apart, as little as it takes and none below the last line.
void Spread(std::vector<Label>& labels) {
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) {
    return std::tie(a.y, a.text) < std::tie(b.y, b.text);
  });
  for (size_t i = 1; i < labels.size(); ++i) {
    labels[i].y = std::max(labels[i].y, labels[i - 1].y + kLineHeight);
  }
  double limit = kBottom;
  for (size_t i = labels.size(); i-- > 0;) {
    labels[i].y = std::min(labels[i].y, limit);
    limit = labels[i].y - kLineHeight;
  }
}

class Lines {
 public:
  explicit Lines(const LinePlot& plot)
      : plot_(plot),
        right_(kWidth - RoomForLabels(plot)),
        x_(MakeScale(plot.x, RangeOf(plot, true), kLeft, right_)),
        y_(MakeScale(plot.y, RangeOf(plot, false), kBottom, kTop)),
        svg_(kWidth, kHeight, plot.title) {}

  std::string Draw() {
    svg_.Text(24, 36, plot_.title, {.size = 19, .bold = true});
    svg_.Text(24, 57, plot_.subtitle, {.look = "muted", .size = 13});
    DrawXAxis();
    DrawYAxis();
    DrawGoals();
    // Ours last: on top.
    for (const bool ours : {false, true}) {
      for (const Series& series : plot_.series) {
        if (ours == (series.look < 2)) DrawSeries(series);
      }
    }
    DrawLabels();
    return svg_.Finish();
  }

 private:
  static double RoomForLabels(const LinePlot& plot) {
    double room = 0;
    for (const Series& series : plot.series) {
      room = std::max(room, TextWidth(series.label, kFont));
    }
    return room + 46;
  }

  static Range RangeOf(const LinePlot& plot, bool x) {
    Range range;
    for (const Series& series : plot.series) {
      for (const auto& point : series.points) {
        range.Add(x ? point.first : point.second);
      }
    }
    for (const PlotGoal& goal : plot.goals) {
      if (!x) range.Add(goal.y);
    }
    return range;
  }

  void DrawXAxis() {
    const auto tick = [&](double at, const std::string& text) {
      svg_.Line(x_.At(at), kTop, x_.At(at), kBottom, "grid");
      svg_.Text(x_.At(at), kBottom + 19, text,
                {.look = "muted", .size = kFont, .anchor = "middle"});
    };
    for (size_t i = 0; i < plot_.x.names.size(); ++i) {
      tick(static_cast<double>(i), plot_.x.names[i]);
    }
    if (plot_.x.names.empty()) {
      for (const double at : x_.Ticks(6)) tick(at, plot_.x.format(at));
    }
    svg_.Text((kLeft + right_) / 2, kBottom + 44, plot_.x.title,
              {.look = "muted", .size = 13, .anchor = "middle"});
    svg_.Line(kLeft, kBottom, right_, kBottom, "axis");
  }

  void DrawYAxis() {
    for (const double at : y_.Ticks(5)) {
      svg_.Line(kLeft, y_.At(at), right_, y_.At(at), "grid");
      svg_.Text(kLeft - 8, y_.At(at) + 4, plot_.y.format(at),
                {.look = "muted", .size = kFont, .anchor = "end"});
    }
    svg_.Text(24, (kTop + kBottom) / 2, plot_.y.title,
              {.look = "muted", .size = 13, .anchor = "middle", .turn = -90});
  }

  void DrawGoals() {
    for (const PlotGoal& goal : plot_.goals) {
      const double y = y_.At(goal.y);
      const double middle = goal.x.has_value() ? x_.At(*goal.x) : 0;
      const double from = goal.x.has_value() ? middle - 60 : kLeft;
      const double to =
          goal.x.has_value() ? std::min(middle + 40, right_) : right_;
      svg_.Line(from, y, to, y, "goal");
      svg_.Text(from + 2, y - 6, goal.label, {.size = kFont, .bold = true});
    }
  }

  void DrawSeries(const Series& series) {
    std::vector<std::pair<double, double>> points;
    for (const auto& [x, y] : series.points) {
      points.emplace_back(x_.At(x), y_.At(y));
    }
    const std::string look = absl::StrCat("s", series.look);
    if (points.size() > 1) svg_.Path(points, look);
    // Where there are many points the line says it all.
    if (points.size() > 8) return;
    for (const auto& [x, y] : points) {
      svg_.Circle(x, y, series.look < 2 ? 4.5 : 3, look);
    }
  }

  void DrawLabels() {
    std::vector<Label> labels;
    for (const Series& series : plot_.series) {
      if (series.points.empty()) continue;
      labels.push_back(
          {series.label, series.look, y_.At(series.points.back().second) + 4});
    }
    Spread(labels);
    for (const Label& label : labels) {
      svg_.Text(right_ + 10, label.y, label.text,
                {.look = absl::StrCat("s", label.look),
                 .size = kFont,
                 .bold = label.look < 2});
    }
  }

  const LinePlot& plot_;
  const double right_;
  const Scale x_;
  const Scale y_;
  Svg svg_;
};

}  // namespace

std::string DrawLines(const LinePlot& plot) { return Lines(plot).Draw(); }

}  // namespace ets_keeper::benchmarks
