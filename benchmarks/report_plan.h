// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: report_plan.h
// -----------------------------------------------------------------------------
//
// What the report measures: groups of runs that are compared with each other,
// and are therefore taken in turns.
//
//   for (const Group& group : PlanOf(Targets(sizes), sizes)) {
//     std::cout << group.ToString() << "\n";   // find_hit u64 10M uniform, ...
//   }
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_REPORT_PLAN_H_
#define BENCHMARKS_REPORT_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/figures.h"
#include "benchmarks/report_targets.h"

namespace ets_keeper::benchmarks {

// kRepetitions
//
// Of all that goals are about: of two runs that are compared, each has a
// partner. A few percent are to be seen, on a machine that is not there for
// this alone.
inline constexpr int kRepetitions = 6;

// Group
//
// The same operation on the same rows by the same number of threads.
struct Group {
  RunName run = {};  // of no peer

  // Who takes part: these, and if it says so all other maps that are plotted.
  std::vector<std::string> peers = {};
  bool all_maps = false;

  int repetitions = 1;

  // Whether the peer is one of `peers`.
  [[nodiscard]] bool Names(const std::string& peer) const;

  [[nodiscard]] std::string ToString() const;
};

// PlanOf()
//
// All groups that the targets and the plots want. Of large tables every map is
// measured, of others those that a target names.
[[nodiscard]] std::vector<Group> PlanOf(const std::vector<Target>& targets,
                                        const ReportSizes& sizes);

// MemorySizes()
//
// The sizes whose bytes per entry are plotted, least first: the targets' own
// and some between.
[[nodiscard]] std::vector<uint64_t> MemorySizes(const ReportSizes& sizes);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_REPORT_PLAN_H_
