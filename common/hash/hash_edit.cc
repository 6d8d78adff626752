// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_edit.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_find.h"
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

absl::Status EndlessChain() {
  return MakeStatus(Cause::kCorrupt, "a chain of cells has no end");
}

}  // namespace

template <uint32_t kWords>
absl::StatusOr<HashPlace> HashEdit<kWords>::Find(const HashKey& key) const {
  const Arena& arena = *geometry_.arena;
  HashPlace place;
  place.bucket = FindBucket(geometry_, key.hash, &place.head);
  if (place.bucket == 0) return Astray("the number of buckets", key.hash);
  place.head = head(place.bucket);
  const HashPlace nowhere = place;
  uint64_t cell = place.bucket;
  for (int i = 0; i < kMaxChain; ++i) {
    for (uint64_t live = LiveOf(head(cell)) & kPlaces; live != 0;
         live &= live - 1) {
      place.cell = cell;
      place.position = FirstItem(live);
      if constexpr (kWords != 0) {
        uint64_t row[kItemWords];
        for (uint64_t w = 0; w < kItem; ++w) {
          row[w] = transaction_.Load(place.item() + w * 8);
        }
        if (std::equal(key.words.begin(), key.words.end(),
                       &row[geometry_.key.word])) {
          return place;
        }
        continue;
      }
      const uint64_t item = transaction_.Load(place.item());
      if (((item ^ key.hash) & kTagBits) != 0) continue;
      place.record = RecordOf(item);
      if (!arena.Holds(place.record, sizeof(HashRecord))) {
        return Astray("an item", place.record);
      }
      place.record_words = transaction_.Load(place.record) >> 32;
      if (place.record_words == 0 ||
          !arena.Holds(place.record,
                       sizeof(HashRecord) + place.record_words * 8)) {
        return Astray("the length of a record", place.record);
      }
      if (RecordHasKey(geometry_, place.record, place.record_words, key)) {
        return place;
      }
    }
    const uint64_t link = LinkOf(chain(cell));
    if (link == 0) return nowhere;
    if (!geometry_.HoldsCell(link)) return Astray("a chain", link);
    place.predecessor = cell;
    cell = link;
  }
  return EndlessChain();
}

template <uint32_t kWords>
absl::StatusOr<uint64_t> HashEdit<kWords>::NewRecord(
    uint64_t hash, absl::Span<const uint64_t> row) {
  const uint64_t bytes = sizeof(HashRecord) + row.size() * 8;
  if (bytes > kMaxBlockBytes) {
    return MakeStatus(Cause::kBadRow, absl::StrCat("a row of ", row.size() * 8,
                                                   " bytes is too large"));
  }
  const absl::StatusOr<uint64_t> block = heap_.Allocate(ClassOf(bytes));
  if (!block.ok()) return block;
  Fill(*block + sizeof(HashRecord), row);
  transaction_.Store(*block, MakeRecordHead(hash, row.size()));
  return block;
}

// Words that nobody can reach yet. Those which an earlier change of the same
// batch was to store go the same way, behind it.
template <uint32_t kWords>
void HashEdit<kWords>::Fill(uint64_t offset, absl::Span<const uint64_t> words) {
  for (size_t i = 0; i < words.size(); ++i) {
    const uint64_t word = offset + i * 8;
    if (in_batch_ && transaction_.Stores(word)) {
      transaction_.Store(word, words[i]);
    } else {
      StoreWord(geometry_.At(word), words[i]);
    }
  }
}

// If the row differs from the one in its place by one word at most, that word
// is all that needs to change.
template <uint32_t kWords>
bool HashEdit<kWords>::ReplaceWord(const HashPlace& place,
                                   absl::Span<const uint64_t> row) {
  if (row.size() != place.row_words(geometry_)) return false;
  if (in_batch_ && kWords == 0) return false;
  uint64_t word = 0;
  uint64_t value = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    const uint64_t offset = place.row() + i * 8;
    if (transaction_.Load(offset) == row[i]) continue;
    if (word != 0) return false;
    word = offset;
    value = row[i];
  }
  if (word == 0) return true;
  if (geometry_.words_can_tear()) NextVersion(place.bucket);
  transaction_.Store(word, value);
  return true;
}

template <uint32_t kWords>
absl::Status HashEdit<kWords>::Put(const HashPlace& place, uint64_t hash,
                                   absl::Span<const uint64_t> row) {
  if (place.found() && ReplaceWord(place, row)) return absl::OkStatus();
  if constexpr (kWords != 0) {
    if (row.size() != kWords) {
      return MakeStatus(Cause::kBadRow,
                        absl::StrCat("a row of ", row.size(), " words in a ",
                                     "table of rows of ", kWords));
    }
    if (absl::Status s = AddItem(place.bucket, hash, row); !s.ok()) return s;
    if (!place.found()) {
      ++added_;
      return absl::OkStatus();
    }
    // The new item may be in a new cell in front of the old one's.
    HashPlace old = place;
    if (old.predecessor == old.bucket &&
        LinkOf(chain(old.bucket)) != old.cell) {
      old.predecessor = LinkOf(chain(old.bucket));
    }
    RemoveItem(old);
    return absl::OkStatus();
  }
  if (IsSeeded(SeededBug::kReuseWithinTransaction)) {
    if (place.found())
      heap_.Free(place.record, ClassOfRecord(place.record_words));
  }
  const absl::StatusOr<uint64_t> record = NewRecord(hash, row);
  if (!record.ok()) return record.status();
  const uint64_t item = MakeSlot(hash, *record);
  if (!place.found()) {
    ++added_;
    return AddItem(place.bucket, hash, absl::MakeConstSpan(&item, 1));
  }
  transaction_.Store(place.item(), item);
  NextVersion(place.bucket);
  if (!IsSeeded(SeededBug::kReuseWithinTransaction)) {
    heap_.Free(place.record, ClassOfRecord(place.record_words));
  }
  return absl::OkStatus();
}

