// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_write.h
// -----------------------------------------------------------------------------
//
// `HashWrite`: one write of one key, from finding it to giving back the lock.
//
//   HashWrite<2, KeyLayout{}> write(reader, key, lane);
//   if (!write.Begin</*kMovesRows=*/true>()) ... kCorrupt ...
//   if (!write.place().found()) status = write.Put(row);
//   rows += write.End();
//
// Between Begin() and End() the write has the key's bucket to itself, in which
// the key either is at place() or is nowhere. One operation comes in between,
// at most.
//
// `kWords`: of an inline row; 0 if rows are records. `kKey`: where the key is
// in the row, or `kAnyKey`.
//
// What nearly every write does is here, to be made for the type of the rows
// where it is called: short, because the next write's memory is waited for
// beside this one's only as long as both have room in the processor. What is
// left is a call of `HashSlowWrite`, which gets copies, so that a HashWrite
// never is in memory.
//
// Thread safety: the lane belongs to the calling thread.

#ifndef COMMON_HASH_HASH_WRITE_H_
#define COMMON_HASH_HASH_WRITE_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_head_change.h"
#include "common/hash/hash_homes.h"
#include "common/hash/hash_item.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_reader.h"
#include "common/hash/hash_record.h"
#include "common/hash/hash_slow_write.h"
#include "common/row/layout.h"

namespace ets_keeper {

// kAnyKey
//
// Wherever the table says that the key is.
inline constexpr KeyPlace kAnyKey = KeyLayout{.word = ~uint32_t{0}};

// kAnyEpoch
//
// For a write that no owner makes, and that no change of owner refuses.
inline constexpr uint64_t kAnyEpoch = ~uint64_t{0};

// HashNumber
//
// A word of a row that is a number.
struct HashNumber {
  uint32_t word = 0;
  bool is_signed = false;  // in two's complement
};

// HashWrite
template <uint32_t kWords, KeyPlace kKey>
class HashWrite {
  using Slow = HashSlowWrite<kWords>;

 public:
  // `reader`: of the table.
  ABSL_ATTRIBUTE_ALWAYS_INLINE HashWrite(const HashReader& reader,
                                         const KeyView& key, HashLane* lane)
      : geometry_(reader.geometry()),
        reader_(reader),
        base_(geometry_.base),
        key_(key),
        hash_(key.hash),
        first_(kWords != 0 ? key.Word(0) : 0),
        second_(kWords != 0 && key.words() == 2 ? key.Word(1) : 0),
        lane_(lane) {}
  HashWrite(const HashWrite&) = delete;
  HashWrite& operator=(const HashWrite&) = delete;

  // HashWrite::Begin()
  //
  // Looks the key up as a reader does, and takes the lock if the bucket is as
  // it was then. `kMovesRows`: to add or remove a row. False if words of the
  // arena are impossible.
  template <bool kMovesRows>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool Begin() {
    constexpr bool kChangesHead = kMovesRows && kWords != 0;
    if (ABSL_PREDICT_TRUE(BeginInBucket<kChangesHead>())) {
      changes_head_ = kChangesHead;
      return true;
    }
    const HashPlace place = [&]() ABSL_ATTRIBUTE_ALWAYS_INLINE {
      if constexpr (kWords == 0) {
        return Slow::Begin(geometry_, KeyView(key_), lane_number());
      } else {
        return Slow::BeginInline(geometry_, hash_, first_, second_,
                                 lane_number(), place_.bucket, place_.head);
      }
    }();
    place_ = place;
    bucket_ = reinterpret_cast<HashBucket*>(At(place.bucket));
    row_ = At(place.row());
    return place.bucket != 0;
  }

  // HashWrite::TryBegin(), HashWrite::GiveUp()
  //
  // Begin() for a TryAdd(), if the key is there and that is easily seen, as it
  // is in its bucket, or a record; else false. Of a record place() does not say
  // in which cell its item is. GiveUp() is an End(), and false.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool TryBegin() {
    return BeginInBucket<false, Wanted::kThere>();
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool GiveUp() {
    End();
    return false;
  }

  // HashWrite::End()
  //
  // Returns by how many rows there are more.
  ABSL_ATTRIBUTE_ALWAYS_INLINE int64_t End() {
    if (is_locked_) {
      UnlockBucket(geometry_, place_.bucket);
      if (changes_head_) EndHeadChange(lane_);
    }
    return added_;
  }

