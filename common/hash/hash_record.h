// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_record.h
// -----------------------------------------------------------------------------
//
// Reading the record that an item names. Readers call these while the record
// may be re-used under them, so they trust nothing and stay inside the arena;
// what they found counts only if the bucket's version says so afterwards.
//
//   std::optional<uint64_t> words = RecordWords(arena, record);
//   if (words && RecordHasKey(geometry, record, *words, key)) ...
//   absl::Span<const uint64_t> row = RowIfKey(geometry, place, record, key);
//
// Thread safety: pure functions of the arena's words.

#ifndef COMMON_HASH_HASH_RECORD_H_
#define COMMON_HASH_HASH_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// kMaxChain
//
// More overflow cells than any bucket has; a chain that goes on is a circle.
inline constexpr int kMaxChain = 1 << 16;

// MakeRecordHead()
[[nodiscard]] inline uint64_t MakeRecordHead(uint64_t hash, uint64_t words) {
  return (hash & 0xffff'ffff) | words << 32;
}

// HashOfItem()
//
// What is known of the hash of the record with the given head, which `item`
// names: the upper 16 bits and the lower 32.
[[nodiscard]] inline uint64_t HashOfItem(uint64_t item, uint64_t head) {
  return (item & kTagBits) | (head & 0xffff'ffff);
}

// RecordWords()
//
// The number of words of the row in `record`; nullopt if there can be no record
// at that offset.
[[nodiscard]] inline std::optional<uint64_t> RecordWords(const Arena& arena,
                                                         uint64_t record) {
  if (!arena.Holds(record, sizeof(HashRecord))) return std::nullopt;
  const uint64_t words = LoadWord(arena.At(record)) >> 32;
  const uint64_t room = arena.bytes() - record - sizeof(HashRecord);
  if (words == 0 || words > room / 8) return std::nullopt;
  return words;
}

// WordsOf(), HasWords()
//
// The number of words of a key, and whether those at `row` are the same.
[[nodiscard]] inline uint64_t WordsOf(const HashKey& key) {
  return key.words.size();
}
[[nodiscard]] inline uint64_t WordsOf(const KeyView& key) {
  return key.words();
}
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool HasWords(
    const uint64_t* row, const HashKey& key) {
  for (size_t i = 0; i < key.words.size(); ++i) {
    if (LoadWord(&row[i]) != key.words[i]) return false;
  }
  return true;
}
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool HasWords(
    const uint64_t* row, const KeyView& key) {
  const uint64_t words = key.words();
  if (ABSL_PREDICT_TRUE(words == 2)) {  // as often, without a loop
    return LoadWord(&row[0]) == key.Word(0) && LoadWord(&row[1]) == key.last;
  }
  if (words == 0) return true;
  for (uint64_t i = 0; i < words - 1; ++i) {
    if (LoadWord(&row[i]) != key.Word(i)) return false;
  }
  return LoadWord(&row[words - 1]) == key.last;
}

// PaddedKey
//
// The words of a key that is only looked up, for what wants a HashKey.
class PaddedKey {
 public:
  explicit PaddedKey(const KeyView& key) : hash_(key.hash), bytes_(key.bytes) {
    const uint64_t size = key.words();
    uint64_t* const to = words_.Reset(size);
    if (size == 0) return;
    to[size - 1] = 0;
    std::memcpy(to, key.data, key.bytes);
  }

  [[nodiscard]] HashKey hash_key() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return {.hash = hash_, .bytes = bytes_, .words = words_.words()};
  }

 private:
  const uint64_t hash_;
  const uint64_t bytes_;
  ScratchWords<8> words_;
};

// RowHasKey(), RecordHasKey()
//
// Whether a row of `words` words, and that in a record, has the given key, a
// HashKey or a KeyView, which is where `place` says. If that is where its bytes
// begin, an empty key, which begins nowhere, is not seen.
template <typename AnyKey>
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool RowHasKey(
    const uint64_t* row, uint64_t words, const KeyPlace& place,
    const AnyKey& key) {
  // A key is not so large that a sum could overflow.
  if (place.begin != 0) {
    if (place.begin + WordsOf(key) > words) return false;
    const uint64_t descriptor = LoadWord(&row[place.word]);
    return DescriptorBytes(descriptor) == key.bytes &&
           DescriptorWord(descriptor) == place.begin &&
           HasWords(row + place.begin, key);
  }
  uint64_t first = place.word;
  if (first >= words) return false;
  if (place.variable) {
    const uint64_t descriptor = LoadWord(&row[first]);
    if (DescriptorBytes(descriptor) != key.bytes) return false;
    first = DescriptorWord(descriptor);
  }
  if (first + WordsOf(key) > words) return false;
  return HasWords(row + first, key);
}

[[nodiscard]] inline bool RecordHasKey(const HashGeometry& geometry,
                                       uint64_t record, uint64_t words,
                                       const HashKey& key) {
  return RowHasKey(geometry.At(record + sizeof(HashRecord)), words,
                   geometry.key, key);
}

// TaggedItems()
//
// The live items of a bucket, whose head is `head`, that have the hash's tag.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t TaggedItems(
    InstructionSet set, const HashBucket& bucket, uint64_t head,
    uint64_t hash) {
  return MatchInline::MatchTag(set, bucket, HashProbe::OfTag(hash)) &
         LiveItems<0>(head);
}

