// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/spin_barrier.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

TEST(SpinBarrierTest, NobodyPassesAlone) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 200;
  SpinBarrier barrier(kThreads);
  std::atomic<int> arrived{0};
  std::atomic<bool> good{true};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int round = 1; round <= kRounds; ++round) {
        ++arrived;
        barrier.Wait();
        if (arrived < round * kThreads) good = false;
        barrier.Wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
