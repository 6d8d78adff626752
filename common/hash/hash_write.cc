// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// The writes of one key.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

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
#include "common/hash/hash_core.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_record.h"
#include "common/hash/writer_lanes.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"

namespace ets_keeper {

namespace {

absl::Status NoBucket(const HashGeometry& geometry) {
  return MakeStatus(Cause::kCorrupt,
                    absl::StrFormat("the number of buckets, %#x, leads nowhere",
                                    LoadWord(&geometry.root()->image)));
}

absl::Status NoRow() {
  return MakeStatus(Cause::kKeyNotFound, "there is no row with this key");
}

absl::Status NoWord(uint64_t words, uint32_t word) {
  return MakeStatus(Cause::kOutOfRange,
                    absl::StrCat("the row has ", words, " words; word ", word,
                                 " is not one of them"));
}

absl::Status NoSum(uint64_t word, int64_t amount) {
  return MakeStatus(
      Cause::kOutOfRange,
      absl::StrCat("the sum of ", word, " and ", amount, " is out of range"));
}

// Whether the sum is a number of the kind that `old` is.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool IsSum(uint64_t old, int64_t amount,
                                               uint64_t sum, bool is_signed) {
  // With a sign: it does not differ in its sign from both. Without: it has gone
  // up or down as the amount says.
  return is_signed ? static_cast<int64_t>((old ^ sum) & (amount ^ sum)) >= 0
                   : (sum >= old) == (static_cast<int64_t>(amount) >= 0);
}

}  // namespace

// One write of one key: from Begin() to End() it has the key's bucket to
// itself, in which the key either is at place() or is nowhere. Made for the
// words of an inline row, or, with 0, for records.
//
// All that nearly every write does is inlined, and what is not is static and
// gets copies, so that the object never is in memory. `kPlainKey`: the key is
// the first word of the row.
template <uint32_t kWords, bool kPlainKey>
class HashCore::Write {
 public:
  ABSL_ATTRIBUTE_ALWAYS_INLINE Write(HashCore& core, const HashKey& key,
                                     WriterLanes::Lane& lane)
      : core_(core),
        geometry_(core.geometry_),
        key_(key),
        lane_(lane),
        words_(core.geometry_.LaneAt(lane.index())) {}
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;

