// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/latency.h"

#include <cstdint>
#include <initializer_list>
#include <limits>

#include "gmock/gmock.h"
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

TEST(LatencyTest, TicksStayInOrder) {
  Latencies latencies;
  latencies.Add(3);
  latencies.Add(1);
  latencies.Add(2);
  EXPECT_THAT(latencies.ticks(), testing::ElementsAre(3, 1, 2));
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

Latencies Of(std::initializer_list<uint64_t> ticks) {
  Latencies latencies;
  for (const uint64_t each : ticks) latencies.Add(each);
  return latencies;
}

void ExpectMaxTicks(const RepeatingLatency& repeating, uint64_t ticks) {
  EXPECT_DOUBLE_EQ(repeating.max_ns(),
                   static_cast<double>(ticks) * NanosecondsPerTick());
}

TEST(RepeatingLatencyTest, OfOneRunItIsTheLongest) {
  RepeatingLatency repeating(/*window=*/2);
  ExpectMaxTicks(repeating, 0);
  EXPECT_EQ(repeating.runs(), 0);
  repeating.AddRun({Of({1, 2, 9, 3, 4})});
  ExpectMaxTicks(repeating, 9);
  EXPECT_EQ(repeating.runs(), 1);
}

TEST(RepeatingLatencyTest, WhatTakesLongInOneRunOnlyDoesNotCount) {
  RepeatingLatency repeating(/*window=*/1);
  repeating.AddRun({Of({1, 2, 900, 3})});
  repeating.AddRun({Of({800, 2, 1, 3})});
  ExpectMaxTicks(repeating, 3);
  repeating.AddRun({Of({1, 700, 900, 2})});
  ExpectMaxTicks(repeating, 2);
  EXPECT_EQ(repeating.runs(), 3);
}

TEST(RepeatingLatencyTest, WhatTakesLongInEveryRunCountsAsItsLeast) {
  RepeatingLatency repeating(/*window=*/1);
  repeating.AddRun({Of({1, 52, 900, 3})});
  repeating.AddRun({Of({800, 51, 1, 3})});
  repeating.AddRun({Of({1, 700, 900, 2})});
  ExpectMaxTicks(repeating, 51);
}

TEST(RepeatingLatencyTest, WithinAWindowItsPlaceDoesNotMatter) {
  RepeatingLatency repeating(/*window=*/3);
  repeating.AddRun({Of({1, 1, 1, 60, 1, 1})});
  repeating.AddRun({Of({1, 1, 1, 1, 1, 70})});
  ExpectMaxTicks(repeating, 60);
  repeating.AddRun({Of({1, 1, 80, 1, 2, 1})});
  ExpectMaxTicks(repeating, 2);
}

TEST(RepeatingLatencyTest, NorDoesItMatterWhichThreadItIs) {
  RepeatingLatency repeating(/*window=*/2);
  repeating.AddRun({Of({1, 1, 70, 1}), Of({1, 1, 1, 1})});
  repeating.AddRun({Of({1, 1, 1, 1}), Of({1, 1, 1, 60})});
  ExpectMaxTicks(repeating, 60);
  repeating.AddRun({Of({1, 80, 1, 1}), Of({1, 1, 2, 1})});
  ExpectMaxTicks(repeating, 2);
}

TEST(RepeatingLatencyTest, TheLastWindowMayBeShortAndNotOfAllThreads) {
  RepeatingLatency repeating(/*window=*/2);
  repeating.AddRun({Of({1, 1}), Of({1, 1, 40})});
  repeating.AddRun({Of({1, 1}), Of({1, 1, 30})});
  ExpectMaxTicks(repeating, 30);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
