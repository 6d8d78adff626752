// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hand_over.h
// -----------------------------------------------------------------------------
//
// How long a table is without an owner when its OS process is killed: from the
// moment that the dead owner's pidfd is readable, which is when the kernel lets
// anybody know, until the next owner has read a row.
//
//   absl::StatusOr<std::unique_ptr<HandOver>> hand_over = HandOver::Start();
//   absl::StatusOr<HandOver::Time> time = (*hand_over)->Once(1000000);
//
// There are three OS processes: the keeper; an owner, which is killed; and this
// one, which stands in line.
//
// Thread safety: one thread at a time.

#ifndef BENCHMARKS_HAND_OVER_H_
#define BENCHMARKS_HAND_OVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protets/keeper_process.h"

namespace ets_keeper::benchmarks {

// HandOver
class HandOver {
 public:
  // HandOver::Start()
  //
  // Starts a keeper.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<HandOver>> Start();

  // How long it took; too long rather than too short if that is not known
  // exactly.
  struct Time {
    absl::Duration time;
    bool is_exact = false;  // to 10 µs
  };

  // HandOver::Once()
  //
  // Has a table of so many rows, kills its owner, and takes it over.
  [[nodiscard]] absl::StatusOr<Time> Once(uint64_t rows);

 private:
  HandOver(protets::KeeperProcess keeper, std::string owner_binary);

  const protets::KeeperProcess keeper_;
  const std::string owner_binary_;
};

// RegisterHandOverBenchmarks()
//
// hand_over/<rows>: the median of `times` hand-overs whose time is exact, and
// the longest of them as the counter `max_ns`. `hand_over` must outlive the
// runs.
void RegisterHandOverBenchmarks(HandOver& hand_over,
                                const std::vector<uint64_t>& sizes,
                                int times = 20);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_HAND_OVER_H_
