// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_move.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace hash_internal {
namespace {

// A split of the locked bucket into itself and bucket n.
template <uint32_t kWords>
class Split {
 public:
  Split(const HashGeometry& geometry, uint32_t lane, const LockedBucket& bucket,
        uint64_t n)
      : geometry_(geometry),
        lane_(lane),
        bucket_(bucket),
        n_(n),
        added_(geometry.BucketOffset(n)),
        head_(bucket.head()) {}

  absl::Status Perform() {
    // Named before it exists with its lock taken.
    NameLock(geometry_.LaneAt(lane_), 1, added_);
    absl::Status status;
    if (!PerformShort()) status = PerformWithChain();
    if (status.ok()) UnlockBucket(geometry_, added_);
    return status;
  }

 private:
  // Nearly all splits of inline rows: of a bucket without a chain, or with one
  // cell that is not needed afterwards. False, with nothing done, if it is
  // another.
  bool PerformShort() {
    if constexpr (kWords == 0) return false;
    const uint64_t cell = LinkOf(bucket_.chain());
    if (cell == 0) {
      PerformPlain(CopyItems(bucket_.offset()) & LiveOf(head_));
      return true;
    }
    if (!geometry_.HoldsCell(cell)) return false;
    const HashBucket& words = *geometry_.BucketAt(cell);
    if (LinkOf(LoadWord(&words.chain)) != 0) return false;
    // The cell's items first, as the bucket's are to be in their places.
    const uint64_t cell_live = LoadWord(&words.head) & kPlaces<kWords>;
    const uint64_t cell_moved = CopyItems(cell) & cell_live;
    const uint64_t moved = CopyItems(bucket_.offset()) & LiveOf(head_);
    const uint32_t moves = Count(moved) + Count(cell_moved);
    const uint32_t items = Count(LiveOf(head_)) + Count(cell_live);
    constexpr uint32_t kMost = kItemWords / kItem<kWords>;
    if (moves > kMost || items - moves > kMost) return false;
    PerformWithCell(cell, cell_live, cell_moved, moved);
    return true;
  }

  // How many places the mask has.
  static uint32_t Count(uint64_t mask) {
    uint32_t count = 0;
    ForConstants<kItemWords / kItem<kWords>>(
        [&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          count += mask >> (2 + i * kItem<kWords>)&1;
        });
    return count;
  }

  // Copies all items of the bucket or cell to the same places of the new
  // bucket, and returns which of them move: of those that are not live, any.
  // What is live depends on the masks alone, without a branch on random bits.
  uint64_t CopyItems(uint64_t from_cell) {
    const uint64_t* from = geometry_.At(from_cell);
    uint64_t* to = geometry_.At(added_);
    const int bit = std::bit_width(n_) - 1;
    const HashGeometry geometry = geometry_;
    uint64_t moved = 0;
    ForConstants<kItemWords / kItem<kWords>>(
        [&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          const uint32_t first = 2 + i * kItem<kWords>;
          uint64_t item[kItem<kWords>];
          ForConstants<kItem<kWords>>(
              [&](uint32_t w) ABSL_ATTRIBUTE_ALWAYS_INLINE {
                item[w] = LoadWord(&from[first + w]);
                StoreWord(&to[first + w], item[w]);
              });
          const uint64_t hash = HashOfInlineRow<kWords>(geometry, item);
          moved |= (hash >> bit & 1) << first;
        });
    return moved;
  }

  void PerformPlain(uint64_t moved) {
    StoreWord(&geometry_.BucketAt(added_)->chain, 0);
    const IntentEntry exist = Exist(moved);
    const IntentEntry give_away = GiveAway(LiveOf(head_) & ~moved);
    if (IsSeeded(SeededBug::kSplitBeforeFill)) {
      return CommitHeads(geometry_, lane_, give_away, exist, n_ + 1);
    }
    CommitHeads(geometry_, lane_, exist, give_away, n_ + 1);
  }

