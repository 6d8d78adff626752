// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: peer_testing.h
// -----------------------------------------------------------------------------
//
// The tests that every peer of the benchmarks must pass: what is measured is a
// map that works.
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(
//       MyMap, PeerTest, testing::Types<MyMap<WordRow>, MyMap<StringRow>>);
//
// Thread safety: tests.

#ifndef BENCHMARKS_PEER_TESTING_H_
#define BENCHMARKS_PEER_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "benchmarks/peer.h"
#include "benchmarks/random.h"
#include "benchmarks/streams.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {

// MallocCounts()
//
// Whether `MallocBytes()` knows anything.
[[nodiscard]] inline bool MallocCounts() {
  constexpr size_t kBytes = 1'000'000;
  const uint64_t before = MallocBytes();
  void* volatile piece = malloc(kBytes);
  const bool counts = MallocBytes() >= before + kBytes;
  free(piece);
  return counts;
}

template <Peer P>
class PeerTest : public testing::Test {
 protected:
  using Row = typename P::Row;
  using KeyArg = typename Row::KeyArg;
  using Value = typename Row::Value;
  using Packed = typename Row::Packed;

  P peer_;
};

TYPED_TEST_SUITE_P(PeerTest);

TYPED_TEST_P(PeerTest, AgreesWithAModel) {
  using Row = typename TypeParam::Row;
  constexpr uint64_t kSeed = 1;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::map<typename Row::Packed, typename Row::Value> model;
  Random random(kSeed);
  for (uint64_t step = 0; step < 20'000; ++step) {
    const typename Row::Packed packed = Row::KeyAt(random.Below(1'000));
    const typename Row::KeyArg key = Row::Unpack(packed);
    const auto it = model.find(packed);
    switch (random.Below(4)) {
      case 0:
        this->peer_.Insert(key, Row::ValueOf(step));
        model[packed] = Row::ValueOf(step);
        break;
      case 1:
        this->peer_.Erase(key);
        model.erase(packed);
        break;
      case 2:
        ASSERT_EQ(this->peer_.Add(key, step), it != model.end()) << step;
        if (it != model.end()) Row::Count(it->second) += step;
        break;
      case 3:
        ASSERT_EQ(this->peer_.Find(key),
                  it == model.end() ? std::nullopt : std::optional(it->second))
            << step;
        break;
    }
  }
  EXPECT_EQ(this->peer_.size(), model.size());
  for (const auto& [packed, value] : model) {
    EXPECT_EQ(this->peer_.Find(Row::Unpack(packed)), value);
  }
}

TYPED_TEST_P(PeerTest, FindsManyAtOnce) {
  using Row = typename TypeParam::Row;
  constexpr size_t kKeys = 32;
  std::vector<typename Row::Packed> packed;
  for (uint64_t i = 0; i < kKeys; ++i) packed.push_back(Row::KeyAt(i));
  std::multiset<uint64_t> expected;
  std::vector<typename Row::KeyArg> keys;
  for (uint64_t i = 0; i < kKeys; ++i) {
    keys.push_back(Row::Unpack(packed[i]));
    if (i % 3 == 0) continue;
    this->peer_.Insert(keys.back(), Row::ValueOf(i));
    expected.insert(i);
  }
  typename Row::Value values[kKeys];
  const size_t found = FindBatch(this->peer_, keys, values);
  std::multiset<uint64_t> counts;
  for (size_t i = 0; i < found; ++i) {
    const uint64_t count = Row::Count(values[i]);
    EXPECT_EQ(values[i], Row::ValueOf(count));
    counts.insert(count);
  }
  EXPECT_EQ(counts, expected);
}

TYPED_TEST_P(PeerTest, IsFilledWithOneRowForEachKey) {
  using Row = typename TypeParam::Row;
  const auto& keys = Streams<Row>::Order(/*rows=*/5'000, /*turn=*/1);
  Fill(this->peer_, absl::MakeConstSpan(keys));
  EXPECT_EQ(this->peer_.size(), keys.size());
  for (uint64_t i = 0; i < keys.size(); ++i) {
    ASSERT_EQ(this->peer_.Find(Row::Unpack(keys[i])), Row::ValueOf(i));
  }
}

TYPED_TEST_P(PeerTest, ThreadsLoseNothing) {
  using Row = typename TypeParam::Row;
  constexpr uint64_t kCounters = 8;
  constexpr uint64_t kRounds = 200;
  constexpr uint64_t kThreads = TypeParam::kConcurrent ? 4 : 1;
  for (uint64_t i = 0; i < kCounters; ++i) {
    this->peer_.Insert(Row::Unpack(Row::KeyAt(i)), Row::ValueOf(0));
  }
  std::vector<std::thread> threads;
  for (uint64_t t = 1; t <= kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (uint64_t i = 0; i < kCounters * kRounds; ++i) {
        this->peer_.Add(Row::Unpack(Row::KeyAt(i % kCounters)), 1);
        const auto own = Row::KeyAt(t * 1'000'000 + i);
        this->peer_.Insert(Row::Unpack(own), Row::ValueOf(i));
        if (i % 2 == 0) this->peer_.Erase(Row::Unpack(own));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t i = 0; i < kCounters; ++i) {
    EXPECT_EQ(Row::Count(*this->peer_.Find(Row::Unpack(Row::KeyAt(i)))),
              kThreads * kRounds);
  }
  EXPECT_EQ(this->peer_.size(), kCounters + kThreads * kCounters * kRounds / 2);
}

TYPED_TEST_P(PeerTest, KnowsItsMemory) {
  using Row = typename TypeParam::Row;
  constexpr uint64_t kRows = 50'000;
  constexpr uint64_t kRowBytes =
      sizeof(typename Row::Packed) + sizeof(typename Row::Value);
  // The sanitizers have a malloc() that does not count.
  constexpr bool kCounts = requires { this->peer_.bytes(); };
  if (!kCounts && !MallocCounts()) return;
  const auto& keys = Streams<Row>::Order(kRows, /*turn=*/1);
  const uint64_t malloc_before = MallocBytes();
  auto peer = std::make_unique<TypeParam>();
  Fill(*peer, absl::MakeConstSpan(keys));
  const uint64_t full = BytesOf(*peer, malloc_before);
  EXPECT_GE(full, kRows * kRowBytes);
  EXPECT_LE(full, kRows * kRowBytes * 12);
  peer.reset();
  EXPECT_LE(MallocBytes(), malloc_before + 10'000);
}

REGISTER_TYPED_TEST_SUITE_P(PeerTest, AgreesWithAModel, FindsManyAtOnce,
                            IsFilledWithOneRowForEachKey, ThreadsLoseNothing,
                            KnowsItsMemory);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PEER_TESTING_H_
