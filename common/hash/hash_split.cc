// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_move.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace hash_internal {
namespace {

// The head with which a bucket begins to exist that had the head `old`, beside
// its other half with the head `half`.
//
// Nobody else stores to a bucket that does not exist. Its version goes on from
// where it was; a page that was given back meanwhile begins anew, at a place
// that depends on the bucket below, so that a reader who slept since before
// does not take it for the same.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t HeadToExist(uint64_t old,
                                                         uint64_t half,
                                                         uint64_t level,
                                                         uint64_t live) {
  const uint64_t version = old != 0
                               ? old & kVersionBits
                               : (half & kVersionBits) + (kVersionOne << 32);
  return WithLive(WithLevel(version, level), live);
}

// A split of the locked bucket into itself and bucket n.
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

 protected:
  // The stores by which the new bucket begins to exist, locked, and by which
  // the old one gives away all but `staying`.
  IntentEntry Exist(uint64_t live) const {
    const uint64_t old = LoadWord(&geometry_.BucketAt(added_)->head);
    return {added_ + offsetof(HashBucket, head),
            HeadToExist(old, head_, level(), live) | kLockBit};
  }
  IntentEntry GiveAway(uint64_t staying) const {
    return {bucket_.offset() + offsetof(HashBucket, head),
            WithLive(WithLevel(head_, level()), staying)};
  }

  // Both, in their order.
  template <typename Stores>  // Transaction or IntentStores
  void StoreHeads(Stores& stores, uint64_t live, uint64_t staying) const {
    IntentEntry heads[] = {Exist(live), GiveAway(staying)};
    if (IsSeeded(SeededBug::kSplitBeforeFill)) std::swap(heads[0], heads[1]);
    for (const IntentEntry& head : heads) stores.Store(head.offset, head.value);
  }

  uint64_t level() const { return LevelOf(head_) + 1; }  // of both
  uint64_t moved_bit() const { return std::bit_floor(n_); }
  // The same bit of a hash, as 0 or 1.
  uint64_t Moves(uint64_t hash) const {
    return hash >> (std::bit_width(n_) - 1) & 1;
  }

  const HashGeometry& geometry_;
  const uint32_t lane_;
  const LockedBucket& bucket_;
  const uint64_t n_;
  const uint64_t added_;
  const uint64_t head_;
};

// Copies all items of a bucket to the same places of another one, and returns
// which of them have `bit` set in their hash: of those that are not live, any.
template <uint32_t kWords, typename HashOf>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t CopyItems(const HashBucket& from,
                                                       HashBucket* to, int bit,
                                                       const HashOf& hash_of) {
  uint64_t moved = 0;
  ForConstants<kItemWords / kItem<kWords>>(
      [&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
        const uint32_t first = i * kItem<kWords>;
        uint64_t item[kItem<kWords>];
        ForConstants<kItem<kWords>>(
            [&](uint32_t w) ABSL_ATTRIBUTE_ALWAYS_INLINE {
              item[w] = LoadWord(&from.word[first + w]);
              StoreWord(&to->word[first + w], item[w]);
            });
        moved |= (hash_of(item) >> bit & 1) << (2 + first);
      });
  return moved;
}

// Splits of inline rows of buckets without a chain, with nobody at the bucket:
// four of five. There are no branches on random bits, and nothing is asked that
// is the same for all of them: every fifth insert comes to one.
template <uint32_t kWords, bool kPlainKey>
class PlainSplits {
 public:
  // `half`: a power of two.
  PlainSplits(const HashGeometry& geometry, uint32_t lane, uint64_t half)
      : geometry_(geometry),
        words_(geometry.LaneAt(lane)),
        buckets_(geometry.BucketAt(geometry.buckets_begin)),
        half_(half),
        bit_(std::countr_zero(half)) {}