  // Looks the key up as a reader does, and takes the lock if the bucket is as
  // it was then. False if words of the arena are impossible.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool Begin() {
    if (ABSL_PREDICT_TRUE(BeginInBucket())) return true;
    const HashPlace place = BeginAnywhere(core_, key_, words_);
    place_ = place;
    return place.bucket != 0;
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE void End() {
    UnlockBucket(geometry_, place_.bucket);
    // Only now: this may want the locks of other buckets.
    if (added_ != 0) core_.Account(lane_, added_);
  }

  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE const HashPlace& place() const {
    return place_;
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Put(
      absl::Span<const uint64_t> row) {
    if constexpr (kWords != 0) {
      if (ABSL_PREDICT_TRUE(row.size() == kWords)) {
        if (place_.found() ? Replace(row.data()) : AddToBucket(row.data())) {
          return absl::OkStatus();
        }
        if (!place_.found() &&
            AddToChain(geometry_, lane_.index(), place_.bucket, place_.head,
                       key_.hash, row.data())) {
          added_ = 1;
          return absl::OkStatus();
        }
      }
    }
    return Edit(Edited::Put(core_, lane_.index(), place_, key_.hash, row));
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Remove() {
    if (kWords != 0 && place_.cell == place_.bucket) {
      const uint64_t bit = uint64_t{1} << place_.position;
      CommitHead(WithLive(place_.head, LiveOf(place_.head) & ~bit), -1);
      return absl::OkStatus();
    }
    if constexpr (kWords != 0) {
      RemoveFromChain(geometry_, lane_.index(), place_.bucket, place_.head,
                      place_.predecessor, place_.cell, place_.position);
      added_ = -1;
      return absl::OkStatus();
    }
    return Edit(Edited::Remove(core_, lane_.index(), place_));
  }

  // The version goes up before the word changes, so that a reader that copied
  // this word's old value and another word's newer one notices; where there is
  // only one word that can change, it need not. Killed between the two stores
  // the row is as it was.
  ABSL_ATTRIBUTE_ALWAYS_INLINE absl::StatusOr<uint64_t> Add(Number number,
                                                            int64_t amount) {
    if (ABSL_PREDICT_FALSE(!place_.found())) return NoRow();
    const uint64_t words = kWords != 0 ? kWords : place_.record_words;
    if (ABSL_PREDICT_FALSE(number.word >= words)) {
      return NoWord(words, number.word);
    }
    uint64_t* word =
        geometry_.At(kWords != 0 ? place_.item() : place_.row()) + number.word;
    const uint64_t old = LoadWord(word);
    const uint64_t sum = old + static_cast<uint64_t>(amount);
    if (ABSL_PREDICT_FALSE(!IsSum(old, amount, sum, number.is_signed))) {
      return NoSum(old, amount);
    }
    if (CanTear()) {
      StoreWord(place_.head_word(geometry_),
                (place_.head | kLockBit) + kVersionOne);
    }
    StoreWord(word, sum);
    return sum;
  }

  absl::Status Change(HashChange change) {
    return Edit(Edited::Change(core_, lane_.index(), place_, key_, change));
  }

 private:
  // For a key that is in its bucket itself, or is nowhere, with nobody else at
  // the bucket.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool BeginInBucket() {
    const uint64_t number =
        HashGeometry::ImageHome(geometry_.root(), key_.hash);
    if (ABSL_PREDICT_FALSE(number >= geometry_.most_buckets)) return false;
    const uint64_t offset = geometry_.BucketOffset(number);
    const HashBucket& bucket = *geometry_.BucketAt(offset);
    const uint64_t head = LoadWord(&bucket.head);
    uint64_t found;
    if constexpr (kWords == 0) {
      const PlainRecord record =
          FindPlainRecord(geometry_, geometry_.key, bucket, head, key_);
      found = record.candidates;
      if (found != 0 && record.record == 0) return false;
      place_.record = record.record;
      place_.record_words = record.words;
    } else {
      const HashProbe probe = kPlainKey
                                  ? HashProbe{.want = key_.words[0]}
                                  : HashProbe::OfInlineKey(geometry_, key_);
      found = MatchInline::MatchKey<kWords>(bucket, probe) & head &
              HashGeometry::PlacesFor(kWords);
    }
    if (found == 0 && (!AnswersFor(head, number, key_.hash) ||
                       (LoadWord(&bucket.chain) & FilterBit(key_.hash)) != 0)) {
      return false;
    }
    if (ABSL_PREDICT_FALSE(
            !TryLockBucket(geometry_, words_, 0, offset, head))) {
      return false;
    }
    place_.bucket = offset;
    place_.head = head;
    if (found != 0) {
      place_.cell = offset;
      place_.position = static_cast<uint32_t>(std::countr_zero(found));
    }
    return true;
  }

  // Wherever it is, and as soon as nobody else is at it.
  ABSL_ATTRIBUTE_NOINLINE static HashPlace BeginAnywhere(const HashCore& core,
                                                         const HashKey& key,
                                                         HashLane* words) {
    const HashGeometry& geometry = core.geometry_;
    SpinPause pause;
    for (;;) {
      HashPlace place;
      if constexpr (kWords != 0) {
        FindKeyIn<MatchInline, kWords>(geometry, key, &place);
      } else {
        FindKeyWith(core.instructions_, geometry, key, &place);
      }
      if (ABSL_PREDICT_FALSE(place.bucket == 0) ||
          ABSL_PREDICT_TRUE(
              TryLockBucket(geometry, words, 0, place.bucket, place.head))) {
        return place;
      }
      pause.Wait();
    }
  }

  // HashGeometry::words_can_tear(); of two words one at least is the key.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool CanTear() const {
    return kWords != 1 && kWords != 2 && geometry_.words_can_tear();
  }

