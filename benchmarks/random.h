// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: random.h
// -----------------------------------------------------------------------------
//
// Random numbers that are the same in every run.
//
//   Random random(/*seed=*/1);
//   uint64_t die = random.Below(6);
//   Zipf zipf(/*count=*/1000, /*exponent=*/0.99);
//   uint64_t rank = zipf.Draw(random);   // 0 the most often
//
// Thread safety: one thread at a time for each.

#ifndef BENCHMARKS_RANDOM_H_
#define BENCHMARKS_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "benchmarks/rows.h"

namespace ets_keeper::benchmarks {

// Random
//
// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(Scramble(~seed)) {}

  [[nodiscard]] uint64_t Next() {
    return Scramble(state_ += 0x9e3779b97f4a7c15);
  }

  // A number below `limit`.
  [[nodiscard]] uint64_t Below(uint64_t limit) {
    return static_cast<uint64_t>(
        (static_cast<unsigned __int128>(Next()) * limit) >> 64);
  }

  // A number from 0 up to 1, but not 1.
  [[nodiscard]] double Fraction() {
    return static_cast<double>(Next() >> 11) * 0x1p-53;
  }

 private:
  uint64_t state_;
};

// Zipf
//
// Numbers below `count`, number r in proportion to 1 / (r + 1)^exponent.
// (Gray et al., "Quickly generating billion-record synthetic databases",
// SIGMOD 1994, as the YCSB benchmark has it.) The exponent is below 1.
class Zipf {
 public:
  Zipf(uint64_t count, double exponent)
      : count_(static_cast<double>(count)),
        exponent_(exponent),
        zeta_(Zeta(count, exponent)),
        eta_((1 - std::pow(2 / count_, 1 - exponent)) /
             (1 - Zeta(2, exponent) / zeta_)) {}

  [[nodiscard]] uint64_t Draw(Random& random) const {
    const double fraction = random.Fraction();
    const double scaled = fraction * zeta_;
    if (scaled < 1 || count_ < 2) return 0;
    if (scaled < 1 + std::pow(0.5, exponent_) || count_ < 3) return 1;
    const double rank =
        count_ * std::pow(eta_ * fraction - eta_ + 1, 1 / (1 - exponent_));
    return static_cast<uint64_t>(std::fmin(rank, count_ - 1));
  }

 private:
  static double Zeta(uint64_t count, double exponent) {
    double sum = 0;
    for (uint64_t i = 1; i <= count; ++i) {
      sum += std::pow(static_cast<double>(i), -exponent);
    }
    return sum;
  }

  const double count_;
  const double exponent_;
  const double zeta_;
  const double eta_;
};

// Shuffled()
//
// The numbers below `count`, each once, in random order.
[[nodiscard]] inline std::vector<uint32_t> Shuffled(uint32_t count,
                                                    uint64_t seed) {
  std::vector<uint32_t> numbers(count);
  Random random(seed);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t other = random.Below(uint64_t{i} + 1);
    numbers[i] = numbers[other];
    numbers[other] = i;
  }
  return numbers;
}

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_RANDOM_H_
