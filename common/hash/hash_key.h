// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_key.h
// -----------------------------------------------------------------------------
//
// `HashKey`: an encoded key with its hash, what every operation of the hash
// core takes. `KeyView`: the same where its bytes lie, which is enough to look
// it up. `HashWords()`, `HashBytes()`: the hash.
//
//   const uint64_t word = 42;
//   HashKey key = MakeHashKey(seed, absl::MakeConstSpan(&word, 1), 8);
//   KeyView view = MakeKeyView(seed, "Ada", 3);
//
// The hash of a key is stored in the arena, so it is the same in every process
// and every build, which `absl::Hash` on purpose is not. The seed is drawn when
// the table is made, so that nobody can choose colliding keys beforehand.
//
// Lifetime: a HashKey refers to the caller's words, a KeyView to its bytes.

#ifndef COMMON_HASH_HASH_KEY_H_
#define COMMON_HASH_HASH_KEY_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/types/span.h"

namespace ets_keeper {

// kHashTurn
//
// A hash is the result of its last multiplication turned right by so many bits:
// turned back it has the number of its bucket where a bucket's offset has it
// (hash_homes.h).
inline constexpr int kHashTurn = 7;

struct HashKey {
  uint64_t hash = 0;
  uint64_t bytes = 0;  // length; the last word is padded with zeros
  absl::Span<const uint64_t> words;
};

// KeyView
//
// A key as any bytes, aligned or not: its words are those of the bytes, the
// last one padded with zeros.
struct KeyView {
  KeyView() = default;  // to be assigned to
  ABSL_ATTRIBUTE_ALWAYS_INLINE KeyView(uint64_t key_hash, const char* key_data,
                                       uint64_t key_bytes)
      : hash(key_hash), bytes(key_bytes), data(key_data), last(LastWord()) {}
  ABSL_ATTRIBUTE_ALWAYS_INLINE KeyView(uint64_t key_hash, const char* key_data,
                                       uint64_t key_bytes, uint64_t last_word)
      : hash(key_hash), bytes(key_bytes), data(key_data), last(last_word) {}
  ABSL_ATTRIBUTE_ALWAYS_INLINE KeyView(  // NOLINT: it is the same key
      const HashKey& key)
      : KeyView(key.hash, reinterpret_cast<const char*>(key.words.data()),
                key.bytes) {}

  [[nodiscard]] uint64_t words() const { return (bytes + 7) / 8; }

  // The i-th word, which is not the last one, or has all its bytes.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t Word(uint64_t i) const {
    uint64_t word;
    std::memcpy(&word, data + i * 8, sizeof(word));
    return word;
  }

  uint64_t hash;
  uint64_t bytes;
  const char* data;
  uint64_t last;  // word; 0 if there is none

 private:
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t LastWord() const;
};

// HashWords()
//
// A 64-bit hash of `words` and of `bytes`, their length without padding. Two
// words are mixed by one 64 x 64 -> 128 bit multiplication whose halves are
// folded together, the construction of Wang Yi's wyhash. One whole word alone
// is mixed once, as absl::Hash does, by a number chosen for it: of keys at
// equal distances, whose products are at equal distances too, neither the low
// bits nor the high ones go to few places, whatever the size of the table. Not
// cryptographic.
[[nodiscard]] uint64_t HashWords(uint64_t seed,
                                 absl::Span<const uint64_t> words,
                                 uint64_t bytes);

// HashBytes()
//
// The same of the words that the bytes of a key make. Its hash is not looked
// at.
[[nodiscard]] uint64_t HashBytes(uint64_t seed, const KeyView& key);

// MakeHashKey()
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline HashKey MakeHashKey(
    uint64_t seed,
    absl::Span<const uint64_t> words ABSL_ATTRIBUTE_LIFETIME_BOUND,
    uint64_t bytes) {
  return {
      .hash = HashWords(seed, words, bytes), .bytes = bytes, .words = words};
}

// MakeKeyView()
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline KeyView MakeKeyView(
    uint64_t seed, const char* data ABSL_ATTRIBUTE_LIFETIME_BOUND,
    uint64_t bytes) {
  const auto view = [&]() ABSL_ATTRIBUTE_ALWAYS_INLINE {
    KeyView key(0, data, bytes);
    key.hash = HashBytes(seed, key);
    return key;
  };
  // For two words, as often, it is made without a look at any other number.
  if (ABSL_PREDICT_TRUE(bytes > 8 && bytes <= 16)) return view();
  return view();
}

