// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "examples/wordcount_run.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace ets_keeper::examples {
namespace {

TEST(KillPlanTest, EveryCounterHasAShareAndIsKilledInIt) {
  for (const uint64_t bytes :
       {uint64_t{0}, uint64_t{7}, uint64_t{1000}, uint64_t{1} << 60}) {
    KillPlan plan(bytes, {.kills = 9, .seed = 1});
    uint64_t begin = 0;
    for (int i = 0; i < 9; ++i) {
      const CountJob job = plan.Job(i);
      EXPECT_GT(job.block_bytes, 0u);
      EXPECT_LE(job.gate, bytes);
      const uint64_t target = plan.Target(i);
      EXPECT_GE(target, begin);
      EXPECT_LE(target, job.gate) << "it would never come there";
      begin = job.gate;
    }
    EXPECT_EQ(plan.Job(9).gate, std::numeric_limits<uint64_t>::max())
        << "the last one is not stopped";
  }
}

TEST(KillPlanTest, TheSameSeedGivesTheSamePlan) {
  KillPlan a(1000, {.kills = 3, .seed = 5}), b(1000, {.kills = 3, .seed = 5});
  for (int i = 0; i <= 3; ++i) EXPECT_EQ(a.Target(i), b.Target(i));
  EXPECT_EQ(a.Random(1000), b.Random(1000));
}

}  // namespace
}  // namespace ets_keeper::examples
