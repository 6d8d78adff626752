// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/figures.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace ets_keeper::benchmarks {

std::string RunName::ToString() const {
  return absl::StrCat(op, "/", row, "/", rows, "/", distribution, "/", peer,
                      "/threads:", threads);
}

std::optional<RunName> ParseRunName(absl::string_view name) {
  const std::vector<absl::string_view> words = absl::StrSplit(name, '/');
  RunName run;
  if (words.size() != 6 || !absl::SimpleAtoi(words[2], &run.rows)) return {};
  absl::string_view threads = words[5];
  if (!absl::ConsumePrefix(&threads, "threads:") ||
      !absl::SimpleAtoi(threads, &run.threads)) {
    return {};
  }
  run.op = std::string(words[0]);
  run.row = std::string(words[1]);
  run.distribution = std::string(words[3]);
  run.peer = std::string(words[4]);
  return run;
}

Sample SampleOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1
                            ? values[middle]
                            : (values[middle - 1] + values[middle]) / 2;
  return {.median = median,
          .low = values.front(),
          .high = values.back(),
          .count = static_cast<int>(values.size())};
}

void Figures::Add(const std::string& name, double ns,
                  const std::map<std::string, double>& counters) {
  Measured& measured = measured_[name];
  measured.ns.push_back(ns);
  for (const auto& [counter, value] : counters) {
    measured.counters[counter].push_back(value);
  }
}

void Figures::AddError(const std::string& name, const std::string& why) {
  std::string& error = measured_[name].error;
  if (error.empty()) error = why.empty() ? "it failed" : why;
}

std::optional<Figure> Figures::Find(const std::string& name) const {
  const auto it = measured_.find(name);
  if (it == measured_.end() || !it->second.error.empty()) return std::nullopt;
  Figure figure = {.time = SampleOf(it->second.ns), .counters = {}};
  for (const auto& [counter, values] : it->second.counters) {
    figure.counters[counter] = SampleOf(values);
  }
  return figure;
}

std::vector<double> Figures::Values(const std::string& name,
                                    const std::string& counter) const {
  const auto it = measured_.find(name);
  if (it == measured_.end() || !it->second.error.empty()) return {};
  if (counter.empty()) return it->second.ns;
  const auto values = it->second.counters.find(counter);
  return values == it->second.counters.end() ? std::vector<double>()
                                             : values->second;
}

std::optional<Sample> Figures::Value(const std::string& name,
                                     const std::string& counter) const {
  std::vector<double> values = Values(name, counter);
  if (values.empty()) return std::nullopt;
  return SampleOf(std::move(values));
}

std::optional<double> Figures::Ratio(const std::string& name,
                                     const std::string& to,
                                     const std::string& counter) const {
  const std::vector<double> ours = Values(name, counter);
  const std::vector<double> theirs = Values(to, counter);
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    if (!(ours[i] > 0 && theirs[i] > 0)) return std::nullopt;
    ratios.push_back(ours[i] / theirs[i]);
  }
  if (ratios.empty()) return std::nullopt;
  return SampleOf(std::move(ratios)).median;
}

std::string Figures::Error(const std::string& name) const {
  const auto it = measured_.find(name);
  return it == measured_.end() ? "" : it->second.error;
}

std::vector<std::string> Figures::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, measured] : measured_) {
    if (measured.error.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace ets_keeper::benchmarks
