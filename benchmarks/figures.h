// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: figures.h
// -----------------------------------------------------------------------------
//
// `Figures`: what has been measured, by name, each several times.
//
//   Figures figures;
//   figures.Add("find_hit/u64/1000/uniform/table_private/threads:1", 12.5, {});
//   std::optional<Figure> figure = figures.Find(
//       RunName{.op = "find_hit", .rows = 1000, .peer = "table_private"});
//   figure->time.median;   // 12.5
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_FIGURES_H_
#define BENCHMARKS_FIGURES_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {

// RunName
//
// The name of a run of a map: op/row/rows/distribution/peer/threads:n.
struct RunName {
  std::string op = "";
  std::string row = "u64";
  uint64_t rows = 0;
  std::string distribution = "uniform";
  std::string peer = "";
  int threads = 1;

  [[nodiscard]] std::string ToString() const;

  friend auto operator<=>(const RunName&, const RunName&) = default;
};

// ParseRunName()
//
// Nothing if it is the name of something else.
[[nodiscard]] std::optional<RunName> ParseRunName(absl::string_view name);

// Sample
//
// Several measurements of one thing.
struct Sample {
  double median = 0;
  double low = 0;  // the least
  double high = 0;
  int count = 0;

  friend bool operator==(const Sample&, const Sample&) = default;
};

// SampleOf()
//
// Of an even number of values the median is the mean of the middle two. There
// is at least one.
[[nodiscard]] Sample SampleOf(std::vector<double> values);

// Figure
struct Figure {
  Sample time;  // nanoseconds an operation
  std::map<std::string, Sample> counters;

  friend bool operator==(const Figure&, const Figure&) = default;
};

// Figures
class Figures {
 public:
  // One repetition. `ns` by operation, and what else was counted.
  void Add(const std::string& name, double ns,
           const std::map<std::string, double>& counters);

  // One that failed. The first reason is kept.
  void AddError(const std::string& name, const std::string& why);

  // Nothing if it was not measured, or if a repetition failed.
  [[nodiscard]] std::optional<Figure> Find(const std::string& name) const;
  [[nodiscard]] std::optional<Figure> Find(const RunName& name) const {
    return Find(name.ToString());
  }

  // Figures::Value()
  //
  // Of a counter, or with an empty `counter` of the time.
  [[nodiscard]] std::optional<Sample> Value(const std::string& name,
                                            const std::string& counter) const;

  // Figures::Ratio()
  //
  // The median of the ratios of each repetition of the one run to that of the
  // other which took turns with it: what slows the machine down for a while
  // slows both. Nothing if one was not measured, or took no time.
  [[nodiscard]] std::optional<double> Ratio(const std::string& name,
                                            const std::string& to,
                                            const std::string& counter) const;

  // Why it failed; empty if it did not.
  [[nodiscard]] std::string Error(const std::string& name) const;

  // What was measured, in order of names.
  [[nodiscard]] std::vector<std::string> Names() const;

 private:
  struct Measured {
    std::vector<double> ns;
    std::map<std::string, std::vector<double>> counters;
    std::string error;
  };

  // Of all repetitions; none if one of them failed.
  [[nodiscard]] std::vector<double> Values(const std::string& name,
                                           const std::string& counter) const;

  std::map<std::string, Measured> measured_;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_FIGURES_H_