// Into the first place that is free, also of what the transaction will only
// free, else into a new cell in front of the chain.
template <uint32_t kWords>
absl::Status HashEdit<kWords>::AddItem(uint64_t bucket, uint64_t hash,
                                       absl::Span<const uint64_t> item) {
  const uint64_t bucket_chain = chain(bucket);
  int cells = 0;
  for (uint64_t cell = bucket; cell != 0; cell = LinkOf(chain(cell))) {
    if (!geometry_.HoldsCell(cell)) return Astray("a chain", cell);
    if (cells++ == kMaxChain) return EndlessChain();
    const uint64_t old = head(cell);
    const uint64_t taken = old | LoadWord(&geometry_.BucketAt(cell)->head);
    const uint64_t free = kPlaces & ~taken;
    if (free == 0) continue;
    const uint64_t bit = free & -free;
    if (IsSeeded(SeededBug::kPublishBeforeFill)) {
      StoreWord(&geometry_.BucketAt(cell)->head,
                WithLive(old, LiveOf(old) | bit));
    }
    Fill(cell + FirstItem(bit) * 8, item);
    if (cell == bucket) {
      SetHead(cell, WithLive(old, LiveOf(old) | bit));
      return absl::OkStatus();
    }
    SetChain(bucket, bucket_chain | FilterBit(hash));
    SetHead(cell, old | bit);
    NextVersion(bucket);
    return absl::OkStatus();
  }
  const absl::StatusOr<uint64_t> added = NewCell(LinkOf(bucket_chain), item);
  if (!added.ok()) return added.status();
  SetChain(bucket, MakeChain(*added, FilterOf(bucket_chain) | FilterBit(hash)));
  NextVersion(bucket);
  return absl::OkStatus();
}

template <uint32_t kWords>
absl::StatusOr<uint64_t> HashEdit<kWords>::NewCell(
    uint64_t link, absl::Span<const uint64_t> items) {
  const absl::StatusOr<uint64_t> cell = heap_.Allocate(kCellClass);
  if (!cell.ok()) return cell;
  uint64_t live = 0;
  for (uint64_t free = kPlaces; free != 0 && !items.empty(); free &= free - 1) {
    Fill(*cell + FirstItem(free) * 8, items.first(kItem));
    items.remove_prefix(kItem);
    live |= free & -free;
  }
  StoreWord(&geometry_.BucketAt(*cell)->chain, MakeChain(link, 0));
  SetHead(*cell, live);
  return cell;
}

template <uint32_t kWords>
void HashEdit<kWords>::Remove(const HashPlace& place) {
  RemoveItem(place);
  if (kWords == 0) {
    heap_.Free(place.record, ClassOfRecord(place.record_words));
  }
  --added_;
}

template <uint32_t kWords>
void HashEdit<kWords>::RemoveItem(const HashPlace& place) {
  const uint64_t old = head(place.cell);
  const uint64_t live = LiveOf(old) & ~(uint64_t{1} << place.position);
  if (place.cell == place.bucket) {
    if (IsSeeded(SeededBug::kNoVersionBump)) {
      return SetHead(place.cell, (old & ~kLiveBits) | live);
    }
    return SetHead(place.cell, WithLive(old, live));
  }
  if ((live & kPlaces) != 0) {
    SetHead(place.cell, (old & ~kLiveBits) | live);
  } else {
    // The row goes with its cell.
    SetChain(place.predecessor, MakeChain(LinkOf(chain(place.cell)),
                                          FilterOf(chain(place.predecessor))));
    FreeCell(place.cell);
  }
  NextVersion(place.bucket);
}

template <uint32_t kWords>
void HashEdit<kWords>::NextVersion(uint64_t bucket) {
  if (IsSeeded(SeededBug::kNoVersionBump)) return;
  SetHead(bucket, head(bucket) + kVersionOne);
}

template <uint32_t kWords>
void HashEdit<kWords>::Finish() {
  if (added_ != 0) {
    const uint64_t word =
        HashGeometry::LaneOffset(lane_) + offsetof(HashLane, count);
    transaction_.Store(word,
                       transaction_.Load(word) + static_cast<uint64_t>(added_));
  }
  heap_.Finish();
}

template class HashEdit<0>;
template class HashEdit<1>;
template class HashEdit<2>;
template class HashEdit<3>;

}  // namespace ets_keeper
