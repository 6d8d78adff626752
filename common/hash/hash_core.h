// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_core.h
// -----------------------------------------------------------------------------
//
// `HashCore`: the set of rows in an arena, one row a key. It is crash-atomic:
// killed at any instruction, the arena reads correctly at once, and after
// `Recover()`, which is O(lanes), every acknowledged operation is in it and the
// one in progress is wholly in or wholly out.
//
//   HashCore::Format(arena.get(), {.key = {.word = 0}, .seed = random});
//   auto core = HashCore::Attach(arena.get());
//   (*core)->RaiseEpoch(1);
//   (*core)->Insert(/*epoch=*/1, key, row);
//   (*core)->reader().Lookup(key, &row);
//
// It deals in encoded rows; `common/table` gives them types. See hash_layout.h
// for how the rows lie, and ETS' `set` for what the operations mean.
//
// Every write names the epoch of the ownership under which it is made, and is
// refused with `kNotOwner` if the arena has another by now.
//
// Thread safety: any number of threads of one process may write and read at the
// same time; other processes may read. Writers of keys in different buckets do
// not meet, readers wait for nobody. An operation is a full barrier of its key:
// it happens before every later one that sees it.
//
// Lifetime: the arena must outlive the core.
//
// It is not a bag, and it never calls back while holding a lock but into the
// functions given to `Change()` and `ChangeAll()`, which must not use the same
// core and should be short: other writers of the bucket wait.

#ifndef COMMON_HASH_HASH_CORE_H_
#define COMMON_HASH_HASH_CORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/hash/hash_record.h"
#include "common/hash/hash_write.h"
#include "common/hash/writer_lanes.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// RowShape
//
// What the type of the rows says about them: how many words they have (0: they
// differ), and where the key is. The default says nothing.
struct RowShape {
  uint32_t fixed_words = 0;
  KeyPlace key = kAnyKey;

  friend constexpr bool operator==(const RowShape&, const RowShape&) = default;
};

// HashCurrent
//
// What a change finds under its key. Valid during the call.
class HashCurrent {
 public:
  HashCurrent(const HashGeometry& geometry, const Transaction& transaction,
              const HashPlace& place, const HashReader& reader,
              const HashKey& key)
      : geometry_(geometry),
        transaction_(transaction),
        place_(place),
        reader_(reader),
        key_(key) {}

  // Whether there is a row.
  [[nodiscard]] bool found() const { return place_.found(); }

  // Whether there was one before the batch: an earlier change of the same batch
  // does not count.
  [[nodiscard]] bool found_before() const {
    return reader_.Lookup(key_, nullptr);
  }

  // A copy of the row; there must be one.
  [[nodiscard]] RowBuffer Row() const {
    return LoadRow(geometry_, transaction_, place_);
  }

 private:
  const HashGeometry& geometry_;
  const Transaction& transaction_;
  const HashPlace& place_;
  const HashReader& reader_;
  const HashKey& key_;
};

// HashAction
//
// What a change wants: keep what is there, remove it, or put `row` in its
// place. `row` must have the change's key, and live until the operation ends.
struct HashAction {
  enum Kind { kKeep, kRemove, kPut };

  Kind kind = kKeep;
  absl::Span<const uint64_t> row;

  static HashAction Keep() { return {}; }
  static HashAction Remove() { return {.kind = kRemove, .row = {}}; }
  static HashAction Put(absl::Span<const uint64_t> row) {
    return {.kind = kPut, .row = row};
  }
};

// HashChange
//
// Decides what becomes of a key. An error gives up the whole operation.
using HashChange =
    absl::FunctionRef<absl::StatusOr<HashAction>(const HashCurrent&)>;

class HashCore {
 public:
  struct Options {
    // How many threads can write side by side; more of them share one lane.
    uint32_t writers = 8;  // 0..kMaxWriters
    KeyLayout key = {};
    // Words of every row, if all have the same number; 0 if they differ. Small
    // rows then need no record (see InlineWords()).
    uint32_t fixed_words = 0;
    uint64_t seed = 0;    // of the hash; draw it at random
    uint64_t schema = 0;  // fingerprint and text, stored for whoever attaches
    absl::string_view schema_text = {};
  };

