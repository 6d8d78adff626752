// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: rows.h
// -----------------------------------------------------------------------------
//
// The two kinds of rows that maps are compared with: a word under a word, and
// 64 bytes under a string of 16 bytes.
//
//   WordRow    "u64"    uint64_t -> uint64_t
//   StringRow  "str16"  std::string of 16 bytes -> Payload
//
// A kind of row says how its key number `index` looks, in a `Packed` form that
// a stream of keys can be made of and that reading costs next to nothing:
//
//   const StringRow::Packed packed = StringRow::KeyAt(7);
//   peer.Find(StringRow::Unpack(packed));
//
// Thread safety: pure functions.

#ifndef BENCHMARKS_ROWS_H_
#define BENCHMARKS_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {

// Scramble()
//
// A random-looking word, another one for each `index`. (The finalizer of
// SplitMix64; Steele, Lea and Flood, OOPSLA 2014.)
[[nodiscard]] inline uint64_t Scramble(uint64_t index) {
  uint64_t word = index + 0x9e3779b97f4a7c15;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

// WordRow
struct WordRow {
  static constexpr char kName[] = "u64";
  using Key = uint64_t;
  using KeyArg = uint64_t;  // how a key is passed
  using Value = uint64_t;
  using Packed = uint64_t;

  [[nodiscard]] static Packed KeyAt(uint64_t index) { return Scramble(index); }
  [[nodiscard]] static KeyArg Unpack(const Packed& packed) { return packed; }
  [[nodiscard]] static Value ValueOf(uint64_t count) { return count; }

  // The part of a value that update_counter adds to.
  [[nodiscard]] static uint64_t& Count(Value& value) { return value; }
  [[nodiscard]] static uint64_t Count(const Value& value) { return value; }
};

// Payload
//
// A value of 64 bytes of which the first eight count.
struct Payload {
  uint64_t count = 0;
  std::array<uint64_t, 7> rest = {};

  friend bool operator==(const Payload&, const Payload&) = default;
};

// StringRow
struct StringRow {
  static constexpr char kName[] = "str16";
  using Key = std::string;
  using KeyArg = absl::string_view;
  using Value = Payload;
  using Packed = std::array<char, 16>;

  // In hexadecimal digits.
  [[nodiscard]] static Packed KeyAt(uint64_t index) {
    uint64_t word = Scramble(index);
    Packed packed;
    for (char& digit : packed) {
      digit = "0123456789abcdef"[word % 16];
      word /= 16;
    }
    return packed;
  }
  [[nodiscard]] static KeyArg Unpack(const Packed& packed) {
    return KeyArg(packed.data(), packed.size());
  }
  [[nodiscard]] static Value ValueOf(uint64_t count) {
    return {.count = count, .rest = {count, 1, 2, 3, 4, 5, 6}};
  }
  [[nodiscard]] static uint64_t& Count(Value& value) { return value.count; }
  [[nodiscard]] static uint64_t Count(const Value& value) {
    return value.count;
  }
};

// RowHash, RowEqual
//
// What all maps hash and compare with, but for the table, which has a hash of
// its own. The hash is strong: no map needs to mix it again.
template <typename Row>
struct RowHash {
  using is_transparent = void;
  using is_avalanching = void;

  size_t operator()(typename Row::KeyArg key) const {
    return absl::HashOf(key);
  }
};

template <typename Row>
struct RowEqual {
  using is_transparent = void;

  bool operator()(typename Row::KeyArg a, typename Row::KeyArg b) const {
    return a == b;
  }
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_ROWS_H_
