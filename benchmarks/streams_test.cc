// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/streams.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

template <typename Row>
class StreamsTest : public testing::Test {
 protected:
  using Packed = typename Row::Packed;

  static std::set<Packed> KeysOf(uint64_t rows) {
    std::set<Packed> keys;
    for (uint64_t i = 0; i < rows; ++i) keys.insert(Row::KeyAt(i));
    return keys;
  }
};

using AllRows = testing::Types<WordRow, StringRow>;
TYPED_TEST_SUITE(StreamsTest, AllRows);

TYPED_TEST(StreamsTest, OrdersHaveEveryKeyOnce) {
  const auto& one = Streams<TypeParam>::Order(1'000, /*turn=*/1);
  const auto& other = Streams<TypeParam>::Order(1'000, /*turn=*/2);
  EXPECT_EQ(one.size(), 1'000);
  EXPECT_EQ((std::set(one.begin(), one.end())), this->KeysOf(1'000));
  EXPECT_EQ((std::set(other.begin(), other.end())), this->KeysOf(1'000));
  EXPECT_NE(one, other);
}

TYPED_TEST(StreamsTest, HitsAreKeysOfRows) {
  for (const auto distribution :
       {Distribution::kUniform, Distribution::kZipf}) {
    const auto& hits = Streams<TypeParam>::Hits(1'000, distribution);
    EXPECT_GE(hits.size(), kMinStream);
    EXPECT_EQ((std::set(hits.begin(), hits.end())), this->KeysOf(1'000));
  }
}

TYPED_TEST(StreamsTest, ZipfPrefersSomeKeysAndUniformNone) {
  const auto most = [](Distribution distribution) {
    std::map<typename TypeParam::Packed, uint64_t> counts;
    uint64_t most = 0;
    for (const auto& key : Streams<TypeParam>::Hits(1'000, distribution)) {
      most = std::max(most, ++counts[key]);
    }
    return most;
  };
  EXPECT_LT(most(Distribution::kUniform), kMinStream / 500);
  EXPECT_GT(most(Distribution::kZipf), kMinStream / 20);
}

TYPED_TEST(StreamsTest, MissesAreNoKeysOfRows) {
  const auto& misses = Streams<TypeParam>::Misses(1'000);
  EXPECT_GE(misses.size(), kMinStream);
  const auto keys = this->KeysOf(1'000);
  for (const auto& key : misses) ASSERT_FALSE(keys.contains(key));
}

TYPED_TEST(StreamsTest, LargeMapsHaveALongerStream) {
  const uint64_t rows = kMinStream + 1;
  EXPECT_EQ(Streams<TypeParam>::Hits(rows, Distribution::kUniform).size(),
            rows);
}

TYPED_TEST(StreamsTest, PartsAreDisjointAndStartAgain) {
  std::vector<typename TypeParam::Packed> stream;
  for (uint64_t i = 0; i < 5 * kChunk + 3; ++i) {
    stream.push_back(TypeParam::KeyAt(i));
  }
  std::set<typename TypeParam::Packed> seen;
  for (const size_t thread : {0, 1}) {
    Parts<TypeParam> parts(stream, thread, /*threads=*/2);
    const auto first = parts.Next();
    const auto second = parts.Next();
    EXPECT_EQ(first.size(), kChunk);
    seen.insert(first.begin(), first.end());
    seen.insert(second.begin(), second.end());
    EXPECT_EQ(parts.Next().data(), first.data());
  }
  EXPECT_EQ(seen.size(), 4 * kChunk);
}

TYPED_TEST(StreamsTest, SharesAreAllOfTheWork) {
  const auto& work = Streams<TypeParam>::Order(1'001, /*turn=*/1);
  std::set<typename TypeParam::Packed> seen;
  size_t total = 0;
  for (const size_t thread : {0, 1, 2}) {
    const auto share = Share(absl::MakeConstSpan(work), thread, /*threads=*/3);
    total += share.size();
    seen.insert(share.begin(), share.end());
  }
  EXPECT_EQ(total, work.size());
  EXPECT_EQ(seen.size(), work.size());
}

// Performs a mixed stream on a set of all keys for some chunks.
template <typename Row>
void ExpectMixed(size_t stream_chunks, size_t chunks) {
  constexpr uint64_t kRows = 20'000;
  constexpr uint64_t kLag = 50;
  using Mixed = MixedStream<Row>;
  std::vector<typename Row::Packed> keys;
  for (uint64_t i = 0; i < stream_chunks * kChunk; ++i) {
    keys.push_back(Row::KeyAt(i % kRows));
  }
  Mixed stream(keys, kLag, /*seed=*/1);
  std::set<typename Row::Packed> there(keys.begin(), keys.end());
  const size_t all = there.size();
  for (const auto& key : stream.Missing()) there.erase(key);
  EXPECT_EQ(there.size(), all - kLag);
  std::map<typename Mixed::Kind, uint64_t> counts;
  for (size_t i = 0; i < chunks; ++i) {
    const auto chunk = stream.Next();
    ASSERT_EQ(chunk.size(), kChunk);
    for (const auto& [key, kind] : chunk) {
      ++counts[kind];
      switch (kind) {
        case Mixed::Kind::kFind:
          break;
        case Mixed::Kind::kErase:
          ASSERT_EQ(there.erase(key), 1);
          break;
        case Mixed::Kind::kInsert:
          ASSERT_TRUE(there.insert(key).second);
          break;
      }
    }
    EXPECT_NEAR(static_cast<double>(there.size()),
                static_cast<double>(all - kLag), 1);
  }
  const auto total = static_cast<double>(chunks * kChunk);
  EXPECT_NEAR(counts[Mixed::Kind::kFind] / total, 0.9, 0.02);
  EXPECT_NEAR(counts[Mixed::Kind::kErase] / total, 0.05, 0.01);
  EXPECT_NEAR(counts[Mixed::Kind::kInsert] / total, 0.05, 0.01);
  for (const auto& key : stream.Missing()) there.insert(key);
  EXPECT_EQ(there.size(), all);
}

TYPED_TEST(StreamsTest, AMixKeepsTheSize) {
  ExpectMixed<TypeParam>(/*stream_chunks=*/16, /*chunks=*/7);
}

TYPED_TEST(StreamsTest, AMixKeepsTheSizeWhenItStartsAgain) {
  ExpectMixed<TypeParam>(/*stream_chunks=*/16, /*chunks=*/16);
  ExpectMixed<TypeParam>(/*stream_chunks=*/16, /*chunks=*/16 * 3 + 5);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
