// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_verdict.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "benchmarks/figures.h"
#include "benchmarks/plot.h"
#include "benchmarks/report_targets.h"

namespace ets_keeper::benchmarks {
namespace {

// Why there are no figures of some runs: whose, by the reason.
class Reasons {
 public:
  Reasons(const Figures& figures, const MissingByName& missing)
      : figures_(figures), missing_(missing) {}

  void Add(const std::string& run) {
    const std::string peer = PeerOf(run);
    peers_[ReasonOf(run, peer)].push_back(peer);
  }

  std::string ToString() const {
    std::vector<std::string> texts;
    for (const auto& [reason, peers] : peers_) {
      texts.push_back(absl::StrCat(absl::StrJoin(peers, ", "), ": ", reason));
    }
    return absl::StrJoin(texts, "; ");
  }

 private:
  std::string ReasonOf(const std::string& run, const std::string& peer) const {
    if (const std::string error = figures_.Error(run); !error.empty()) {
      return absl::StrCat("failed, ", error);
    }
    const auto it = missing_.find(peer);
    if (it == missing_.end()) return "not run";
    return absl::StrCat("not there; to get it: ", it->second);
  }

  const Figures& figures_;
  const MissingByName& missing_;
  std::map<std::string, std::vector<std::string>> peers_;
};

// The fastest, or empty; the reasons why others were not measured go to
// `why_not`.
std::string BestOf(const std::vector<std::string>& runs,
                   const std::string& counter, const Figures& figures,
                   Reasons& why_not) {
  std::string best;
  double least = 0;
  for (const std::string& run : runs) {
    const std::optional<Sample> sample = figures.Value(run, counter);
    if (!sample.has_value()) {
      why_not.Add(run);
    } else if (best.empty() || sample->median < least) {
      best = run;
      least = sample->median;
    }
  }
  return best;
}

// Nothing if our run, or that of the rival, was not measured.
std::optional<double> FigureOf(const Target& target, const Figures& figures,
                               const std::string& ours,
                               const std::string& rival) {
  switch (target.unit) {
    case Unit::kRatio:
      return figures.Ratio(ours, rival, target.counter);
    case Unit::kSpeedup:
      return figures.Ratio(rival, ours, target.counter);
    case Unit::kTime:
    case Unit::kBytes:
      break;
  }
  const std::optional<Sample> sample = figures.Value(ours, target.counter);
  if (!sample.has_value() || !(sample->median > 0)) return std::nullopt;
  return sample->median;
}

double RatioToGoal(const Target& target, double figure) {
  return target.unit == Unit::kSpeedup ? target.limit / figure
                                       : figure / target.limit;
}

}  // namespace

std::string PeerOf(const std::string& run) {
  const std::vector<std::string> parts = absl::StrSplit(run, '/');
  if (parts.size() < 2) return run;
  // What has no peers goes by its own name.
  if (parts[0] == "limit" || parts[0] == "hand_over") return parts[0];
  return parts[parts.size() - 2];
}

Outcome Judge(const Target& target, const Figures& figures,
              const MissingByName& missing) {
  Outcome outcome;
  if (!target.missing.empty()) {
    outcome.why = target.missing;
    return outcome;
  }
  Reasons why_not(figures, missing);
  const std::string rival =
      BestOf(target.theirs, target.counter, figures, why_not);
  outcome.why = why_not.ToString();
  if (!target.theirs.empty() && rival.empty()) return outcome;
  if (!rival.empty()) outcome.rival = PeerOf(rival);
  for (const std::string& run : OurRuns(target)) {
    const std::optional<double> figure = FigureOf(target, figures, run, rival);
    if (!figure.has_value()) {
      Reasons why(figures, missing);
      why.Add(run);
      return {.why = why.ToString()};
    }
    outcome.figures.push_back(*figure);
    outcome.ratio_to_goal =
        std::max(outcome.ratio_to_goal, RatioToGoal(target, *figure));
  }
  outcome.verdict =
      outcome.ratio_to_goal <= 1 ? Verdict::kReached : Verdict::kMissed;
  return outcome;
}

std::string FigureText(Unit unit, double figure) {
  switch (unit) {
    case Unit::kRatio:
    case Unit::kSpeedup:
      return absl::StrCat(Rounded(figure), "x");
    case Unit::kTime:
      return Time(figure);
    case Unit::kBytes:
      return absl::StrCat(Rounded(figure), " B");
  }
  return Rounded(figure);
}

std::string GoalText(const Target& target) {
  return absl::StrCat(target.unit == Unit::kSpeedup ? "at least " : "at most ",
                      FigureText(target.unit, target.limit));
}

std::string VerdictText(const Outcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::kReached:
      return outcome.why.empty() ? "reached"
                                 : absl::StrCat("reached (", outcome.why, ")");
    case Verdict::kMissed:
      return outcome.why.empty() ? "missed"
                                 : absl::StrCat("missed (", outcome.why, ")");
    case Verdict::kNotMeasured:
      return absl::StrCat("not measured: ", outcome.why);
  }
  return "";
}

}  // namespace ets_keeper::benchmarks