  // Of bucket n - `half`, if n has as many bits as `half`. False, with nothing
  // done, if it is another split.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool Perform(uint64_t n) {
    HashBucket* const bucket = &buckets_[n - half_];
    HashBucket* const added = &buckets_[n];
    const uint64_t head = LoadWord(&bucket->head);
    // It is without a chain as long as its head is this one.
    if (LinkOf(LoadWord(&bucket->chain)) != 0 || IsLocked(head) ||
        LevelOf(head) != static_cast<uint64_t>(bit_) + 1) {
      return false;
    }
    NameLock(words_, 0, geometry_.BucketOffset(n - half_));
    // Named before it exists with its lock taken.
    NameLock(words_, 1, geometry_.BucketOffset(n));
    if (!CompareAndSwapWord(&bucket->head, head, head | kLockBit)) return false;
    const uint64_t moved =
        CopyItems<kWords>(*bucket, added, bit_,
                          RowHash<kWords, kPlainKey>(geometry_)) &
        LiveOf(head);
    StoreWord(&added->chain, 0);
    const uint64_t exist =
        HeadToExist(LoadWord(&added->head), head, LevelOf(head) + 1, moved);
    // Gives the lock back as well.
    const uint64_t give_away =
        WithLive(WithLevel(head, LevelOf(head) + 1), LiveOf(head) & ~moved);
    if (IsSeeded(SeededBug::kSplitBeforeFill)) {
      StoreWord(&bucket->head, give_away);
    }
    StoreWord(&added->head, exist | kLockBit);
    StoreWord(&bucket->head, give_away);
    SetBuckets(geometry_, n + 1, half_);
    StoreWord(&added->head, exist);
    return true;
  }

 private:
  const HashGeometry& geometry_;
  HashLane* const words_;
  HashBucket* const buckets_;
  const uint64_t half_;
  const int bit_;
};

// Splits of inline rows of buckets with a short chain. What moves from the
// bucket goes to the same places of the new one, what moves from the chain to
// the free ones there, and the rest into a cell of its own. What stays in the
// chain goes to the places that are free in the old bucket by then, as far as
// there are any, and else stays in its cell. Cells that are empty then go.
template <uint32_t kWords, bool kPlainKey>
class ShortSplit : private Split {
 public:
  ShortSplit(const HashGeometry& geometry, uint32_t lane,
             const LockedBucket& bucket, uint64_t n)
      : Split(geometry, lane, bucket, n),
        hash_of_(geometry),
        stores_(geometry.base, &geometry.LaneAt(lane)->intent) {}

  // False, with nothing done, if it is another split.
  bool Perform() {
    if (!ReadChain()) return false;
    const uint64_t moved =
        CopyItems<kWords>(*geometry_.BucketAt(bucket_.offset()),
                          geometry_.BucketAt(added_), std::bit_width(n_) - 1,
                          hash_of_) &
        LiveOf(head_);
    Places<kWords> places(geometry_, added_, moved);
    if (!MoveFromChain(places)) return false;
    StoreHeads(stores_, places.live(), LiveOf(head_) & ~moved);
    EmptyChain(GiveAway(LiveOf(head_) & ~moved).value);
    StoreBuckets(stores_, n_ + 1);
    FreeCells();
    stores_.Commit();
    return true;
  }

 private:
  static constexpr int kMostCells = 3;
  static constexpr uint32_t kPerCell = kItemWords / kItem<kWords>;

  struct Cell {
    uint64_t offset;
    uint64_t live;
    uint64_t stays;  // of which these are not in the old bucket yet
  };

  const uint64_t* Items(const Cell& cell) const {
    return geometry_.At(cell.offset);
  }
  uint64_t HashAt(const Cell& cell, uint64_t items) const {
    return hash_of_(Items(cell) + FirstItem(items));
  }

  bool ReadChain() {
    uint64_t link = LinkOf(bucket_.chain());
    for (; link != 0; ++size_) {
      if (size_ == kMostCells || !geometry_.HoldsCell(link)) return false;
      const HashBucket& words = *geometry_.BucketAt(link);
      const uint64_t live = LoadWord(&words.head) & kPlaces<kWords>;
      cells_[size_] = {link, live, live};
      link = LinkOf(LoadWord(&words.chain));
    }
    return size_ != 0;
  }

