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

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/optimization.h"
#include "absl/types/span.h"
#include "common/arena/word.h"
#include "common/hash/hash_batch_view.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
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
  // whether there is one. Expected O(1): a line, and a record if rows are
  // records.
  [[nodiscard]] bool Lookup(const HashKey& key, RowBuffer* row) const {
    return Find(key, {.buffer = row, .words = {}});
  }

  // HashReader::LookupFixed()
  //
  // The same for a table whose rows, and keys, have all the same number of
  // words, which `row` has room for; a row of another length is as none.
  [[nodiscard]] bool LookupFixed(const HashKey& key,
                                 absl::Span<uint64_t> row) const {
    return find_fixed_(*this, key.hash, key.words.data(), row.data(),
                       row.size());
  }

  // HashReader::Member()
  //
  // Whether there is a row with the given key.
  [[nodiscard]] bool Member(const HashKey& key) const {
    if (geometry_.is_inline()) {
      uint64_t row[kItemWords];
      return LookupFixed(key, absl::MakeSpan(row, geometry_.inline_words));
    }
    return Find(key, {.buffer = nullptr, .words = {}});
  }

  // HashReader::PrefetchBucket(), HashReader::PrefetchRecord()
  //
  // Have the memory loaded that a lookup of the key will want first: of its
  // bucket, and, when that is there, of its record or its overflow cell. For
  // many lookups at once: first all buckets, then all records, if
  // `prefetches_records()` says that this pays. For rows in buckets it does if
  // the table is larger than the caches near the processor.
  [[nodiscard]] bool prefetches_records() const {
    return !geometry_.is_inline() || LoadWord(image_) > kFarBuckets;
  }
  void PrefetchBucket(uint64_t hash) const {
    const uint64_t number = HashGeometry::Home(hash, LoadWord(image_));
    if (number < geometry_.most_buckets) __builtin_prefetch(&buckets_[number]);
  }
  void PrefetchRecord(const HashKey& key) const {
    const uint64_t number = HashGeometry::Home(key.hash, LoadWord(image_));
    if (ABSL_PREDICT_FALSE(number >= geometry_.most_buckets)) return;
    const HashBucket& bucket = buckets_[number];
    if (!geometry_.is_inline() && PrefetchRecordIn(bucket, key)) return;
    const uint64_t chain = LoadWord(&bucket.chain);
    if ((chain & FilterBit(key.hash)) == 0) return;
    if (!geometry_.HoldsCell(LinkOf(chain))) return;
    __builtin_prefetch(geometry_.BucketAt(LinkOf(chain)));
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
  // What one attempt to read found. `kRetry`: a writer came in between.
  enum class Found { kNo, kYes, kRetry };

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

  static constexpr uint64_t kFarBuckets = uint64_t{1} << 17;  // 8 MiB

  // LookupFixed(), made for the table: if its rows are inline, for the
  // instructions, the words of a row and whether the key has two of them.
  using FindFixed = bool (*)(const HashReader& reader, uint64_t hash,
                             const uint64_t* key, uint64_t* row,
                             size_t row_words);
  static FindFixed ChooseFindFixed(InstructionSet instructions,
                                   const HashGeometry& geometry);
  static bool FindAnyFixed(const HashReader& reader, uint64_t hash,
                           const uint64_t* key, uint64_t* row,
                           size_t row_words);
  template <typename Match, uint32_t kWords, bool kTwo>
  static bool FindInlineBy(const HashReader& reader, uint64_t hash,
                           const uint64_t* key, uint64_t* row,
                           size_t row_words);
  template <uint32_t kWords, bool kTwo>
  static bool FindInlineScalar(const HashReader& reader, uint64_t hash,
                               const uint64_t* key, uint64_t* row,
                               size_t row_words);
#ifdef ETS_KEEPER_VECTORS
  template <uint32_t kWords, bool kTwo>
  static bool FindInlineAvx2(const HashReader& reader, uint64_t hash,
                             const uint64_t* key, uint64_t* row,
                             size_t row_words);
  template <uint32_t kWords, bool kTwo>
  static bool FindInlineAvx512(const HashReader& reader, uint64_t hash,
                               const uint64_t* key, uint64_t* row,
                               size_t row_words);
#endif
  template <uint32_t kWords, bool kTwo>
  static bool FindInlineInChain(const HashReader& reader, uint64_t hash,
                                const uint64_t* key, uint64_t* row,
                                const HashBucket* bucket, uint64_t head);

  // Whether the bucket has an item that may be the key's.
  bool PrefetchRecordIn(const HashBucket& bucket, const HashKey& key) const;

  bool Find(const HashKey& key, Sink sink) const;
  bool FindScalar(const HashKey& key, Sink sink) const;
#ifdef ETS_KEEPER_VECTORS
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
  const InstructionSet instructions_;

  // What FindFixed wants, without a detour.
  const FindFixed find_fixed_;
  const uint64_t* const image_;
  const HashBucket* const buckets_;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_READER_H_
