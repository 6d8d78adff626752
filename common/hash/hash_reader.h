// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_reader.h
// -----------------------------------------------------------------------------
//
// `HashReader` reads a hash table in an arena without writing to it: no lock,
// no counter, no registration. It may therefore run in any number of threads
// and processes beside the writers, on a mapping that is read-only, and in any
// state in which a killed writer may have left the arena, before any recovery.
//
//   HashReader reader(geometry);
//   RowBuffer row;
//   if (reader.Lookup(key, &row)) { ... }
//
// How: every row is copied out, and what it was read from is checked afterwards
// not to have changed; else it is read again. That happens only while a writer
// really changes the very bucket, so a reader of a dead writer's arena always
// finishes. Every offset loaded from the arena is checked before it is
// followed, so neither a stale nor a hostile one can lead out of the mapping.
//
// What a reader sees: each key as it was at one moment within the call. Once it
// has seen one row of a batch it sees all of them: while a batch is applied its
// keys are looked up in the batch's log.
//
// Thread safety: any number of threads may share a HashReader.

#ifndef COMMON_HASH_HASH_READER_H_
#define COMMON_HASH_HASH_READER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/types/span.h"
#include "common/arena/word.h"
#include "common/hash/hash_batch_view.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_homes.h"
#include "common/hash/hash_item.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_record.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// HashCursor
//
// How far a scan of a table has come: a value, which may be kept, copied and
// continued later. A default one stands at the beginning.
struct HashCursor {
  uint64_t region = 0;   // next bucket of the table as it was cut when the scan
  uint64_t regions = 0;  // began: into this many; 0 = not begun
  bool done = false;
};

class HashReader {
 public:
  // Finds with the given instructions, which the processor must have.
  explicit HashReader(const HashGeometry& geometry,
                      InstructionSet instructions = DetectInstructionSet());

  // HashReader::Lookup()
  //
  // Copies the row with the given key to `row` (null: does not) and returns
  // whether there is one. Expected O(1): a bucket, and a record if rows are
  // records.
  [[nodiscard]] bool Lookup(const HashKey& key, RowBuffer* row) const {
    return Find(key, {.buffer = row, .words = {}});
  }
  // The same of a key that is not words yet.
  [[nodiscard]] bool LookupView(const KeyView& key, RowBuffer* row) const;

  [[nodiscard]] const HashGeometry& geometry() const { return geometry_; }
  [[nodiscard]] InstructionSet instructions() const { return instructions_; }

  // HashReader::homes(), HashReader::RefreshHomes()
  //
  // Where lookups begin. Refreshing is for whoever has made the table grow or
  // shrink, and, in a process that only reads, for every lookup: pages of
  // buckets that have gone may be gone, too, and there may be no others.
  [[nodiscard]] const HashHomes& homes() const { return homes_; }
  void RefreshHomes() const { homes_.Refresh(geometry_); }

  // HashReader::LookupFixed()
  //
  // The same as Lookup() for a table of rows in buckets, which have all
  // `kWords` words and the key `kKey.words` of them, as whoever formatted it
  // said: made for them where it is called. `row` has room for the words; it is
  // written to also if there is no such row. `home`: of the key's hash.
  template <uint32_t kWords, KeyLayout kKey>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool LookupFixed(
      const HashBucket* home, const KeyView& key, uint64_t* row) const {
    static_assert(InlineWords(kWords, kKey) != 0);
    return FindInline<kWords, kKey>(home, key, row);
  }
  template <uint32_t kWords, KeyLayout kKey>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool LookupFixed(
      const KeyView& key, uint64_t* row) const {
    return LookupFixed<kWords, kKey>(homes_.Of(key.hash), key, row);
  }

