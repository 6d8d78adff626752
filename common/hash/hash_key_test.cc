// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_key.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

uint64_t HashOne(uint64_t word, uint64_t seed = 42) {
  return HashWords(seed, absl::MakeConstSpan(&word, 1), 8);
}

// Hashes are stored: these values may never change within a format version.
TEST(HashKeyTest, TheHashIsPartOfTheFormat) {
  EXPECT_EQ(HashOne(0), 0x821e748f6e19ddd7);
  EXPECT_EQ(HashOne(1), 0xb4748386a794631f);
  const std::array<uint64_t, 3> words = {1, 2, 3};
  EXPECT_EQ(HashWords(42, words, 20), 0xc30483b8634dcf5);
}

TEST(HashKeyTest, LengthSeedAndOrderCount) {
  const std::array<uint64_t, 2> ab = {1, 2}, ba = {2, 1};
  std::set<uint64_t> hashes = {HashWords(42, ab, 16), HashWords(42, ba, 16),
                               HashWords(42, ab, 15), HashWords(43, ab, 16),
                               HashWords(42, {}, 0),  HashOne(0)};
  EXPECT_EQ(hashes.size(), 6);
}

// Lanes and buckets use the low bits, tags the high ones: each bit of the hash
// depends on each bit of the key.
TEST(HashKeyTest, OneBitOfTheKeyChangesAboutHalfOfTheHash) {
  for (int bit = 0; bit < 64; ++bit) {
    int changed = 0;
    for (uint64_t key = 0; key < 256; ++key) {
      changed +=
          std::popcount(HashOne(key) ^ HashOne(key ^ (uint64_t{1} << bit)));
    }
    EXPECT_NEAR(changed / 256.0, 32, 10) << bit;
  }
}

TEST(HashKeyTest, ConsecutiveKeysSpreadEvenlyOverBuckets) {
  std::vector<int> low(256), high(256);
  for (uint64_t key = 0; key < 256 * 100; ++key) {
    ++low[HashOne(key) & 255];
    ++high[HashOne(key) >> 56];
  }
  // 100 expected, standard deviation 10: six of them.
  for (int i = 0; i < 256; ++i) {
    EXPECT_NEAR(low[i], 100, 60);
    EXPECT_NEAR(high[i], 100, 60);
  }
}

// Variance of the rows of a bucket, of four on average, for keys at equal
// distances: 4 if each key went anywhere; the table is tuned for that.
double VarianceOfRows(uint64_t distance, uint64_t seed) {
  std::vector<int> rows(4096);
  for (uint64_t i = 0; i < 4 * rows.size(); ++i) {
    ++rows[HashOne(i * distance, seed * 0x9e3779b97f4a7c15) % rows.size()];
  }
  double variance = 0;
  for (const int n : rows) variance += (n - 4.0) * (n - 4.0);
  return variance / rows.size();
}

TEST(HashKeyTest, StridesSpreadEvenlyOverBuckets) {
  for (const uint64_t seed : {1, 42, 0x5eed}) {
    // Keys that differ in some bits only, low or high ones.
    for (int shift = 0; shift <= 48; ++shift) {
      EXPECT_LT(VarianceOfRows(uint64_t{1} << shift, seed), 6)
          << shift << " " << seed;
    }
    // Numbers that people and programs count by.
    for (const uint64_t distance : {3, 5, 7, 10, 12, 24, 48, 80, 96, 100, 1000,
                                    3072, 10000, 65537, 100000, 1000000}) {
      EXPECT_LT(VarianceOfRows(distance, seed), 6) << distance << " " << seed;
    }
  }
}

// Of that many rows in a table with two words a row, as it grows, those that
// find no room in their bucket. By chance it would be one in 56.
double PartOutside(uint64_t distance, uint64_t seed, uint64_t buckets) {
  std::vector<int> rows(buckets);
  const uint64_t count = buckets * 384 / 100;
  for (uint64_t i = 0; i < count; ++i) {
    ++rows[HashOne(i * distance, seed * 0x9e3779b97f4a7c15) % buckets];
  }
  double outside = 0;
  for (const int n : rows) outside += std::max(n - 7, 0);
  return outside / static_cast<double>(count);
}

TEST(HashKeyTest, StridesFillTheBucketsOfSmallTablesToo) {
  for (uint64_t buckets = 32; buckets <= 8192; buckets *= 2) {
    for (int shift = 0; shift <= 48; ++shift) {
      for (const uint64_t factor : {1, 3, 5}) {
        double outside = 0;
        for (uint64_t seed = 1; seed <= 8; ++seed) {
          outside += PartOutside(factor << shift, seed, buckets) / 8;
        }
        EXPECT_LT(outside, 0.08)
            << buckets << ": " << factor << " << " << shift;
      }
    }
  }
}

// Of every length, at every address, with other bytes around.
TEST(HashKeyTest, BytesHaveTheHashOfTheirWords) {
  for (uint64_t bytes = 0; bytes < 70; ++bytes) {
    std::vector<uint64_t> words((bytes + 7) / 8);
    for (uint64_t i = 0; i < bytes; ++i) {
      reinterpret_cast<unsigned char*>(words.data())[i] = 0xff - 3 * i;
    }
    for (size_t offset = 0; offset < 8; ++offset) {
      std::vector<char> place(offset + bytes, '\x55');  // to the last byte
      if (bytes != 0) std::memcpy(&place[offset], words.data(), bytes);
      const KeyView view = MakeKeyView(42, place.data() + offset, bytes);
      ASSERT_EQ(view.hash, HashWords(42, words, bytes)) << bytes;
      ASSERT_EQ(view.bytes, bytes);
      ASSERT_EQ(view.words(), words.size());
      for (uint64_t i = 0; i + 1 < view.words(); ++i) {
        ASSERT_EQ(view.Word(i), words[i]) << bytes;
      }
      ASSERT_EQ(view.last, bytes != 0 ? words.back() : 0) << bytes;
    }
  }
  EXPECT_EQ(HashBytes(42, KeyView(0, nullptr, 0)), HashWords(42, {}, 0));
}

TEST(HashKeyTest, AViewOfAKeyIsTheSameKey) {
  const uint64_t words[] = {7, 8};
  const KeyView view = MakeHashKey(42, words, 11);
  EXPECT_EQ(view.hash, HashWords(42, words, 11));
  EXPECT_EQ(view.bytes, 11);
  EXPECT_EQ(view.Word(0), 7);
  EXPECT_EQ(view.last, 8);
}

TEST(HashKeyTest, AKeyRefersToItsWords) {
  const uint64_t word = 7;
  const HashKey key = MakeHashKey(42, absl::MakeConstSpan(&word, 1), 8);
  EXPECT_EQ(key.hash, HashOne(7));
  EXPECT_EQ(key.words.data(), &word);
  EXPECT_EQ(key.bytes, 8);
}

}  // namespace
}  // namespace ets_keeper
