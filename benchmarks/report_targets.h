// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: report_targets.h
// -----------------------------------------------------------------------------
//
// What the library is to reach, as data: each goal is about figures of one run,
// and nearly always about their ratio to those of somebody else in the same
// run.
//
//   for (const Target& target : Targets(ReportSizes::Full())) {
//     std::cout << target.row << ", " << target.what << "\n";
//   }
//
// Thread safety: ordinary values.
//
// This is the only place where a goal is written down.

#ifndef BENCHMARKS_REPORT_TARGETS_H_
#define BENCHMARKS_REPORT_TARGETS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace ets_keeper::benchmarks {

// ReportSizes
//
// How many rows tables have.
struct ReportSizes {
  uint64_t small = 1'000;
  uint64_t middle = 100'000;
  uint64_t large = 10'000'000;
  uint64_t strings = 2'000'000;  // with rows of strings
  uint64_t ets = 1'000'000;      // beside ETS
  uint64_t lmdb = 100'000;       // beside LMDB
  std::vector<uint64_t> hand_over = {1'000, 100'000, 1'000'000};

  static ReportSizes Full() { return {}; }
  static ReportSizes Quick();
};

// Unit
enum class Unit {
  kRatio,    // our time by theirs: at most the limit
  kSpeedup,  // their time by ours: at least the limit
  kTime,     // nanoseconds: at most the limit
  kBytes,    // at most the limit
};

// Target
//
// One goal of a row of the table of targets.
struct Target {
  std::string row = "";   // such as "find hit, u64 rows"
  std::string what = "";  // such as "10M, 1 thread, by boost"
  Unit unit = Unit::kRatio;
  double limit = 0;

  // The run that counts. "{table}" in it stands for both kinds of memory that a
  // table may live in: each has to reach the goal.
  std::string ours = "";

  // Runs to compare with, of which the fastest counts.
  std::vector<std::string> theirs = {};

  // Runs that are measured beside them and do not count.
  std::vector<std::string> beside = {};

  // Not the time but this counter counts.
  std::string counter = "";

  // Why nothing measures it, if nothing does.
  std::string missing = "";
};

// Targets()
//
// All of them, those of a row together.
[[nodiscard]] std::vector<Target> Targets(const ReportSizes& sizes);

// The two kinds of memory, in order.
inline constexpr const char* kTablePeers[] = {"table_private", "table_memfd"};

// The same without huge pages.
inline constexpr const char* kSmallPagesPeers[] = {"table_private_4k",
                                                   "table_memfd_4k"};

// The table in private memory over a core whose crash-atomicity is compiled
// out.
inline constexpr char kNotAtomicPeer[] = "not_atomic_private";

// A map that has room for 262'144 rows from the beginning.
inline constexpr char kSizedPeer[] = "libcuckoo_sized";

// OurRuns()
//
// The runs that have to reach the goal: none, one, or one of each memory.
[[nodiscard]] std::vector<std::string> OurRuns(const Target& target);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_REPORT_TARGETS_H_
