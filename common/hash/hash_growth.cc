// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_growth.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_record.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

// Items on their way: their words, one after the other, and the filter bits of
// their hashes. There is room for all that a bucket and a chain that is not too
// long can hold.
class ItemList {
 public:
  explicit ItemList(const HashGeometry& geometry)
      : item_words_(geometry.item_words()) {}

  void Add(absl::Span<const uint64_t> item, uint64_t hash) {
    for (uint32_t i = 0; i < item_words_; ++i) {
      words_[size_ * item_words_ + i] = item[i];
    }
    filter_[size_++] = FilterBit(hash);
  }

  [[nodiscard]] bool empty() const { return next_ == size_; }

  // The next item; its filter bit is lost.
  absl::Span<const uint64_t> Take() {
    return absl::MakeConstSpan(&words_[next_++ * item_words_], item_words_);
  }
  // The next items, as many as one cell has room for.
  absl::Span<const uint64_t> TakeCell(uint64_t* filter) {
    const uint32_t begin = next_;
    next_ = std::min(size_, begin + kItemWords / item_words_);
    for (uint32_t i = begin; i < next_; ++i) *filter |= filter_[i];
    return absl::MakeConstSpan(&words_[begin * item_words_],
                               (next_ - begin) * item_words_);
  }

 private:
  static constexpr uint32_t kRoom = (kMaxCellsToSplit + 1) * kItemWords;

  const uint32_t item_words_;
  uint32_t size_ = 0;
  uint32_t next_ = 0;
  // Not initialized: a split is too short for that.
  uint64_t words_[kRoom];
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

  // The offsets of its overflow cells.
  using Cells = absl::InlinedVector<uint64_t, 4>;
  absl::StatusOr<Cells> Chain() const {
    Cells cells;
    for (uint64_t link = LinkOf(chain()); link != 0;
         link = LinkOf(LoadWord(&geometry_.BucketAt(link)->chain))) {
      if (!geometry_.HoldsCell(link)) {
        return MakeStatus(Cause::kCorrupt, "a chain leads nowhere");
      }
      if (cells.size() == kMaxCellsToSplit) {
        return MakeStatus(Cause::kNoMemory, "a chain is too long to be split");
      }
      cells.push_back(link);
    }
    return cells;
  }

 private:
  const HashGeometry& geometry_;
  const uint64_t offset_;
};

// Calls `visit(bit, item, hash)` for every item of a cell.
template <typename Visit>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline absl::Status ForEachItem(
    const HashGeometry& geometry, uint64_t cell, Visit visit) {
  const HashBucket& words = *geometry.BucketAt(cell);
  const uint32_t item_words = geometry.item_words();
  for (uint64_t live = LoadWord(&words.head) & geometry.places(); live != 0;
       live &= live - 1) {
    const int position = std::countr_zero(live);
    uint64_t item[kItemWords];
    for (uint32_t w = 0; w < item_words; ++w) {
      item[w] = LoadWord(&words.word[position - 2 + w]);
    }
    const auto span = absl::MakeConstSpan(item, item_words);
    uint64_t hash;
    if (geometry.is_inline()) {
      hash = HashWords(geometry.seed,
                       span.subspan(geometry.key.word, geometry.key.words),
                       uint64_t{geometry.key.words} * 8);
    } else {
      const uint64_t record = RecordOf(item[0]);
      if (!geometry.arena->Holds(record, sizeof(HashRecord))) {
        return MakeStatus(
            Cause::kCorrupt,
            absl::StrFormat("an item leads to %#x, outside of the arena",
                            record));
      }
      hash = HashOfItem(item[0], LoadWord(geometry.arena->At(record)));
    }
    visit(live & -live, span, hash);
  }
  return absl::OkStatus();
}