  // The only word that can change is replaced in its place.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool Replace(const uint64_t* row) {
    if (CanTear()) return false;
    uint64_t* word = geometry_.At(place_.item());
    ForConstants<kWords>([&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      if (LoadWord(&word[i]) != row[i]) StoreWord(&word[i], row[i]);
    });
    return true;
  }

  // What follows is what HashEdit does for an item, in the same order. But a
  // single write knows all of its stores at once.

  ABSL_ATTRIBUTE_ALWAYS_INLINE bool AddToBucket(const uint64_t* row) {
    const uint64_t live = LiveOf(place_.head);
    const uint64_t free = HashGeometry::PlacesFor(kWords) & ~live;
    if (free == 0) return false;
    FillPlace(geometry_, place_.bucket, free, row);
    CommitHead(WithLive(place_.head, live | (free & -free)), 1);
    return true;
  }

  // The bucket gets this head, and the lane counts the rows that it added.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void CommitHead(uint64_t head, int64_t added) {
    CommitStores(geometry_.base, &words_->intent,
                 {HeadStore(place_.bucket, head | kLockBit),
                  CountStore(lane_.index(), words_, added)});
    added_ = added;
  }

  // Into a place that is free in the chain of the bucket, which is full itself,
  // or into a new cell in front of it. False if there is none to be had easily.
  ABSL_ATTRIBUTE_NOINLINE static bool AddToChain(const HashGeometry& geometry,
                                                 uint32_t lane, uint64_t bucket,
                                                 uint64_t head, uint64_t hash,
                                                 const uint64_t* row) {
    HashLane* words = geometry.LaneAt(lane);
    const uint64_t chain = LoadWord(&geometry.BucketAt(bucket)->chain);
    const IntentEntry count = CountStore(lane, words, 1);
    const IntentEntry version = NextVersion(bucket, head);
    int cells = 0;
    for (uint64_t cell = LinkOf(chain); cell != 0;
         cell = LinkOf(LoadWord(&geometry.BucketAt(cell)->chain))) {
      // HashEdit says what is wrong.
      if (ABSL_PREDICT_FALSE(!geometry.HoldsCell(cell) ||
                             cells++ == kMaxChain)) {
        return false;
      }
      const uint64_t old = LoadWord(&geometry.BucketAt(cell)->head);
      const uint64_t free = HashGeometry::PlacesFor(kWords) & ~old;
      if (free == 0) continue;
      FillPlace(geometry, cell, free, row);
      CommitStores(geometry.base, &words->intent,
                   {ChainStore(bucket, chain | FilterBit(hash)),
                    HeadStore(cell, old | (free & -free)), version, count});
      return true;
    }
    const LineToTake line =
        LineToTake::Of(*geometry.arena, HashGeometry::LaneOffset(lane) +
                                            offsetof(HashLane, heap));
    if (ABSL_PREDICT_FALSE(line.offset == 0)) return false;
    constexpr uint64_t kPlaces = HashGeometry::PlacesFor(kWords);
    FillPlace(geometry, line.offset, kPlaces, row);
    StoreWord(&geometry.BucketAt(line.offset)->chain,
              MakeChain(LinkOf(chain), 0));
    CommitStores(
        geometry.base, &words->intent,
        {line.store, HeadStore(line.offset, kPlaces & -kPlaces),
         ChainStore(bucket,
                    MakeChain(line.offset, FilterOf(chain) | FilterBit(hash))),
         version, count});
    return true;
  }

  ABSL_ATTRIBUTE_NOINLINE static void RemoveFromChain(
      const HashGeometry& geometry, uint32_t lane, uint64_t bucket,
      uint64_t head, uint64_t predecessor, uint64_t cell, uint32_t position) {
    HashLane* words = geometry.LaneAt(lane);
    const IntentEntry count = CountStore(lane, words, -1);
    const IntentEntry version = NextVersion(bucket, head);
    const uint64_t left =
        LoadWord(&geometry.BucketAt(cell)->head) & ~(uint64_t{1} << position);
    if ((left & HashGeometry::PlacesFor(kWords)) != 0) {
      CommitStores(geometry.base, &words->intent,
                   {HeadStore(cell, left), version, count});
      return;
    }
    // The row goes with its cell.
    const uint64_t link = LinkOf(LoadWord(&geometry.BucketAt(cell)->chain));
    const uint64_t chain = LoadWord(&geometry.BucketAt(predecessor)->chain);
    const uint64_t list = HashGeometry::LaneOffset(lane) +
                          offsetof(HashLane, heap) + offsetof(HeapLane, free) +
                          kLineClass.index * sizeof(uint64_t);
    CommitStores(geometry.base, &words->intent,
                 {ChainStore(predecessor, MakeChain(link, FilterOf(chain))),
                  version,
                  count,
                  {cell, FreeLink(LoadWord(geometry.At(list)))},
                  {list, cell}});
  }

  // Into the first of the free places.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static void FillPlace(
      const HashGeometry& geometry, uint64_t cell, uint64_t free,
      const uint64_t* row) {
    if (IsSeeded(SeededBug::kPublishBeforeFill)) {
      uint64_t* head = &geometry.BucketAt(cell)->head;
      StoreWord(head, WithLive(LoadWord(head),
                               LiveOf(LoadWord(head)) | (free & -free)));
    }
    uint64_t* word = geometry.At(cell) + std::countr_zero(free);
    ForConstants<kWords>([&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      StoreWord(&word[i], row[i]);
    });
  }

  static IntentEntry HeadStore(uint64_t cell, uint64_t head) {
    return {cell + offsetof(HashBucket, head), head};
  }
  static IntentEntry ChainStore(uint64_t cell, uint64_t chain) {
    return {cell + offsetof(HashBucket, chain), chain};
  }
  // Of a bucket that this thread has locked.
  static IntentEntry NextVersion(uint64_t bucket, uint64_t head) {
    if (IsSeeded(SeededBug::kNoVersionBump)) {
      return HeadStore(bucket, head | kLockBit);
    }
    return HeadStore(bucket, (head | kLockBit) + kVersionOne);
  }
  static IntentEntry CountStore(uint32_t lane, const HashLane* words,
                                int64_t added) {
    return {HashGeometry::LaneOffset(lane) + offsetof(HashLane, count),
            LoadWord(&words->count) + static_cast<uint64_t>(added)};
  }

  // Everything else.
  struct Edited {
    absl::Status status;
    int64_t added = 0;

    ABSL_ATTRIBUTE_NOINLINE static Edited Put(HashCore& core, uint32_t lane,
                                              HashPlace place, uint64_t hash,
                                              absl::Span<const uint64_t> row) {
      return Make(core, lane, [&](HashEdit<kWords>& edit) {
        return edit.Put(place, hash, row);
      });
    }
    ABSL_ATTRIBUTE_NOINLINE static Edited Remove(HashCore& core, uint32_t lane,
                                                 HashPlace place) {
      return Make(core, lane, [&](HashEdit<kWords>& edit) {
        edit.Remove(place);
        return absl::OkStatus();
      });
    }
    ABSL_ATTRIBUTE_NOINLINE static Edited Change(HashCore& core, uint32_t lane,
                                                 HashPlace place,
                                                 const HashKey& key,
                                                 HashChange change) {
      return Make(core, lane, [&](HashEdit<kWords>& edit) -> absl::Status {
        const absl::StatusOr<HashAction> action = change(HashCurrent(
            core.geometry_, edit.transaction(), place, core.reader_, key));
        if (!action.ok()) return action.status();
        if (action->kind == HashAction::kPut) {
          return edit.Put(place, key.hash, action->row);
        }
        if (action->kind == HashAction::kRemove && place.found()) {
          edit.Remove(place);
        }
        return absl::OkStatus();
      });
    }

   private:
    template <typename Change>
    static Edited Make(HashCore& core, uint32_t lane, const Change& change) {
      const HashGeometry& geometry = core.geometry_;
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
  };
  ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Edit(Edited edited) {
    added_ = edited.added;
    return std::move(edited.status);
  }

  HashCore& core_;
  const HashGeometry& geometry_;
  const HashKey& key_;
  WriterLanes::Lane& lane_;
  HashLane* const words_;
  HashPlace place_;
  int64_t added_ = 0;
};