  // HashCore::Format()
  //
  // Makes an unformatted arena an empty table. Errors as Arena::BeginFormat(),
  // and `kBadOption` for a number of writers that the arena has no room for.
  [[nodiscard]] static absl::Status Format(Arena* arena,
                                           const Options& options);

  // HashCore::GeometryOf(), HashCore::Attach()
  //
  // A core over an arena that somebody formatted, trusting nothing in it:
  // `kCorrupt` if it is no such table. Writes nothing; a read-only arena gives
  // a core for reading only. In two steps, for who has room for it, or in one.
  [[nodiscard]] static absl::StatusOr<HashGeometry> GeometryOf(Arena* arena);
  explicit HashCore(const HashGeometry& geometry);
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<HashCore>> Attach(
      Arena* arena);

  HashCore(const HashCore&) = delete;
  HashCore& operator=(const HashCore&) = delete;

  // HashCore::Recover()
  //
  // Finishes what a killed writer had committed. To be called after `Attach()`,
  // before the first write, while no process writes. May itself be killed and
  // repeated. `kCorrupt` if the arena's words are impossible.
  [[nodiscard]] absl::Status Recover();

  // HashCore::RaiseEpoch()
  //
  // From now on only writes of the given epoch are accepted. Waits for the
  // writes in progress; when it returns none of an older epoch will follow.
  void RaiseEpoch(uint64_t epoch);
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t epoch() const {
    return LoadWord(geometry().At(offsetof(ArenaHeader, epoch)));
  }

  // HashCore::EpochFor()
  //
  // The epoch; of kAnyEpoch, the one that the arena is in now.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t
  EpochFor(uint64_t epoch) const {
    return ABSL_PREDICT_FALSE(epoch == kAnyEpoch) ? this->epoch() : epoch;
  }

  [[nodiscard]] const HashReader& reader() const { return reader_; }
  [[nodiscard]] const HashGeometry& geometry() const {
    return reader_.geometry();
  }
  [[nodiscard]] uint64_t seed() const { return geometry().seed; }
  [[nodiscard]] uint32_t writers() const { return geometry().lanes - 1; }

  // The writes below that take a `kShape` are made for it where they are
  // called, which must be that of the table; without one they ask the table.

  // HashCore::Change()
  //
  // The primitive: `change` sees what is under `key` and decides, while no
  // other writer can come. Expected O(1) plus the size of the row. Errors: the
  // change's own, `kNotOwner`, `kNoMemory`, `kBadRow` (too large), `kCorrupt`;
  // then nothing has changed.
  [[nodiscard]] absl::Status Change(uint64_t epoch, const HashKey& key,
                                    HashChange change) {
    return operations_.change(*this, epoch, key, change);
  }

  // HashCore::Insert(), HashCore::InsertNew()
  //
  // `Insert()` puts the row in place of the one with the same key, if any.
  // `InsertNew()` returns false, and does nothing, if there is one.
  template <RowShape kShape = RowShape()>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Insert(
      uint64_t epoch, const KeyView& key, absl::Span<const uint64_t> row) {
    if constexpr (kShape == RowShape()) {
      return operations_.insert(*this, epoch, key, row);
    } else {
      return OperationsFor<kShape>::Insert(*this, epoch, key, row);
    }
  }
  template <RowShape kShape = RowShape()>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::StatusOr<bool> InsertNew(
      uint64_t epoch, const KeyView& key, absl::Span<const uint64_t> row) {
    if constexpr (kShape == RowShape()) {
      return operations_.insert_new(*this, epoch, key, row);
    } else {
      return OperationsFor<kShape>::InsertNew(*this, epoch, key, row);
    }
  }

  // HashCore::Delete(), HashCore::Take()
  //
  // Removes the row; false if there is none. `Take()` copies it to `row` first.
  template <RowShape kShape = RowShape()>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::StatusOr<bool> Delete(
      uint64_t epoch, const KeyView& key) {
    if constexpr (kShape == RowShape()) {
      return operations_.remove(*this, epoch, key);
    } else {
      return OperationsFor<kShape>::Remove(*this, epoch, key);
    }
  }
  template <RowShape kShape = RowShape()>
  [[nodiscard]] absl::StatusOr<bool> Take(uint64_t epoch, const KeyView& key,
                                          RowBuffer* row) {
    if constexpr (kShape == RowShape()) {
      return operations_.take(*this, epoch, key, row);
    } else {
      return OperationsFor<kShape>::Take(*this, epoch, key, row);
    }
  }