// Implementation only from here on.

// Without a loop, and without a look at bytes that are not the key's.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t KeyView::LastWord() const {
  const char* const end = data + bytes;
  if constexpr (std::endian::native != std::endian::little) {
    uint64_t word = 0;
    const uint64_t rest = bytes == 0 ? 0 : (bytes - 1) % 8 + 1;
    if (rest != 0) std::memcpy(&word, end - rest, rest);
    return word;
  }
  if (ABSL_PREDICT_TRUE(bytes >= 8)) {
    uint64_t word;
    std::memcpy(&word, end - 8, sizeof(word));
    return word >> (-bytes % 8 * 8);
  }
  if (bytes >= 4) {
    uint32_t low, high;
    std::memcpy(&low, data, sizeof(low));
    std::memcpy(&high, end - 4, sizeof(high));
    return low | uint64_t{high} << (bytes - 4) * 8;
  }
  if (bytes == 0) return 0;
  const auto byte = [&](uint64_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    return uint64_t{static_cast<unsigned char>(data[i])} << i * 8;
  };
  return byte(0) | byte(bytes / 2) | byte(bytes - 1);
}

namespace hash_internal {

inline constexpr uint64_t kOdd1 = 0xa0761d6478bd642f;
inline constexpr uint64_t kOdd2 = 0xe7037ed1a0b428db;
inline constexpr uint64_t kOdd3 = 0x8ebc6af09c88c6e3;
inline constexpr uint64_t kOdd4 = 0x2b077b9cbd42a417;

ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t Fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Of one whole word.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t HashOne(uint64_t seed,
                                                     uint64_t word) {
  return std::rotr(Fold(word ^ seed, kOdd4), kHashTurn);
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t HashTwo(uint64_t hash,
                                                     uint64_t first,
                                                     uint64_t second) {
  return Fold(first ^ kOdd1, second ^ hash);
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t EndHash(uint64_t hash,
                                                     uint64_t bytes) {
  return std::rotr(Fold(hash ^ kOdd2, bytes ^ kOdd1), kHashTurn);
}

// Of more than 16 bytes: a call, so that what is inlined is short.
ABSL_ATTRIBUTE_NOINLINE inline uint64_t HashLong(uint64_t seed,
                                                 const char* data,
                                                 uint64_t bytes) {
  const KeyView key(0, data, bytes);
  const uint64_t before_last = key.words() - 1;
  uint64_t hash = seed ^ kOdd3;
  uint64_t i = 0;
  for (; i + 2 <= before_last; i += 2) {
    hash = HashTwo(hash, key.Word(i), key.Word(i + 1));
  }
  hash = i < before_last ? HashTwo(hash, key.Word(i), key.last)
                         : HashTwo(hash, key.last, kOdd2);
  return EndHash(hash, bytes);
}

}  // namespace hash_internal

ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t HashWords(
    uint64_t seed, absl::Span<const uint64_t> words, uint64_t bytes) {
  using namespace hash_internal;  // NOLINT: within this function
  if (words.size() == 1 && bytes == 8) return HashOne(seed, words[0]);
  uint64_t hash = seed ^ kOdd3;
  size_t i = 0;
  for (; i + 2 <= words.size(); i += 2) {
    hash = HashTwo(hash, words[i], words[i + 1]);
  }
  if (i < words.size()) hash = HashTwo(hash, words[i], kOdd2);
  return EndHash(hash, bytes);
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t HashBytes(uint64_t seed,
                                                       const KeyView& key) {
  using namespace hash_internal;  // NOLINT: within this function
  if (ABSL_PREDICT_FALSE(key.bytes > 16)) {
    return HashLong(seed, key.data, key.bytes);
  }
  uint64_t hash = seed ^ kOdd3;
  if (key.bytes > 8) {
    hash = HashTwo(hash, key.Word(0), key.last);
  } else if (key.bytes == 8) {
    return HashOne(seed, key.last);
  } else if (key.bytes != 0) {
    hash = HashTwo(hash, key.last, kOdd2);
  }
  return EndHash(hash, key.bytes);
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_KEY_H_