template <uint32_t kWords, bool kPlainKey>
struct HashCore::OperationsOf {
  using Words = Operations::Words;
  using KeyWrite = Write<kWords, kPlainKey>;

  // Ends a write when its result has been made.
  struct Ending {
    KeyWrite& write;
    ABSL_ATTRIBUTE_ALWAYS_INLINE ~Ending() { write.End(); }
  };

  // Calls `body` with a Write of the key, which has begun.
  template <typename Result, typename Body>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static Result WriteKey(HashCore& core,
                                                      uint64_t epoch,
                                                      const HashKey& key,
                                                      const Body& body) {
    const WriterLanes::Use lane(core.lanes_);
    KeyWrite write(core, key, *lane);
    if (ABSL_PREDICT_FALSE(!write.Begin())) return NoBucket(core.geometry_);
    const Ending ending{write};
    if (ABSL_PREDICT_FALSE(core.epoch() != epoch && epoch != kAnyEpoch)) {
      return core.WrongEpoch(epoch);
    }
    return body(write);
  }

  static absl::Status Change(HashCore& core, uint64_t epoch, const HashKey& key,
                             HashChange change) {
    return WriteKey<absl::Status>(core, epoch, key, [&](KeyWrite& write) {
      return write.Change(change);
    });
  }

  static absl::Status Insert(HashCore& core, uint64_t epoch, const HashKey& key,
                             Words row) {
    return WriteKey<absl::Status>(
        core, epoch, key, [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          return write.Put(row);
        });
  }

