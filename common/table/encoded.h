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
//   const KeyView key = wanted.view(core.seed());
//   FoundRow<Codec, &User::id> row;
//   if (row.Lookup(core.reader(), key) == HashReader::Found::kYes &&
//       row.Decode(key, user)) ...
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
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_item.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/hash/hash_record.h"
#include "common/row/layout.h"
#include "common/row/row.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// kShapeOf
//
// What the core's writes are made for.
template <typename Codec, auto Key>
inline constexpr RowShape kShapeOf = {
    .fixed_words =
        [] {
          if constexpr (Codec::kIsFixed) return uint32_t{Codec::kFixedWords};
          return uint32_t{0};
        }(),
    .key = Codec::template KeyPlaceOf<Key>()};

// TableKey
//
// The words of a key, for what needs them as they are stored.
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
// A key as lookups and most writes take it: its bytes are left where they are
// if they lie together.
template <typename Codec, auto Key>
class LookupKey {
 public:
  using KeyArg = typename Codec::template KeyArg<Key>;

  // LookupKey::kInPlace
  static constexpr bool kInPlace =
      Codec::template KeyLayoutOf<Key>().variable && requires(KeyArg key) {
    key.data()[0];
  };

  ABSL_ATTRIBUTE_ALWAYS_INLINE explicit LookupKey(KeyArg key) : key_(key) {}

  // The bytes, with their hash in a table with that seed.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE KeyView
  view(uint64_t seed) const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    if constexpr (kInPlace) {
      return MakeKeyView(seed, data(), Codec::template KeyBytes<Key>(key_));
    } else {
      return key_.hash_key(seed);
    }
  }

  // LookupKey::Kept, LookupKey::view_of()
  //
  // What to keep of a key to have the view again, of the same key: the view, if
  // it is of the caller's bytes, or its hash.
  class Kept {
   public:
    Kept() = default;  // to be assigned to
    ABSL_ATTRIBUTE_ALWAYS_INLINE explicit Kept(const KeyView& view) {
      if constexpr (kInPlace) {
        kept_ = view;
      } else {
        kept_ = view.hash;
      }
    }
    [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t hash() const {
      if constexpr (kInPlace) {
        return kept_.hash;
      } else {
        return kept_;
      }
    }

   private:
    friend class LookupKey;
    std::conditional_t<kInPlace, KeyView, uint64_t> kept_;
  };
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE KeyView
  view_of(const Kept& kept) const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    if constexpr (kInPlace) {
      // Word by word, so that they need not be in memory once more.
      const KeyView& view = kept.kept_;
      return {view.hash, view.data, view.bytes, view.last};
    } else {
      return key_.hash_key_of(kept.kept_);
    }
  }

 private:
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
      EncodeFixed(row);
      return absl::OkStatus();
    } else {
      return Codec::Encode(row, words_);
    }
  }
  template <typename Row>
  void EncodeFixed(const Row& row) requires(Codec::kIsFixed) {
    Codec::EncodeFixed(row, words_.data());
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
// A row on its way out of a table: so much of it as its type cannot know. It
// finds and decodes what nearly every lookup comes to; whatever else there is,
// a row that is none, say, is for `LookupSlowly()`. Nothing is initialized: it
// is written before it is read.
template <typename Codec, auto Key>
class FoundRow {
 public:
  using Found = HashReader::Found;

  // FoundRow::kIsInline
  //
  // Whether rows lie in their buckets.
  static constexpr bool kIsInline = [] {
    if constexpr (!Codec::kIsFixed) return false;
    return InlineWords(Codec::kFixedWords,
                       Codec::template KeyLayoutOf<Key>()) != 0;
  }();

  // FoundRow::Lookup()
  //
  // Replaces the words by those of the row with the given key, and says whether
  // there is one; if not `kYes`, they are any. `home`: of the key's hash.
  // `sight`: what was seen there, now or before.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE Found
  Lookup(const HashReader& reader, const KeyView& key) {
    const HashBucket* const home = reader.homes().Of(key.hash);
    if constexpr (kIsInline) {
      return Lookup(reader, home, key);
    } else {
      return Lookup(reader, home, reader.See(home, key.hash), key);
    }
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE Found
  Lookup(const HashReader& reader, const HashBucket* home,
         const KeyView& key) requires(kIsInline) {
    return reader.LookupFixed<Codec::kFixedWords,
                              Codec::template KeyLayoutOf<Key>()>(
               home, key, words_.Reset(Codec::kFixedWords))
               ? Found::kYes
               : Found::kNo;
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE Found Lookup(
      const HashReader& reader, const HashBucket* home,
      const HashReader::Sight& sight, const KeyView& key) requires(!kIsInline) {
    return reader.TryRecord<Codec::template KeyPlaceOf<Key>()>(
        home, sight, key,
        [&](absl::Span<const uint64_t> row) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          if constexpr (kHasFewWords) {
            const uint64_t tail = Codec::kIsFixed ? 0 : key.words();
            if (row.size() != Codec::kFixedWords + tail) return false;
            CopyWords(row.data(), Codec::kFixedWords,
                      words_.Reset(Codec::kFixedWords));
          } else {
            if (row.size() > kFewWords && !IsUnchanged(home, sight.head)) {
              return false;
            }
            CopyWords(row.data(), row.size(), words_.Reset(row.size()));
          }
          return true;
        });
  }

  // FoundRow::Decode()
  //
  // Replaces `out` by the row that was found with the key; false, with `out` as
  // it was, if it is none.
  template <typename Row>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool Decode(const KeyView& key,
                                                         Row& out) const {
    if constexpr (Codec::template KeyIsTail<Key>()) {
      return Codec::template DecodeAround<Key>(
          words_.words().data(), absl::string_view(key.data, key.bytes), out);
    } else {
      return Codec::Decode(words_.words(), out).ok();
    }
  }

  // FoundRow::DecodeField()
  //
  // The same of one field, which is not the key.
  template <auto Member>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool DecodeField(
      typename Codec::template FieldType<Member>& out) const {
    if constexpr (Codec::template KeyIsTail<Key>()) {
      return Codec::template DecodeFieldAround<Key, Member>(
          words_.words().data(), out);
    } else {
      return Codec::template DecodeField<Member>(words_.words(), out).ok();
    }
  }

 private:
  static constexpr size_t kFewWords = 32;
  // Whether the type knows all of a row but its key.
  static constexpr bool kHasFewWords =
      Codec::kIsFixed || Codec::template KeyIsTail<Key>();

  std::conditional_t<kHasFewWords, ExactWords<Codec::kFixedWords>,
                     ScratchWords<kFewWords>>
      words_;
};

// LookupSlowly()
//
// Replaces `out` by the row with the given key, and returns whether there is
// one. `kCorrupt`, with `out` as it was, if that is no row. `seed`: the
// table's.
template <typename Row, auto Key>
[[nodiscard]] ABSL_ATTRIBUTE_NOINLINE absl::StatusOr<bool> LookupSlowly(
    const HashReader& reader, uint64_t seed,
    typename RowCodec<Row>::template KeyArg<Key> key, Row& out) {
  using Codec = RowCodec<Row>;
  const LookupKey<Codec, Key> wanted(key);
  RowBuffer words;
  if (!reader.LookupView(wanted.view(seed), &words)) return false;
  if (absl::Status s = Codec::Decode(words, out); !s.ok()) return s;
  return true;
}

}  // namespace ets_keeper

#endif  // COMMON_TABLE_ENCODED_H_
