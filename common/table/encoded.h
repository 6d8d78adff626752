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
//   absl::Status stored = core.Insert(epoch, key.hash_key(core.seed()), ...);
//   const LookupKey<Codec, &User::id> wanted(7);
//   FoundRow<Codec, &User::id> found;
//   if (found.Lookup(core.reader(), wanted.view(core.seed()))) ...
//   RowWords<Codec> row;
//   absl::Status encoded = row.Encode(user);
//
// Thread safety: values of one thread. Lifetime: spans and views refer to the
// object, and those of a LookupKey to the key that it was made of.

#ifndef COMMON_TABLE_ENCODED_H_
#define COMMON_TABLE_ENCODED_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/row/layout.h"
#include "common/row/row.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// TableKey
template <typename Codec, auto Key>
class TableKey {
 public:
  using KeyArg = typename Codec::template KeyArg<Key>;

  ABSL_ATTRIBUTE_ALWAYS_INLINE explicit TableKey(KeyArg key)
      : bytes_(Codec::template KeyBytes<Key>(key)) {
    Codec::template StoreKey<Key>(key, words_.Reset(WordsFor(bytes_)));
  }

  // The words, with their hash in a table with that seed.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE HashKey
  hash_key(uint64_t seed) const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return MakeHashKey(seed, words_.words(), bytes_);
  }

  // The same with a hash that is known from before.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE HashKey
  hash_key_of(uint64_t hash) const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return {.hash = hash, .bytes = bytes_, .words = words_.words()};
  }

 private:
  static constexpr KeyLayout kKey = Codec::template KeyLayoutOf<Key>();

  const uint64_t bytes_;
  std::conditional_t<kKey.variable, ScratchWords<8>, ExactWords<kKey.words>>
      words_;
};

// LookupKey
//
// A key that is only looked up: its bytes are left where they are if they lie
// together.
template <typename Codec, auto Key>
class LookupKey {
 public:
  using KeyArg = typename Codec::template KeyArg<Key>;

  ABSL_ATTRIBUTE_ALWAYS_INLINE explicit LookupKey(KeyArg key) : key_(key) {}

  // The bytes, with their hash in a table with that seed; or with a hash that
  // is known from before.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE KeyView
  view(uint64_t seed) const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    if constexpr (kInPlace) {
      return MakeKeyView(seed, data(), Codec::template KeyBytes<Key>(key_));
    } else {
      return key_.hash_key(seed);
    }
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE KeyView
  view_of_hash(uint64_t hash) const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    if constexpr (kInPlace) {
      return {hash, data(), Codec::template KeyBytes<Key>(key_)};
    } else {
      return key_.hash_key_of(hash);
    }
  }

 private:
  static constexpr bool kInPlace =
      Codec::template KeyLayoutOf<Key>().variable && requires(KeyArg key) {
    key.data()[0];
  };

  const char* data() const {
    return reinterpret_cast<const char*>(key_.data());
  }

  const std::conditional_t<kInPlace, KeyArg, TableKey<Codec, Key>> key_;
};

// RowWords
//
// A row to be stored.
template <typename Codec>
class RowWords {
 public:
  // RowWords::Encode()
  //
  // As Codec::Encode().
  template <typename Row>
  [[nodiscard]] absl::Status Encode(const Row& row) {
    if constexpr (Codec::kIsFixed) {
      Codec::EncodeFixed(row, words_.data());
      return absl::OkStatus();
    } else {
      return Codec::Encode(row, words_);
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

// FoundRow
//
// A row copied out of a table. Nothing is initialized: it is written before it
// is read.
template <typename Codec, auto Key>
class FoundRow {
 public:
  // FoundRow::Lookup()
  //
  // Replaces the words by those of the row with the given key, and returns
  // whether there is one; if not, they are any. `home`: of the key's hash.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool Lookup(
      const HashReader& reader, const KeyView& key) {
    return Lookup(reader, reader.HomeOf(key.hash), key);
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool Lookup(
      const HashReader& reader, const HashBucket* home, const KeyView& key) {
    if constexpr (Codec::kIsFixed) {
      return reader.LookupFixed<Codec::kFixedWords, kKey>(
          home, key, words_.Reset(Codec::kFixedWords));
    } else {
      return reader.LookupRecord<kKey>(
          home, key, [this](uint64_t words) { return words_.Reset(words); });
    }
  }

  [[nodiscard]] absl::Span<const uint64_t> words() const
      ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return words_.words();
  }

 private:
  static constexpr KeyLayout kKey = Codec::template KeyLayoutOf<Key>();
  static auto Words() {
    if constexpr (Codec::kIsFixed) {
      return std::type_identity<ExactWords<Codec::kFixedWords>>();
    } else {
      return std::type_identity<ScratchWords<32>>();
    }
  }

  typename decltype(Words())::type words_;
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_ENCODED_H_
