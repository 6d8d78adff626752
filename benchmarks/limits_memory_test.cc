// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/limits_memory.h"

#include <cstdint>
#include <set>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

TEST(LimitsMemoryTest, AChaseIsOneCycleThroughAllLines) {
  for (const uint64_t count : {1, 2, 3, 10, 1000}) {
    const Lines lines(count * sizeof(Line), PageSize::kSmall);
    ASSERT_EQ(lines.span().size(), count);
    MakeChase(lines.span(), count);
    std::set<const Line*> seen;
    const Line* at = lines.span().data();
    for (uint64_t i = 0; i < count; ++i) {
      EXPECT_TRUE(seen.insert(at).second) << "met again after " << i;
      at = Chase(at, 1);
    }
    EXPECT_EQ(at, lines.span().data());
    EXPECT_EQ(Chase(at, count), at);
  }
}

TEST(LimitsMemoryTest, ASeedIsAnOrder) {
  const Lines lines(1000 * sizeof(Line), PageSize::kSmall);
  const auto order_of = [&](uint64_t seed) {
    MakeChase(lines.span(), seed);
    std::vector<const Line*> order;
    for (uint64_t i = 0; i < 20; ++i) {
      order.push_back(Chase(lines.span().data(), i));
    }
    return order;
  };
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
}

TEST(LimitsMemoryTest, LinesAreAlignedAndZero) {
  for (const PageSize page_size : {PageSize::kSmall, PageSize::kHuge}) {
    const Lines lines(1 << 16, page_size);
    EXPECT_EQ(lines.span().size(), 1024u);
    EXPECT_EQ(reinterpret_cast<uint64_t>(lines.span().data()) % 64, 0u);
    for (const Line& line : lines.span()) EXPECT_EQ(line.words[6], 0u);
  }
  EXPECT_EQ(Lines(1, PageSize::kSmall).span().size(), 1u);
}

TEST(LimitsMemoryTest, BothWaysOfReadingReadTheSameLines) {
  const Lines lines(256 * sizeof(Line), PageSize::kSmall);
  for (uint64_t i = 0; i < 256; ++i) lines.span()[i].words[0] = i * i;
  uint64_t random = 7;
  uint64_t same_random = 7;
  EXPECT_EQ(ReadRandom(lines.span(), 3200, random),
            ReadRandomPrefetched(lines.span(), 3200, same_random));
  EXPECT_EQ(random, same_random);
  EXPECT_NE(random, 7u);
}

TEST(LimitsMemoryTest, ReadsGoEverywhere) {
  // Each line has a digit of its own: the sum says which were read.
  const Lines lines(4 * sizeof(Line), PageSize::kSmall);
  uint64_t digit = 1;
  for (Line& line : lines.span()) {
    line.words[0] = digit;
    digit *= 10'000;
  }
  uint64_t random = 1;
  uint64_t sum = ReadRandom(lines.span(), 1000, random);
  for (int i = 0; i < 4; ++i, sum /= 10'000) {
    EXPECT_GT(sum % 10'000, 150u);
    EXPECT_LT(sum % 10'000, 350u);
  }
}

TEST(LimitsMemoryTest, CachesGrowWithTheirLevel) {
  EXPECT_GE(CacheBytes(1), uint64_t{8} << 10);
  EXPECT_LT(CacheBytes(1), CacheBytes(2));
  EXPECT_LT(CacheBytes(2), CacheBytes(3));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
