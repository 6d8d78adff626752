// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: plot.h
// -----------------------------------------------------------------------------
//
// What plots are drawn with: a picture in SVG, scales, and numbers as people
// read them.
//
//   Svg svg(400, 300, "Time of a lookup");
//   const Scale x = Scale::Linear(0, 250, 40, 380);
//   for (double tick : x.Ticks(5)) svg.Line(x.At(tick), 20, x.At(tick), 280,
//                                           "grid");
//   svg.Text(40, 15, "find <hit>", {.look = "ink", .bold = true});
//   std::string file = svg.Finish();
//
// Looks are names, and a style sheet in the picture knows their colours on a
// light background and on a dark one. They can be told apart by the colour
// blind (Okabe and Ito's colours).
//
//   ink, muted           text
//   grid, axis, goal     lines
//   ours, ours2          what the picture is about
//   peer, ceiling        what it is compared with
//   good, bad            marks
//   s0 ... s7            series: lines, their points and their labels
//
// Thread safety: ordinary values.
//
// It is no plotting program: bars, lines and marks against goals are in
// plot_bars.h, plot_lines.h and plot_goals.h.

#ifndef BENCHMARKS_PLOT_H_
#define BENCHMARKS_PLOT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {

// EscapeXml()
//
// `text` as it stands in an element or in a quoted attribute. Characters that
// XML cannot have are left out.
[[nodiscard]] std::string EscapeXml(absl::string_view text);

// TextWidth()
//
// About how wide it is, in a usual sans-serif font.
[[nodiscard]] double TextWidth(absl::string_view text, double size);

// Rounded()
//
// Three significant digits and no more: "0.123", "12.3", "1230".
[[nodiscard]] std::string Rounded(double value);

// Time()
//
// Nanoseconds in the unit that suits them: "12.3 ns", "4.5 µs", "120 ms".
[[nodiscard]] std::string Time(double ns);

// Count()
//
// A number of rows: "1k", "2M", "123".
[[nodiscard]] std::string Count(double count);

// Scale
//
// Where a value is in a picture.
class Scale {
 public:
  // From `low` at `from` to `high` at `to`.
  static Scale Linear(double low, double high, double from, double to);
  // The same by the logarithm. `low` is above zero.
  static Scale Log(double low, double high, double from, double to);

  // Values outside go to the nearer end.
  [[nodiscard]] double At(double value) const;

  // Scale::Ticks()
  //
  // About `count` round values from `low` to `high`. Of a logarithmic scale
  // over several powers of ten: those, and no others.
  [[nodiscard]] std::vector<double> Ticks(int count) const;

  // The round value at or above `value` where a linear scale of about `count`
  // ticks may end.
  [[nodiscard]] static double RoundUp(double value, int count);

 private:
  Scale(bool log, double low, double high, double from, double to)
      : log_(log), low_(low), high_(high), from_(from), to_(to) {}

  bool log_;
  double low_;
  double high_;
  double from_;
  double to_;
};

// TextStyle
struct TextStyle {
  absl::string_view look = "ink";
  double size = 12;
  absl::string_view anchor = "start";  // middle, end
  bool bold = false;
  double turn = 0;  // degrees, about where it stands
};

// Svg
//
// A picture with a background of its own, so that it can be read wherever it is
// shown. Lengths are in pixels, from the upper left corner.
class Svg {
 public:
  // `title` is what a screen reader says.
  Svg(double width, double height, absl::string_view title);

  void Rect(double x, double y, double width, double height,
            absl::string_view look, double radius = 0);
  void Line(double x1, double y1, double x2, double y2, absl::string_view look);
  void Path(const std::vector<std::pair<double, double>>& points,
            absl::string_view look);
  void Circle(double x, double y, double radius, absl::string_view look);
  void Diamond(double x, double y, double radius, absl::string_view look);
  void Text(double x, double y, absl::string_view text,
            const TextStyle& style = {});

  // The whole file.
  [[nodiscard]] std::string Finish() const;

 private:
  std::string head_;
  std::string body_;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PLOT_H_
