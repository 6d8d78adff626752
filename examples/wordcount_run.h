// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: wordcount_run.h
// -----------------------------------------------------------------------------
//
// The two ways to count words while the counter is being killed:
//
//   CountWhileKilled()    the counter is an OS process that gets SIGKILL; the
//                         keeper holds the table
//   CountWhileThrowing()  the counter is a lightweight process that throws; the
//                         table is in this OS process
//
// In both the input is dealt to the counters in equal shares, one more than
// there are kills. A counter is killed a random time after it came to a random
// point of its share; it stops at the end of the share until it is killed. So
// every kill happens while there is something left to count, however small the
// input is and however fast the machine.

#ifndef EXAMPLES_WORDCOUNT_RUN_H_
#define EXAMPLES_WORDCOUNT_RUN_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/input_file.h"
#include "examples/wordcount_counter.h"

namespace ets_keeper::examples {

// RunOptions
struct RunOptions {
  int kills = 0;
  uint64_t seed = 0;
  std::string keeper = "";  // the socket of the keeper
};

// RunResult
struct RunResult {
  Tally tally;
  int kills = 0;

  // From the kill to the next counter's first read of the table.
  std::vector<absl::Duration> hand_overs;
};

// Told how far counting has come, and how many kills there were.
using OnProgress = absl::FunctionRef<void(uint64_t position, int kills)>;

// CountWhileKilled()
//
// One at a time for a keeper: an error if another process is at it. A
// `kCancelled` error if the user wants to stop (SIGINT, SIGTERM, SIGHUP).
[[nodiscard]] absl::StatusOr<RunResult> CountWhileKilled(
    const InputFile& input, const RunOptions& options, OnProgress on_progress);

// CountWhileThrowing()
[[nodiscard]] absl::StatusOr<RunResult> CountWhileThrowing(
    const InputFile& input, const RunOptions& options, OnProgress on_progress);

// KillPlan
//
// What becomes of one counter after the other.
class KillPlan {
 public:
  KillPlan(uint64_t input_bytes, const RunOptions& options)
      : bytes_(input_bytes), kills_(options.kills), random_(options.seed) {}

  // The job of the counter number `index`, which begins with 0.
  CountJob Job(int index) const;

  // Where it is to be killed: within its share.
  uint64_t Target(int index);

  // A number up to `most`.
  uint64_t Random(uint64_t most) {
    return std::uniform_int_distribution<uint64_t>(0, most)(random_);
  }

 private:
  // The beginning of the share number `index`.
  uint64_t Share(int index) const;

  const uint64_t bytes_;
  const int kills_;
  std::mt19937_64 random_;
};

}  // namespace ets_keeper::examples

#endif  // EXAMPLES_WORDCOUNT_RUN_H_
