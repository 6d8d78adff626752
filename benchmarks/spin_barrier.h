// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: spin_barrier.h
// -----------------------------------------------------------------------------
//
// `SpinBarrier` lets nobody on before all threads have arrived; again and
// again. It spins, so that all go on at the same time, and sleeps if that takes
// long.
//
//   SpinBarrier barrier(/*threads=*/2);
//   barrier.Wait();   // in both
//
// Thread safety: it is for threads. Memory ordering: what a thread did before
// it arrived happens before what any does after.

#ifndef BENCHMARKS_SPIN_BARRIER_H_
#define BENCHMARKS_SPIN_BARRIER_H_

#include <atomic>
#include <cstdint>

namespace ets_keeper::benchmarks {

// SpinBarrier
class SpinBarrier {
 public:
  explicit SpinBarrier(int threads) : threads_(threads) {}

  void Wait() {
    const uint64_t round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    for (int spins = 0; spins < kSpins; ++spins) {
      if (round_.load(std::memory_order_acquire) != round) return;
    }
    round_.wait(round, std::memory_order_acquire);
  }

 private:
  static constexpr int kSpins = 1 << 16;

  const int threads_;
  std::atomic<int> arrived_{0};
  std::atomic<uint64_t> round_{0};
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_SPIN_BARRIER_H_