  // HashWrite::IsUnder()
  //
  // Whether the arena is in that epoch, which this write keeps from being
  // raised.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool IsUnder(
      uint64_t epoch) const {
    return ABSL_PREDICT_TRUE(IsWord(At(offsetof(ArenaHeader, epoch)), epoch));
  }

  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE const HashPlace& place() const {
    return place_;
  }

  // HashWrite::Put()
  //
  // The row takes the place of the one found, or is added. `kNoMemory`,
  // `kBadRow`: nothing has changed.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Put(
      absl::Span<const uint64_t> row) {
    if constexpr (kWords != 0) {
      if (ABSL_PREDICT_TRUE(row.size() == kWords) &&
          (place_.found()
               ? Replace(row.data())
               : AddToBucket(row.data()) || AddToChain(row.data()))) {
        return absl::OkStatus();
      }
    }
    NameLockForIntent();
    return Done(Slow::Put(geometry_, lane_number(), place_, hash_, row));
  }

  // HashWrite::Remove()
  //
  // Removes the row that was found.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Remove() {
    if (kWords != 0 && place_.cell == place_.bucket) {
      RemoveFromBucket();
      return absl::OkStatus();
    }
    NameLockForIntent();
    if constexpr (kWords != 0) {
      Slow::RemoveFromChain(geometry_, lane_number(), HashPlace(place_));
      added_ = -1;
      return absl::OkStatus();
    }
    return Done(Slow::Remove(geometry_, lane_number(), place_));
  }

  // HashWrite::Add()
  //
  // Adds to a word of the row that was found, and stores the sum in `result`.
  // Errors as HashCore::Add().
  //
  // The version goes up before the word changes, so that a reader that copied
  // this word's old value and another word's newer one notices; where there is
  // only one word that can change, it need not. Killed between the two stores
  // the row is as it was.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Add(
      HashNumber number, int64_t amount, uint64_t* result) {
    if (ABSL_PREDICT_FALSE(!place_.found())) return Slow::NoRow();
    if (ABSL_PREDICT_FALSE(number.word >= row_words())) {
      return Slow::NoWord(row_words(), number.word);
    }
    if (ABSL_PREDICT_FALSE(!TryAdd(number, amount, result))) {
      return Slow::NoSum(LoadWord(&row_[number.word]), amount);
    }
    return absl::OkStatus();
  }
  // The same if there is such a word and it can hold the sum; else false.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool TryAdd(HashNumber number,
                                                         int64_t amount,
                                                         uint64_t* result) {
    if (ABSL_PREDICT_FALSE(number.word >= row_words())) return false;
    uint64_t* const word = &row_[number.word];
    const uint64_t old = LoadWord(word);
    uint64_t sum;
    if (ABSL_PREDICT_FALSE(!Sum(old, amount, number.is_signed, &sum))) {
      return false;
    }
    ReplaceWord(word, sum);
    *result = sum;
    return true;
  }

  // HashWrite::TrySet()
  //
  // Stores another value in a word of the row that was found; false if it has
  // no such word. Of all else the same is true as of TryAdd().
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool TrySet(uint32_t word,
                                                         uint64_t value) {
    if (ABSL_PREDICT_FALSE(word >= row_words())) return false;
    ReplaceWord(&row_[word], value);
    return true;
  }

  // HashWrite::TryPut(), HashWrite::TryPutNew(), HashWrite::TryRemove()
  //
  // Begin(), Put() or Remove(), and End() of an inline row, under `epoch`, if
  // the key is or would be in its bucket and not in the chain, as nearly
  // always; else false, or kRetry, with nothing changed. Shorter, as there is
  // no error to report.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool TryPut(uint64_t epoch,
                                                         const uint64_t* row) {
    static_assert(kWords != 0);
    if (!BeginInBucket<true>()) return false;
    changes_head_ = true;
    if (ABSL_PREDICT_FALSE(!IsUnder(epoch))) return GiveUp();
    return place_.found() ? Replace(row) || GiveUp() : AddAndEnd(row);
  }
  // The same, if there is no such row yet: then `kNo`, and it is stored.
  // `kYes`: there is one, which no lock is taken to see.
  using Found = HashReader::Found;
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE Found
  TryPutNew(uint64_t epoch, const uint64_t* row) {
    static_assert(kWords != 0);
    if (!BeginInBucket<true, Wanted::kAbsent>()) {
      return IsThere(epoch) ? Found::kYes : Found::kRetry;
    }
    changes_head_ = true;
    if (ABSL_PREDICT_FALSE(!IsUnder(epoch))) {
      End();
      return Found::kRetry;
    }
    return AddAndEnd(row) ? Found::kNo : Found::kRetry;
  }
  // `kNo`: there is no such row, which no lock is taken to see. `row`, if not
  // null, gets the words of the row first.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE Found
  TryRemove(uint64_t epoch, uint64_t* row = nullptr) {
    static_assert(kWords != 0);
    if (!BeginInBucket<true, Wanted::kThere>()) {
      return IsNowhere(epoch) ? Found::kNo : Found::kRetry;
    }
    changes_head_ = true;
    if (ABSL_PREDICT_FALSE(!IsUnder(epoch))) {
      End();
      return Found::kRetry;
    }
    if (row != nullptr) CopyWords(row_, kWords, row);
    RemoveFromBucket();
    return Found::kYes;
  }
  // By how many rows there are more after one of these.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE int64_t added() const {
    return added_;
  }

  // HashWrite::Edit()
  //
  // Whatever `edit` makes of it. An error gives it up.
  [[nodiscard]] absl::Status Edit(
      absl::FunctionRef<absl::Status(HashEdit<kWords>&)> edit) {
    NameLockForIntent();
    return Done(Slow::Edit(geometry_, lane_number(), edit));
  }

 private:
  // For a key that is in its bucket itself, or is nowhere, with nobody else at
  // the bucket. If it may be in the chain, place() has the bucket and its head.
  // `kThere`: only if there is such a key, whose record may be anywhere.
  // `kAbsent`: only if there is no such inline row.
  enum class Wanted { kEither, kThere, kAbsent };
  template <bool kChangesHead, Wanted kWanted = Wanted::kEither>
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool BeginInBucket() {
    constexpr bool kThere = kWanted == Wanted::kThere;
    // Mapped by who writes.
    HashBucket& bucket = const_cast<HashBucket&>(*reader_.homes().Of(hash_));
    const auto offset =
        static_cast<uint64_t>(reinterpret_cast<const char*>(&bucket) - base_);
    const uint64_t head = LoadWord(&bucket.head);
    uint64_t found;
    if constexpr (kWords == 0) {
      const PlainRecord record = FindPlainRecord<kThere>(
          reader_.instructions(), geometry_, layout(), bucket, head, key_);
      found = record.candidates;
      if ((kThere || found != 0) && record.words == 0) return false;
      place_.record = record.record;
      place_.record_words = record.words;
    } else {
      found = MatchInline::MatchKey<kWords>(reader_.instructions(), bucket,
                                            Probe(), head);
      if (kWanted != Wanted::kEither &&
          ABSL_PREDICT_FALSE((found != 0) != kThere)) {
        bucket_ = &bucket;
        place_.head = head;
        return false;
      }
    }
    if (!kThere && found == 0) {
      if (ABSL_PREDICT_FALSE(!reader_.homes().StillOf(hash_, &bucket, head))) {
        return false;
      }
      if (MayBeInChain(LoadWord(&bucket.chain), hash_)) {
        place_.bucket = offset;
        place_.head = head;
        return false;
      }
    }
    if (ABSL_PREDICT_FALSE(
            !(kChangesHead ? TryLockBucketToChange(lane_, &bucket, offset, head)
                           : TryLockBucket(lane_, 0, &bucket, offset, head)))) {
      return false;
    }
    place_.bucket = offset;
    place_.head = head;
    bucket_ = &bucket;
    if constexpr (kWords == 0) row_ = At(place_.row());
    if (kThere && kWords == 0) return true;
    if (kThere || found != 0) {
      place_.cell = offset;
      place_.position = FirstItem(found);
      if constexpr (kWords != 0) row_ = &bucket.head + place_.position;
    }
    return true;
  }

  // After a BeginInBucket() that found no such row: whether there was none at a
  // moment at which the arena was in that epoch, as a lookup sees it. The head
  // is asked for on both sides of the epoch, so that moment is between. Whoever
  // raises the epoch need not wait for this, which writes nothing.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool IsNowhere(uint64_t epoch) const {
    return bucket_ != nullptr &&
           reader_.homes().StillOf(hash_, bucket_, place_.head) &&
           !MayBeInChain(LoadWord(&bucket_->chain), hash_) && IsUnder(epoch) &&
           IsUnchanged(bucket_, place_.head);
  }
  // The same after one that found a row that it did not want.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool IsThere(uint64_t epoch) const {
    return bucket_ != nullptr && IsUnder(epoch) &&
           IsUnchanged(bucket_, place_.head);
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE KeyPlace layout() const {
    return kKey == kAnyKey ? KeyPlace(geometry_.key) : kKey;
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE HashProbe Probe() const {
    return {.want = first_,
            .second = second_,
            .shift = layout().word,
            .two_words = layout().words == 2};
  }

  // HashGeometry::words_can_tear(); of two words one at least is the key.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool CanTear() const {
    if constexpr (kWords == 0) return true;
    if constexpr (kWords <= 2) return false;
    return kWords - layout().words > 1;
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE uint32_t lane_number() const {
    return geometry_.LaneNumber(lane_);
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t row_words() const {
    return kWords != 0 ? kWords : place_.record_words;
  }

  // False if the sum is no number of the kind that `old` is.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static bool Sum(uint64_t old, int64_t amount,
                                               bool is_signed, uint64_t* sum) {
    if (!is_signed) return !__builtin_add_overflow(old, amount, sum);
    int64_t signed_sum;
    if (__builtin_add_overflow(static_cast<int64_t>(old), amount,
                               &signed_sum)) {
      return false;
    }
    *sum = static_cast<uint64_t>(signed_sum);
    return true;
  }

  // A word of the row that was found, in its place: see Add().
  ABSL_ATTRIBUTE_ALWAYS_INLINE void ReplaceWord(uint64_t* word,
                                                uint64_t value) {
    uint64_t head = place_.head;
    if (CanTear()) {
      head += kVersionOne;
      StoreWord(&bucket_->head, head | kLockBit);
    }
    StoreWord(word, value);
    Unlock(head);
  }

  // The only word that can change is replaced in its place.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool Replace(const uint64_t* row) {
    if (CanTear()) return false;
    ForConstants<kWords>([&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      if (LoadWord(&row_[i]) != row[i]) StoreWord(&row_[i], row[i]);
    });
    Unlock(place_.head);
    return true;
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE bool AddToBucket(const uint64_t* row) {
    const uint64_t free = HashGeometry::PlacesFor(kWords) & ~place_.head;
    if (free == 0) return false;
    FillPlace<kWords>(bucket_, free, row);
    CommitHead(WithFlipped(place_.head, free & -free), 1);
    return true;
  }

  // For a bucket that is full.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool AddToChain(const uint64_t* row) {
    NameLockForIntent();
    if (!Slow::AddToChain(geometry_, lane_number(), place_.bucket, place_.head,
                          hash_, Copy(row))) {
      return false;
    }
    added_ = 1;
    return true;
  }

  // Either of them, and an End(). False: not added.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool AddAndEnd(const uint64_t* row) {
    if (ABSL_PREDICT_TRUE(AddToBucket(row))) return true;
    const bool added = AddToChain(row);
    return GiveUp() || added;
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE void RemoveFromBucket() {
    CommitHead(WithFlipped(place_.head, uint64_t{1} << place_.position), -1);
  }

  // So that the row itself need not be in memory.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static typename Slow::InlineRow Copy(
      const uint64_t* row) {
    typename Slow::InlineRow copy;
    ForConstants<kWords>(
        [&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE { copy[i] = row[i]; });
    return copy;
  }

  // The bucket gets this head, which is not locked any more, and the lane
  // counts the rows that it added.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void CommitHead(uint64_t head, int64_t added) {
    if (!changes_head_) BeginHeadChange(lane_, place_.bucket, place_.head);
    CommitHeadChange(lane_, bucket_, head, added);
    is_locked_ = false;
    added_ = added;
  }

  // Gives the lock back by storing the head, as nobody else has changed it.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Unlock(uint64_t head) {
    StoreWord(&bucket_->head, head);
    if (changes_head_) EndHeadChange(lane_);
    is_locked_ = false;
  }

  // For everything but the change of the bucket's head and the lane's count.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void NameLockForIntent() {
    if (!changes_head_) return;
    NameLockInstead(lane_, place_.bucket);
    changes_head_ = false;
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Done(typename Slow::Edited edited) {
    added_ = edited.added;
    return std::move(edited.status);
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t* At(uint64_t offset) const {
    return reinterpret_cast<uint64_t*>(base_ + offset);
  }

  const HashGeometry& geometry_;
  const HashReader& reader_;
  char* const base_;  // a copy, which no store can have changed
  const KeyView key_;
  // Of it, of rows in buckets, what is asked for.
  const uint64_t hash_;
  const uint64_t first_;
  const uint64_t second_;
  HashLane* const lane_;
  HashPlace place_;
  // Where they are mapped: the bucket, and the row that was found.
  HashBucket* bucket_ = nullptr;
  uint64_t* row_ = nullptr;
  bool is_locked_ = true;
  bool changes_head_ = false;  // the lock is named by that
  int64_t added_ = 0;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_WRITE_H_