  // HashCore::Add()
  //
  // Adds to one word of the row, in place, and stores the sum in `sum`. No
  // copy, no allocation. `kKeyNotFound` if there is no such row; `kOutOfRange`,
  // with nothing changed, if the word cannot hold the sum, or the row has no
  // such word. The word must not be part of the key.
  using Number = HashNumber;
  template <RowShape kShape = RowShape()>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Add(
      uint64_t epoch, const KeyView& key, Number number, int64_t amount,
      uint64_t* sum) {
    if constexpr (kShape == RowShape()) {
      return operations_.add(*this, epoch, key, number, amount, sum);
    } else {
      return OperationsFor<kShape>::Add(*this, epoch, key, number, amount, sum);
    }
  }

  // HashCore::TryInsert(), HashCore::TryDelete(), HashCore::TryAdd()
  //
  // The same of a row of `kShape` if it is nothing unusual, which is short as
  // there is no error to report; else false, or kRetry, with nothing changed.
  // The first two are for rows in buckets, `row` having as many words as these.
  // Where any epoch will do they want EpochFor().
  using Found = HashReader::Found;
  template <RowShape kShape>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool TryInsert(
      uint64_t epoch, const KeyView& key, const uint64_t* row) {
    return OperationsFor<kShape>::TryInsert(*this, epoch, key, row);
  }
  template <RowShape kShape>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE Found
  TryDelete(uint64_t epoch, const KeyView& key) {
    return OperationsFor<kShape>::TryRemove(*this, epoch, key);
  }
  template <RowShape kShape>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool TryAdd(uint64_t epoch,
                                                         const KeyView& key,
                                                         Number number,
                                                         int64_t amount,
                                                         uint64_t* sum) {
    return OperationsFor<kShape>::TryAdd(*this, epoch, key, number, amount,
                                         sum);
  }

  // HashCore::TrySet()
  //
  // Stores another value in one word of a row, in its place, which must be none
  // of the key's and hold no descriptor. False as for TryAdd().
  template <RowShape kShape>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool TrySet(uint64_t epoch,
                                                         const KeyView& key,
                                                         uint32_t word,
                                                         uint64_t value) {
    return OperationsFor<kShape>::TrySet(*this, epoch, key, word, value);
  }

  // HashCore::ChangeAll()
  //
  // Several changes, in order, each seeing those before it, as one: readers and
  // crashes see all of them or none. An error of one gives up all. Batches
  // exclude each other; other writes go on in other lanes. Cost: that of the
  // changes, and O(k log k) for k of them.
  struct KeyedChange {
    HashKey key;
    HashChange change;
  };
  [[nodiscard]] absl::Status ChangeAll(uint64_t epoch,
                                       absl::Span<const KeyedChange> changes);

 private:
  template <uint32_t kWords>
  class Batch;
  // The writes of one key, made for the words of an inline row, or for records,
  // and for where the key is.
  template <uint32_t kWords, KeyPlace kKey>
  struct OperationsOf;
  template <RowShape kShape>
  using OperationsFor =
      OperationsOf<InlineWords(kShape.fixed_words, kShape.key), kShape.key>;

  using Words = absl::Span<const uint64_t>;
  struct Operations {
    absl::Status (*change)(HashCore&, uint64_t epoch, const HashKey&,
                           HashChange);
    absl::Status (*insert)(HashCore&, uint64_t epoch, const KeyView&, Words);
    absl::StatusOr<bool> (*insert_new)(HashCore&, uint64_t epoch,
                                       const KeyView&, Words);
    absl::StatusOr<bool> (*remove)(HashCore&, uint64_t epoch, const KeyView&);
    absl::StatusOr<bool> (*take)(HashCore&, uint64_t epoch, const KeyView&,
                                 RowBuffer*);
    absl::Status (*add)(HashCore&, uint64_t epoch, const KeyView&, Number,
                        int64_t amount, uint64_t* sum);
  };
  static const Operations& ChooseOperations(const HashGeometry& geometry);

  absl::Status RecoverBatch();
  void FreeLock(uint64_t bucket);

