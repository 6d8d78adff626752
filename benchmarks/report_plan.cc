// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_plan.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/figures.h"
#include "benchmarks/plot.h"
#include "benchmarks/report_targets.h"

namespace ets_keeper::benchmarks {
namespace {

bool IsLarge(const RunName& run, const ReportSizes& sizes) {
  return run.rows == (run.row == "str16" ? sizes.strings : sizes.large);
}

// Groups in the order in which they are first asked for.
class Plan {
 public:
  explicit Plan(const ReportSizes& sizes) : sizes_(sizes) {}

  void Add(RunName run) {
    std::string peer = std::exchange(run.peer, "");
    Group& group = GroupOf(run);
    if (!group.Names(peer)) group.peers.push_back(std::move(peer));
  }

  // All peers, once: for a counter and not for a time.
  void AddOnce(const RunName& run) {
    Group& group = GroupOf(run);
    group.all_maps = true;
    if (group.repetitions == 0) group.repetitions = 1;
  }

  // Of what has been added so far.
  void SetRepetitions() {
    for (Group& group : groups_) {
      group.all_maps = IsLarge(group.run, sizes_);
      group.repetitions = kRepetitions;
    }
  }

  std::vector<Group> Take() { return std::move(groups_); }

 private:
  Group& GroupOf(const RunName& run) {
    for (Group& group : groups_) {
      if (group.run == run) return group;
    }
    groups_.push_back({.run = run, .repetitions = 0});
    return groups_.back();
  }

  const ReportSizes sizes_;
  std::vector<Group> groups_;
};

}  // namespace

bool Group::Names(const std::string& peer) const {
  return std::find(peers.begin(), peers.end(), peer) != peers.end();
}

std::string Group::ToString() const {
  return absl::StrCat(run.op, " ", run.row, " ",
                      Count(static_cast<double>(run.rows)), " ",
                      run.distribution, ", ", run.threads,
                      run.threads == 1 ? " thread" : " threads");
}

std::vector<Group> PlanOf(const std::vector<Target>& targets,
                          const ReportSizes& sizes) {
  Plan plan(sizes);
  for (const Target& target : targets) {
    std::vector<std::string> runs = OurRuns(target);
    for (const auto* others : {&target.theirs, &target.beside}) {
      runs.insert(runs.end(), others->begin(), others->end());
    }
    for (const std::string& name : runs) {
      if (const std::optional<RunName> run = ParseRunName(name)) {
        plan.Add(*run);
      }
    }
  }
  plan.SetRepetitions();
  for (const uint64_t rows : MemorySizes(sizes)) {
    plan.AddOnce({.op = "insert", .rows = rows});
  }
  return plan.Take();
}

std::vector<uint64_t> MemorySizes(const ReportSizes& sizes) {
  std::set<uint64_t> all = {sizes.small, sizes.middle, sizes.large};
  for (uint64_t rows = 4 * sizes.small; rows <= sizes.large / 8; rows *= 4) {
    all.insert(rows);
  }
  return {all.begin(), all.end()};
}

}  // namespace ets_keeper::benchmarks