  // False if that is too much.
  bool MoveFromChain(Places<kWords>& places) {
    const uint64_t* crowd[kPerCell];
    uint32_t crowded = 0;
    uint64_t filter = 0;
    for (int i = 0; i < size_; ++i) {
      Cell& cell = cells_[i];
      for (uint64_t left = cell.live; left != 0; left &= left - 1) {
        const uint64_t hash = HashAt(cell, left);
        if (Moves(hash) == 0) continue;
        cell.stays &= ~(left & -left);
        const uint64_t* item = Items(cell) + FirstItem(left);
        if (!places.full()) {
          places.Add(item);
          continue;
        }
        if (crowded == kPerCell) return false;
        crowd[crowded++] = item;
        filter |= FilterBit(hash);
      }
    }
    if (crowded != 0 && !MakeCell(absl::MakeConstSpan(crowd, crowded))) {
      return false;
    }
    StoreWord(&geometry_.BucketAt(added_)->chain,
              MakeChain(cell_.offset, filter));
    return true;
  }

  // Of the new bucket. False if there is none to be had easily.
  bool MakeCell(absl::Span<const uint64_t* const> items) {
    cell_ = BlockToTake::Of(*geometry_.arena, HashGeometry::HeapOffset(lane_),
                            kCellClass);
    if (ABSL_PREDICT_FALSE(cell_.offset == 0)) return false;
    Places<kWords> places(geometry_, cell_.offset, 0);
    for (const uint64_t* item : items) places.Add(item);
    StoreWord(&geometry_.BucketAt(cell_.offset)->chain, 0);
    stores_.Store(cell_.store.offset, cell_.store.value);
    stores_.Store(cell_.offset + offsetof(HashBucket, head), places.live());
    return true;
  }

  // `head`: of the old bucket by then.
  void EmptyChain(uint64_t head) {
    const uint64_t head_word = bucket_.offset() + offsetof(HashBucket, head);
    const uint64_t live = FillBucket(LiveOf(head));
    if (IsSeeded(SeededBug::kCutBeforeMove)) CutChain();
    if (live != LiveOf(head)) {
      head = WithLive(head, live);
      stores_.Store(head_word, head);
    }
    if (!IsSeeded(SeededBug::kCutBeforeMove)) CutChain();
    if (!IsSeeded(SeededBug::kNoVersionBump)) {
      stores_.Store(head_word, head + kVersionOne);
    }
  }

  // Copies what stays to the places that are not live, from the last cell on,
  // and returns what is live then.
  uint64_t FillBucket(uint64_t live) {
    for (int i = size_; i-- > 0;) {
      Cell& cell = cells_[i];
      for (; cell.stays != 0; cell.stays &= cell.stays - 1) {
        const uint64_t free = kPlaces<kWords> & ~live;
        if (free == 0) return live;
        // By the intent: the item that moved away may still be seen here.
        const uint64_t* item = Items(cell) + FirstItem(cell.stays);
        const uint64_t place = bucket_.offset() + FirstItem(free) * 8;
        ForConstants<kItem<kWords>>([&](uint32_t w) {
          stores_.Store(place + w * 8, LoadWord(&item[w]));
        });
        live |= free & -free;
      }
    }
    return live;
  }

  // The chain is of the cells from which something stays, and of that only.
  void CutChain() {
    uint64_t link = 0;
    uint64_t filter = 0;
    for (int i = size_; i-- > 0;) {
      const Cell& cell = cells_[i];
      if (cell.stays == 0) continue;
      const uint64_t chain = MakeChain(link, 0);
      if (LoadWord(&geometry_.BucketAt(cell.offset)->chain) != chain) {
        stores_.Store(cell.offset + offsetof(HashBucket, chain), chain);
      }
      if (cell.stays != cell.live) {
        stores_.Store(cell.offset + offsetof(HashBucket, head), cell.stays);
      }
      for (uint64_t left = cell.stays; left != 0; left &= left - 1) {
        filter |= FilterBit(HashAt(cell, left));
      }
      link = cell.offset;
    }
    stores_.Store(bucket_.offset() + offsetof(HashBucket, chain),
                  MakeChain(link, filter));
  }

  // As HeapTransaction::Finish().
  void FreeCells() {
    const uint64_t list =
        FreeListOffset(HashGeometry::HeapOffset(lane_), kCellClass);
    const uint64_t first = list == cell_.store.offset
                               ? cell_.store.value
                               : LoadWord(geometry_.At(list));
    uint64_t next = first;
    for (int i = 0; i < size_; ++i) {
      if (cells_[i].stays != 0) continue;
      stores_.Store(cells_[i].offset, FreeLink(next));
      next = cells_[i].offset;
    }
    if (next != first) stores_.Store(list, next);
  }

