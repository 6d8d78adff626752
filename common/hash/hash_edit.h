// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_edit.h
// -----------------------------------------------------------------------------
//
// `HashEdit`: changes to locked buckets of a hash table, gathered in a
// `Transaction`. A single operation makes one change and commits; a batch makes
// many, in many buckets, and commits once. An edit sees the changes made before
// it.
//
//   HashEdit<2> edit(geometry, lane, &transaction);
//   absl::StatusOr<HashPlace> place = edit.Find(key);
//   if (absl::Status s = edit.Put(*place, key.hash, row); !s.ok()) return s;
//   edit.Finish();
//   transaction.Commit();
//
// Order of the stores that a transaction of an edit performs, which makes every
// prefix of them readable (see hash_layout.h for who may see what):
//   1. words of new blocks and of new items: not in the transaction at all,
//      they are filled before, unreachable; but the first word of a block comes
//      here, before
//   2. the live bit or the link that publishes them; of a row that changes its
//      place the new one appears before the old one goes,
//   3. the version of the bucket,
//   4. the count; free lists, and the first words of blocks that became free.
//
// Thread safety: needs the locks of the buckets and the lane.

#ifndef COMMON_HASH_HASH_EDIT_H_
#define COMMON_HASH_HASH_EDIT_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// LoadRow()
//
// The words of the row at `place`, as the transaction has made them.
[[nodiscard]] inline RowBuffer LoadRow(const HashGeometry& geometry,
                                       const Transaction& transaction,
                                       const HashPlace& place) {
  RowBuffer row(place.row_words(geometry));
  for (uint64_t i = 0; i < row.size(); ++i) {
    row[i] = transaction.Load(place.row() + i * 8);
  }
  return row;
}

// HashEdit
//
// `kWords`: of an inline row; 0 if rows are records.
template <uint32_t kWords>
class HashEdit {
 public:
  // `in_batch`: while the transaction is performed, readers find the rows that
  // it changes in the directory of a batch, so a record that is there already
  // stays as it is.
  HashEdit(const HashGeometry& geometry, uint32_t lane,
           Transaction* transaction, bool in_batch = false)
      : geometry_(geometry),
        lane_(lane),
        in_batch_(in_batch),
        transaction_(*transaction),
        heap_(transaction, HashGeometry::HeapOffset(lane)) {}

  // HashEdit::transaction()
  //
  // What the edit has stored so far.
  [[nodiscard]] const Transaction& transaction() const { return transaction_; }

  // HashEdit::Find()
  //
  // As FindKey(), of the table as the edit has made it. `kCorrupt` if a word
  // leads nowhere.
  [[nodiscard]] absl::StatusOr<HashPlace> Find(const HashKey& key) const;

  // HashEdit::Put()
  //
  // The row takes the place of the one found, or is added. `kNoMemory`,
  // `kBadRow`: give the transaction up.
  [[nodiscard]] absl::Status Put(const HashPlace& place, uint64_t hash,
                                 absl::Span<const uint64_t> row);

  // HashEdit::Remove()
  //
  // Takes the row that was found away.
  void Remove(const HashPlace& place);

  // HashEdit::Finish()
  //
  // Adds the stores of 4 above. Called once, last.
  void Finish();

  // HashEdit::added()
  //
  // Rows added less those removed.
  [[nodiscard]] int64_t added() const { return added_; }

  // The pieces above from which a split and a merge build.

  // HashEdit::NewCell()
  //
  // An overflow cell, which nobody can reach yet, with the given link and with
  // the first of `items`, each of item_words() words, as many as there is room
  // for.
  [[nodiscard]] absl::StatusOr<uint64_t> NewCell(
      uint64_t link, absl::Span<const uint64_t> items);

  // HashEdit::FreeCell()
  void FreeCell(uint64_t cell) { heap_.Free(cell, kCellClass); }

  // HashEdit::SetHead(), HashEdit::head()
  void SetHead(uint64_t cell, uint64_t head) {
    transaction_.Store(cell + offsetof(HashBucket, head), head);
  }
  [[nodiscard]] uint64_t head(uint64_t cell) const {
    return transaction_.Load(cell + offsetof(HashBucket, head));
  }

  // HashEdit::NextVersion()
  void NextVersion(uint64_t bucket);

 private:
  static constexpr uint32_t kItem = kWords != 0 ? kWords : 1;  // its words
  static constexpr uint64_t kPlaces = HashGeometry::PlacesFor(kWords);

  absl::StatusOr<uint64_t> NewRecord(uint64_t hash,
                                     absl::Span<const uint64_t> row);
  bool ReplaceWord(const HashPlace& place, absl::Span<const uint64_t> row);
  absl::Status AddItem(uint64_t bucket, uint64_t hash,
                       absl::Span<const uint64_t> item);
  void RemoveItem(const HashPlace& place);
  void Fill(uint64_t offset, absl::Span<const uint64_t> words);
  uint64_t chain(uint64_t cell) const {
    return transaction_.Load(cell + offsetof(HashBucket, chain));
  }
  void SetChain(uint64_t cell, uint64_t chain) {
    transaction_.Store(cell + offsetof(HashBucket, chain), chain);
  }

  const HashGeometry& geometry_;
  const uint32_t lane_;
  const bool in_batch_;
  Transaction& transaction_;
  HeapTransaction heap_;
  int64_t added_ = 0;
};

extern template class HashEdit<0>;
extern template class HashEdit<1>;
extern template class HashEdit<2>;
extern template class HashEdit<3>;

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_EDIT_H_
