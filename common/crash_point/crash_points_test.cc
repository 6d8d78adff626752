// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/crash_point/crash_points.h"

#include <atomic>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::testing::ElementsAre;

void Store(uint64_t* word, uint64_t value) {
  std::atomic_ref<uint64_t>(*word).store(value, std::memory_order_release);
}

TEST(StoreHookTest, IsCalledBeforeEachStoreToItsMemory) {
  alignas(8) uint64_t words[2] = {1, 2};
  uint64_t elsewhere = 0;
  std::vector<uint64_t> seen;
  {
    StoreHook hook(words, sizeof(words), [&](uint64_t* word, uint64_t value) {
      seen.push_back(*word);
      seen.push_back(value);
    });
    Store(&words[0], 10);
    Store(&elsewhere, 5);
    Store(&words[1], 20);
    Store(&words[1], 30);
  }
  Store(&words[0], 40);
  EXPECT_THAT(seen, ElementsAre(1, 10, 2, 20, 20, 30));
}

TEST(StoreHookTest, OfTwoTheNewerIsCalledAlsoFromWithinTheOlder) {
  alignas(8) uint64_t words[2] = {0, 0};
  int outer_calls = 0;
  int inner_calls = 0;
  StoreHook outer(words, sizeof(words), [&](uint64_t*, uint64_t) {
    ++outer_calls;
    Store(&words[1], 1);  // not a store of the code under test
    StoreHook inner(words, sizeof(words),
                    [&](uint64_t*, uint64_t) { ++inner_calls; });
    Store(&words[1], 2);
  });
  Store(&words[0], 1);
  Store(&words[0], 2);
  EXPECT_EQ(outer_calls, 2);
  EXPECT_EQ(inner_calls, 2);
}

TEST(LoadHookTest, IsCalledBeforeEachAtomicLoadOfItsMemory) {
  alignas(8) uint64_t words[2] = {1, 2};
  const auto load = [](uint64_t& word) {
    return std::atomic_ref<uint64_t>(word).load(std::memory_order_acquire);
  };
  int calls = 0;
  {
    LoadHook hook(words, sizeof(words[0]), [&](const uint64_t* word) {
      ++calls;
      EXPECT_EQ(word, &words[0]);
      Store(&words[0], 5);
    });
    EXPECT_EQ(load(words[0]), 5);
    EXPECT_EQ(load(words[1]), 2);
  }
  EXPECT_EQ(load(words[0]), 5);
  EXPECT_EQ(calls, 1);
}

TEST(StoreHookDeathTest, AStoreThatCouldBeTornEndsTheTest) {
  alignas(8) uint64_t words[2] = {0, 0};
  StoreHook hook(words, sizeof(words), [](uint64_t*, uint64_t) {});
  volatile uint32_t* half = reinterpret_cast<uint32_t*>(words);
  EXPECT_DEATH(*half = 1, "no store of one word");
}

}  // namespace
}  // namespace ets_keeper