  // `moved` is in its places of the new bucket; what moves from the cell goes
  // to the free ones there, and what stays to those that are free in the old
  // bucket by then.
  void PerformWithCell(uint64_t cell, uint64_t cell_live, uint64_t cell_moved,
                       uint64_t moved) {
    const uint64_t* const items = geometry_.At(cell);
    Places<kWords> places(geometry_, added_, moved);
    for (uint64_t left = cell_moved; left != 0; left &= left - 1) {
      places.Add(items + std::countr_zero(left));
    }
    StoreWord(&geometry_.BucketAt(added_)->chain, 0);
    Transaction transaction(geometry_.arena, &geometry_.LaneAt(lane_)->intent);
    uint64_t live = LiveOf(head_) & ~moved;
    StoreHeads(transaction, places.live(), live);
    uint64_t head = GiveAway(live).value;
    uint64_t free = kPlaces<kWords> & ~live;
    for (uint64_t left = cell_live & ~cell_moved; left != 0; left &= left - 1) {
      const uint64_t* item = items + std::countr_zero(left);
      const uint64_t place = bucket_.offset() + std::countr_zero(free) * 8;
      ForConstants<kItem<kWords>>([&](uint32_t w) {
        transaction.Store(place + w * 8, LoadWord(&item[w]));
      });
      live |= free & -free;
      free &= free - 1;
    }
    const uint64_t chain = bucket_.offset() + offsetof(HashBucket, chain);
    const uint64_t head_word = bucket_.offset() + offsetof(HashBucket, head);
    if (IsSeeded(SeededBug::kCutBeforeMove)) transaction.Store(chain, 0);
    if (live != LiveOf(head)) {
      head = WithLive(head, live);
      transaction.Store(head_word, head);
    }
    if (!IsSeeded(SeededBug::kCutBeforeMove)) transaction.Store(chain, 0);
    if (!IsSeeded(SeededBug::kNoVersionBump)) {
      transaction.Store(head_word, head + kVersionOne);
    }
    StoreBuckets(transaction, n_ + 1);
    HeapTransaction heap(&transaction, HashGeometry::LaneOffset(lane_) +
                                           offsetof(HashLane, heap));
    heap.Free(cell, kLineClass);
    heap.Finish();
    transaction.Commit();
  }

  absl::Status PerformWithChain() {
    absl::Status status = ReadChain();
    if (!status.ok()) return status;
    Places<kWords> places(geometry_, added_, 0);
    uint64_t staying = LiveOf(head_);
    // All that the bucket itself gives away has room in the new one.
    status = ForEachItem<kWords>(
        geometry_, bucket_.offset(),
        [&](uint64_t bit, const uint64_t* item, uint64_t hash) {
          if ((hash & moved_bit()) == 0) return;
          places.Add(item);
          staying &= ~bit;
        });
    if (!status.ok()) return status;
    Transaction transaction(geometry_.arena, &geometry_.LaneAt(lane_)->intent);
    HashEdit<kWords> edit(geometry_, lane_, &transaction);
    places.AddFrom(moves_);
    uint64_t filter = 0;
    const absl::StatusOr<uint64_t> link = BuildChain(edit, moves_, 0, &filter);
    if (!link.ok()) return link.status();
    StoreWord(&geometry_.BucketAt(added_)->chain, MakeChain(*link, filter));
    StoreHeads(transaction, places.live(), staying);
    status = RebuildChain(edit, transaction);
    if (!status.ok()) return status;
    StoreBuckets(transaction, n_ + 1);
    edit.Finish();
    transaction.Commit();
    return status;
  }

  absl::Status ReadChain() {
    absl::Status status = cells_.Read(geometry_, bucket_.chain());
    for (const uint64_t cell : cells_) {
      if (!status.ok()) break;
      status = ForEachItem<kWords>(
          geometry_, cell, [&](uint64_t, const uint64_t* item, uint64_t hash) {
            ((hash & moved_bit()) != 0 ? moves_ : stays_).Add(item, hash);
          });
    }
    return status;
  }

