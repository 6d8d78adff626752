// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: peer_testing.h
// -----------------------------------------------------------------------------
//
// Tests that every peer of the benchmarks must pass: what is measured is a map
// that works.
//
//   TEST(MyMapTest, AgreesWithAModel) { ExpectLikeModel<MyMap>(); }
//
// Thread safety: pure functions.

#ifndef BENCHMARKS_PEER_TESTING_H_
#define BENCHMARKS_PEER_TESTING_H_

#include <cstdint>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "benchmarks/workload.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {

// ExpectLikeModel()
//
// Random operations give the results that std::unordered_map gives.
template <Peer P>
void ExpectLikeModel() {
  constexpr uint64_t kSeed = 1;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  P peer;
  std::unordered_map<uint64_t, uint64_t> model;
  Random random(kSeed);
  for (int step = 0; step < 50'000; ++step) {
    const uint64_t word = random.Next();
    const uint64_t key = KeyAt(Random::Below(2'000, word));
    const auto it = model.find(key);
    switch (word % 4) {
      case 0:
        peer.Insert(key, word);
        model[key] = word;
        break;
      case 1:
        peer.Erase(key);
        model.erase(key);
        break;
      case 2:
        ASSERT_EQ(peer.Add(key, step), it != model.end()) << "step " << step;
        if (it != model.end()) it->second += step;
        break;
      case 3:
        ASSERT_EQ(peer.Find(key),
                  it == model.end() ? std::nullopt : std::optional(it->second))
            << "step " << step;
        break;
    }
  }
  EXPECT_EQ(peer.size(), model.size());
  for (const auto& [key, value] : model) EXPECT_EQ(peer.Find(key), value);
}

// ExpectNoLostUpdate()
//
// Threads that add to the same rows lose nothing.
template <Peer P>
void ExpectNoLostUpdate() {
  constexpr uint64_t kRows = 8;
  constexpr uint64_t kRounds = 2'000;
  constexpr uint64_t kThreads = 4;
  P peer;
  for (uint64_t i = 0; i < kRows; ++i) peer.Insert(KeyAt(i), 0);
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kRows * kRounds; ++i) {
        peer.Add(KeyAt(i % kRows), 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t i = 0; i < kRows; ++i) {
    EXPECT_EQ(peer.Find(KeyAt(i)), kThreads * kRounds);
  }
}

// ExpectCountsBytes()
//
// Its memory grows with the rows, by at least their size.
template <MeasuredPeer P>
void ExpectCountsBytes() {
  constexpr uint64_t kRows = 100'000;
  P peer;
  const uint64_t before = peer.bytes();
  for (uint64_t i = 0; i < kRows; ++i) peer.Insert(KeyAt(i), i);
  EXPECT_GE(peer.bytes() - before, kRows * 2 * sizeof(uint64_t));
  EXPECT_LE(peer.bytes() - before, kRows * 200);
}

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PEER_TESTING_H_