  // HashReader::See(), HashReader::TryRecord()
  //
  // Lookup() for a table of records with the key at `kKey`, made for it where
  // it is called, in two steps: a look at the bucket, and what it leads to,
  // maybe later. Of the row, if nobody else is at the bucket, `copy` gets the
  // words, which count only if the result is kYes: before a copy as long as
  // they say it has to ask IsUnchanged(). It returns whether it copied them.
  // `kRetry`: ask Lookup().
  enum class Found { kNo, kYes, kRetry };
  struct Sight {
    uint64_t head;    // of the bucket
    uint64_t record;  // that its first item with the key's tag names; 0 = none
  };
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE Sight See(const HashBucket* home,
                                                       uint64_t hash) const {
    const uint64_t head = LoadWord(&home->head);
    const uint64_t items = TaggedItems(instructions_, *home, head, hash);
    if (ABSL_PREDICT_FALSE(items == 0)) return {head, 0};
    const uint64_t record = FirstRecord(*home, items);
    PrefetchKey(geometry_, record);
    return {head, record};
  }
  template <KeyPlace kKey, typename Copy>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE Found
  TryRecord(const HashBucket* home, const Sight& sight, const KeyView& key,
            const Copy& copy) const;

  // HashReader::Member(), HashReader::MemberRecord()
  //
  // Whether there is a row with the given key; of a table of records with the
  // key at `kKey` made for it where it is called.
  [[nodiscard]] bool Member(const HashKey& key) const {
    return Find(key, {.buffer = nullptr, .words = {}});
  }
  template <KeyPlace kKey>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool MemberRecord(
      const KeyView& key) const {
    const HashBucket* const home = homes_.Of(key.hash);
    const Found found =
        TryRecord<kKey>(home, See(home, key.hash), key,
                        [](absl::Span<const uint64_t>) { return true; });
    if (ABSL_PREDICT_TRUE(found != Found::kRetry)) return found == Found::kYes;
    // A copy, so that the key itself need not be in memory.
    const KeyView copy = key;
    return LookupView(copy, nullptr);
  }

