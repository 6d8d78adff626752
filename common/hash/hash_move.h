// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_move.h
// -----------------------------------------------------------------------------
//
// What a split and a merge (hash_growth.h) are made of: the items of buckets
// and chains on their way from one bucket to another.
//
//   Places<2> places(geometry, to, LiveOf(head));
//   absl::Status status = ForEachItem<2>(
//       geometry, from, [&](uint64_t bit, const uint64_t* item, uint64_t hash)
//       {
//         if (!places.full()) places.Add(item);
//       });
//   ... a head with places.live() makes them count ...
//
// `kWords`, everywhere: of an inline row; 0 if rows are records.
//
// Thread safety: needs the locks of the buckets. Not for others than those two.

#ifndef COMMON_HASH_HASH_MOVE_H_
#define COMMON_HASH_HASH_MOVE_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_record.h"
#include "common/status/status.h"

namespace ets_keeper {

// kMaxCellsToSplit
//
// A chain of this many cells fits into one intent. With the keys' hash seeded
// at random no bucket comes near it unless the table could not grow.
inline constexpr uint32_t kMaxCellsToSplit = 20;

namespace hash_internal {

// The words of an item, and the live bits of all places of a cell.
template <uint32_t kWords>
inline constexpr uint32_t kItem = kWords != 0 ? kWords : 1;
template <uint32_t kWords>
inline constexpr uint64_t kPlaces = HashGeometry::PlacesFor(kWords);

// Items on their way: their words, one after the other, and the filter bits of
// their hashes. There is room for all that a bucket and a chain that is not too
// long can hold.
template <uint32_t kWords>
class ItemList {
 public:
  void Add(const uint64_t* item, uint64_t hash) {
    for (uint32_t i = 0; i < kWidth; ++i) words_[size_ * kWidth + i] = item[i];
    filter_[size_++] = FilterBit(hash);
  }

  [[nodiscard]] bool empty() const { return next_ == size_; }

  // The next item; its filter bit is lost.
  const uint64_t* Take() { return &words_[next_++ * kWidth]; }

  // The next items, as many as one cell has room for.
  absl::Span<const uint64_t> TakeCell(uint64_t* filter) {
    const uint32_t begin = next_;
    next_ = std::min(size_, begin + kItemWords / kWidth);
    for (uint32_t i = begin; i < next_; ++i) *filter |= filter_[i];
    return absl::MakeConstSpan(&words_[begin * kWidth],
                               (next_ - begin) * kWidth);
  }

 private:
  static constexpr uint32_t kWidth = kItem<kWords>;
  static constexpr uint32_t kRoom =
      (kMaxCellsToSplit + 1) * (kItemWords / kWidth);

  uint32_t size_ = 0;
  uint32_t next_ = 0;
  // Not initialized: a split is too short for that.
  uint64_t words_[kRoom * kWidth];
  uint64_t filter_[kRoom];
};

// A bucket whose lock this thread has.
class LockedBucket {
 public:
  LockedBucket(const HashGeometry& geometry, uint32_t lane, int slot,
               uint64_t number)
      : geometry_(geometry), offset_(geometry.BucketOffset(number)) {
    LockBucket(geometry, geometry.LaneAt(lane), slot, offset_);
  }
  ~LockedBucket() { UnlockBucket(geometry_, offset_); }
  LockedBucket(const LockedBucket&) = delete;
  LockedBucket& operator=(const LockedBucket&) = delete;

  [[nodiscard]] uint64_t offset() const { return offset_; }
  [[nodiscard]] uint64_t head() const {
    return LoadWord(&geometry_.BucketAt(offset_)->head);
  }
  [[nodiscard]] uint64_t chain() const {
    return LoadWord(&geometry_.BucketAt(offset_)->chain);
  }

 private:
  const HashGeometry& geometry_;
  const uint64_t offset_;
};

// The offsets of the cells of a chain.
struct Cells {
  absl::Status Read(const HashGeometry& geometry, uint64_t chain) {
    for (uint64_t link = LinkOf(chain); link != 0;
         link = LinkOf(LoadWord(&geometry.BucketAt(link)->chain))) {
      if (!geometry.HoldsCell(link)) {
        return MakeStatus(Cause::kCorrupt, "a chain leads nowhere");
      }
      if (size == kMaxCellsToSplit) {
        return MakeStatus(Cause::kNoMemory, "a chain is too long to be split");
      }
      offset[size++] = link;
    }
    return absl::OkStatus();
  }
  const uint64_t* begin() const { return offset; }
  const uint64_t* end() const { return offset + size; }

  uint32_t size = 0;
  uint64_t offset[kMaxCellsToSplit];
};

// The hash of an inline row. A copy of what it takes, which no store can have
// changed. `kPlainKey`: the key is the first word of the row.
template <uint32_t kWords, bool kPlainKey = false>
class RowHash {
 public:
  explicit RowHash(const HashGeometry& geometry)
      : seed_(geometry.seed), key_(geometry.key) {}

  ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t operator()(const uint64_t* row) const {
    if (kPlainKey) return HashWords(seed_, absl::MakeConstSpan(row, 1), 8);
    const uint64_t* key = row + key_.word;
    if (kWords == 1 || ABSL_PREDICT_TRUE(key_.words == 1)) {
      return HashWords(seed_, absl::MakeConstSpan(key, 1), 8);
    }
    return HashWords(seed_, absl::MakeConstSpan(key, 2), 16);
  }

