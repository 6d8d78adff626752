// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/latency.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

TEST(LatencyTest, QuantilesAreThoseOfTheOperations) {
  Latencies latencies;
  // 0 to 9999, in no order: 7 has no common divisor with 10000.
  for (uint64_t i = 0; i < 10'000; ++i) latencies.Add(i * 7 % 10'000);
  const LatencySummary summary = latencies.Summarize();
  const double tick = NanosecondsPerTick();
  EXPECT_DOUBLE_EQ(summary.p50_ns, 5'000 * tick);
  EXPECT_DOUBLE_EQ(summary.p99_ns, 9'900 * tick);
  EXPECT_DOUBLE_EQ(summary.p999_ns, 9'990 * tick);
  EXPECT_DOUBLE_EQ(summary.max_ns, 9'999 * tick);
}

TEST(LatencyTest, OneOperationIsAllQuantiles) {
  Latencies latencies;
  latencies.Add(3);
  const LatencySummary summary = latencies.Summarize();
  EXPECT_DOUBLE_EQ(summary.p50_ns, 3 * NanosecondsPerTick());
  EXPECT_DOUBLE_EQ(summary.max_ns, 3 * NanosecondsPerTick());
}

TEST(LatencyTest, NoOperationTakesNoTime) {
  EXPECT_EQ(Latencies().Summarize().max_ns, 0);
}

TEST(LatencyTest, ThoseOfSeveralThreadsAreSummarizedTogether) {
  Latencies all;
  all.Add(2);
  Latencies others;
  others.Add(9);
  others.Add(1);
  all.Add(others);
  all.Add(Latencies());
  const LatencySummary summary = all.Summarize();
  EXPECT_DOUBLE_EQ(summary.p50_ns, 2 * NanosecondsPerTick());
  EXPECT_DOUBLE_EQ(summary.max_ns, 9 * NanosecondsPerTick());
}

TEST(LatencyTest, AVeryLongOneStaysTheLongest) {
  Latencies latencies;
  latencies.Add(std::numeric_limits<uint64_t>::max());
  latencies.Add(1);
  EXPECT_DOUBLE_EQ(latencies.Summarize().max_ns,
                   std::numeric_limits<uint32_t>::max() * NanosecondsPerTick());
}

TEST(LatencyTest, TimesWhatItIsGiven) {
  Latencies latencies;
  bool done = false;
  latencies.Time([&] { done = true; });
  EXPECT_TRUE(done);
  EXPECT_GT(latencies.Summarize().max_ns, 0);
}

TEST(LatencyTest, TicksGoForward) {
  const uint64_t before = Ticks();
  EXPECT_GE(Ticks(), before);
  EXPECT_GT(NanosecondsPerTick(), 0);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
