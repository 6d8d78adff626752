// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: latency.h
// -----------------------------------------------------------------------------
//
// How long single operations take: half of them, 99 %, 99.9 %, and the longest;
// and the longest that is as long whenever the same is done again.
//
//   Latencies latencies;
//   for (...) latencies.Time([&] { peer.Insert(key, value); });
//   double longest_ns = latencies.Summarize().max_ns;
//
// The processor's time-stamp counter is read before and after, and nothing is
// moved across: an operation is measured alone, without the next one's
// overlapping it, and with the 10 to 20 ns that reading the counter takes. What
// interrupts the thread, the kernel or a hypervisor, is in the figures; but not
// in that of `RepeatingLatency`.
//
// Thread safety: one thread at a time.

#ifndef BENCHMARKS_LATENCY_H_
#define BENCHMARKS_LATENCY_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace ets_keeper::benchmarks {

// Ticks()
//
// A point in time, in ticks of `NanosecondsPerTick()`.
[[nodiscard]] inline uint64_t Ticks() {
#if defined(__x86_64__)
  _mm_lfence();
  const uint64_t ticks = __rdtsc();
  _mm_lfence();
  return ticks;
#else
  return static_cast<uint64_t>(
      std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

// NanosecondsPerTick()
//
// Found out at the first call, which takes 20 ms.
[[nodiscard]] inline double NanosecondsPerTick() {
#if defined(__x86_64__)
  static const double result = [] {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    const uint64_t begin_ticks = Ticks();
    while (Clock::now() - begin < std::chrono::milliseconds(20)) {
    }
    const std::chrono::duration<double, std::nano> time = Clock::now() - begin;
    return time.count() / static_cast<double>(Ticks() - begin_ticks);
  }();
  return result;
#else
  using Period = std::chrono::steady_clock::period;
  return 1e9 * Period::num / Period::den;
#endif
}

// LatencySummary
//
// The time below which so many of the operations stay; all 0 if there are none.
struct LatencySummary {
  double p50_ns = 0;
  double p99_ns = 0;
  double p999_ns = 0;
  double max_ns = 0;
};

// Latencies
class Latencies {
 public:
  void Reserve(size_t operations) { ticks_.reserve(operations); }

  template <typename Operation>
  void Time(const Operation& operation) {
    const uint64_t begin = Ticks();
    operation();
    Add(Ticks() - begin);
  }

  void Add(uint64_t ticks) {
    constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
    ticks_.push_back(static_cast<uint32_t>(std::min(ticks, kMax)));
  }

  // In the order in which they were added, until they are summarized.
  [[nodiscard]] const std::vector<uint32_t>& ticks() const { return ticks_; }

  // Those of another thread.
  void Add(const Latencies& others) {
    ticks_.insert(ticks_.end(), others.ticks_.begin(), others.ticks_.end());
  }

  // Latencies::Summarize()
  //
  // O(operations).
  [[nodiscard]] LatencySummary Summarize() {
    if (ticks_.empty()) return {};
    return {.p50_ns = Quantile(0.5),
            .p99_ns = Quantile(0.99),
            .p999_ns = Quantile(0.999),
            .max_ns = Quantile(1)};
  }

 private:
  double Quantile(double part) {
    const size_t index = std::min(
        ticks_.size() - 1,
        static_cast<size_t>(part * static_cast<double>(ticks_.size())));
    const auto nth = ticks_.begin() + static_cast<ptrdiff_t>(index);
    std::nth_element(ticks_.begin(), nth, ticks_.end());
    return *nth * NanosecondsPerTick();
  }

  std::vector<uint32_t> ticks_;
};

// RepeatingLatency
//
// The longest that operations take in every one of several runs of them. What
// interrupts a thread does so at random moments. What an operation has to do
// itself, such as to move all rows to where there is more room, it has to do at
// the same place of every run. So of each window, a few operations one after
// the other, the longest counts, and of that the least of all runs.
//
//   RepeatingLatency repeating(/*window=*/64);
//   for (...) repeating.AddRun({latencies_of_one_thread, of_another});
//   double longest_ns = repeating.max_ns();
//
// Threads have to begin each window together. Which of them finds work that
// comes with a number of rows, and at which of its operations, is chance; the
// window in which they find it is not.
class RepeatingLatency {
 public:
  explicit RepeatingLatency(size_t window) : window_(window) {}

  // RepeatingLatency::AddRun()
  //
  // The latencies of each thread, not yet summarized. O(operations).
  void AddRun(const std::vector<Latencies>& threads) {
    std::vector<uint32_t> longest;
    for (const Latencies& thread : threads) {
      const std::vector<uint32_t>& ticks = thread.ticks();
      longest.resize(std::max(longest.size(), Windows(ticks.size())));
      for (size_t i = 0; i < ticks.size(); ++i) {
        uint32_t& of_window = longest[i / window_];
        of_window = std::max(of_window, ticks[i]);
      }
    }
    if (runs_++ == 0) least_ = longest;
    least_.resize(std::min(least_.size(), longest.size()));
    for (size_t i = 0; i < least_.size(); ++i) {
      least_[i] = std::min(least_[i], longest[i]);
    }
  }

  [[nodiscard]] int runs() const { return runs_; }

  // RepeatingLatency::max_ns()
  //
  // Of one run it is the longest operation; of none it is 0. O(operations).
  [[nodiscard]] double max_ns() const {
    if (least_.empty()) return 0;
    return *std::max_element(least_.begin(), least_.end()) *
           NanosecondsPerTick();
  }

 private:
  size_t Windows(size_t operations) const {
    return (operations + window_ - 1) / window_;
  }

  const size_t window_;
  int runs_ = 0;
  std::vector<uint32_t> least_;  // of each window
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_LATENCY_H_