  static absl::StatusOr<bool> InsertNew(HashCore& core, uint64_t epoch,
                                        const HashKey& key, Words row) {
    return WriteKey<absl::StatusOr<bool>>(
        core, epoch, key,
        [&](KeyWrite& write)
            ABSL_ATTRIBUTE_ALWAYS_INLINE -> absl::StatusOr<bool> {
              if (write.place().found()) return false;
              if (absl::Status s = write.Put(row); !s.ok()) return s;
              return true;
            });
  }

  static absl::StatusOr<bool> Remove(HashCore& core, uint64_t epoch,
                                     const HashKey& key) {
    return WriteKey<absl::StatusOr<bool>>(
        core, epoch, key,
        [&](KeyWrite& write)
            ABSL_ATTRIBUTE_ALWAYS_INLINE -> absl::StatusOr<bool> {
              if (!write.place().found()) return false;
              if (absl::Status s = write.Remove(); !s.ok()) return s;
              return true;
            });
  }

  static absl::StatusOr<bool> Take(HashCore& core, uint64_t epoch,
                                   const HashKey& key, RowBuffer* row) {
    return WriteKey<absl::StatusOr<bool>>(
        core, epoch, key, [&](KeyWrite& write) -> absl::StatusOr<bool> {
          const HashPlace place = write.place();
          if (!place.found()) return false;
          const HashGeometry& geometry = core.geometry_;
          CopyWords(geometry.At(place.row()), place.row_words(geometry), row);
          if (absl::Status s = write.Remove(); !s.ok()) return s;
          return true;
        });
  }

  static absl::StatusOr<uint64_t> Add(HashCore& core, uint64_t epoch,
                                      const HashKey& key, Number number,
                                      int64_t amount) {
    return WriteKey<absl::StatusOr<uint64_t>>(
        core, epoch, key, [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          return write.Add(number, amount);
        });
  }

  static constexpr Operations kAll = {.change = &Change,
                                      .insert = &Insert,
                                      .insert_new = &InsertNew,
                                      .remove = &Remove,
                                      .take = &Take,
                                      .add = &Add};
};

const HashCore::Operations& HashCore::ChooseOperations(
    const HashGeometry& geometry) {
  const bool plain = geometry.key == KeyLayout();
  return *WithWords(geometry.inline_words,
                    [&](auto words) -> const Operations* {
                      if constexpr (words != 0) {
                        if (plain) return &OperationsOf<words, true>::kAll;
                      }
                      return &OperationsOf<words, false>::kAll;
                    });
}

}  // namespace ets_keeper