// FirstRecord()
//
// The record that the first of the items names.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t FirstRecord(
    const HashBucket& bucket, uint64_t items) {
  return RecordOf(LoadWord(&bucket.head + FirstItem(items)));
}

// RowIfKey()
//
// The row in the record, which may be anywhere, or nowhere at 0, if it has the
// key, as RowHasKey() sees it; else empty.
template <typename AnyKey>
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline absl::Span<const uint64_t>
RowIfKey(const HashGeometry& geometry, const KeyPlace& place, uint64_t record,
         const AnyKey& key) {
  const uint64_t bytes = geometry.arena->bytes();
  if (ABSL_PREDICT_FALSE(record - sizeof(ArenaHeader) >
                             bytes - sizeof(HashRecord) - sizeof(ArenaHeader) ||
                         record % 8 != 0)) {
    return {};
  }
  const uint64_t* const at = geometry.At(record);
  const uint64_t words = LoadWord(at) >> 32;
  const uint64_t* const row = at + sizeof(HashRecord) / 8;
  if (record + sizeof(HashRecord) + words * 8 > bytes ||
      !RowHasKey(row, words, place, key)) {
    return {};
  }
  return absl::MakeConstSpan(row, words);
}

// PrefetchKey()
//
// Has the second line of a record loaded: the bytes of a key are behind the
// fixed words, and would only be asked for when the first line is there.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void PrefetchKey(
    const HashGeometry& geometry, uint64_t record) {
  __builtin_prefetch(geometry.base + record + 64);
}

// PrefetchRecords()
//
// Has the first `lines` lines of the records loaded that live items of a cell
// name, so that they are waited for side by side. Nothing is checked.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void PrefetchRecords(
    const HashGeometry& geometry, const HashBucket& cell, uint64_t live,
    int lines) {
  for (; live != 0; live &= live - 1) {
    const uint64_t item = LoadWord(&cell.head + FirstItem(live));
    for (int i = 0; i < lines; ++i) {
      __builtin_prefetch(geometry.base + RecordOf(item) + i * 64);
    }
  }
}