// New cells for what is in `items`, in front of `link`; returns the new link.
absl::StatusOr<uint64_t> BuildChain(HashEdit& edit, ItemList& items,
                                    uint64_t link, uint64_t* filter) {
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
void StoreBuckets(Transaction& transaction, uint64_t buckets) {
  transaction.Store(HashGeometry::RootWord(offsetof(HashRoot, buckets)),
                    buckets);
  const uint64_t step = std::max<uint64_t>(1, std::bit_floor(buckets) / 256);
  if (buckets % step != 0) return;
  transaction.Store(HashGeometry::RootWord(offsetof(HashRoot, image)), buckets);
}

absl::Status WrongLevel(uint64_t bucket, uint64_t level) {
  return MakeStatus(
      Cause::kCorrupt,
      absl::StrCat("bucket ", bucket, " is of the impossible level ", level));
}

// The places of a bucket that are free, filled one after the other: nobody
// looks at them until a head says that they are live.
class Places {
 public:
  Places(const HashGeometry& geometry, uint64_t bucket, uint64_t live)
      : geometry_(geometry), bucket_(bucket), live_(live) {}

  [[nodiscard]] bool full() const { return free() == 0; }

  void Add(absl::Span<const uint64_t> item) {
    const uint64_t bit = free() & -free();
    uint64_t* word = geometry_.arena->At(bucket_ + std::countr_zero(bit) * 8);
    for (const uint64_t value : item) StoreWord(word++, value);
    live_ |= bit;
  }

  // As many of the items as there is room for.
  void AddFrom(ItemList& items) {
    while (!full() && !items.empty()) Add(items.Take());
  }

  [[nodiscard]] uint64_t live() const { return live_; }

 private:
  uint64_t free() const { return geometry_.places() & ~live_; }

  const HashGeometry& geometry_;
  const uint64_t bucket_;
  uint64_t live_;
};

// The chain of a bucket that is split, on its way.
struct SplitChain {
  explicit SplitChain(const HashGeometry& geometry)
      : moves(geometry), stays(geometry) {}

  absl::Status Read(const HashGeometry& geometry, const LockedBucket& bucket,
                    uint64_t moved_bit) {
    const auto chain = bucket.Chain();
    if (!chain.ok()) return chain.status();
    cells = *chain;
    for (const uint64_t cell : cells) {
      absl::Status status =
          ForEachItem(geometry, cell, [&](uint64_t, auto item, uint64_t hash) {
            ((hash & moved_bit) != 0 ? moves : stays).Add(item, hash);
          });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  LockedBucket::Cells cells;
  ItemList moves;
  ItemList stays;
};

// Step 3 of a split: what stays of P's chain.
absl::Status RebuildChain(const HashGeometry& geometry,
                          const LockedBucket& bucket, SplitChain& chain,
                          HashEdit& edit, Transaction& transaction) {
  ItemList& stay = chain.stays;
  const uint64_t head = edit.head(bucket.offset());
  uint64_t live = LiveOf(head);
  for (uint64_t free = geometry.places() & ~live; free != 0 && !stay.empty();
       free &= free - 1) {
    const uint64_t bit = free & -free;
    uint64_t word = bucket.offset() + std::countr_zero(bit) * 8;
    // By the transaction: the item that moved away may still be seen here.
    for (const uint64_t value : stay.Take()) {
      transaction.Store(word, value);
      word += 8;
    }
    live |= bit;
  }
  uint64_t filter = 0;
  const absl::StatusOr<uint64_t> link = BuildChain(edit, stay, 0, &filter);
  if (!link.ok()) return link.status();
  const auto cut = [&] {
    transaction.Store(bucket.offset() + offsetof(HashBucket, chain),
                      MakeChain(*link, filter));
  };
  if (IsSeeded(SeededBug::kCutBeforeMove)) cut();
  if (live != LiveOf(head)) {
    edit.SetHead(bucket.offset(), WithLive(head, live));
  }
  if (!IsSeeded(SeededBug::kCutBeforeMove)) cut();
  edit.NextVersion(bucket.offset());
  for (const uint64_t cell : chain.cells) edit.FreeCell(cell);
  return absl::OkStatus();
}

// Splits the locked bucket on `moved_bit`, into itself and bucket n. `chain` is
// what was read of its chain, null if it has none.
absl::Status SplitLocked(const HashGeometry& geometry, uint32_t lane,
                         const LockedBucket& bucket, uint64_t n,
                         SplitChain* chain) {
  const uint64_t moved_bit = std::bit_floor(n);
  const uint64_t added = geometry.BucketOffset(n);
  const uint64_t head = bucket.head();
  Places places(geometry, added, 0);
  uint64_t staying = LiveOf(head);
  // All that the bucket itself gives away has room in the new one.
  absl::Status status = ForEachItem(
      geometry, bucket.offset(), [&](uint64_t bit, auto item, uint64_t hash) {
        if ((hash & moved_bit) == 0) return;
        places.Add(item);
        staying &= ~bit;
      });
  if (!status.ok()) return status;
  HashLane* words = geometry.LaneAt(lane);
  Transaction transaction(geometry.arena, &words->intent);
  HashEdit edit(geometry, lane, &transaction);
  uint64_t new_chain = 0;
  if (chain != nullptr) {
    places.AddFrom(chain->moves);
    uint64_t filter = 0;
    const absl::StatusOr<uint64_t> link =
        BuildChain(edit, chain->moves, 0, &filter);
    if (!link.ok()) return link.status();
    new_chain = MakeChain(*link, filter);
  }
  StoreWord(&geometry.BucketAt(added)->chain, new_chain);
  // Nobody else stores to a bucket that does not exist. Its version goes on
  // from where it was; a page that was given back meanwhile begins anew, at a
  // place that depends on the bucket below, so that a reader who slept since
  // before does not take it for the same.
  const uint64_t old = LoadWord(&geometry.BucketAt(added)->head);
  const uint64_t version = old != 0
                               ? old & kVersionBits
                               : (head & kVersionBits) + (kVersionOne << 32);
  const uint64_t level = LevelOf(head) + 1;  // of both
  StoreWord(&words->held[1], added);
  const auto exist = [&] {
    edit.SetHead(added,
                 WithLive(WithLevel(version, level), places.live()) | kLockBit);
  };
  const auto give_away = [&] {
    edit.SetHead(bucket.offset(), WithLive(WithLevel(head, level), staying));
  };
  if (IsSeeded(SeededBug::kSplitBeforeFill)) give_away();
  exist();
  if (!IsSeeded(SeededBug::kSplitBeforeFill)) give_away();
  if (chain != nullptr) {
    status = RebuildChain(geometry, bucket, *chain, edit, transaction);
    if (!status.ok()) return status;
  }
  StoreBuckets(transaction, n + 1);
  edit.Finish();
  transaction.Commit();
  UnlockBucket(geometry, added);
  return absl::OkStatus();
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
  const LockedBucket bucket(geometry, lane, 0, number);
  if (LevelOf(bucket.head()) != static_cast<uint64_t>(std::bit_width(n))) {
    return WrongLevel(number, LevelOf(bucket.head()));
  }
  if (LinkOf(bucket.chain()) == 0) {
    return SplitLocked(geometry, lane, bucket, n, nullptr);
  }
  SplitChain chain(geometry);
  status = chain.Read(geometry, bucket, std::bit_floor(n));
  if (!status.ok()) return status;
  return SplitLocked(geometry, lane, bucket, n, &chain);
}

absl::Status MergeBucket(const HashGeometry& geometry, uint32_t lane) {
  const uint64_t n = LoadWord(&geometry.root()->buckets);
  if (n <= 1) return MakeStatus(Cause::kOutOfRange, "there is only one bucket");
  const uint64_t last = n - 1;
  const uint64_t moved_bit = std::bit_floor(last);
  const uint64_t level = std::bit_width(last) + 1;  // of both
  const LockedBucket bucket(geometry, lane, 0, last - moved_bit);
  const LockedBucket merged(geometry, lane, 1, last);
  const uint64_t head = bucket.head();
  for (const uint64_t h : {head, merged.head()}) {
    if (LevelOf(h) != level) return WrongLevel(last, LevelOf(h));
  }
  const auto cells = merged.Chain();
  if (!cells.ok()) return cells.status();
  ItemList moves(geometry);
  const auto move = [&](uint64_t, auto item, uint64_t hash) {
    moves.Add(item, hash);
  };
  absl::Status status = ForEachItem(geometry, merged.offset(), move);
  for (const uint64_t cell : *cells) {
    if (status.ok()) status = ForEachItem(geometry, cell, move);
  }
  if (!status.ok()) return status;

  Transaction transaction(geometry.arena, &geometry.LaneAt(lane)->intent);
  HashEdit edit(geometry, lane, &transaction);
  Places places(geometry, bucket.offset(), LiveOf(head));
  places.AddFrom(moves);
  const uint64_t chain = bucket.chain();
  uint64_t filter = FilterOf(chain);
  const absl::StatusOr<uint64_t> link =
      BuildChain(edit, moves, LinkOf(chain), &filter);
  if (!link.ok()) return link.status();
  if (*link != LinkOf(chain)) {
    transaction.Store(bucket.offset() + offsetof(HashBucket, chain),
                      MakeChain(*link, filter));
  }
  const auto take = [&] {
    edit.SetHead(bucket.offset(),
                 WithLive(WithLevel(head, level - 1), places.live()));
  };
  const auto vanish = [&] {
    edit.SetHead(merged.offset(), WithLive(WithLevel(merged.head(), 0), 0));
  };
  if (IsSeeded(SeededBug::kVanishBeforeMerge)) vanish();
  take();
  if (!IsSeeded(SeededBug::kVanishBeforeMerge)) vanish();
  StoreBuckets(transaction, last);
  for (const uint64_t cell : *cells) edit.FreeCell(cell);
  edit.Finish();
  transaction.Commit();
  return absl::OkStatus();
}

}  // namespace ets_keeper