  const RowHash<kWords, kPlainKey> hash_of_;
  IntentStores stores_;
  BlockToTake cell_;  // for the new bucket, or none
  int size_ = 0;
  Cell cells_[kMostCells];
};

// The others: of buckets with longer chains, and of those with records, and of
// those that somebody is at.
template <uint32_t kWords>
class LongSplit : private Split {
 public:
  using Split::Split;

  absl::Status Perform() {
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

 private:
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
      const uint64_t word = bucket_.offset() + FirstItem(free) * 8;
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

  Cells cells_;
  ItemList<kWords> moves_;
  ItemList<kWords> stays_;
};

absl::Status CommitBuckets(Arena& arena, uint64_t end) {
  arena.ReadyFront(end);
  Lock lock(arena.grow_mutex());
  return arena.CommitFront(end);
}

template <uint32_t kWords, bool kPlainKey>
ABSL_ATTRIBUTE_NOINLINE absl::Status SplitInto(const HashGeometry& geometry,
                                               uint32_t lane, uint64_t n) {
  const uint64_t number = n - std::bit_floor(n);
  const LockedBucket bucket(geometry, lane, 0, number);
  if (LevelOf(bucket.head()) != static_cast<uint64_t>(std::bit_width(n))) {
    return WrongLevel(number, LevelOf(bucket.head()));
  }
  // Named before it exists with its lock taken.
  NameLock(geometry.LaneAt(lane), 1, geometry.BucketOffset(n));
  absl::Status status;
  bool is_done = false;
  if constexpr (kWords != 0) {
    is_done =
        ShortSplit<kWords, kPlainKey>(geometry, lane, bucket, n).Perform();
  }
  if (!is_done) {
    status = LongSplit<kWords>(geometry, lane, bucket, n).Perform();
  }
  if (status.ok()) UnlockBucket(geometry, geometry.BucketOffset(n));
  return status;
}

// Splits into buckets `n` to `end` - 1, all of as many bits.
template <uint32_t kWords, bool kPlainKey>
absl::Status SplitIntoAll(const HashGeometry& geometry, uint32_t lane,
                          uint64_t n, uint64_t end) {
  const uint64_t half = std::bit_floor(n);
  PlainSplits<kWords, kPlainKey> plain(geometry, lane, half);
  for (; n < end; ++n) {
    PrefetchSplit(geometry, n, half);
    if constexpr (kWords != 0) {
      if (ABSL_PREDICT_TRUE(plain.Perform(n))) continue;
    }
    absl::Status status = SplitInto<kWords, kPlainKey>(geometry, lane, n);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace hash_internal

absl::Status SplitBuckets(const HashGeometry& geometry, uint32_t lane,
                          uint64_t count) {
  while (count > 0) {
    const uint64_t n = LoadWord(&geometry.root()->buckets);
    if (n == 0 || n >= geometry.most_buckets) {
      return MakeStatus(
          Cause::kNoMemory,
          absl::StrCat("there is no room for more than ", n, " buckets"));
    }
    const uint64_t end =
        std::min({n + count, 2 * std::bit_floor(n), geometry.most_buckets});
    // This word shrinks only under the growth mutex, so without the lock it may
    // only be too small.
    if (geometry.BucketOffset(end) >
        LoadWord(&geometry.arena->header().front_committed)) {
      absl::Status status = hash_internal::CommitBuckets(
          *geometry.arena, geometry.BucketOffset(end));
      if (!status.ok()) return status;
    }
    count -= end - n;
    const bool plain = geometry.key == KeyLayout();
    absl::Status status = WithWords(geometry.inline_words, [&](auto words) {
      if constexpr (words != 0) {
        if (plain) {
          return hash_internal::SplitIntoAll<words, true>(geometry, lane, n,
                                                          end);
        }
      }
      return hash_internal::SplitIntoAll<words, false>(geometry, lane, n, end);
    });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ets_keeper
