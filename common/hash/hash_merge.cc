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
    if constexpr (kWords != 0) {
      if (PerformShort()) return absl::OkStatus();
    }
    return PerformLong();
  }

 private:
  // Nearly all merges of inline rows: of a bucket without a chain, for all of
  // whose rows the other one has room. False, with nothing done, if it is
  // another.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool PerformShort() {
    const HashBucket& merged = *geometry_.BucketAt(merged_.offset());
    if (LinkOf(LoadWord(&merged.chain)) != 0) return false;
    Places<kWords> places(geometry_, bucket_.offset(), LiveOf(head_));
    for (uint64_t live = LiveOf(LoadWord(&merged.head)); live != 0;
         live &= live - 1) {
      if (places.full()) return false;
      places.Add(&merged.head + std::countr_zero(live));
    }
    const IntentEntry take = Take(places.live());
    const IntentEntry vanish = Vanish();
    if (IsSeeded(SeededBug::kVanishBeforeMerge)) {
      PublishHeads(geometry_, vanish, take, last_);
    } else {
      PublishHeads(geometry_, take, vanish, last_);
    }
    return true;
  }

  absl::Status PerformLong() {
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

template <uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline absl::Status MergeLast(
    const HashGeometry& geometry, uint32_t lane) {
  const uint64_t n = LoadWord(&geometry.root()->buckets);
  if (ABSL_PREDICT_FALSE(n <= 1)) {
    return MakeStatus(Cause::kOutOfRange, "there is only one bucket");
  }
  const uint64_t last = n - 1;
  const uint64_t level = std::bit_width(last) + 1;  // of both
  const LockedBucket bucket(geometry, lane, 0, last - std::bit_floor(last));
  const LockedBucket merged(geometry, lane, 1, last);
  for (const uint64_t head : {bucket.head(), merged.head()}) {
    if (ABSL_PREDICT_FALSE(LevelOf(head) != level)) {
      return WrongLevel(last, LevelOf(head));
    }
  }
  return Merge<kWords>(geometry, lane, bucket, merged, last).Perform();
}

}  // namespace
}  // namespace hash_internal

absl::Status MergeBuckets(const HashGeometry& geometry, uint32_t lane,
                          uint64_t count) {
  return WithWords(geometry.inline_words, [&](auto words) {
    absl::Status status;
    for (uint64_t i = 0; i < count && status.ok(); ++i) {
      status = hash_internal::MergeLast<words>(geometry, lane);
    }
    return status;
  });
}

}  // namespace ets_keeper