  // Step 3 of a split: what stays of the bucket's chain.
  absl::Status RebuildChain(HashEdit<kWords>& edit, Transaction& transaction) {
    const uint64_t head = edit.head(bucket_.offset());
    uint64_t live = LiveOf(head);
    for (uint64_t free = kPlaces<kWords> & ~live; free != 0 && !stays_.empty();
         free &= free - 1) {
      const uint64_t word = bucket_.offset() + std::countr_zero(free) * 8;
      const uint64_t* item = stays_.Take();
      // By the transaction: the item that moved away may still be seen here.
      for (uint32_t i = 0; i < kItem<kWords>; ++i) {
        transaction.Store(word + i * 8, item[i]);
      }
      live |= free & -free;
    }
    uint64_t filter = 0;
    const absl::StatusOr<uint64_t> link = BuildChain(edit, stays_, 0, &filter);
    if (!link.ok()) return link.status();
    const auto cut = [&] {
      transaction.Store(bucket_.offset() + offsetof(HashBucket, chain),
                        MakeChain(*link, filter));
    };
    if (IsSeeded(SeededBug::kCutBeforeMove)) cut();
    if (live != LiveOf(head)) {
      edit.SetHead(bucket_.offset(), WithLive(head, live));
    }
    if (!IsSeeded(SeededBug::kCutBeforeMove)) cut();
    edit.NextVersion(bucket_.offset());
    for (const uint64_t cell : cells_) edit.FreeCell(cell);
    return absl::OkStatus();
  }

  void StoreHeads(Transaction& transaction, uint64_t live, uint64_t staying) {
    const IntentEntry exist = Exist(live);
    const IntentEntry give_away = GiveAway(staying);
    if (IsSeeded(SeededBug::kSplitBeforeFill)) {
      transaction.Store(give_away.offset, give_away.value);
    }
    transaction.Store(exist.offset, exist.value);
    if (!IsSeeded(SeededBug::kSplitBeforeFill)) {
      transaction.Store(give_away.offset, give_away.value);
    }
  }

  // The stores by which the new bucket begins to exist, locked, and by which
  // the old one gives away all but `staying`.
  //
  // Nobody else stores to a bucket that does not exist. Its version goes on
  // from where it was; a page that was given back meanwhile begins anew, at a
  // place that depends on the bucket below, so that a reader who slept since
  // before does not take it for the same.
  IntentEntry Exist(uint64_t live) const {
    const uint64_t old = LoadWord(&geometry_.BucketAt(added_)->head);
    const uint64_t version = old != 0
                                 ? old & kVersionBits
                                 : (head_ & kVersionBits) + (kVersionOne << 32);
    return {added_ + offsetof(HashBucket, head),
            WithLive(WithLevel(version, level()), live) | kLockBit};
  }
  IntentEntry GiveAway(uint64_t staying) const {
    return {bucket_.offset() + offsetof(HashBucket, head),
            WithLive(WithLevel(head_, level()), staying)};
  }

  uint64_t level() const { return LevelOf(head_) + 1; }  // of both
  uint64_t moved_bit() const { return std::bit_floor(n_); }

  const HashGeometry& geometry_;
  const uint32_t lane_;
  const LockedBucket& bucket_;
  const uint64_t n_;
  const uint64_t added_;
  const uint64_t head_;

  // Of the chain, if there is one.
  Cells cells_;
  ItemList<kWords> moves_;
  ItemList<kWords> stays_;
};

}  // namespace
}  // namespace hash_internal

namespace {

absl::Status CommitBuckets(Arena& arena, uint64_t end) {
  // This word shrinks only under the growth mutex, so without the lock it may
  // only be too small.
  if (end <= LoadWord(&arena.header().front_committed)) return absl::OkStatus();
  Lock lock(arena.grow_mutex());
  return arena.CommitFront(end);
}

}  // namespace

absl::Status SplitBucket(const HashGeometry& geometry, uint32_t lane) {
  const uint64_t n = LoadWord(&geometry.root()->buckets);
  if (n == 0 || n >= geometry.most_buckets) {
    return MakeStatus(
        Cause::kNoMemory,
        absl::StrCat("there is no room for more than ", n, " buckets"));
  }
  absl::Status status =
      CommitBuckets(*geometry.arena, geometry.BucketOffset(n + 1));
  if (!status.ok()) return status;
  const uint64_t number = n - std::bit_floor(n);
  const hash_internal::LockedBucket bucket(geometry, lane, 0, number);
  if (LevelOf(bucket.head()) != static_cast<uint64_t>(std::bit_width(n))) {
    return hash_internal::WrongLevel(number, LevelOf(bucket.head()));
  }
  return WithWords(geometry.inline_words, [&](auto words) {
    return hash_internal::Split<words>(geometry, lane, bucket, n).Perform();
  });
}

}  // namespace ets_keeper
