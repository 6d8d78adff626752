// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_edit.h
// -----------------------------------------------------------------------------
//
// `HashEdit`: changes to one lane of a hash table, gathered in a `Transaction`.
// A single operation makes one change and commits; a batch makes many, in many
// lanes, and commits once. An edit sees the changes made before it.
//
//   HashEdit edit(geometry, lane, &transaction);
//   HashEdit::Place place = edit.Find(key);
//   if (absl::Status s = edit.Put(place, key.hash, row); !s.ok()) return s;
//   edit.Finish();
//   transaction.Commit(&geometry.LaneAt(lane)->intent);
//
// Order of the stores that a transaction of an edit performs, which makes every
// prefix of them readable (see hash_layout.h for who may see what):
//   1. words of new blocks: not in the transaction at all, they are filled
//      before, unreachable; but the first word, the record's hash, comes here,
//      before
//   2. the slot or link that publishes the record, or takes it away,
//   3. the count, and the versions of the buckets touched,
//   4. free lists, and the links of the blocks that became free.
//
// Thread safety: needs the lock of its lane.

#ifndef COMMON_HASH_HASH_EDIT_H_
#define COMMON_HASH_HASH_EDIT_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

class HashEdit {
 public:
  HashEdit(const HashGeometry& geometry, uint32_t lane,
           Transaction* transaction)
      : geometry_(geometry),
        lane_(lane),
        transaction_(*transaction),
        heap_(transaction,
              HashGeometry::LaneOffset(lane) + offsetof(HashLane, heap)) {}

  // Place
  //
  // Where a key is, or that it is nowhere. Offsets; valid until the next edit.
  struct Place {
    uint64_t bucket = 0;
    uint64_t cell = 0;         // the bucket itself or a cell of its chain
    uint64_t predecessor = 0;  // of the cell in the chain; 0 for the bucket
    uint32_t slot = 0;
    uint64_t record = 0;  // 0: the key is not in the table

    [[nodiscard]] bool found() const { return record != 0; }
  };

  // HashEdit::Find()
  //
  // Expected O(1). `kCorrupt` if a word leads nowhere.
  [[nodiscard]] absl::StatusOr<Place> Find(const HashKey& key) const;

  // HashEdit::Row()
  //
  // The words of a record that `Find()` found.
  [[nodiscard]] RowBuffer Row(uint64_t record) const;

  // HashEdit::Put()
  //
  // The row takes the place of the one found, or is added. Returns the offset
  // of its record. `kNoMemory`: give the transaction up.
  [[nodiscard]] absl::StatusOr<uint64_t> Put(const Place& place, uint64_t hash,
                                             absl::Span<const uint64_t> row);

  // HashEdit::Remove()
  //
  // Takes the row that was found away.
  void Remove(const Place& place);

  // HashEdit::Finish()
  //
  // Adds the stores of 3 and 4 above. Called once, last.
  void Finish();

  // The pieces above in which splitting a bucket builds its new one.

  // HashEdit::NewCell()
  //
  // An unreachable overflow cell with the given link and no row.
  [[nodiscard]] absl::StatusOr<uint64_t> NewCell(uint64_t link);

  // HashEdit::FreeCell()
  void FreeCell(uint64_t cell) { heap_.Free(cell, kLineClass); }

  // HashEdit::Touch()
  //
  // The bucket gets a new version when the edit is finished.
  void Touch(uint64_t bucket);

 private:
  absl::StatusOr<uint64_t> NewRecord(uint64_t hash,
                                     absl::Span<const uint64_t> row);
  absl::Status AddSlot(uint64_t bucket, uint64_t slot);
  void FreeRecord(uint64_t record);
  bool IsLastRow(const Place& place) const;
  uint64_t SlotOffset(uint64_t cell, uint32_t slot) const {
    return cell + offsetof(HashBucket, slot) + slot * sizeof(uint64_t);
  }

  const HashGeometry& geometry_;
  const uint32_t lane_;
  Transaction& transaction_;
  HeapTransaction heap_;
  absl::InlinedVector<uint64_t, 2> touched_;
  uint64_t count_ = 0;  // rows added, modulo 2^64
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_EDIT_H_
