// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: interleaving_testing.h
// -----------------------------------------------------------------------------
//
// What tests share that enumerate interleavings on a hash table: few keys that
// meet, a seed, and scenario after scenario. Test code.
//
//   uint64_t schedules = 0;
//   EXPECT_EQ(ExploreScenarios<Scenario>(200'000, &schedules), "");

#ifndef COMMON_HASH_INTERLEAVING_TESTING_H_
#define COMMON_HASH_INTERLEAVING_TESTING_H_

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/hash/hash_testing.h"

namespace ets_keeper {

// CrowdedKeyAt()
//
// The keys of tests of what happens between few keys: of every two one is of
// the bucket that a quarter of all keys would be in, so that it has a chain.
inline constexpr uint64_t kCrowdedKeys = 40;
inline uint64_t CrowdedKeyAt(uint64_t index) {
  static const auto* const keys = [] {
    auto* made = new std::vector<uint64_t>;
    for (uint64_t key = 0; made->size() < kCrowdedKeys; ++key) {
      const bool meets = TestKey(key).hash_key.hash % 4 == 0;
      if (meets || made->size() % 2 == 0) made->push_back(key);
    }
    return made;
  }();
  return (*keys)[index % kCrowdedKeys];
}

// InterleavingSeed()
//
// Of the random scenarios: ETS_KEEPER_SEED=N in the environment, to repeat a
// run.
inline uint64_t InterleavingSeed() {
  uint64_t seed = 20260101;
  if (const char* text = std::getenv("ETS_KEEPER_SEED"); text != nullptr) {
    (void)absl::SimpleAtoi(text, &seed);
  }
  return seed;
}

// ExploreScenarios()
//
// Adds to `schedules` those of random scenarios, of tables of records and of
// rows of one to three words in turns, until there are as many as wanted, or
// until the first that is wrong: returns what was, or nothing.
template <typename Scenario>
std::string ExploreScenarios(uint64_t wanted, uint64_t* schedules) {
  const uint64_t seed = InterleavingSeed();
  std::mt19937_64 random(seed);
  std::string wrong;
  for (int scenario = 0; *schedules < wanted && wrong.empty(); ++scenario) {
    wrong = Scenario(scenario % 4, random).Explore(schedules);
    if (!wrong.empty()) {
      absl::StrAppend(&wrong, ", seed ", seed, ", scenario ", scenario);
    }
  }
  return wrong;
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_INTERLEAVING_TESTING_H_
