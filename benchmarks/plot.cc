// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/plot.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr char kStyle[] = R"(<style>
text{font-family:system-ui,"Segoe UI",Arial,"DejaVu Sans",sans-serif}
.surface{fill:#fff}.ink{fill:#1f2328}.muted{fill:#59636e}
.grid{stroke:#dfe3e8;stroke-width:1}.axis{stroke:#8b949e;stroke-width:1}
.goal{stroke:#1f2328;stroke-width:1.5;stroke-dasharray:5 4}
.ours{fill:#0072b2}.ours2{fill:#56a8dc}.peer{fill:#b6bec8}.ceiling{fill:#e3e7ec}
.good{fill:#0072b2}.bad{fill:#d55e00}.band{fill:#0072b2;opacity:.07}
.faint{opacity:.45}
path{stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
path.s0,path.s1{stroke-width:3.5}
path.s0,path.s1,path.s2,path.s3,path.s4,path.s5,path.s6,path.s7{fill:none}
path.s0{stroke:#0072b2}path.s1{stroke:#56a8dc}path.s2{stroke:#d55e00}
path.s3{stroke:#00875f}path.s4{stroke:#b4599a}path.s5{stroke:#b8860b}
path.s6{stroke:#6e7781}path.s7{stroke:#99582a}
.s0{fill:#0072b2}.s1{fill:#3c93cc}.s2{fill:#c45500}.s3{fill:#00775a}
.s4{fill:#a8508f}.s5{fill:#94690a}.s6{fill:#59636e}.s7{fill:#87481f}
@media (prefers-color-scheme:dark){
.surface{fill:#0d1117}.ink{fill:#e6edf3}.muted{fill:#9aa4af}
.grid{stroke:#262c34}.axis{stroke:#6e7681}.goal{stroke:#e6edf3}
.ours{fill:#3ea1e6}.ours2{fill:#1f6fa8}.peer{fill:#5b6672}.ceiling{fill:#343c46}
.good{fill:#3ea1e6}.bad{fill:#f0883e}.band{fill:#3ea1e6;opacity:.1}
path.s0{stroke:#3ea1e6}path.s1{stroke:#1f78b8}path.s2{stroke:#f0883e}
path.s3{stroke:#2fbf8f}path.s4{stroke:#d98cc0}path.s5{stroke:#e0b040}
path.s6{stroke:#9aa4af}path.s7{stroke:#c98a5a}
.s0{fill:#58b2f0}.s1{fill:#3d96d6}.s2{fill:#f0883e}.s3{fill:#2fbf8f}
.s4{fill:#d98cc0}.s5{fill:#e0b040}.s6{fill:#9aa4af}.s7{fill:#c98a5a}
}
</style>
)";

// Pixels need no more.
std::string Number(double value) {
  return absl::StrFormat("%.4g", std::round(value * 10) / 10);
}

std::string Trimmed(std::string number) {
  if (number.find('.') == std::string::npos) return number;
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return number;
}

// 1, 2 or 5 times a power of ten, such that about `count` of them make `span`.
double Step(double span, int count) {
  const double raw = span / count;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1, 2, 5}) {
    if (raw <= factor * power * 1.0001) return factor * power;
  }
  return 10 * power;
}

}  // namespace

std::string EscapeXml(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' || c == '\n') escaped += c;
    }
  }
  return escaped;
}

double TextWidth(absl::string_view text, double size) {
  double ems = 0;
  for (const unsigned char c : text) {
    if ((c & 0xc0) == 0x80) continue;  // goes on with a character of UTF-8
    if (absl::string_view("iljtf.,:;|'!()[] ").find(static_cast<char>(c)) !=
        absl::string_view::npos) {
      ems += 0.38;
    } else {
      ems += c == 'm' || c == 'w' || (c >= 'A' && c <= 'Z') ? 0.86 : 0.63;
    }
  }
  return ems * size;
}

std::string Rounded(double value) {
  if (value == 0) return "0";
  const int digits =
      2 - static_cast<int>(std::floor(std::log10(std::abs(value))));
  if (digits <= 0) return absl::StrFormat("%.0f", value);
  return Trimmed(absl::StrFormat("%.*f", std::min(digits, 9), value));
}

std::string Time(double ns) {
  constexpr std::pair<double, const char*> kUnits[] = {
      {1e9, " s"}, {1e6, " ms"}, {1e3, " µs"}};
  for (const auto& [unit, name] : kUnits) {
    if (std::abs(ns) >= unit * 0.9995) return Rounded(ns / unit) + name;
  }
  return Rounded(ns) + " ns";
}

std::string Count(double count) {
  if (count >= 1e6) return Rounded(count / 1e6) + "M";
  if (count >= 1e3) return Rounded(count / 1e3) + "k";
  return Rounded(count);
}

Scale Scale::Linear(double low, double high, double from, double to) {
  return Scale(false, low, std::max(high, low + 1e-9), from, to);
}

Scale Scale::Log(double low, double high, double from, double to) {
  return Scale(true, low, std::max(high, low * 1.000001), from, to);
}

double Scale::At(double value) const {
  const double clamped = std::clamp(value, low_, high_);
  const double part = log_ ? std::log(clamped / low_) / std::log(high_ / low_)
                           : (clamped - low_) / (high_ - low_);
  return from_ + part * (to_ - from_);
}

std::vector<double> Scale::Ticks(int count) const {
  std::vector<double> ticks;
  const double slack = 1e-6;
  if (!log_) {
    const double step = Step(high_ - low_, count);
    for (double i = std::ceil(low_ / step - slack);
         i * step <= high_ + step * slack; ++i) {
      ticks.push_back(i * step);
    }
    return ticks;
  }
  const bool long_range = high_ / low_ >= 100;
  for (double power = std::pow(10, std::floor(std::log10(low_)));
       power <= high_ * (1 + slack); power *= 10) {
    for (const double factor : {1, 2, 5}) {
      const double tick = factor * power;
      if (factor > 1 && long_range) break;
      if (tick < low_ * (1 - slack) || tick > high_ * (1 + slack)) continue;
      ticks.push_back(tick);
    }
  }
  return ticks;
}

double Scale::RoundUp(double value, int count) {
  if (!(value > 0)) return 1;
  const double step = Step(value, count);
  return std::ceil(value / step - 1e-6) * step;
}

Svg::Svg(double width, double height, absl::string_view title) {
  head_ = absl::StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"",
                       Number(width), "\" height=\"", Number(height),
                       "\" viewBox=\"0 0 ", Number(width), " ", Number(height),
                       "\" role=\"img\">\n<title>", EscapeXml(title),
                       "</title>\n", kStyle);
  Rect(0, 0, width, height, "surface", 8);
}

void Svg::Rect(double x, double y, double width, double height,
               absl::string_view look, double radius) {
  absl::StrAppend(&body_, "<rect x=\"", Number(x), "\" y=\"", Number(y),
                  "\" width=\"", Number(std::max(width, 0.0)), "\" height=\"",
                  Number(std::max(height, 0.0)), "\"");
  if (radius > 0) absl::StrAppend(&body_, " rx=\"", Number(radius), "\"");
  absl::StrAppend(&body_, " class=\"", EscapeXml(look), "\"/>\n");
}

void Svg::Line(double x1, double y1, double x2, double y2,
               absl::string_view look) {
  absl::StrAppend(&body_, "<line x1=\"", Number(x1), "\" y1=\"", Number(y1),
                  "\" x2=\"", Number(x2), "\" y2=\"", Number(y2), "\" class=\"",
                  EscapeXml(look), "\"/>\n");
}

void Svg::Path(const std::vector<std::pair<double, double>>& points,
               absl::string_view look) {
  absl::StrAppend(&body_, "<path d=\"");
  const char* command = "M";
  for (const auto& [x, y] : points) {
    absl::StrAppend(&body_, command, Number(x), " ", Number(y));
    command = "L";
  }
  absl::StrAppend(&body_, "\" class=\"", EscapeXml(look), "\"/>\n");
}

void Svg::Circle(double x, double y, double radius, absl::string_view look) {
  absl::StrAppend(&body_, "<circle cx=\"", Number(x), "\" cy=\"", Number(y),
                  "\" r=\"", Number(radius), "\" class=\"", EscapeXml(look),
                  "\"/>\n");
}

void Svg::Diamond(double x, double y, double radius, absl::string_view look) {
  absl::StrAppend(&body_, "<polygon points=\"", Number(x - radius), ",",
                  Number(y), " ", Number(x), ",", Number(y - radius), " ",
                  Number(x + radius), ",", Number(y), " ", Number(x), ",",
                  Number(y + radius), "\" class=\"", EscapeXml(look), "\"/>\n");
}

void Svg::Text(double x, double y, absl::string_view text,
               const TextStyle& style) {
  absl::StrAppend(&body_, "<text x=\"", Number(x), "\" y=\"", Number(y),
                  "\" font-size=\"", Number(style.size), "\" class=\"",
                  EscapeXml(style.look), "\"");
  if (style.anchor != "start") {
    absl::StrAppend(&body_, " text-anchor=\"", EscapeXml(style.anchor), "\"");
  }
  if (style.bold) absl::StrAppend(&body_, " font-weight=\"600\"");
  if (style.turn != 0) {
    absl::StrAppend(&body_, " transform=\"rotate(", Number(style.turn), " ",
                    Number(x), " ", Number(y), ")\"");
  }
  absl::StrAppend(&body_, ">", EscapeXml(text), "</text>\n");
}

std::string Svg::Finish() const {
  return absl::StrCat(head_, body_, "</svg>\n");
}

}  // namespace ets_keeper::benchmarks
