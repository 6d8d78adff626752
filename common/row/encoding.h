// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: encoding.h
// -----------------------------------------------------------------------------
//
// The pieces that everything that writes, checks or reads an encoded row is
// made of (`layout.h` describes the encoding). Internal: rows are encoded with
// `RowCodec` and printed with `FormatRow()`.
//
// Thread safety: pure functions and values.

#ifndef COMMON_ROW_ENCODING_H_
#define COMMON_ROW_ENCODING_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/row/layout.h"
#include "common/row/value_type.h"

namespace ets_keeper::row_internal {

// ScalarToWord()
//
// The word that holds `value`.
template <ScalarValue T>
constexpr uint64_t ScalarToWord(T value) {
  if constexpr (std::is_enum_v<T>) {
    return ScalarToWord(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<uint64_t>(value);
  } else if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<uint32_t>(value);
  } else if constexpr (std::is_same_v<T, char>) {
    return static_cast<unsigned char>(value);
  } else {
    return static_cast<uint64_t>(value);  // sign-extends a signed value
  }
}

// ScalarFromWord()
//
// The value of a word that `IsScalarWord()` accepts.
template <ScalarValue T>
constexpr T ScalarFromWord(uint64_t word) {
  if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(word);
  } else if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<uint32_t>(word));
  } else {
    return static_cast<T>(word);
  }
}

// IsScalarWord()
//
// Whether `word` is the word of some value of type `scalar`.
constexpr bool IsScalarWord(ScalarType scalar, uint64_t word) {
  switch (scalar) {
    case ScalarType::kBool:
      return word <= 1;
    case ScalarType::kChar:
    case ScalarType::kU8:
      return word <= UINT8_MAX;
    case ScalarType::kU16:
      return word <= UINT16_MAX;
    case ScalarType::kU32:
    case ScalarType::kF32:
      return word <= UINT32_MAX;
    case ScalarType::kI8:
      return ScalarToWord(static_cast<int8_t>(word)) == word;
    case ScalarType::kI16:
      return ScalarToWord(static_cast<int16_t>(word)) == word;
    case ScalarType::kI32:
      return ScalarToWord(static_cast<int32_t>(word)) == word;
    case ScalarType::kI64:
    case ScalarType::kU64:
    case ScalarType::kF64:
      return true;
  }
  return false;
}

// TailPlan
//
// Adds up the words of a row before it is written.
class TailPlan {
 public:
  explicit TailPlan(uint64_t fixed_words) : words_(fixed_words) {}

  // Adds a field of `bytes` bytes; false when a row cannot hold it.
  [[nodiscard]] bool Add(uint64_t bytes) {
    if (bytes > kMaxFieldBytes) return false;
    words_ += WordsFor(bytes);
    return words_ <= kMaxRowWords;
  }

  [[nodiscard]] uint64_t words() const { return words_; }

 private:
  uint64_t words_;
};

// Problem
//
// What is wrong with a value, a string literal; nullptr when nothing is.
using Problem = const char*;

// PaddingIsZero()
//
// Whether the bytes of the last word behind the `bytes` bytes at `words` are.
[[nodiscard]] inline bool PaddingIsZero(const uint64_t* words, uint64_t bytes) {
  if (bytes % 8 == 0) return true;
  const uint64_t last = words[bytes / 8];
  const uint64_t bits = bytes % 8 * 8;  // of it that count
  return (std::endian::native == std::endian::little ? last >> bits
                                                     : last << bits) == 0;
}

// TailReader
//
// Walks over the tail of a row that may hold anything. In a canonical row each
// field's bytes follow those of the field before, so a descriptor has only one
// acceptable offset.
class TailReader {
 public:
  TailReader(absl::Span<const uint64_t> row, uint64_t fixed_words)
      : row_(row), next_(fixed_words) {}

  // Sets `bytes` to what `descriptor` names.
  [[nodiscard]] Problem Take(uint64_t descriptor, absl::string_view& bytes) {
    bytes = absl::string_view();
    if (descriptor == 0) return nullptr;
    const uint32_t size = DescriptorBytes(descriptor);
    if (size == 0) return "has an offset but no bytes";
    if (DescriptorWord(descriptor) != next_) return "has a wrong offset";
    if (WordsFor(size) > row_.size() - next_) return "ends after its row";
    const uint64_t* const start = row_.data() + next_;
    next_ += WordsFor(size);
    if (!PaddingIsZero(start, size)) return "has padding that is not zero";
    bytes = absl::string_view(reinterpret_cast<const char*>(start), size);
    return nullptr;
  }

  // Whether nothing is left over.
  [[nodiscard]] bool at_end() const { return next_ == row_.size(); }

 private:
  absl::Span<const uint64_t> row_;
  uint64_t next_;
};

// CheckValue()
//
// Checks the value whose fixed part starts at `fixed` (all of it readable) and
// whose bytes, if it has any, are the next in `tail`.
[[nodiscard]] Problem CheckValue(const ValueType& type, const uint64_t* fixed,
                                 TailReader& tail);

// BytesAt()
//
// The bytes that `descriptor` names in a checked row.
[[nodiscard]] inline absl::string_view BytesAt(const uint64_t* row,
                                               uint64_t descriptor) {
  return absl::string_view(
      reinterpret_cast<const char*>(row + DescriptorWord(descriptor)),
      DescriptorBytes(descriptor));
}

// TakeU32(), TakeString()
//
// Remove a number, or a number and as many bytes, from the front of `rest`;
// false when it is too short.
[[nodiscard]] inline bool TakeU32(absl::string_view& rest, uint32_t& number) {
  if (rest.size() < sizeof(number)) return false;
  std::memcpy(&number, rest.data(), sizeof(number));
  rest.remove_prefix(sizeof(number));
  return true;
}
[[nodiscard]] inline bool TakeString(absl::string_view& rest,
                                     absl::string_view& string) {
  uint32_t size;
  if (!TakeU32(rest, size) || size > rest.size()) return false;
  string = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

// CorruptField(), CorruptSize(), CorruptTail(), FieldTooLarge()
//
// The errors of a codec: all kCorrupt but the last, which is kBadRow.
// `CorruptSize()` of too many words is `CorruptTail()`.
[[nodiscard]] absl::Status CorruptField(absl::string_view field,
                                        Problem problem);
[[nodiscard]] absl::Status CorruptSize(uint64_t words, uint64_t wanted);
[[nodiscard]] absl::Status CorruptTail();
[[nodiscard]] absl::Status FieldTooLarge(absl::string_view field,
                                         uint64_t bytes);

}  // namespace ets_keeper::row_internal

#endif  // COMMON_ROW_ENCODING_H_