 private:
  const uint64_t seed_;
  const KeyLayout key_;
};

// Calls `visit(bit, item, hash)` for every item of a cell.
template <uint32_t kWords, typename Visit>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline absl::Status ForEachItem(
    const HashGeometry& geometry, uint64_t cell, const Visit& visit) {
  const HashBucket& words = *geometry.BucketAt(cell);
  for (uint64_t live = LoadWord(&words.head) & kPlaces<kWords>; live != 0;
       live &= live - 1) {
    const uint64_t* from = &words.head + FirstItem(live);
    uint64_t item[kItem<kWords>];
    for (uint32_t w = 0; w < kItem<kWords>; ++w) item[w] = LoadWord(&from[w]);
    uint64_t hash;
    if constexpr (kWords != 0) {
      hash = RowHash<kWords>(geometry)(item);
    } else {
      const uint64_t record = RecordOf(item[0]);
      if (!geometry.arena->Holds(record, sizeof(HashRecord))) {
        return MakeStatus(
            Cause::kCorrupt,
            absl::StrFormat("an item leads to %#x, outside of the arena",
                            record));
      }
      hash = HashOfItem(item[0], LoadWord(geometry.At(record)));
    }
    visit(live & -live, item, hash);
  }
  return absl::OkStatus();
}

// New cells for what is in `items`, in front of `link`; returns the new link.
template <uint32_t kWords>
absl::StatusOr<uint64_t> BuildChain(HashEdit<kWords>& edit,
                                    ItemList<kWords>& items, uint64_t link,
                                    uint64_t* filter) {
  while (!items.empty()) {
    const absl::StatusOr<uint64_t> cell =
        edit.NewCell(link, items.TakeCell(filter));
    if (!cell.ok()) return cell;
    link = *cell;
  }
  return link;
}

// The stores of the number of buckets, and of its image, with the mask, when
// that is due.
inline IntentEntry BucketsStore(uint64_t buckets) {
  return {HashGeometry::RootWord(offsetof(HashRoot, buckets)), buckets};
}
inline IntentEntry ImageStore(uint64_t buckets) {
  return {HashGeometry::RootWord(offsetof(HashRoot, image)), buckets};
}
inline IntentEntry MaskStore(uint64_t buckets) {
  return {HashGeometry::RootWord(offsetof(HashRoot, mask)),
          HashGeometry::WideMask(buckets)};
}
// `power`: the power of two up to `buckets`, or, if it is one, the one before.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ImageIsDue(uint64_t buckets,
                                                    uint64_t power) {
  const uint64_t step = power / 256;  // a power of two, or 0
  return step == 0 || (buckets & (step - 1)) == 0;
}
template <typename Stores>  // Transaction or IntentStores
void StoreBuckets(Stores& stores, uint64_t buckets) {
  const auto add = [&](const IntentEntry& store) {
    stores.Store(store.offset, store.value);
  };
  add(BucketsStore(buckets));
  if (!ImageIsDue(buckets, std::bit_floor(buckets))) return;
  add(ImageStore(buckets));
  add(MaskStore(buckets));
}
// The same by plain stores, the last ones of a split or merge that has no
// intent: wherever it ends, RecoverGrowth() sees how far it has come.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void SetBuckets(
    const HashGeometry& geometry, uint64_t buckets, uint64_t power) {
  HashRoot* root = geometry.root();
  StoreWord(&root->buckets, buckets);
  if (ABSL_PREDICT_TRUE(!ImageIsDue(buckets, power))) return;
  StoreWord(&root->image, buckets);
  StoreWord(&root->mask, HashGeometry::WideMask(buckets));
}

// The head of a bucket that does not exist any more.
[[nodiscard]] inline uint64_t VanishedHead(uint64_t head) {
  return WithLive(WithLevel(head, 0), 0);
}

inline absl::Status WrongLevel(uint64_t bucket, uint64_t level) {
  return MakeStatus(
      Cause::kCorrupt,
      absl::StrCat("bucket ", bucket, " is of the impossible level ", level));
}

// The places of a bucket that are free, filled one after the other: nobody
// looks at them until a head says that they are live.
template <uint32_t kWords>
class Places {
 public:
  Places(const HashGeometry& geometry, uint64_t bucket, uint64_t live)
      : words_(geometry.At(bucket)), live_(live) {}

  [[nodiscard]] bool full() const { return free() == 0; }

  void Add(const uint64_t* item) {
    uint64_t* word = words_ + FirstItem(free());
    ForConstants<kItem<kWords>>([&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      StoreWord(&word[i], item[i]);
    });
    live_ |= free() & -free();
  }

  // As many of the items as there is room for.
  void AddFrom(ItemList<kWords>& items) {
    while (!full() && !items.empty()) Add(items.Take());
  }

  [[nodiscard]] uint64_t live() const { return live_; }

 private:
  uint64_t free() const { return kPlaces<kWords> & ~live_; }

  uint64_t* const words_;
  uint64_t live_;
};

}  // namespace hash_internal
}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_MOVE_H_
