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
#include "common/arena/intent.h"
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
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool IsSum(uint64_t old, uint64_t amount,
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
// gets copies, so that the object never is in memory.
template <uint32_t kWords>
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
    SpinPause pause;
    for (;;) {
      if constexpr (kWords != 0) {
        // Word by word: the processor does not hand short stores on to a long
        // load, and the last writer may have been here just now.
        FindKeyIn<MatchScalar, kWords>(geometry_, key_, &place_);
      } else {
        FindKeyWith(core_.instructions_, geometry_, key_, &place_);
      }
      if (ABSL_PREDICT_FALSE(place_.bucket == 0)) return false;
      if (ABSL_PREDICT_TRUE(TryLockBucket(geometry_, words_, 0, place_.bucket,
                                          place_.head))) {
        return true;
      }
      pause.Wait();
      place_ = HashPlace();
    }
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
      if (ABSL_PREDICT_TRUE(row.size() == kWords) && PutInBucket(row.data())) {
        return absl::OkStatus();
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
    return Edit(Edited::Remove(core_, lane_.index(), place_));
  }

  // The version goes up before the word changes, so that a reader that copied
  // this word's old value and another word's newer one notices; where there is
  // only one word that can change, it need not. Killed between the two stores
  // the row is as it was.
  ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Add(uint32_t word, bool is_signed,
                                                int64_t amount, uint64_t* sum) {
    if (ABSL_PREDICT_FALSE(!place_.found())) return NoRow();
    const uint64_t words = kWords != 0 ? kWords : place_.record_words;
    if (ABSL_PREDICT_FALSE(word >= words)) return NoWord(words, word);
    uint64_t* counter =
        geometry_.At(kWords != 0 ? place_.item() : place_.row()) + word;
    const uint64_t old = LoadWord(counter);
    const auto by = static_cast<uint64_t>(amount);
    const uint64_t value = old + by;
    if (ABSL_PREDICT_FALSE(!IsSum(old, by, value, is_signed))) {
      return NoSum(old, amount);
    }
    if (kWords != 1 && geometry_.words_can_tear()) {
      StoreWord(place_.head_word(geometry_),
                (place_.head | kLockBit) + kVersionOne);
    }
    StoreWord(counter, value);
    *sum = value;
    return absl::OkStatus();
  }

  absl::Status Change(HashChange change) {
    return Edit(Edited::Change(core_, lane_.index(), place_, key_, change));
  }

 private:
  // What HashEdit::Put() does, in the common cases: the only word that changes
  // is replaced, or the bucket has room for the row.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool PutInBucket(const uint64_t* row) {
    if (place_.found()) {
      if (geometry_.words_can_tear()) return false;
      uint64_t* word = geometry_.At(place_.item());
      for (uint32_t i = 0; i < kWords; ++i) {
        if (LoadWord(&word[i]) != row[i]) StoreWord(&word[i], row[i]);
      }
      return true;
    }
    const uint64_t live = LiveOf(place_.head);
    const uint64_t free = HashGeometry::PlacesFor(kWords) & ~live;
    if (free == 0) return false;
    uint64_t* word = geometry_.At(place_.bucket) + std::countr_zero(free);
    for (uint32_t i = 0; i < kWords; ++i) StoreWord(&word[i], row[i]);
    CommitHead(WithLive(place_.head, live | (free & -free)), 1);
    return true;
  }

  // The bucket gets this head, and the lane counts the rows that it added.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void CommitHead(uint64_t head, int64_t added) {
    const uint64_t count =
        HashGeometry::LaneOffset(lane_.index()) + offsetof(HashLane, count);
    CommitStores(
        geometry_.base, &words_->intent,
        {{place_.bucket + offsetof(HashBucket, head), head | kLockBit},
         {count, LoadWord(&words_->count) + static_cast<uint64_t>(added)}});
    added_ = added;
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

// Calls `body` with a Write of the key, which has begun.
template <typename Result, typename Body>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Result HashCore::WriteKey(
    uint64_t epoch, const HashKey& key, const Body& body) {
  return WithWords(geometry_.inline_words, [&](auto words) -> Result {
    const WriterLanes::Use lane(lanes_);
    Write<words> write(*this, key, *lane);
    if (ABSL_PREDICT_FALSE(!write.Begin())) return NoBucket(geometry_);
    if (ABSL_PREDICT_FALSE(this->epoch() != epoch && epoch != kAnyEpoch)) {
      write.End();
      return WrongEpoch(epoch);
    }
    Result result = body(write);
    write.End();
    return result;
  });
}

absl::Status HashCore::Change(uint64_t epoch, const HashKey& key,
                              HashChange change) {
  return WriteKey<absl::Status>(
      epoch, key, [&](auto& write) { return write.Change(change); });
}

absl::Status HashCore::Insert(uint64_t epoch, const HashKey& key,
                              absl::Span<const uint64_t> row) {
  return WriteKey<absl::Status>(
      epoch, key,
      [&](auto& write) ABSL_ATTRIBUTE_ALWAYS_INLINE { return write.Put(row); });
}

absl::StatusOr<bool> HashCore::InsertNew(uint64_t epoch, const HashKey& key,
                                         absl::Span<const uint64_t> row) {
  return WriteKey<absl::StatusOr<bool>>(
      epoch, key,
      [&](auto& write) ABSL_ATTRIBUTE_ALWAYS_INLINE -> absl::StatusOr<bool> {
        if (write.place().found()) return false;
        if (absl::Status s = write.Put(row); !s.ok()) return s;
        return true;
      });
}

absl::StatusOr<bool> HashCore::Delete(uint64_t epoch, const HashKey& key) {
  return WriteKey<absl::StatusOr<bool>>(
      epoch, key,
      [&](auto& write) ABSL_ATTRIBUTE_ALWAYS_INLINE -> absl::StatusOr<bool> {
        if (!write.place().found()) return false;
        if (absl::Status s = write.Remove(); !s.ok()) return s;
        return true;
      });
}

absl::StatusOr<bool> HashCore::Take(uint64_t epoch, const HashKey& key,
                                    RowBuffer* row) {
  return WriteKey<absl::StatusOr<bool>>(
      epoch, key, [&](auto& write) -> absl::StatusOr<bool> {
        const HashPlace place = write.place();
        if (!place.found()) return false;
        CopyWords(geometry_.At(place.row()), place.row_words(geometry_), row);
        if (absl::Status s = write.Remove(); !s.ok()) return s;
        return true;
      });
}

absl::Status HashCore::Add(uint64_t epoch, const HashKey& key, uint32_t word,
                           bool is_signed, int64_t amount, uint64_t* sum) {
  return WriteKey<absl::Status>(
      epoch, key, [&](auto& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
        return write.Add(word, is_signed, amount, sum);
      });
}

}  // namespace ets_keeper
