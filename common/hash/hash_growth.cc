// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_growth.h"

#include <bit>
#include <cstdint>

#include "absl/status/status.h"
#include "common/arena/arena.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_move.h"

namespace ets_keeper {
namespace {

// One more than all hash bits that the table of n buckets has split on: the
// level of bucket n - 1 and its other half.
uint64_t LevelWith(uint64_t last) { return std::bit_width(last) + 1; }

class GrowthRecovery {
 public:
  explicit GrowthRecovery(const HashGeometry& geometry)
      : geometry_(geometry), buckets_(LoadWord(&geometry.root()->buckets)) {}

  absl::Status Recover() {
    absl::Status status = FinishSplit();
    if (status.ok()) status = FinishMerge();
    if (status.ok()) {
      hash_internal::SetBuckets(geometry_, buckets_, std::bit_floor(buckets_));
    }
    return status;
  }

 private:
  // Bucket n exists: a split of its other half was going on. What that has not
  // given away yet, it keeps.
  absl::Status FinishSplit() {
    const uint64_t n = buckets_;
    const uint64_t end = geometry_.BucketOffset(n) + sizeof(HashBucket);
    if (n == 0 || n >= geometry_.most_buckets ||
        end > LoadWord(&geometry_.arena->header().front_committed)) {
      return absl::OkStatus();
    }
    if (LevelOf(Head(n)) == 0) return absl::OkStatus();
    const uint64_t level = LevelOf(Head(OtherHalf(n)));
    if (level == LevelWith(n)) {
      ++buckets_;
    } else if (level + 1 == LevelWith(n)) {
      Vanish(n);
    } else {
      return hash_internal::WrongLevel(OtherHalf(n), level);
    }
    return absl::OkStatus();
  }

  // The last bucket's other half has taken what it had, or it does not exist
  // any more: a merge was going on.
  absl::Status FinishMerge() {
    if (buckets_ <= 1) return absl::OkStatus();
    const uint64_t last = buckets_ - 1;
    const uint64_t level = LevelOf(Head(last));
    const uint64_t other = LevelOf(Head(OtherHalf(last)));
    if (level == LevelWith(last) && other == level) return absl::OkStatus();
    if (other + 1 != LevelWith(last) || (level != 0 && level != other + 1)) {
      return hash_internal::WrongLevel(last, level);
    }
    if (level != 0) Vanish(last);
    --buckets_;
    return absl::OkStatus();
  }

  static uint64_t OtherHalf(uint64_t bucket) {
    return bucket - std::bit_floor(bucket);
  }
  uint64_t* HeadWord(uint64_t bucket) const {
    return &geometry_.BucketAt(geometry_.BucketOffset(bucket))->head;
  }
  uint64_t Head(uint64_t bucket) const { return LoadWord(HeadWord(bucket)); }
  void Vanish(uint64_t bucket) {
    StoreWord(HeadWord(bucket), hash_internal::VanishedHead(Head(bucket)));
  }

  const HashGeometry& geometry_;
  uint64_t buckets_;
};

}  // namespace

absl::Status RecoverGrowth(const HashGeometry& geometry) {
  if (IsSeeded(SeededBug::kForgetGrowth)) return absl::OkStatus();
  return GrowthRecovery(geometry).Recover();
}

}  // namespace ets_keeper
