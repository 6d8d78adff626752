// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_slow_write.h"

#include <cstddef>
#include <cstdint>

#include "absl/base/optimization.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_head_change.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_record.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

// The stores of what HashEdit does for an inline row, or for a record whose
// item is in the bucket itself, in the same order: but a single write knows all
// of them at once.

IntentEntry HeadStore(uint64_t cell, uint64_t head) {
  return {cell + offsetof(HashBucket, head), head};
}
IntentEntry ChainStore(uint64_t cell, uint64_t chain) {
  return {cell + offsetof(HashBucket, chain), chain};
}
// Of a bucket that this thread has locked.
IntentEntry NextVersion(uint64_t bucket, uint64_t head) {
  if (IsSeeded(SeededBug::kNoVersionBump)) {
    return HeadStore(bucket, head | kLockBit);
  }
  return HeadStore(bucket, (head | kLockBit) + kVersionOne);
}
void StoreNextVersion(const HashGeometry& geometry, uint64_t bucket,
                      uint64_t head) {
  const IntentEntry store = NextVersion(bucket, head);
  StoreWord(geometry.At(store.offset), store.value);
}
IntentEntry CountStore(uint32_t lane, const HashLane* words, int64_t added) {
  return {HashGeometry::LaneOffset(lane) + offsetof(HashLane, count),
          LoadWord(&words->count) + static_cast<uint64_t>(added)};
}

}  // namespace

template <uint32_t kWords>
HashPlace HashSlowWrite<kWords>::Begin(const HashGeometry& geometry,
                                       const KeyView& key, uint32_t lane) {
  const PaddedKey padded(key);
  SpinPause pause;
  for (;;) {
    HashPlace place;
    FindKeyIn<MatchInline::Portable, kWords>(geometry, padded.hash_key(),
                                             &place);
    if (ABSL_PREDICT_FALSE(place.bucket == 0) ||
        ABSL_PREDICT_TRUE(TryLockBucket(geometry.LaneAt(lane), 0,
                                        geometry.BucketAt(place.bucket),
                                        place.bucket, place.head))) {
      return place;
    }
    pause.Wait();
  }
}

template <uint32_t kWords>
HashPlace HashSlowWrite<kWords>::BeginInline(const HashGeometry& geometry,
                                             uint64_t hash, uint64_t first,
                                             uint64_t second, uint32_t lane,
                                             uint64_t bucket, uint64_t head) {
  const uint64_t words[] = {first, second};
  const size_t size = geometry.key.words;
  const HashKey key = {.hash = hash,
                       .bytes = size * 8,
                       .words = absl::MakeConstSpan(words, size)};
  if constexpr (kWords != 0) {
    if (bucket != 0) {
      HashPlace place = {.bucket = bucket, .head = head};
      const uint64_t chain = LoadWord(&geometry.BucketAt(bucket)->chain);
      FindInChain<MatchInline::Portable, kWords>(
          geometry, key, HashProbe::OfInlineKey(geometry, key), LinkOf(chain),
          &place);
      // If the head has not changed since, that was its chain.
      if (TryLockBucket(geometry.LaneAt(lane), 0, geometry.BucketAt(bucket),
                        bucket, head)) {
        return place;
      }
    }
  }
  return Begin(geometry, key, lane);
}

