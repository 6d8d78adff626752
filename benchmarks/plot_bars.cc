// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/plot_bars.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "benchmarks/plot.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr double kMargin = 24;
constexpr double kPanelWidth = 440;
constexpr double kGap = 28;  // between columns
constexpr double kRowGap = 8;
constexpr double kBar = 14;
constexpr double kBarGap = 4;
constexpr double kTitle = 26;  // of a panel
constexpr double kAxis = 30;   // below the bars
constexpr double kFont = 12;
constexpr int kTicks = 4;

double PanelHeight(const BarPanel& panel) {
  return kTitle + static_cast<double>(panel.bars.size()) * (kBar + kBarGap) +
         kAxis;
}

bool IsOurs(const Bar& bar) {
  return bar.look == "ours" || bar.look == "ours2";
}

class Panels {
 public:
  explicit Panels(const BarPlot& plot) : plot_(plot) {
    for (const BarPanel& panel : plot.panels) {
      for (const Bar& bar : panel.bars) {
        label_width_ = std::max(label_width_, TextWidth(bar.label, kFont) + 10);
      }
    }
  }

  std::string Draw() {
    const size_t columns = std::max<size_t>(plot_.columns.size(), 1);
    const absl::Span<const BarPanel> all = plot_.panels;
    double height = Top() + 4;
    for (size_t i = 0; i < all.size(); i += columns) {
      height += RowHeight(all.subspan(i, columns)) + kRowGap;
    }
    const double width = 2 * kMargin +
                         static_cast<double>(columns) * (kPanelWidth + kGap) -
                         kGap;
    Svg svg(width, height, plot_.title);
    Head(svg);
    double y = Top();
    for (size_t i = 0; i < all.size(); i += columns) {
      const absl::Span<const BarPanel> row = all.subspan(i, columns);
      Row(svg, row, y);
      y += RowHeight(row) + kRowGap;
    }
    return svg.Finish();
  }

 private:
  double Top() const {
    return (plot_.subtitle.empty() ? 54 : 74) +
           (plot_.columns.empty() ? 0 : 22);
  }

  static double RowHeight(absl::Span<const BarPanel> row) {
    double height = 0;
    for (const BarPanel& panel : row) {
      height = std::max(height, PanelHeight(panel));
    }
    return height;
  }

  void Head(Svg& svg) const {
    svg.Text(kMargin, 36, plot_.title, {.size = 19, .bold = true});
    if (!plot_.subtitle.empty()) {
      svg.Text(kMargin, 57, plot_.subtitle, {.look = "muted", .size = 13});
    }
    for (size_t i = 0; i < plot_.columns.size(); ++i) {
      svg.Text(Left(i) + label_width_, Top() - 8, plot_.columns[i],
               {.look = "muted", .size = 13, .bold = true});
    }
  }

  static double Left(size_t column) {
    return kMargin + static_cast<double>(column) * (kPanelWidth + kGap);
  }

  void Row(Svg& svg, absl::Span<const BarPanel> row, double y) const {
    double longest = 0;
    for (const BarPanel& panel : row) {
      for (const Bar& bar : panel.bars) longest = std::max(longest, bar.value);
    }
    for (size_t i = 0; i < row.size(); ++i) {
      if (!row[i].bars.empty()) Panel(svg, row[i], longest, Left(i), y);
    }
  }

  void Panel(Svg& svg, const BarPanel& panel, double longest, double left,
             double top) const {
    const double from = left + label_width_;
    // Room for the value behind the longest bar.
    const double to = left + kPanelWidth - 46;
    const double high = Scale::RoundUp(longest, kTicks);
    const Scale x = Scale::Linear(0, high, from, to);
    const double bars_top = top + kTitle;
    const double bottom = top + PanelHeight(panel) - kAxis;
    svg.Text(from, top + 16, panel.title, {.size = 14, .bold = true});
    for (const double tick : x.Ticks(kTicks)) {
      svg.Line(x.At(tick), bars_top - 3, x.At(tick), bottom, "grid");
      const bool last = tick > high * 0.999;
      svg.Text(
          x.At(tick), bottom + 15,
          last ? absl::StrCat(Rounded(tick), " ", plot_.unit) : Rounded(tick),
          {.look = "muted", .size = 11, .anchor = "middle"});
    }
    Bars(svg, panel, x, bars_top);
    svg.Line(from, bars_top - 3, from, bottom, "axis");
  }

  static void Bars(Svg& svg, const BarPanel& panel, const Scale& x, double y) {
    std::vector<Bar> bars = panel.bars;
    std::sort(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) {
      return std::tie(a.value, a.label) < std::tie(b.value, b.label);
    });
    for (const Bar& bar : bars) {
      const bool ours = IsOurs(bar);
      const double base = y + kBar / 2 + kFont * 0.36;
      svg.Text(x.At(0) - 7, base, bar.label,
               {.look = ours ? "ink" : "muted",
                .size = kFont,
                .anchor = "end",
                .bold = ours});
      svg.Rect(x.At(0), y, x.At(bar.value) - x.At(0), kBar, bar.look, 2);
      svg.Text(x.At(bar.value) + 6, base, Rounded(bar.value),
               {.look = ours ? "ink" : "muted", .size = kFont, .bold = ours});
      y += kBar + kBarGap;
    }
  }

  const BarPlot& plot_;
  double label_width_ = 0;
};

}  // namespace

std::string DrawBars(const BarPlot& plot) { return Panels(plot).Draw(); }

}  // namespace ets_keeper::benchmarks