  // Ok if the arena's epoch is the given one.
  absl::Status CheckEpoch(uint64_t epoch) const {
    if (ABSL_PREDICT_TRUE(this->epoch() == epoch) || epoch == kAnyEpoch) {
      return absl::OkStatus();
    }
    return WrongEpoch(epoch);
  }
  absl::Status WrongEpoch(uint64_t epoch) const;
  absl::Status NoBucket() const;

  // Counts rows that a lane added, and every kRowsPerTurn of them has it bring
  // the number of buckets nearer to what the table needs.
  static constexpr int64_t kRowsPerTurn = 16;
  void Account(WriterLanes::Lane& lane, int64_t added) {
    lane.rows += added;
    if (lane.rows >= kRowsPerTurn || lane.rows <= -kRowsPerTurn) TakeTurn(lane);
  }
  void TakeTurn(WriterLanes::Lane& lane);
  void Resize(WriterLanes::Lane& lane);
  void GrowFor(WriterLanes::Lane& lane, uint64_t changes);
  void Grow(WriterLanes::Lane& lane, uint64_t wanted, uint64_t budget)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(growth_mutex_);
  void Shrink(WriterLanes::Lane& lane, uint64_t wanted, uint64_t budget)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(growth_mutex_);

  const HashReader reader_;  // first: what it has is what is wanted most
  const Operations& operations_;
  WriterLanes lanes_;

  // Rows, but for what lanes have not said yet. Only to decide about growth.
  std::atomic<int64_t> rows_{0};
  absl::Mutex growth_mutex_;  // held while a bucket is split or merged
  absl::Mutex batch_mutex_;   // held during a batch; before any other lock
};

// Implementation only from here on.

template <uint32_t kWords, KeyPlace kKey>
struct HashCore::OperationsOf {
  using KeyWrite = HashWrite<kWords, kKey>;

  // Ends a write when its result has been made, and only then counts the rows,
  // which may want the locks of other buckets.
  struct Ending {
    HashCore& core;
    KeyWrite& write;
    WriterLanes::Lane& lane;
    ABSL_ATTRIBUTE_ALWAYS_INLINE ~Ending() {
      if (const int64_t added = write.End(); added != 0) {
        core.Account(lane, added);
      }
    }
  };

  // Calls `body` with a write of the key, which has begun.
  template <typename Result, bool kMovesRows, typename Body>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static Result WriteKey(HashCore& core,
                                                      uint64_t epoch,
                                                      const KeyView& key,
                                                      const Body& body) {
    const WriterLanes::Use lane(core.lanes_);
    KeyWrite write(core.reader_, key, lane.words());
    if (ABSL_PREDICT_FALSE(!write.template Begin<kMovesRows>())) {
      return core.NoBucket();
    }
    const Ending ending{core, write, *lane};
    if (ABSL_PREDICT_FALSE(!write.IsUnder(epoch) && epoch != kAnyEpoch)) {
      return core.WrongEpoch(epoch);
    }
    return body(write);
  }

