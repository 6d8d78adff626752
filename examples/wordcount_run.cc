// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "examples/wordcount_run.h"

#include <algorithm>
#include <cstdint>

#include "absl/numeric/int128.h"
#include "examples/wordcount_counter.h"

namespace ets_keeper::examples {
namespace {

// A share is read in about as many blocks, if they are neither tiny nor large.
constexpr uint64_t kBlocksPerShare = 16;
constexpr uint64_t kMinBlock = 16;
constexpr uint64_t kMaxBlock = 64 << 10;

}  // namespace

uint64_t KillPlan::Share(int index) const {
  return static_cast<uint64_t>(absl::uint128(bytes_) * index / (kills_ + 1));
}

CountJob KillPlan::Job(int index) const {
  const uint64_t share = Share(index + 1) - Share(index);
  CountJob job;
  job.block_bytes = std::clamp(share / kBlocksPerShare, kMinBlock, kMaxBlock);
  if (index < kills_) job.gate = Share(index + 1);
  return job;
}

uint64_t KillPlan::Target(int index) {
  return Share(index) + Random(Share(index + 1) - Share(index));
}

}  // namespace ets_keeper::examples
