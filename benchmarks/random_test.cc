// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/random.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

TEST(RandomTest, DrawnNumbersAreBelowTheLimitAndAllOccur) {
  Random random(/*seed=*/7);
  std::set<uint64_t> drawn;
  for (int i = 0; i < 10'000; ++i) drawn.insert(random.Below(100));
  EXPECT_EQ(drawn.size(), 100);
  EXPECT_LT(*drawn.rbegin(), 100);
}

TEST(RandomTest, FractionsAreFromZeroUpToOne) {
  Random random(/*seed=*/7);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double fraction = random.Fraction();
    ASSERT_GE(fraction, 0);
    ASSERT_LT(fraction, 1);
    sum += fraction;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(RandomTest, ShuffledVisitsEverythingOnceAndNotInOrder) {
  const std::vector<uint32_t> shuffled = Shuffled(1'000, /*seed=*/7);
  const std::set<uint32_t> visited(shuffled.begin(), shuffled.end());
  EXPECT_EQ(visited.size(), 1'000);
  EXPECT_EQ(*visited.rbegin(), 999);
  int in_place = 0;
  for (uint32_t i = 0; i < 1'000; ++i) in_place += shuffled[i] == i;
  EXPECT_LT(in_place, 20);
}

TEST(ZipfTest, RanksOccurInProportionToTheirPower) {
  constexpr int kDraws = 200'000;
  constexpr double kExponent = 0.99;
  const Zipf zipf(/*count=*/1'000, kExponent);
  Random random(/*seed=*/7);
  std::vector<int> drawn(1'000);
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t rank = zipf.Draw(random);
    ASSERT_LT(rank, 1'000);
    ++drawn[rank];
  }
  double zeta = 0;
  for (int i = 1; i <= 1'000; ++i) zeta += std::pow(i, -kExponent);
  EXPECT_NEAR(drawn[0], kDraws / zeta, 0.03 * kDraws / zeta);
  EXPECT_NEAR(drawn[1], kDraws / zeta / 2, 0.05 * kDraws / zeta / 2);
  // The method is an approximation from the third rank on.
  int upper_half = 0;
  for (int rank = 500; rank < 1'000; ++rank) upper_half += drawn[rank];
  double expected = 0;
  for (int i = 501; i <= 1'000; ++i) expected += std::pow(i, -kExponent);
  EXPECT_NEAR(upper_half, kDraws * expected / zeta,
              0.1 * kDraws * expected / zeta);
}

TEST(ZipfTest, SmallCountsStayBelowTheCount) {
  Random random(/*seed=*/7);
  for (const uint64_t count : {1, 2, 3}) {
    const Zipf zipf(count, 0.99);
    std::set<uint64_t> drawn;
    for (int i = 0; i < 1'000; ++i) drawn.insert(zipf.Draw(random));
    EXPECT_EQ(drawn.size(), count);
    EXPECT_LT(*drawn.rbegin(), count);
  }
}

}  // namespace
}  // namespace ets_keeper::benchmarks
