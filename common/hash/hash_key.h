// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_key.h
// -----------------------------------------------------------------------------
//
// `HashKey`: an encoded key with its hash, what every operation of the hash
// core takes. `HashWords()`: the hash.
//
//   const uint64_t word = 42;
//   HashKey key = MakeHashKey(seed, absl::MakeConstSpan(&word, 1), 8);
//
// The hash of a key is stored in the arena, so it is the same in every process
// and every build, which `absl::Hash` on purpose is not. The seed is drawn when
// the table is made, so that nobody can choose colliding keys beforehand.
//
// Lifetime: a HashKey refers to the caller's words.

#ifndef COMMON_HASH_HASH_KEY_H_
#define COMMON_HASH_HASH_KEY_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/types/span.h"

namespace ets_keeper {

struct HashKey {
  uint64_t hash = 0;
  uint64_t bytes = 0;  // length; the last word is padded with zeros
  absl::Span<const uint64_t> words;
};

// HashWords()
//
// A 64-bit hash of `words` and of `bytes`, their length without padding. Two
// words are mixed by one 64 x 64 -> 128 bit multiplication whose halves are
// folded together, the construction of Wang Yi's wyhash. One whole word alone
// is mixed once, as absl::Hash does, and its halves once more: of keys that
// differ only in high bits the low bits of the product are all the same. Not
// cryptographic.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t HashWords(
    uint64_t seed, absl::Span<const uint64_t> words, uint64_t bytes) {
  const auto fold = [](uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^
           static_cast<uint64_t>(product >> 64);
  };
  constexpr uint64_t kOdd1 = 0xa0761d6478bd642f;
  constexpr uint64_t kOdd2 = 0xe7037ed1a0b428db;
  constexpr uint64_t kOdd3 = 0x8ebc6af09c88c6e3;
  if (words.size() == 1 && bytes == 8) {
    const uint64_t hash = fold(words[0] ^ seed, kOdd1);
    return hash ^ hash >> 28;
  }
  uint64_t hash = seed ^ kOdd3;
  size_t i = 0;
  for (; i + 2 <= words.size(); i += 2) {
    hash = fold(words[i] ^ kOdd1, words[i + 1] ^ hash);
  }
  if (i < words.size()) hash = fold(words[i] ^ kOdd1, kOdd2 ^ hash);
  return fold(hash ^ kOdd2, bytes ^ kOdd1);
}

// MakeHashKey()
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline HashKey MakeHashKey(
    uint64_t seed,
    absl::Span<const uint64_t> words ABSL_ATTRIBUTE_LIFETIME_BOUND,
    uint64_t bytes) {
  return {
      .hash = HashWords(seed, words, bytes), .bytes = bytes, .words = words};
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_KEY_H_
