// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: layout.h
// -----------------------------------------------------------------------------
//
// Where the parts of an encoded row are: what a core needs to find the key of a
// row, and a table to update a field, without knowing the row's type.
//
// An encoded row is an array of native-endian 64-bit words. Its fixed part has
// the same number of words in every row of a type:
//
//   scalar or enum          one word: signed integers sign-extended, all else
//                           (bool, char, unsigned, float, double) zero-extended
//   array of N scalars      ceil(N * width / 8) words, packed, zero-padded
//   string, vector          one descriptor word: the bytes are in the tail
//   optional                one word, 0 or 1, then the words of the value, all
//                           zero when there is none
//
// The tail follows: for each field with bytes, in order, the bytes, zero-padded
// to whole words. A descriptor holds the offset of the bytes, in words from the
// start of the row, in its low half, and their number in its high half; it is 0
// when there are none. The bytes of a vector of strings are a u32 count, then
// for each string a u32 length and its bytes. The encoding is canonical: equal
// rows (floating-point values equal by their bits) give equal words.
//
//   struct User { uint64_t id; std::string name; int64_t visits; };
//   {7, "Ada", -3}  ->  7 | 3 + (3 << 32) | -3 | 'A' 'd' 'a' 0 0 0 0 0
//
// Thread safety: values and pure functions.
//
// It depends on nothing but the standard library.

#ifndef COMMON_ROW_LAYOUT_H_
#define COMMON_ROW_LAYOUT_H_

#include <cstdint>

namespace ets_keeper {

// kRowFormatVersion
//
// The version of the encoding above. Part of every schema's fingerprint.
inline constexpr uint32_t kRowFormatVersion = 1;

// kMaxFieldBytes, kMaxRowWords
//
// What a descriptor can express: the most bytes of one field, the most words of
// one row.
inline constexpr uint64_t kMaxFieldBytes = UINT32_MAX;
inline constexpr uint64_t kMaxRowWords = UINT32_MAX;

// KeyLayout
//
// Where the key is in every row of a table. A fixed key is the `words` words at
// index `word`. A variable key is the bytes that the descriptor at index `word`
// names (`words` is 1 then).
struct KeyLayout {
  uint32_t word = 0;
  uint32_t words = 1;
  bool variable = false;

  friend constexpr bool operator==(const KeyLayout&,
                                   const KeyLayout&) = default;
};

// KeyPlace
//
// A KeyLayout with what the type of the rows says besides: at which word the
// bytes of a variable key begin in every row where it has some; 0: there, where
// the descriptor says.
struct KeyPlace : KeyLayout {
  constexpr KeyPlace(  // NOLINT: a layout says nothing besides
      const KeyLayout& layout, uint32_t bytes_begin = 0)
      : KeyLayout(layout), begin(bytes_begin) {}

  friend constexpr bool operator==(const KeyPlace&, const KeyPlace&) = default;

  uint32_t begin;
};

// FieldKind
enum class FieldKind : uint8_t {
  kWord,      // a scalar: one word, which one aligned store can replace
  kWords,     // an array: `words` packed words
  kBytes,     // a string or vector: a descriptor
  kOptional,  // a presence word, then the words of the value
};

// FieldLayout
//
// Where one field is, and whether it can be counted with: exactly one of
// `is_signed` and `is_unsigned` is true for an integer field (not for bool,
// char, enums, or an optional integer); `width` is its size in bytes, 0 for
// fields that are no integers.
struct FieldLayout {
  uint32_t index = 0;  // position in the field list, from 0
  uint32_t word = 0;   // first word in the fixed part
  uint32_t words = 1;  // number of words in the fixed part
  FieldKind kind = FieldKind::kWord;
  bool is_signed = false;
  bool is_unsigned = false;
  uint8_t width = 0;

  [[nodiscard]] constexpr bool is_integer() const {
    return is_signed || is_unsigned;
  }

  friend constexpr bool operator==(const FieldLayout&,
                                   const FieldLayout&) = default;
};

// WordsFor()
//
// The number of words that hold `bytes` bytes.
[[nodiscard]] constexpr uint64_t WordsFor(uint64_t bytes) {
  return bytes / 8 + (bytes % 8 != 0);
}

// MakeDescriptor()
//
// The descriptor of `bytes` bytes that start at word `word` of the row.
[[nodiscard]] constexpr uint64_t MakeDescriptor(uint32_t word, uint32_t bytes) {
  return bytes == 0 ? 0 : uint64_t{bytes} << 32 | word;
}

// DescriptorWord(), DescriptorBytes()
//
// The two halves of a descriptor. In a row that was not checked they may point
// anywhere.
[[nodiscard]] constexpr uint32_t DescriptorWord(uint64_t descriptor) {
  return static_cast<uint32_t>(descriptor);
}
[[nodiscard]] constexpr uint32_t DescriptorBytes(uint64_t descriptor) {
  return static_cast<uint32_t>(descriptor >> 32);
}

}  // namespace ets_keeper

#endif  // COMMON_ROW_LAYOUT_H_
