// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_move.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace hash_internal {
namespace {

// A merge of locked bucket `last`, the last one, into its other half.
template <uint32_t kWords>
class Merge {
 public:
  Merge(const HashGeometry& geometry, uint32_t lane, const LockedBucket& bucket,
        const LockedBucket& merged, uint64_t last)
      : geometry_(geometry),
        lane_(lane),
        bucket_(bucket),
        merged_(merged),
        last_(last),
        head_(bucket.head()) {}

  absl::Status Perform() {
    absl::Status status = cells_.Read(geometry_, merged_.chain());
    // What finds no place in the bucket itself.
    Places<kWords> places(geometry_, bucket_.offset(), LiveOf(head_));
    const auto move = [&](uint64_t, const uint64_t* item, uint64_t hash) {
      if (places.full()) {
        moves_.Add(item, hash);
      } else {
        places.Add(item);
      }
    };
    if (status.ok()) {
      status = ForEachItem<kWords>(geometry_, merged_.offset(), move);
    }
    for (const uint64_t cell : cells_) {
      if (status.ok()) status = ForEachItem<kWords>(geometry_, cell, move);
    }
    if (!status.ok()) return status;
    return PerformWithCells(places.live());
  }

 private:
  absl::Status PerformWithCells(uint64_t live) {
    Transaction transaction(geometry_.arena, &geometry_.LaneAt(lane_)->intent);
    HashEdit<kWords> edit(geometry_, lane_, &transaction);
    const uint64_t chain = bucket_.chain();
    uint64_t filter = FilterOf(chain);
    const absl::StatusOr<uint64_t> link =
        BuildChain(edit, moves_, LinkOf(chain), &filter);
    if (!link.ok()) return link.status();
    if (*link != LinkOf(chain)) {
      transaction.Store(bucket_.offset() + offsetof(HashBucket, chain),
                        MakeChain(*link, filter));
    }
    const IntentEntry take = Take(live);
    const IntentEntry vanish = Vanish();
    if (IsSeeded(SeededBug::kVanishBeforeMerge)) {
      transaction.Store(vanish.offset, vanish.value);
    }
    transaction.Store(take.offset, take.value);
    if (!IsSeeded(SeededBug::kVanishBeforeMerge)) {
      transaction.Store(vanish.offset, vanish.value);
    }
    StoreBuckets(transaction, last_);
    for (const uint64_t cell : cells_) edit.FreeCell(cell);
    edit.Finish();
    transaction.Commit();
    return absl::OkStatus();
  }

  IntentEntry Take(uint64_t live) const {
    return {bucket_.offset() + offsetof(HashBucket, head),
            WithLive(WithLevel(head_, LevelOf(head_) - 1), live)};
  }
  IntentEntry Vanish() const {
    return {merged_.offset() + offsetof(HashBucket, head),
            VanishedHead(merged_.head())};
  }

  const HashGeometry& geometry_;
  const uint32_t lane_;
  const LockedBucket& bucket_;
  const LockedBucket& merged_;
  const uint64_t last_;
  const uint64_t head_;
  Cells cells_;
  ItemList<kWords> moves_;
};

// Nearly all merges of inline rows: of buckets at which there is nobody, the
// last one without a chain, the other one with room for all of its rows. False,
// with nothing done, if it is another.
template <uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool MergePlain(
    const HashGeometry& geometry, HashLane* lane, uint64_t last) {
  const uint64_t level = std::bit_width(last) + 1;  // of both
  const uint64_t offset = geometry.BucketOffset(last - std::bit_floor(last));
  HashBucket* const bucket = geometry.BucketAt(offset);
  HashBucket* const merged = geometry.BucketAt(geometry.BucketOffset(last));
  const uint64_t head = LoadWord(&bucket->head);
  const uint64_t merged_head = LoadWord(&merged->head);
  if (LinkOf(LoadWord(&merged->chain)) != 0 || LevelOf(head) != level ||
      LevelOf(merged_head) != level) {
    return false;
  }
  if (!TryLockBucket(lane, 0, bucket, offset, head)) return false;
  if (!TryLockBucket(lane, 1, merged, geometry.BucketOffset(last),
                     merged_head)) {
    StoreWord(&bucket->head, head);
    return false;
  }
  Places<kWords> places(geometry, offset, LiveOf(head));
  uint64_t left = LiveOf(merged_head);
  for (; left != 0 && !places.full(); left &= left - 1) {
    places.Add(&merged->head + FirstItem(left));
  }
  if (left != 0) {
    StoreWord(&merged->head, merged_head);
    StoreWord(&bucket->head, head);
    return false;
  }
  const uint64_t take = WithLive(WithLevel(head, level - 1), places.live());
  const uint64_t vanish = VanishedHead(merged_head);
  if (IsSeeded(SeededBug::kVanishBeforeMerge)) {
    StoreWord(&merged->head, vanish);
  }
  // Until the last bucket has gone, both have its rows, which no writer may
  // change in one of them only.
  StoreWord(&bucket->head,
            IsSeeded(SeededBug::kUnlockBeforeVanish) ? take : take | kLockBit);
  StoreWord(&merged->head, vanish);
  SetBuckets(geometry, last, std::bit_floor(last));
  StoreWord(&bucket->head, take);
  return true;
}

template <uint32_t kWords>
ABSL_ATTRIBUTE_NOINLINE absl::Status MergeLast(const HashGeometry& geometry,
                                               uint32_t lane, uint64_t last) {
  const uint64_t level = std::bit_width(last) + 1;  // of both
  const LockedBucket bucket(geometry, lane, 0, last - std::bit_floor(last));
  const LockedBucket merged(geometry, lane, 1, last);
  for (const uint64_t head : {bucket.head(), merged.head()}) {
    if (LevelOf(head) != level) return WrongLevel(last, LevelOf(head));
  }
  return Merge<kWords>(geometry, lane, bucket, merged, last).Perform();
}

}  // namespace
}  // namespace hash_internal

absl::Status MergeBuckets(const HashGeometry& geometry, uint32_t lane,
                          uint64_t count) {
  return WithWords(geometry.inline_words, [&](auto words) {
    const uint64_t n = LoadWord(&geometry.root()->buckets);
    for (uint64_t i = 1; i <= count; ++i) {
      if (n <= i) {
        return MakeStatus(Cause::kOutOfRange, "there is only one bucket");
      }
      if constexpr (words != 0) {
        if (ABSL_PREDICT_TRUE(hash_internal::MergePlain<words>(
                geometry, geometry.LaneAt(lane), n - i))) {
          continue;
        }
      }
      absl::Status status =
          hash_internal::MergeLast<words>(geometry, lane, n - i);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  });
}

}  // namespace ets_keeper