  // HashReader::PrefetchBucket(), HashReader::PrefetchRecord()
  //
  // Have the memory loaded that a lookup of the key will want first: of its
  // bucket, and, when that is there, of its record or its overflow cell. For
  // many lookups at once: first all buckets, then all records, if
  // `prefetches_records()` says that this pays. For rows in buckets it does if
  // the table is larger than the caches near the processor. Nothing is checked,
  // for what is asked for at a wrong address does not come.
  [[nodiscard]] bool prefetches_records() const {
    return !geometry_.is_inline() ||
           LoadWord(&geometry_.root()->image) > kFarBuckets;
  }
  void PrefetchBucket(uint64_t hash) const { PrefetchCell(homes_.Of(hash)); }
  void PrefetchRecord(uint64_t hash) const {
    const HashBucket* const home = homes_.Of(hash);
    if (geometry_.is_inline()) {
      PrefetchChain(home, hash);
    } else {
      PrefetchRecord(home, hash);
    }
  }
  // The same of one kind of tables: of records, of which one can be looked up
  // then, or of rows in buckets.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Sight PrefetchRecord(const HashBucket* home,
                                                    uint64_t hash) const {
    const Sight sight = See(home, hash);
    if (ABSL_PREDICT_FALSE(sight.record == 0)) {
      PrefetchChain(home, hash);
    } else {
      __builtin_prefetch(geometry_.base + sight.record);
    }
    return sight;
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void PrefetchChain(const HashBucket* home,
                                                  uint64_t hash) const {
    const uint64_t chain = LoadWord(&home->chain);
    if (!MayBeInChain(chain, hash)) return;
    PrefetchCell(
        reinterpret_cast<const HashBucket*>(geometry_.base + LinkOf(chain)));
  }

  // HashReader::Scan()
  //
  // Replaces `rows` by the rows of the next part of the table, about as many as
  // a bucket has, maybe none, and moves the cursor on; false when the scan is
  // done. A key that is in the table during the whole scan is delivered exactly
  // once however much the table grows or shrinks meanwhile; one that comes or
  // goes may be delivered or not. The rows of one call were there together.
  [[nodiscard]] bool Scan(HashCursor* cursor,
                          std::vector<RowBuffer>* rows) const;

  // HashReader::Size()
  //
  // The number of rows, exact but for writes that are going on: one of them may
  // be counted a store before or after it is seen, or not, if it was killed
  // there, until recovery. A batch counts with its rows. O(lanes).
  [[nodiscard]] uint64_t Size() const;

 private:
  // Where a row goes: to the buffer, to the words, or, without either, nowhere.
  struct Sink {
    RowBuffer* buffer;
    absl::Span<uint64_t> words;
  };

  // Hashes whose bits under the mask are the residue.
  struct Region {
    uint64_t residue;
    uint64_t mask;
    [[nodiscard]] bool Has(uint64_t hash) const {
      return (hash & mask) == residue;
    }
  };

  class RegionRead;

  // What a call returns, so that what its caller has need not be in memory.
  template <uint32_t kWords>
  struct FoundInline {
    uint64_t words[kWords];
    bool found;

    // Returns whether there is a row: without one there are no words.
    ABSL_ATTRIBUTE_ALWAYS_INLINE bool MoveTo(uint64_t* row) const {
      if (!found) return false;
      ForConstants<kWords>(
          [&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE { row[i] = words[i]; });
      return true;
    }
  };

  static constexpr uint64_t kFarBuckets = uint64_t{1} << 16;  // 8 MiB

  // LookupFixed(), in the bucket itself; in the chain of `bucket` or, with
  // null, anew; and that, where a writer is at the bucket, or the key has moved
  // on.
  template <uint32_t kWords, KeyLayout kKey>
  bool FindInline(const HashBucket* home, const KeyView& key,
                  uint64_t* row) const;
  template <uint32_t kWords, KeyLayout kKey>
  FoundInline<kWords> FindInlineElsewhere(FixedKey<kKey> key,
                                          const HashBucket* bucket,
                                          uint64_t head) const;
  template <uint32_t kWords, KeyLayout kKey>
  FoundInline<kWords> FindInlineSlowly(FixedKey<kKey> key) const;
  bool FindFixed(const uint64_t* key, uint32_t key_words, uint64_t* row,
                 uint32_t row_words) const;
  // Find() of a key that is not words yet.
  bool FindView(const KeyView& key, Sink sink) const;

  bool Find(const HashKey& key, Sink sink) const;
  bool FindScalar(const HashKey& key, Sink sink) const;
#ifdef ETS_KEEPER_X86_64
  bool FindAvx2(const HashKey& key, Sink sink) const;
  bool FindAvx512(const HashKey& key, Sink sink) const;
#endif
  template <typename Match>
  bool FindUntilStable(const HashKey& key, Sink sink) const;
  template <typename Match>
  Found FindOnce(const HashKey& key, Sink sink) const;
  std::optional<Found> FindInBatch(uint64_t sequence, const HashKey& key,
                                   Sink sink) const;
  Found CopyOut(uint64_t row, uint64_t words, Sink sink) const;
  uint64_t SizeOnce(bool* retry) const;

  const HashGeometry geometry_;
  mutable HashHomes homes_;
  const InstructionSet instructions_;
};

// Implementation only from here on.

// Short, because a lookup that waits for memory holds up those behind it as
// soon as the processor has no room for more instructions: the fewer a lookup
// has, the more of them wait side by side. So all that the type of the rows
// says is a constant, the few words are compared by themselves, which takes no
// more instructions than wide ones do and no call to code for the processor,
// and whatever is not plain is one call, in the last place: what two calls have
// to be told, compilers find out before it is known whether there is any.
//
// A batch holds the locks of its buckets from before its commit point until
// its last store, also if it is killed. So a bucket that nobody had locked,
// neither before it was read nor after, is in no batch in flight, and the
// batch's word need not be asked.
template <uint32_t kWords, KeyLayout kKey>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool HashReader::FindInline(
    const HashBucket* home, const KeyView& key, uint64_t* row) const {
  const FixedKey<kKey> fixed(key);
  const uint64_t head = LoadWord(&home->head);
  const uint64_t found =
      MatchItem<kWords, kKey>(instructions_, home, head, fixed);
  const HashBucket* chained = nullptr;
  if (found != 0) {
    CopyItem<kWords>(home, found, fixed, row);
    if (ABSL_PREDICT_TRUE(IsUnchanged(home, head))) return true;
  } else if (ABSL_PREDICT_TRUE(homes_.StillOf(key.hash, home, head))) {
    if (MayBeInChain(LoadWord(&home->chain), key.hash)) {
      chained = home;
    } else if (ABSL_PREDICT_TRUE(IsUnchanged(home, head))) {
      return false;
    }
  }
  return FindInlineElsewhere<kWords, kKey>(fixed, chained, head).MoveTo(row);
}

// The same for a key that is not in the bucket itself but may be in its chain;
// without a bucket nothing is known of it.
template <uint32_t kWords, KeyLayout kKey>
ABSL_ATTRIBUTE_NOINLINE HashReader::FoundInline<kWords>
HashReader::FindInlineElsewhere(FixedKey<kKey> key, const HashBucket* bucket,
                                uint64_t head) const {
  if (bucket == nullptr) return FindInlineSlowly<kWords, kKey>(key);
  FoundInline<kWords> row;
  uint64_t link = LinkOf(LoadWord(&bucket->chain));
  uint64_t found = 0;
  for (int i = 0; link != 0 && found == 0; ++i) {
    // A head that has not changed says that the link was the bucket's.
    if (ABSL_PREDICT_FALSE(!IsWord(&bucket->head, head) || i == kMaxChain ||
                           !geometry_.HoldsCell(link))) {
      return FindInlineSlowly<kWords, kKey>(key);
    }
    const HashBucket* const cell = geometry_.BucketAt(link);
    found = MatchItem<kWords, kKey>(instructions_, cell, LoadWord(&cell->head),
                                    key);
    if (found != 0) CopyItem<kWords>(cell, found, key, row.words);
    link = LinkOf(LoadWord(&cell->chain));
  }
  if (ABSL_PREDICT_FALSE(!IsUnchanged(bucket, head))) {
    return FindInlineSlowly<kWords, kKey>(key);
  }
  row.found = found != 0;
  return row;
}

template <uint32_t kWords, KeyLayout kKey>
ABSL_ATTRIBUTE_NOINLINE HashReader::FoundInline<kWords>
HashReader::FindInlineSlowly(FixedKey<kKey> key) const {
  FoundInline<kWords> row;
  row.found = FindFixed(key.words, kKey.words, row.words, kWords);
  return row;
}

// As FindInline(), and why it is right is the same: also if it was long ago
// that the bucket was seen, as its head has not changed since.
template <KeyPlace kKey, typename Copy>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline HashReader::Found HashReader::TryRecord(
    const HashBucket* home, const Sight& sight, const KeyView& key,
    const Copy& copy) const {
  uint64_t record = sight.record;
  if (record == 0) {
    if (!homes_.StillOf(key.hash, home, sight.head)) {
      return Found::kRetry;
    }
    if (MayBeInChain(LoadWord(&home->chain), key.hash)) {
      record = RecordInChain(geometry_, *home, sight.head, key.hash);
    }
    if (record == 0) {
      return IsUnchanged(home, sight.head) ? Found::kNo : Found::kRetry;
    }
  }
  const absl::Span<const uint64_t> row = RowIfKey(geometry_, kKey, record, key);
  if (ABSL_PREDICT_FALSE(row.empty() || !copy(row) ||
                         !IsUnchanged(home, sight.head))) {
    return Found::kRetry;
  }
  return Found::kYes;
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_READER_H_