// RecordInChain()
//
// The record that the first item with the hash's tag names in the chain of a
// bucket, whose head is `head`. 0: there is none, if the head is unchanged.
[[nodiscard]] ABSL_ATTRIBUTE_NOINLINE inline uint64_t RecordInChain(
    const HashGeometry& geometry, const HashBucket& bucket, uint64_t head,
    uint64_t hash) {
  uint64_t link = LinkOf(LoadWord(&bucket.chain));
  for (int i = 0; link != 0 && i < kMaxChain; ++i) {
    // A head that has not changed says that the link was the bucket's.
    if (ABSL_PREDICT_FALSE(LoadWord(&bucket.head) != head ||
                           !geometry.HoldsCell(link))) {
      break;
    }
    const HashBucket& cell = *geometry.BucketAt(link);
    const uint64_t items =
        TaggedItems(InstructionSet::kScalar, cell, LoadWord(&cell.head), hash);
    if (items != 0) return FirstRecord(cell, items);
    link = LinkOf(LoadWord(&cell.chain));
  }
  return 0;
}

// FindPlainRecord()
//
// The first live item of a bucket with the key's tag, and its record, if that
// has the key, as RowHasKey() sees it. If there is no such item, `kInChain`:
// the same of the chain. `head`: the bucket's.
struct PlainRecord {
  uint64_t candidates = 0;  // the items of the bucket itself with the tag
  uint64_t record = 0;      // of the first one; 0: it has another key
  uint64_t words = 0;       // of the row
};
template <bool kInChain>
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline PlainRecord FindPlainRecord(
    InstructionSet set, const HashGeometry& geometry, const KeyPlace& place,
    const HashBucket& bucket, uint64_t head, const KeyView& key) {
  PlainRecord found;
  found.candidates = TaggedItems(set, bucket, head, key.hash);
  uint64_t record = 0;
  if (found.candidates != 0) {
    record = FirstRecord(bucket, found.candidates);
    PrefetchKey(geometry, record);
  } else if (kInChain && MayBeInChain(LoadWord(&bucket.chain), key.hash)) {
    record = RecordInChain(geometry, bucket, head, key.hash);
  }
  found.words = RowIfKey(geometry, place, record, key).size();
  if (found.words != 0) found.record = record;
  return found;
}

// CopyWords()
//
// Copies the `words` words at `from` to `to`, or replaces `row` by them. As
// with a match (hash_match.h) it is as many loads of a word, in no order:
// whoever calls this sees afterwards whether they have changed meanwhile.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void CopyWords(const uint64_t* from,
                                                   uint64_t words,
                                                   uint64_t* to) {
#ifdef ETS_KEEPER_X86_64
  MatchFence();
  std::memcpy(to, from, words * 8);
  MatchFence();
#else
  for (uint64_t i = 0; i < words; ++i) to[i] = LoadWord(&from[i]);
#endif
}
inline void CopyWords(const uint64_t* from, uint64_t words, RowBuffer* row) {
  if (row->size() != words) row->resize(words);
  CopyWords(from, words, row->data());
}

// CopyRecord()
inline void CopyRecord(const Arena& arena, uint64_t record, uint64_t words,
                       RowBuffer* row) {
  CopyWords(arena.At(record + sizeof(HashRecord)), words, row);
}

// KeyInRow()
//
// The words of the key in an encoded row, and its length in bytes; empty if the
// row has no such key.
[[nodiscard]] inline absl::Span<const uint64_t> KeyInRow(
    const KeyLayout& layout, absl::Span<const uint64_t> row, uint64_t* bytes) {
  *bytes = 0;
  if (layout.word >= row.size()) return {};
  if (!layout.variable) {
    *bytes = uint64_t{layout.words} * 8;
    return row.subspan(layout.word, layout.words);
  }
  const uint64_t descriptor = row[layout.word];
  *bytes = DescriptorBytes(descriptor);
  const uint64_t first = DescriptorWord(descriptor);
  const uint64_t words = WordsFor(*bytes);
  if (first > row.size() || words > row.size() - first) return {};
  return row.subspan(first, words);
}

// HashOfRow()
//
// The hash of the key in an encoded row.
[[nodiscard]] inline uint64_t HashOfRow(const HashGeometry& geometry,
                                        absl::Span<const uint64_t> row) {
  uint64_t bytes;
  const absl::Span<const uint64_t> key = KeyInRow(geometry.key, row, &bytes);
  return HashWords(geometry.seed, key, bytes);
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_RECORD_H_
