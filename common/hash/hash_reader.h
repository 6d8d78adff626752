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

#include "absl/types/span.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// HashCursor
//
// How far a scan of a table has come: a value, which may be kept, copied and
// continued later. A default one stands at the beginning.
struct HashCursor {
  uint32_t lane = 0;
  uint64_t region = 0;   // next bucket of the lane, as the lane was cut when
  uint64_t regions = 0;  // the scan entered it: into this many buckets; 0 = not
                         // entered yet
  bool done = false;
};

class HashReader {
 public:
  explicit HashReader(const HashGeometry& geometry) : geometry_(geometry) {}

  // HashReader::Lookup()
  //
  // Copies the row with the given key to `row` (null: does not) and returns
  // whether there is one. Expected O(1): a bucket and a record.
  [[nodiscard]] bool Lookup(const HashKey& key, RowBuffer* row) const;

  // HashReader::Scan()
  //
  // Replaces `rows` by the rows of the next part of the table, about
  // kRowsPerBucket of them, maybe none, and moves the cursor on; false when the
  // scan is done. A key that is in the table during the whole scan is delivered
  // exactly once however much the table grows meanwhile; one that comes or goes
  // may be delivered or not. The rows of one call were there together.
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

  struct Region {
    uint32_t lane;
    uint64_t residue;  // buckets whose number has these
    uint64_t mask;     // low bits
  };

  // One record that a slot or a batch's directory names, its hash checked.
  struct RegionRow {
    uint64_t record;
    uint64_t hash;
    RowBuffer words;
  };

  class BatchView;

  Found LookupOnce(const HashKey& key, RowBuffer* row) const;
  std::optional<Found> LookupInBatch(const BatchView& batch, const HashKey& key,
                                     RowBuffer* row) const;
  Found LookupInBucket(const HashBucket* bucket, uint64_t version,
                       const HashKey& key, RowBuffer* row) const;
  bool SameKey(absl::Span<const uint64_t> a,
               absl::Span<const uint64_t> b) const;
  bool ReadRegion(const Region& region, std::vector<RowBuffer>* rows) const;
  bool CollectBucket(const HashBucket* bucket, uint64_t version,
                     const Region& region, std::vector<RegionRow>* rows) const;
  bool ApplyBatch(const BatchView& batch, const Region& region,
                  std::vector<RegionRow>* rows) const;
  uint64_t SizeOnce(bool* retry) const;

  const HashGeometry geometry_;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_READER_H_
