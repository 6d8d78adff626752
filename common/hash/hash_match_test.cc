// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_match.h"

#include <cstdint>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
#include <vector>

#include "absl/types/span.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/row/layout.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

struct Shape {
  KeyLayout key;
  uint32_t inline_words;  // 0: records
};

constexpr Shape kShapes[] = {
    {{}, 0},           {{}, 1},
    {{}, 2},           {{.word = 1}, 2},
    {{.words = 2}, 2}, {{}, 3},
    {{.word = 1}, 3},  {{.word = 2}, 3},
    {{.words = 2}, 3}, {{.word = 1, .words = 2}, 3},
};

HashGeometry GeometryOf(const Shape& shape) {
  return {.key = shape.key, .inline_words = shape.inline_words};
}

// What is to be found, one item after the other.
uint64_t Expected(const HashGeometry& geometry, const HashBucket& cell,
                  const HashKey& key) {
  uint64_t found = 0;
  for (uint32_t i = 2; i < kItemWords + 2; ++i) {
    if ((geometry.places() >> i & 1) == 0) continue;
    const uint64_t* item = &cell.word[i - 2];
    bool same = true;
    if (geometry.is_inline()) {
      for (uint32_t w = 0; w < geometry.key.words; ++w) {
        same = same && item[geometry.key.word + w] == key.words[w];
      }
    } else {
      same = item[0] >> 48 == key.hash >> 48;
    }
    found |= static_cast<uint64_t>(same) << i;
  }
  return found;
}

template <typename Match>
void ExpectMatches(const char* name) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  uint64_t found = 0;
  for (int i = 0; i < 20'000; ++i) {
    const HashGeometry geometry = GeometryOf(kShapes[i % std::size(kShapes)]);
    // Few different words, so that all sorts of items are alike.
    std::vector<uint64_t> words = {0, 1, ~uint64_t{0}, random(), random()};
    words.push_back(words[3] ^ 1);  // alike in one half only
    words.push_back(words[3] ^ uint64_t{1} << 40);
    const auto word = [&] {
      // For records the tags are the same and what follows is not.
      const uint64_t bits = geometry.is_inline() ? 0 : random() & ~kTagBits;
      return words[random() % words.size()] ^ bits;
    };
    // On the heap: of what lies on the stack g++ 12 warns that a wrong shift
    // would lead out of it.
    struct alignas(128) Cell : HashBucket {};
    const auto bucket = std::make_unique<Cell>();
    HashBucket& cell = *bucket;
    // The cell's own words look like items, too.
    cell.head = word();
    cell.chain = word();
    for (uint64_t& item : cell.word) item = word();
    const uint64_t key_words[] = {word(), word()};
    const HashKey key = {
        .hash = word(),
        .bytes = geometry.key.words * uint64_t{8},
        .words = absl::MakeConstSpan(key_words, geometry.key.words)};
    const uint64_t head = random();
    const uint64_t live = geometry.places() & head;
    const uint64_t expected = Expected(geometry, cell, key) & live;
    const uint64_t matched =
        WithWords(geometry.inline_words, [&](auto words) -> uint64_t {
          if constexpr (words == 0) {
            return Match::MatchTag(cell, HashProbe::OfTag(key.hash)) & live;
          } else {
            // The first one, and maybe others.
            const uint64_t rows = Match::template MatchKey<words>(
                cell, HashProbe::OfInlineKey(geometry, key), head);
            EXPECT_EQ(rows & ~live, 0);
            return rows & -rows;
          }
        });
    ASSERT_EQ(matched, geometry.is_inline() ? expected & -expected : expected)
        << "rows of " << geometry.inline_words << " words, key at "
        << geometry.key.word << " of " << geometry.key.words;
    found += expected != 0;
  }
  EXPECT_GT(found, 4'000);
  std::cout << name << ": tested\n";
}

TEST(HashMatchTest, ScalarFindsTheItemsThatMayHaveTheKey) {
  ExpectMatches<MatchScalar>("scalar");
}

#ifdef ETS_KEEPER_X86_64
TEST(HashMatchTest, VectorsFindTheSame) {
  ExpectMatches<MatchSse2>("SSE2");
  const InstructionSet best = DetectInstructionSet();
  if (best >= InstructionSet::kAvx2) ExpectMatches<MatchAvx2>("AVX2");
  if (best >= InstructionSet::kAvx512) ExpectMatches<MatchAvx512>("AVX-512");
}
#endif

TEST(HashMatchTest, AProbeIsTheTagOrTheKey) {
  const uint64_t words[] = {5, 6};
  const HashKey key = {.hash = 0xabcd'1234'5678'9abc,
                       .bytes = 16,
                       .words = absl::MakeConstSpan(words)};
  EXPECT_EQ(HashProbe::OfTag(key.hash).want, 0xabcd'0000'0000'0000);
  const HashProbe probe =
      HashProbe::OfInlineKey(GeometryOf({{.word = 1, .words = 2}, 3}), key);
  EXPECT_EQ(probe.want, 5);
  EXPECT_EQ(probe.second, 6);
  EXPECT_EQ(probe.shift, 1);
  EXPECT_TRUE(probe.two_words);
}

}  // namespace
}  // namespace ets_keeper
