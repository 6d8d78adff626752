// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_growth.h"

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
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_record.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

// What all that follows is made for: the words of an inline row, 0 for records.
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

// The hash of an inline row.
template <uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t HashOfInlineRow(
    const HashGeometry& geometry, const uint64_t* row) {
  const uint64_t* key = row + geometry.key.word;
  if (kWords == 1 || ABSL_PREDICT_TRUE(geometry.key.words == 1)) {
    return HashWords(geometry.seed, absl::MakeConstSpan(key, 1), 8);
  }
  return HashWords(geometry.seed, absl::MakeConstSpan(key, 2), 16);
}

// Calls `visit(bit, item, hash)` for every item of a cell.
template <uint32_t kWords, typename Visit>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline absl::Status ForEachItem(
    const HashGeometry& geometry, uint64_t cell, const Visit& visit) {
  const HashBucket& words = *geometry.BucketAt(cell);
  for (uint64_t live = LoadWord(&words.head) & kPlaces<kWords>; live != 0;
       live &= live - 1) {
    const uint64_t* from = &words.head + std::countr_zero(live);
    uint64_t item[kItem<kWords>];
    for (uint32_t w = 0; w < kItem<kWords>; ++w) item[w] = LoadWord(&from[w]);
    uint64_t hash;
    if constexpr (kWords != 0) {
      hash = HashOfInlineRow<kWords>(geometry, item);
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

absl::Status CommitBuckets(Arena& arena, uint64_t end) {
  // This word shrinks only under the growth mutex, so without the lock it may
  // only be too small.
  if (end <= LoadWord(&arena.header().front_committed)) return absl::OkStatus();
  Lock lock(arena.grow_mutex());
  return arena.CommitFront(end);
}

// The stores of the number of buckets, and of its image when that is due.
IntentEntry BucketsStore(uint64_t buckets) {
  return {HashGeometry::RootWord(offsetof(HashRoot, buckets)), buckets};
}
IntentEntry ImageStore(uint64_t buckets) {
  return {HashGeometry::RootWord(offsetof(HashRoot, image)), buckets};
}
bool ImageIsDue(uint64_t buckets) {
  const uint64_t step = std::bit_floor(buckets) / 256;  // a power of two, or 0
  return step == 0 || (buckets & (step - 1)) == 0;
}
void StoreBuckets(Transaction& transaction, uint64_t buckets) {
  const IntentEntry n = BucketsStore(buckets);
  transaction.Store(n.offset, n.value);
  if (!ImageIsDue(buckets)) return;
  const IntentEntry image = ImageStore(buckets);
  transaction.Store(image.offset, image.value);
}

// The intent of a split or merge of buckets without chains, or with chains that
// stay as they are: the heads of both, in this order, and the number of
// buckets.
void CommitHeads(const HashGeometry& geometry, uint32_t lane,
                 const IntentEntry& first, const IntentEntry& second,
                 uint64_t buckets) {
  IntentLog* log = &geometry.LaneAt(lane)->intent;
  if (ImageIsDue(buckets)) {
    CommitStores(geometry.base, log,
                 {first, second, BucketsStore(buckets), ImageStore(buckets)});
  } else {
    CommitStores(geometry.base, log, {first, second, BucketsStore(buckets)});
  }
}

absl::Status WrongLevel(uint64_t bucket, uint64_t level) {
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
    uint64_t* word = words_ + std::countr_zero(free());
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
    if (moves_.empty() && cells_.size == 0) {
      const IntentEntry take = Take(places.live());
      const IntentEntry vanish = Vanish();
      if (IsSeeded(SeededBug::kVanishBeforeMerge)) {
        CommitHeads(geometry_, lane_, vanish, take, last_);
      } else {
        CommitHeads(geometry_, lane_, take, vanish, last_);
      }
      return status;
    }
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
            WithLive(WithLevel(merged_.head(), 0), 0)};
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
  const LockedBucket bucket(geometry, lane, 0, number);
  if (LevelOf(bucket.head()) != static_cast<uint64_t>(std::bit_width(n))) {
    return WrongLevel(number, LevelOf(bucket.head()));
  }
  return WithWords(geometry.inline_words, [&](auto words) {
    return Split<words>(geometry, lane, bucket, n).Perform();
  });
}

absl::Status MergeBucket(const HashGeometry& geometry, uint32_t lane) {
  const uint64_t n = LoadWord(&geometry.root()->buckets);
  if (n <= 1) return MakeStatus(Cause::kOutOfRange, "there is only one bucket");
  const uint64_t last = n - 1;
  const uint64_t level = std::bit_width(last) + 1;  // of both
  const LockedBucket bucket(geometry, lane, 0, last - std::bit_floor(last));
  const LockedBucket merged(geometry, lane, 1, last);
  for (const uint64_t head : {bucket.head(), merged.head()}) {
    if (LevelOf(head) != level) return WrongLevel(last, LevelOf(head));
  }
  return WithWords(geometry.inline_words, [&](auto words) {
    return Merge<words>(geometry, lane, bucket, merged, last).Perform();
  });
}

}  // namespace ets_keeper
