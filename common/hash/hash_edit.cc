// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_edit.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_record.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

absl::Status Astray(absl::string_view what, uint64_t offset) {
  return MakeStatus(
      Cause::kCorrupt,
      absl::StrFormat("%s leads to %#x, outside of the arena", what, offset));
}

}  // namespace

absl::StatusOr<HashEdit::Place> HashEdit::Find(const HashKey& key) const {
  const Arena& arena = *geometry_.arena;
  const uint64_t buckets = LoadWord(&geometry_.LaneAt(lane_)->buckets);
  Place place;
  place.bucket =
      geometry_.BucketOffset(lane_, geometry_.Home(key.hash, buckets));
  if (!arena.Holds(place.bucket, sizeof(HashBucket))) {
    return Astray("the number of buckets", place.bucket);
  }
  place.cell = place.bucket;
  for (int i = 0; i < kMaxChain; ++i) {
    for (place.slot = 0; place.slot < kSlots; ++place.slot) {
      const uint64_t slot =
          transaction_.Load(SlotOffset(place.cell, place.slot));
      if (slot == 0 || ((slot ^ key.hash) & kTagBits) != 0) continue;
      place.record = RecordOf(slot);
      const std::optional<uint64_t> words = RecordWords(arena, place.record);
      if (!words) return Astray("a slot", place.record);
      if (RecordHasKey(geometry_, place.record, *words, key)) return place;
    }
    const uint64_t link =
        transaction_.Load(place.cell + offsetof(HashBucket, link));
    if (link == 0) return Place{.bucket = place.bucket};
    if (!arena.Holds(link, sizeof(HashBucket))) {
      return Astray("a chain", link);
    }
    place.predecessor = place.cell;
    place.cell = link;
  }
  return MakeStatus(Cause::kCorrupt, "a chain of cells has no end");
}

RowBuffer HashEdit::Row(uint64_t record) const {
  const Arena& arena = *geometry_.arena;
  RowBuffer row;
  CopyRecord(arena, record, RecordWords(arena, record).value_or(0), &row);
  return row;
}

absl::StatusOr<uint64_t> HashEdit::NewRecord(uint64_t hash,
                                             absl::Span<const uint64_t> row) {
  const uint64_t bytes = sizeof(HashRecord) + row.size() * 8;
  if (bytes > kMaxBlockBytes) {
    return MakeStatus(Cause::kBadRow, absl::StrCat("a row of ", row.size() * 8,
                                                   " bytes is too large"));
  }
  const absl::StatusOr<uint64_t> block = heap_.Allocate(ClassOf(bytes));
  if (!block.ok()) return block;
  Arena& arena = *geometry_.arena;
  StoreWord(arena.At(*block + offsetof(HashRecord, words)), row.size());
  uint64_t* to = arena.At(*block + sizeof(HashRecord));
  for (size_t i = 0; i < row.size(); ++i) {
    if constexpr (kSeededBug == SeededBug::kPublishBeforeFill) break;
    StoreWord(&to[i], row[i]);
  }
  transaction_.Store(*block, hash);
  return block;
}

absl::StatusOr<uint64_t> HashEdit::Put(const Place& place, uint64_t hash,
                                       absl::Span<const uint64_t> row) {
  if constexpr (kSeededBug == SeededBug::kReuseWithinTransaction) {
    if (place.found()) FreeRecord(place.record);
  }
  const absl::StatusOr<uint64_t> record = NewRecord(hash, row);
  if (!record.ok()) return record;
  const uint64_t slot = MakeSlot(hash, *record);
  if (place.found()) {
    transaction_.Store(SlotOffset(place.cell, place.slot), slot);
    Touch(place.bucket);
    if constexpr (kSeededBug != SeededBug::kReuseWithinTransaction) {
      FreeRecord(place.record);
    }
  } else {
    if (absl::Status s = AddSlot(place.bucket, slot); !s.ok()) return s;
    ++count_;
  }
  if constexpr (kSeededBug == SeededBug::kPublishBeforeFill) {
    StoreWord(geometry_.arena->At(SlotOffset(place.bucket, place.slot)), slot);
    uint64_t* to = geometry_.arena->At(*record + sizeof(HashRecord));
    for (size_t i = 0; i < row.size(); ++i) StoreWord(&to[i], row[i]);
  }
  return record;
}

// Into the first empty slot, else into a new cell in front of the chain.
absl::Status HashEdit::AddSlot(uint64_t bucket, uint64_t slot) {
  uint64_t cell = bucket;
  while (cell != 0) {
    for (uint32_t s = 0; s < kSlots; ++s) {
      if (transaction_.Load(SlotOffset(cell, s)) != 0) continue;
      transaction_.Store(SlotOffset(cell, s), slot);
      return absl::OkStatus();
    }
    cell = transaction_.Load(cell + offsetof(HashBucket, link));
  }
  const uint64_t link = bucket + offsetof(HashBucket, link);
  const absl::StatusOr<uint64_t> added = NewCell(transaction_.Load(link));
  if (!added.ok()) return added.status();
  // By the transaction and not at once: a later change of the same batch may
  // take the row away again.
  transaction_.Store(SlotOffset(*added, 0), slot);
  transaction_.Store(link, *added);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> HashEdit::NewCell(uint64_t link) {
  const absl::StatusOr<uint64_t> cell = heap_.Allocate(kLineClass);
  if (!cell.ok()) return cell;
  HashBucket* words = geometry_.BucketAt(*cell);
  StoreWord(&words->link, link);
  for (uint64_t& slot : words->slot) StoreWord(&slot, 0);
  return cell;
}

void HashEdit::Remove(const Place& place) {
  if (place.predecessor != 0 && IsLastRow(place)) {
    // The row goes with its cell.
    transaction_.Store(
        place.predecessor + offsetof(HashBucket, link),
        transaction_.Load(place.cell + offsetof(HashBucket, link)));
    FreeCell(place.cell);
  } else {
    transaction_.Store(SlotOffset(place.cell, place.slot), 0);
  }
  Touch(place.bucket);
  FreeRecord(place.record);
  --count_;
}

bool HashEdit::IsLastRow(const Place& place) const {
  for (uint32_t s = 0; s < kSlots; ++s) {
    if (s != place.slot && transaction_.Load(SlotOffset(place.cell, s)) != 0) {
      return false;
    }
  }
  return true;
}

void HashEdit::FreeRecord(uint64_t record) {
  const std::optional<uint64_t> words = RecordWords(*geometry_.arena, record);
  if (words) heap_.Free(record, ClassOfRecord(*words));
}

void HashEdit::Touch(uint64_t bucket) {
  if (touched_.empty() || touched_.back() != bucket) {
    touched_.push_back(bucket);
  }
}

void HashEdit::Finish() {
  if (count_ != 0) {
    const uint64_t word =
        HashGeometry::LaneOffset(lane_) + offsetof(HashLane, count);
    transaction_.Store(word, transaction_.Load(word) + count_);
  }
  std::sort(touched_.begin(), touched_.end());
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  for (const uint64_t bucket : touched_) {
    if (kSeededBug == SeededBug::kNoVersionBump) break;
    const uint64_t word = bucket + offsetof(HashBucket, version);
    transaction_.Store(word, transaction_.Load(word) + 1);
  }
  heap_.Finish();
}

}  // namespace ets_keeper