template <uint32_t kWords>
bool HashSlowWrite<kWords>::AddToChain(const HashGeometry& geometry,
                                       uint32_t lane, uint64_t bucket,
                                       uint64_t head, uint64_t hash,
                                       InlineRow row) {
  HashLane* words = geometry.LaneAt(lane);
  uint64_t* const chain_word = &geometry.BucketAt(bucket)->chain;
  const uint64_t chain = LoadWord(chain_word);
  int cells = 0;
  for (uint64_t cell = LinkOf(chain); cell != 0;
       cell = LinkOf(LoadWord(&geometry.BucketAt(cell)->chain))) {
    // HashEdit says what is wrong.
    if (ABSL_PREDICT_FALSE(!geometry.HoldsCell(cell) || cells++ == kMaxChain)) {
      return false;
    }
    const uint64_t old = LoadWord(&geometry.BucketAt(cell)->head);
    const uint64_t free = HashGeometry::PlacesFor(kWords) & ~old;
    if (free == 0) continue;
    FillPlace<kWords>(geometry.BucketAt(cell), free, row.data());
    // A filter may say too much.
    if (!MayBeInChain(chain, hash)) {
      StoreWord(chain_word, chain | FilterBit(hash));
    }
    BeginHeadChange(words, cell, old);
    CommitHeadChange(words, geometry.BucketAt(cell), old | (free & -free), 1);
    StoreNextVersion(geometry, bucket, head);
    return true;
  }
  const BlockToTake cell = BlockToTake::Of(
      *geometry.arena, HashGeometry::HeapOffset(lane), kCellClass);
  if (ABSL_PREDICT_FALSE(cell.offset == 0)) return false;
  constexpr uint64_t kPlaces = HashGeometry::PlacesFor(kWords);
  FillPlace<kWords>(geometry.BucketAt(cell.offset), kPlaces, row.data());
  StoreWord(&geometry.BucketAt(cell.offset)->chain,
            MakeChain(LinkOf(chain), 0));
  CommitStores(geometry.base, &words->intent,
               {cell.store, HeadStore(cell.offset, kPlaces & -kPlaces),
                ChainStore(bucket, MakeChain(cell.offset, FilterOf(chain) |
                                                              FilterBit(hash))),
                NextVersion(bucket, head), CountStore(lane, words, 1)});
  return true;
}

template <uint32_t kWords>
void HashSlowWrite<kWords>::RemoveFromChain(const HashGeometry& geometry,
                                            uint32_t lane,
                                            const HashPlace& place) {
  HashLane* words = geometry.LaneAt(lane);
  const uint64_t live = LoadWord(&geometry.BucketAt(place.cell)->head);
  const uint64_t left = live & ~(uint64_t{1} << place.position);
  if ((left & HashGeometry::PlacesFor(kWords)) != 0) {
    BeginHeadChange(words, place.cell, live);
    CommitHeadChange(words, geometry.BucketAt(place.cell), left, -1);
    StoreNextVersion(geometry, place.bucket, place.head);
    return;
  }
  // The row goes with its cell.
  const uint64_t link = LinkOf(LoadWord(&geometry.BucketAt(place.cell)->chain));
  const uint64_t chain = LoadWord(&geometry.BucketAt(place.predecessor)->chain);
  const uint64_t list =
      FreeListOffset(HashGeometry::HeapOffset(lane), kCellClass);
  CommitStores(geometry.base, &words->intent,
               {ChainStore(place.predecessor, MakeChain(link, FilterOf(chain))),
                NextVersion(place.bucket, place.head),
                CountStore(lane, words, -1),
                {place.cell, FreeLink(LoadWord(geometry.At(list)))},
                {list, place.cell}});
}

template <uint32_t kWords>
bool HashSlowWrite<kWords>::AddRecord(const HashGeometry& geometry,
                                      uint32_t lane, uint64_t bucket,
                                      uint64_t head, uint64_t hash,
                                      absl::Span<const uint64_t> row) {
  const uint64_t free = HashGeometry::PlacesFor(0) & ~head;
  const uint64_t bytes = sizeof(HashRecord) + row.size() * sizeof(uint64_t);
  if (free == 0 || bytes > kMaxBlockBytes) return false;
  const BlockToTake block = BlockToTake::Of(
      *geometry.arena, HashGeometry::HeapOffset(lane), ClassOf(bytes));
  if (ABSL_PREDICT_FALSE(block.offset == 0)) return false;
  uint64_t* const words = geometry.At(block.offset + sizeof(HashRecord));
  for (size_t i = 0; i < row.size(); ++i) StoreWord(&words[i], row[i]);
  const uint64_t item = MakeSlot(hash, block.offset);
  FillPlace<1>(geometry.BucketAt(bucket), free, &item);
  HashLane* const own = geometry.LaneAt(lane);
  CommitStores(geometry.base, &own->intent,
               {block.store,
                {block.offset, MakeRecordHead(hash, row.size())},
                HeadStore(bucket, WithFlipped(head | kLockBit, free & -free)),
                CountStore(lane, own, 1)});
  return true;
}

