// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/plot_goals.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "benchmarks/plot.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr double kPlotWidth = 420;
constexpr double kTop = 104;
constexpr double kRow = 30;
constexpr double kFont = 13;
constexpr double kLow = 0.125;
constexpr double kLeastHigh = 4;
constexpr double kMostHigh = 32;

const GoalMark& Worst(const GoalRow& row) {
  return *std::max_element(
      row.marks.begin(), row.marks.end(),
      [](const GoalMark& a, const GoalMark& b) { return a.ratio < b.ratio; });
}

bool IsGood(const GoalMark& mark) { return mark.ratio <= 1; }

// A form of its own for what is missed, beside a colour of its own.
void DrawMark(Svg& svg, const GoalMark& mark, double x, double y, bool worst) {
  const std::string look =
      absl::StrCat(IsGood(mark) ? "good" : "bad", worst ? "" : " faint");
  if (IsGood(mark)) {
    svg.Circle(x, y, worst ? 6.5 : 4, look);
  } else {
    svg.Diamond(x, y, worst ? 8 : 5, look);
  }
}

// Where the scale ends: at a power of two beyond most marks.
double HighOf(const GoalPlot& plot) {
  double high = kLeastHigh;
  for (const GoalRow& row : plot.rows) {
    for (const GoalMark& mark : row.marks) {
      while (high < mark.ratio && high < kMostHigh) high *= 2;
    }
  }
  return high;
}

// How far right of the row its text goes.
double TextOf(const GoalRow& row) {
  if (row.marks.empty()) return TextWidth(row.why, 12);
  return TextWidth(Worst(row).label, 12) * 1.08 + 60;
}

void DrawRow(Svg& svg, const GoalRow& row, const Scale& x, double high,
             double y) {
  const double left = x.At(kLow);
  const double right = x.At(high);
  svg.Text(left - 14, y + 4.5, row.label,
           {.look = row.marks.empty() ? "muted" : "ink",
            .size = kFont,
            .anchor = "end"});
  svg.Line(left, y, right, y, "grid");
  if (row.marks.empty()) {
    svg.Text(right + 12, y + 4.5, row.why, {.look = "muted", .size = 12});
    return;
  }
  const GoalMark& worst = Worst(row);
  for (const GoalMark& mark : row.marks) {
    if (&mark != &worst) DrawMark(svg, mark, x.At(mark.ratio), y, false);
  }
  DrawMark(svg, worst, x.At(worst.ratio), y, true);
  const std::string beyond = worst.ratio > high ? "▸ " : "";
  const std::string text =
      absl::StrCat(beyond, Rounded(worst.ratio), "× ", worst.label);
  svg.Text(right + 12, y + 4.5, text,
           {.look = IsGood(worst) ? "muted" : "bad",
            .size = 12,
            .bold = !IsGood(worst)});
}

}  // namespace

std::string DrawGoals(const GoalPlot& plot) {
  double labels = 0;
  double texts = 0;
  for (const GoalRow& row : plot.rows) {
    labels = std::max(labels, TextWidth(row.label, kFont));
    texts = std::max(texts, TextOf(row));
  }
  const double left = 24 + labels + 14;
  const double right = left + kPlotWidth;
  const double width = right + 12 + texts + 24;
  const double high = HighOf(plot);
  const double bottom = kTop + kRow * static_cast<double>(plot.rows.size());
  Svg svg(width, bottom + 50, plot.title);
  svg.Text(24, 36, plot.title, {.size = 19, .bold = true});
  svg.Text(24, 57, plot.subtitle, {.look = "muted", .size = 13});
  const Scale x = Scale::Log(kLow, high, left, right);
  svg.Rect(left, kTop - 4, x.At(1) - left, bottom - kTop + 4, "band");
  for (double tick = kLow; tick <= high; tick *= 2) {
    svg.Line(x.At(tick), kTop - 4, x.At(tick), bottom,
             tick == 1 ? "goal" : "grid");
    svg.Text(x.At(tick), bottom + 18,
             tick == 1 ? "goal" : absl::StrCat(Rounded(tick), "×"),
             {.look = tick == 1 ? "ink" : "muted",
              .size = 12,
              .anchor = "middle",
              .bold = tick == 1});
  }
  svg.Text(x.At(1) - 12, kTop - 12, "◂ reached",
           {.look = "good", .size = 12, .anchor = "end", .bold = true});
  svg.Text(x.At(1) + 12, kTop - 12, "missed ▸",
           {.look = "bad", .size = 12, .bold = true});
  svg.Text((left + right) / 2, bottom + 38, "figure by goal (logarithmic)",
           {.look = "muted", .size = 12, .anchor = "middle"});
  double y = kTop + kRow / 2;
  for (const GoalRow& row : plot.rows) {
    DrawRow(svg, row, x, high, y);
    y += kRow;
  }
  return svg.Finish();
}

}  // namespace ets_keeper::benchmarks
