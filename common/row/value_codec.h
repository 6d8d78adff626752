// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: value_codec.h
// -----------------------------------------------------------------------------
//
// Writes and reads one value of a known C++ type, in words. Internal: a part of
// `RowCodec`.
//
// Thread safety: pure functions.

#ifndef COMMON_ROW_VALUE_CODEC_H_
#define COMMON_ROW_VALUE_CODEC_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/row/encoding.h"
#include "common/row/layout.h"
#include "common/row/value_type.h"

namespace ets_keeper::row_internal {

static_assert(sizeof(bool) == 1);

// KeyValue
//
// The types a key may have: those whose equality is that of their words.
template <typename T>
concept KeyValue = PlainValue<T> && !StringVectorValue<T> &&
                   ValueTypeOf<T>().scalar != ScalarType::kF32 &&
                   ValueTypeOf<T>().scalar != ScalarType::kF64;

// KeyArg
//
// How a key of type `T` is passed.
template <typename T>
struct KeyArgOf {
  using type = const T&;
};
template <ScalarValue T>
struct KeyArgOf<T> {
  using type = T;
};
template <>
struct KeyArgOf<std::string> {
  using type = absl::string_view;
};
template <ScalarValue T>
requires(!std::is_same_v<T, bool>) struct KeyArgOf<std::vector<T>> {
  using type = absl::Span<const T>;
};
template <typename T>
using KeyArg = typename KeyArgOf<T>::type;

// BytesOf()
//
// The number of bytes of a string, vector or span.
template <typename Bytes>
uint64_t BytesOf(const Bytes& value) {
  if constexpr (StringVectorValue<Bytes>) {
    if (value.empty()) return 0;
    uint64_t bytes = sizeof(uint32_t);
    for (const std::string& string : value) {
      bytes += sizeof(uint32_t) + string.size();
    }
    return bytes;
  } else {
    return uint64_t{value.size()} * sizeof(typename Bytes::value_type);
  }
}

inline char* PutU32(uint64_t number, char* to) {
  const uint32_t narrow = static_cast<uint32_t>(number);
  std::memcpy(to, &narrow, sizeof(narrow));
  return to + sizeof(narrow);
}

// StoreBytes()
//
// Writes the `bytes` bytes of a string, vector or span, and their padding.
template <typename Bytes>
void StoreBytes(const Bytes& value, uint64_t* words, uint64_t bytes) {
  if (bytes == 0) return;
  words[WordsFor(bytes) - 1] = 0;
  char* to = reinterpret_cast<char*>(words);
  if constexpr (StringVectorValue<Bytes>) {
    to = PutU32(value.size(), to);
    for (const std::string& string : value) {
      to = PutU32(string.size(), to);
      to = std::copy(string.begin(), string.end(), to);
    }
  } else if constexpr (std::is_same_v<Bytes, std::vector<bool>>) {
    std::copy(value.begin(), value.end(), to);
  } else {
    std::memcpy(to, value.data(), bytes);
  }
}

// StoreFixed()
//
// Writes a scalar or array, and its padding.
template <typename T>
void StoreFixed(const T& value, uint64_t* words) {
  if constexpr (ScalarValue<T>) {
    *words = ScalarToWord(value);
  } else {
    static_assert(ArrayValue<T> && std::is_trivially_copyable_v<T>);
    words[WordsFor(sizeof(T)) - 1] = 0;
    std::memcpy(words, std::addressof(value), sizeof(T));
  }
}

// PlanValue()
//
// Adds the bytes of a value to `plan`; false when they are too many.
template <typename T>
bool PlanValue(const T& value, TailPlan& plan, uint64_t& bytes) {
  if constexpr (OptionalValue<T>) {
    return !value.has_value() || PlanValue(*value, plan, bytes);
  } else if constexpr (ValueTypeOf<T>().is_variable()) {
    bytes = BytesOf(value);
    return plan.Add(bytes);
  } else {
    return true;
  }
}

// StoreValue()
//
// Writes a value to the fixed part at `word` of `row`, and its bytes at `tail`,
// which then moves behind them.
template <typename T>
void StoreValue(const T& value, uint64_t* row, uint64_t word, uint64_t& tail) {
  if constexpr (OptionalValue<T>) {
    row[word] = value.has_value() ? 1 : 0;
    if (value.has_value()) {
      StoreValue(*value, row, word + 1, tail);
    } else {
      std::fill_n(row + word + 1, FixedWordsOf(ValueTypeOf<T>()) - 1, 0);
    }
  } else if constexpr (ValueTypeOf<T>().is_variable()) {
    const uint64_t bytes = BytesOf(value);
    row[word] = MakeDescriptor(static_cast<uint32_t>(tail),
                               static_cast<uint32_t>(bytes));
    StoreBytes(value, row + tail, bytes);
    tail += WordsFor(bytes);
  } else {
    StoreFixed(value, row + word);
  }
}

// LoadString()
//
// Replaces a string by the bytes, which may be its own: at once if it has as
// many, as it often has from the row before, else by a call. A few words are
// moved as two that overlap.
ABSL_ATTRIBUTE_NOINLINE inline void ReplaceString(absl::string_view bytes,
                                                  std::string& out) {
  if (bytes.size() > out.capacity()) {
    out = std::string(bytes.data(), bytes.size());
  } else {
    out.assign(bytes.data(), bytes.size());
  }
}
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void LoadString(absl::string_view bytes,
                                                    std::string& out) {
  const size_t size = bytes.size();
  if (ABSL_PREDICT_FALSE(out.size() != size)) return ReplaceString(bytes, out);
  char* const to = out.data();
  if (ABSL_PREDICT_FALSE(size < 8 || size > 16)) {
    std::memmove(to, bytes.data(), size);
    return;
  }
  uint64_t first, last;
  std::memcpy(&first, bytes.data(), 8);
  std::memcpy(&last, bytes.data() + size - 8, 8);
  std::memcpy(to, &first, 8);
  std::memcpy(to + size - 8, &last, 8);
}

// LoadBytes()
//
// Replaces a vector by what `bytes`, which were checked, hold.
template <typename T>
void LoadBytes(absl::string_view bytes, T& out) {
  if constexpr (StringVectorValue<T>) {
    uint32_t count = 0;
    if (!TakeU32(bytes, count)) count = 0;  // no bytes: no strings
    out.resize(count);
    for (std::string& string : out) {
      absl::string_view item;
      if (TakeString(bytes, item)) string.assign(item.data(), item.size());
    }
  } else if constexpr (std::is_same_v<T, std::vector<bool>>) {
    out.assign(bytes.begin(), bytes.end());
  } else {
    out.resize(bytes.size() / sizeof(typename T::value_type));
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  }
}

// LoadValue()
//
// Replaces `out` by the value at `word` of `row`, which was checked.
template <typename T>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void LoadValue(const uint64_t* row,
                                                   uint64_t word, T& out) {
  if constexpr (OptionalValue<T>) {
    if (row[word] == 0) {
      out.reset();
      return;
    }
    if (!out.has_value()) out.emplace();
    LoadValue(row, word + 1, *out);
  } else if constexpr (ScalarValue<T>) {
    out = ScalarFromWord<T>(row[word]);
  } else if constexpr (ArrayValue<T>) {
    std::memcpy(std::addressof(out), row + word, sizeof(T));
  } else if constexpr (StringValue<T>) {
    LoadString(BytesAt(row, row[word]), out);
  } else {
    LoadBytes(BytesAt(row, row[word]), out);
  }
}

}  // namespace ets_keeper::row_internal

#endif  // COMMON_ROW_VALUE_CODEC_H_