template <uint32_t kWords>
void HashSlowWrite<kWords>::RemoveRecord(const HashGeometry& geometry,
                                         uint32_t lane,
                                         const HashPlace& place) {
  HashLane* const own = geometry.LaneAt(lane);
  const uint64_t bit = uint64_t{1} << place.position;
  const uint64_t list = FreeListOffset(HashGeometry::HeapOffset(lane),
                                       ClassOfRecord(place.record_words));
  CommitStores(
      geometry.base, &own->intent,
      {HeadStore(place.bucket, WithFlipped(place.head | kLockBit, bit)),
       CountStore(lane, own, -1),
       {place.record, FreeLink(LoadWord(geometry.At(list)))},
       {list, place.record}});
}

template <uint32_t kWords>
typename HashSlowWrite<kWords>::Edited HashSlowWrite<kWords>::Edit(
    const HashGeometry& geometry, uint32_t lane,
    absl::FunctionRef<absl::Status(HashEdit<kWords>&)> change) {
  Transaction transaction(geometry.arena, &geometry.LaneAt(lane)->intent);
  HashEdit<kWords> edit(geometry, lane, &transaction);
  Edited edited;
  edited.status = change(edit);
  if (!edited.status.ok()) return edited;
  edit.Finish();
  if (transaction.size() != 0) transaction.Commit();
  edited.added = edit.added();
  return edited;
}

template <uint32_t kWords>
typename HashSlowWrite<kWords>::Edited HashSlowWrite<kWords>::Put(
    const HashGeometry& geometry, uint32_t lane, HashPlace place, uint64_t hash,
    absl::Span<const uint64_t> row) {
  if (kWords == 0 && !place.found() &&
      AddRecord(geometry, lane, place.bucket, place.head, hash, row)) {
    return {.status = absl::OkStatus(), .added = 1};
  }
  return Edit(geometry, lane, [&](HashEdit<kWords>& edit) {
    return edit.Put(place, hash, row);
  });
}

template <uint32_t kWords>
typename HashSlowWrite<kWords>::Edited HashSlowWrite<kWords>::Remove(
    const HashGeometry& geometry, uint32_t lane, HashPlace place) {
  if (kWords == 0 && place.cell == place.bucket) {
    RemoveRecord(geometry, lane, place);
    return {.status = absl::OkStatus(), .added = -1};
  }
  return Edit(geometry, lane, [&](HashEdit<kWords>& edit) {
    edit.Remove(place);
    return absl::OkStatus();
  });
}

template <uint32_t kWords>
absl::Status HashSlowWrite<kWords>::NoRow() {
  return MakeStatus(Cause::kKeyNotFound, "there is no row with this key");
}

template <uint32_t kWords>
absl::Status HashSlowWrite<kWords>::NoWord(uint64_t words, uint32_t word) {
  return MakeStatus(Cause::kOutOfRange,
                    absl::StrCat("the row has ", words, " words; word ", word,
                                 " is not one of them"));
}

template <uint32_t kWords>
absl::Status HashSlowWrite<kWords>::NoSum(uint64_t word, int64_t amount) {
  return MakeStatus(
      Cause::kOutOfRange,
      absl::StrCat("the sum of ", word, " and ", amount, " is out of range"));
}

template class HashSlowWrite<0>;
template class HashSlowWrite<1>;
template class HashSlowWrite<2>;
template class HashSlowWrite<3>;

}  // namespace ets_keeper
