// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: encoded.h
// -----------------------------------------------------------------------------
//
// What a table's handle passes to the core: a key with its hash, and the words
// of a row. Keys and rows of a fixed number of words are plain arrays, so that
// an operation on them is little more than its memory accesses.
//
//   const TableKey<Codec, &User::id> key(7);
//   core.reader().Lookup(key.hash_key(core.seed()), &words);
//   RowWords<Codec> row;
//   absl::Status encoded = row.Encode(user);
//
// Thread safety: values of one thread. Lifetime: spans refer to the object.

#ifndef COMMON_TABLE_ENCODED_H_
#define COMMON_TABLE_ENCODED_H_

#include <array>
#include <cstdint>
#include <type_traits>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_reader.h"
#include "common/row/row.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// TableKey
template <typename Codec, auto Key>
class TableKey {
 public:
  using KeyArg = typename Codec::template KeyArg<Key>;

  explicit TableKey(KeyArg key) {
    if constexpr (kIsVariable) {
      Codec::template EncodeKey<Key>(key, words_);
    } else {
      words_ = Codec::template EncodeFixedKey<Key>(key);
    }
  }

  // The words, with their hash in a table with that seed.
  [[nodiscard]] HashKey hash_key(uint64_t seed) const
      ABSL_ATTRIBUTE_LIFETIME_BOUND {
    if constexpr (kIsVariable) {
      return MakeHashKey(seed, words_.words, words_.bytes);
    } else {
      return MakeHashKey(seed, words_, words_.size() * 8);
    }
  }

 private:
  static constexpr bool kIsVariable =
      Codec::template KeyLayoutOf<Key>().variable;

  std::conditional_t<
      kIsVariable, EncodedKey,
      std::array<uint64_t, Codec::template KeyLayoutOf<Key>().words>>
      words_;
};

// RowWords
template <typename Codec>
class RowWords {
 public:
  // RowWords::Encode()
  //
  // As Codec::Encode().
  template <typename Row>
  [[nodiscard]] absl::Status Encode(const Row& row) {
    if constexpr (Codec::kIsFixed) {
      words_ = Codec::EncodeFixed(row);
      return absl::OkStatus();
    } else {
      return Codec::Encode(row, words_);
    }
  }

  // RowWords::Lookup()
  //
  // Replaces the words by those of the row with the given key, `Key` of its
  // fields, and returns whether there is one.
  template <auto Key>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool Lookup(
      const HashReader& reader, const HashKey& key) {
    if constexpr (Codec::kIsFixed) {
      return reader
          .LookupFixed<Codec::kFixedWords, Codec::template KeyLayoutOf<Key>()>(
              key, words_.data());
    } else {
      return reader.Lookup(key, &words_);
    }
  }

  [[nodiscard]] absl::Span<const uint64_t> words() const
      ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return words_;
  }

 private:
  static constexpr uint64_t FixedWords() {
    if constexpr (Codec::kIsFixed) return Codec::kFixedWords;
    return 1;
  }
  std::conditional_t<Codec::kIsFixed, std::array<uint64_t, FixedWords()>,
                     RowBuffer>
      words_;  // an array is not initialized: it is written before it is read
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_ENCODED_H_