  // `Try` as that of a KeyWrite. What it cannot do is a call that gets copies,
  // so that what it tries with need not be in memory.
  template <typename Try>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static auto TryWrite(HashCore& core,
                                                    const KeyView& key,
                                                    const Try& try_write) {
    const WriterLanes::Use lane(core.lanes_);
    KeyWrite write(core.reader_, key, lane.words());
    const auto result = try_write(write);
    if (write.added() != 0) core.Account(*lane, write.added());
    return result;
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::Status Insert(HashCore& core,
                                                          uint64_t epoch,
                                                          const KeyView& key,
                                                          Words row) {
    if constexpr (kWords != 0) {
      if (ABSL_PREDICT_TRUE(
              row.size() == kWords &&
              TryInsert(core, core.EpochFor(epoch), key, row.data()))) {
        return absl::OkStatus();
      }
    }
    return InsertSlowly(core, epoch, KeyView(key), row);
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static bool TryInsert(
      HashCore& core, uint64_t epoch, const KeyView& key, const uint64_t* row) {
    return TryWrite(core, key,
                    [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
                      return write.TryPut(epoch, row);
                    });
  }
  ABSL_ATTRIBUTE_NOINLINE static absl::Status InsertSlowly(HashCore& core,
                                                           uint64_t epoch,
                                                           KeyView key,
                                                           Words row) {
    return WriteKey<absl::Status, true>(
        core, epoch, key, [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          return write.Put(row);
        });
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::StatusOr<bool> InsertNew(
      HashCore& core, uint64_t epoch, const KeyView& key, Words row) {
    if constexpr (kWords != 0) {
      if (ABSL_PREDICT_TRUE(row.size() == kWords)) {
        const uint64_t now = core.EpochFor(epoch);
        const Found found = TryWrite(
            core, key, [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
              return write.TryPutNew(now, row.data());
            });
        if (ABSL_PREDICT_TRUE(found != Found::kRetry)) {
          return found == Found::kNo;
        }
      }
    }
    return InsertNewSlowly(core, epoch, KeyView(key), row);
  }
  ABSL_ATTRIBUTE_NOINLINE static absl::StatusOr<bool> InsertNewSlowly(
      HashCore& core, uint64_t epoch, KeyView key, Words row) {
    return WriteKey<absl::StatusOr<bool>, true>(
        core, epoch, key,
        [&](KeyWrite& write)
            ABSL_ATTRIBUTE_ALWAYS_INLINE -> absl::StatusOr<bool> {
              if (write.place().found()) return false;
              if (absl::Status s = write.Put(row); !s.ok()) return s;
              return true;
            });
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::StatusOr<bool> Remove(
      HashCore& core, uint64_t epoch, const KeyView& key) {
    if constexpr (kWords != 0) {
      const Found found = TryRemove(core, core.EpochFor(epoch), key);
      if (ABSL_PREDICT_TRUE(found != Found::kRetry)) {
        return found == Found::kYes;
      }
    }
    return RemoveSlowly(core, epoch, KeyView(key), nullptr);
  }
  // `row`: as HashWrite::TryRemove().
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static Found TryRemove(
      HashCore& core, uint64_t epoch, const KeyView& key,
      uint64_t* row = nullptr) {
    return TryWrite(core, key,
                    [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
                      return write.TryRemove(epoch, row);
                    });
  }
  // `row`: null, or gets the row first.
  ABSL_ATTRIBUTE_NOINLINE static absl::StatusOr<bool> RemoveSlowly(
      HashCore& core, uint64_t epoch, KeyView key, RowBuffer* row) {
    return WriteKey<absl::StatusOr<bool>, true>(
        core, epoch, key,
        [&](KeyWrite& write)
            ABSL_ATTRIBUTE_ALWAYS_INLINE -> absl::StatusOr<bool> {
              const HashPlace place = write.place();
              if (!place.found()) return false;
              if (row != nullptr) {
                const HashGeometry& geometry = core.geometry();
                CopyWords(geometry.At(place.row()), place.row_words(geometry),
                          row);
              }
              if (absl::Status s = write.Remove(); !s.ok()) return s;
              return true;
            });
  }

  static absl::StatusOr<bool> Take(HashCore& core, uint64_t epoch,
                                   const KeyView& key, RowBuffer* row) {
    if constexpr (kWords != 0) {
      row->resize(kWords);
      const Found found =
          TryRemove(core, core.EpochFor(epoch), key, row->data());
      if (ABSL_PREDICT_TRUE(found != Found::kRetry)) {
        return found == Found::kYes;
      }
    }
    return RemoveSlowly(core, epoch, KeyView(key), row);
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::Status Add(
      HashCore& core, uint64_t epoch, const KeyView& key, Number number,
      int64_t amount, uint64_t* sum) {
    return WriteKey<absl::Status, false>(
        core, epoch, key, [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          return write.Add(number, amount, sum);
        });
  }

  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static bool TryAdd(
      HashCore& core, uint64_t epoch, const KeyView& key, Number number,
      int64_t amount, uint64_t* sum) {
    return TryWrite(
        core, key, [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          return write.TryBegin() &&
                 ((write.IsUnder(epoch) && write.TryAdd(number, amount, sum)) ||
                  write.GiveUp());
        });
  }

  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static bool TrySet(
      HashCore& core, uint64_t epoch, const KeyView& key, uint32_t word,
      uint64_t value) {
    return TryWrite(
        core, key, [&](KeyWrite& write) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          return write.TryBegin() &&
                 ((write.IsUnder(epoch) && write.TrySet(word, value)) ||
                  write.GiveUp());
        });
  }

  static absl::Status Change(HashCore& core, uint64_t epoch, const HashKey& key,
                             HashChange change);
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_CORE_H_
