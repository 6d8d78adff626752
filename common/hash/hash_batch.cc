// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"
#include "common/hash/hash_batch_view.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_record.h"
#include "common/hash/writer_lanes.h"
#include "common/mutex/mutex.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"

namespace ets_keeper {

// The batch in progress. Its log lies in the arena and is laid out for as much
// as the changes can possibly need, see HashBatchLog.
template <uint32_t kWords>
class HashCore::Batch {
 public:
  Batch(HashCore& core, uint32_t lane, absl::Span<const KeyedChange> changes)
      : core_(core),
        geometry_(core.geometry()),
        lane_(lane),
        changes_(changes) {}

  // Makes the log large enough for whatever the changes turn out to be.
  absl::Status ReserveLog() {
    const HashRoot* root = geometry_.root();
    const uint64_t bytes = LogBytes();
    if (bytes > kMaxBlockBytes) {
      return MakeStatus(Cause::kBadOption,
                        absl::StrCat("a batch of ", changes_.size(),
                                     " changes is too large"));
    }
    const uint64_t old_bytes = LoadWord(&root->batch_log_bytes);
    if (old_bytes >= bytes) return absl::OkStatus();
    Transaction transaction(geometry_.arena, &geometry_.LaneAt(lane_)->intent);
    HeapTransaction heap(&transaction, HashGeometry::HeapOffset(lane_));
    const HeapClass size = ClassOf(bytes);
    const absl::StatusOr<uint64_t> block = heap.Allocate(size);
    if (!block.ok()) return block.status();
    if (old_bytes != 0) {
      heap.Free(LoadWord(&root->batch_log), ClassOf(old_bytes));
    }
    // The first word of the block is that of the locks it names.
    transaction.Store(*block, 0);
    transaction.Store(HashGeometry::RootWord(offsetof(HashRoot, batch_log)),
                      *block);
    transaction.Store(
        HashGeometry::RootWord(offsetof(HashRoot, batch_log_bytes)),
        size.bytes());
    heap.Finish();
    transaction.Commit();
    return absl::OkStatus();
  }

  // Takes the locks of all buckets that answer for the keys, in the order of
  // the buckets, as everybody does who takes several. Before the first one the
  // log names them all.
  absl::Status LockBuckets() {
    for (;;) {
      if (absl::Status s = FindBuckets(&locked_); !s.ok()) return s;
      HashBatchLog* log = Log();
      auto* words = reinterpret_cast<uint64_t*>(log + 1);
      StoreWord(&log->locked, 0);
      for (size_t i = 0; i < locked_.size(); ++i) {
        StoreWord(&words[i], locked_[i]);
      }
      StoreWord(&log->locked, locked_.size());
      for (const uint64_t bucket : locked_) {
        LockNamedBucket(geometry_, bucket);
      }
      // A bucket may have been split or merged before it was locked.
      std::vector<uint64_t> now;
      if (FindBuckets(&now).ok() && now == locked_) return absl::OkStatus();
      UnlockBuckets();
    }
  }

  void UnlockBuckets() {
    for (const uint64_t bucket : locked_) UnlockBucket(geometry_, bucket);
  }

  absl::Status Perform() {
    auto* entries = reinterpret_cast<IntentEntry*>(
        reinterpret_cast<uint64_t*>(Log() + 1) + LocksRoom());
    Transaction transaction(geometry_.arena,
                            absl::MakeSpan(entries, EntriesRoom()));
    HashEdit<kWords> edit(geometry_, lane_, &transaction, /*in_batch=*/true);
    for (const KeyedChange& change : changes_) {
      if (absl::Status s = MakeChange(change, edit); !s.ok()) return s;
    }
    std::vector<Key> keys;
    for (size_t i = 0; i < changes_.size(); ++i) {
      const absl::StatusOr<HashPlace> place = edit.Find(changes_[i].key);
      if (!place.ok()) return place.status();
      if (std::optional<Key> key = KeyAfter(i, *place, edit)) {
        keys.push_back(*std::move(key));
      }
    }
    edit.Finish();
    added_ = edit.added();
    if (transaction.size() != 0) Commit(transaction, keys);
    return absl::OkStatus();
  }

  [[nodiscard]] int64_t added() const { return added_; }

 private:
  // A key of the directory.
  struct Key {
    uint64_t hash;
    uint64_t record;
    RowBuffer row;  // if it is inline; else the number of the record's words

    friend bool operator==(const Key&, const Key&) = default;
    friend bool operator<(const Key& a, const Key& b) {
      if (a.hash != b.hash) return a.hash < b.hash;
      if (a.record != b.record) return a.record < b.record;
      return std::lexicographical_compare(a.row.begin(), a.row.end(),
                                          b.row.begin(), b.row.end());
    }
  };

  uint64_t LocksRoom() const { return changes_.size(); }

  // A change stores at most: the words of an item in a place that an earlier
  // one left; the head of a new record; the head of a new cell and the heads
  // and chains of the cell and bucket that it leaves and comes to; the links of
  // what it freed. The lane adds its free lists, chunk and count, and all
  // together the top of the heap.
  uint64_t EntriesRoom() const {
    return changes_.size() * 16 + 8 +
           std::min<uint64_t>(kHeapClasses, changes_.size() * 3);
  }
  uint64_t LogBytes() const {
    return sizeof(HashBatchLog) +
           (LocksRoom() +
            changes_.size() * HashBatchView::KeyWords(geometry_)) *
               8 +
           EntriesRoom() * sizeof(IntentEntry);
  }

  HashBatchLog* Log() const {
    return reinterpret_cast<HashBatchLog*>(
        geometry_.At(LoadWord(&geometry_.root()->batch_log)));
  }

  absl::Status FindBuckets(std::vector<uint64_t>* buckets) const {
    buckets->clear();
    for (const KeyedChange& change : changes_) {
      uint64_t head;
      buckets->push_back(FindBucket(geometry_, change.key.hash, &head));
      if (buckets->back() == 0) {
        return MakeStatus(Cause::kCorrupt, "there is no bucket for a key");
      }
    }
    std::sort(buckets->begin(), buckets->end());
    buckets->erase(std::unique(buckets->begin(), buckets->end()),
                   buckets->end());
    return absl::OkStatus();
  }

  // Remembers what was there before the change: when the key is gone after the
  // batch, that still tells which one is gone.
  absl::Status MakeChange(const KeyedChange& change, HashEdit<kWords>& edit) {
    const absl::StatusOr<HashPlace> place = edit.Find(change.key);
    if (!place.ok()) return place.status();
    Key& before = before_.emplace_back();
    before.hash = change.key.hash;
    if (place->found()) {
      before.record = place->record | 1;
      before.row = WordsOf(*place, edit);
    }
    const absl::StatusOr<HashAction> action = change.change(HashCurrent(
        geometry_, edit.transaction(), *place, core_.reader_, change.key));
    if (!action.ok()) return action.status();
    if (action->kind == HashAction::kPut) {
      return edit.Put(*place, change.key.hash, action->row);
    }
    if (action->kind == HashAction::kRemove && place->found()) {
      edit.Remove(*place);
    }
    return absl::OkStatus();
  }

  RowBuffer WordsOf(const HashPlace& place,
                    const HashEdit<kWords>& edit) const {
    return kWords != 0 ? LoadRow(geometry_, edit.transaction(), place)
                       : RowBuffer{place.record_words};
  }

  // What the directory says of the i-th change's key; nothing if it neither is
  // nor was there.
  std::optional<Key> KeyAfter(size_t i, const HashPlace& place,
                              const HashEdit<kWords>& edit) const {
    if (place.found()) {
      return Key{changes_[i].key.hash, place.record, WordsOf(place, edit)};
    }
    if (before_[i].record == 0) return std::nullopt;
    Key key = before_[i];
    if (kWords == 0) return key;
    // Of a deleted row only the key counts: the same entry for all changes.
    for (uint32_t w = 0; w < key.row.size(); ++w) {
      if (w < geometry_.key.word ||
          w >= geometry_.key.word + geometry_.key.words) {
        key.row[w] = 0;
      }
    }
    return key;
  }

  void Commit(const Transaction& transaction, std::vector<Key>& keys) {
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    HashBatchLog* log = Log();
    StoreWord(&log->room, LocksRoom());
    StoreWord(&log->entries, transaction.size());
    StoreWord(&log->performed, 0);
    StoreWord(&log->keys, keys.size());
    uint64_t* word = reinterpret_cast<uint64_t*>(log + 1) + LocksRoom() +
                     transaction.size() * sizeof(IntentEntry) / 8;
    for (const Key& key : keys) {
      StoreWord(word++, key.hash);
      StoreWord(word++, key.record);
      for (const uint64_t value : key.row) StoreWord(word++, value);
    }
    CHECK_LE(
        reinterpret_cast<char*>(word) - reinterpret_cast<char*>(log),
        static_cast<int64_t>(LoadWord(&geometry_.root()->batch_log_bytes)));
    uint64_t* batch = &geometry_.arena->header().batch;
    const uint64_t sequence = LoadWord(batch);
    StoreWord(batch, sequence + 1);  // the commit point
    transaction.Apply(&log->performed, 0);
    StoreWord(batch, sequence + 2);
  }

  HashCore& core_;
  const HashGeometry& geometry_;
  const uint32_t lane_;
  const absl::Span<const KeyedChange> changes_;
  std::vector<uint64_t> locked_;  // buckets, ascending
  std::vector<Key> before_;       // by change; record 0: was not there
  int64_t added_ = 0;
};

absl::Status HashCore::ChangeAll(uint64_t epoch,
                                 absl::Span<const KeyedChange> changes) {
  Lock lock(batch_mutex_);
  // Under this mutex the epoch does not change.
  if (absl::Status s = CheckEpoch(epoch); !s.ok()) return s;
  if (changes.empty()) return absl::OkStatus();
  return WithWords(geometry().inline_words, [&](auto words) {
    const WriterLanes::Use lane(lanes_);
    Batch<words> batch(*this, lane->index(), changes);
    if (absl::Status s = batch.ReserveLog(); !s.ok()) return s;
    GrowFor(*lane, changes.size());
    if (absl::Status s = batch.LockBuckets(); !s.ok()) return s;
    absl::Status status = batch.Perform();
    batch.UnlockBuckets();
    Account(*lane, batch.added());
    return status;
  });
}

// Before a batch, as if all of its changes added a row: within it no bucket
// splits, and thousands of rows in one would take their time.
void HashCore::GrowFor(WriterLanes::Lane& lane, uint64_t changes) {
  const int64_t rows = rows_.load(std::memory_order_relaxed);
  const uint64_t wanted =
      BucketsFor(geometry(), (rows < 0 ? 0 : rows) + changes);
  if (wanted <= LoadWord(&geometry().root()->buckets)) return;
  Lock lock(growth_mutex_);
  Grow(lane, wanted, wanted);
}

absl::Status HashCore::RecoverBatch() {
  Arena& arena = *geometry().arena;
  const auto wrong = [](absl::string_view what, uint64_t value) {
    return MakeStatus(
        Cause::kCorrupt,
        absl::StrFormat("the %s of the batch's log is %#x", what, value));
  };
  const uint64_t offset = LoadWord(&geometry().root()->batch_log);
  const uint64_t bytes = LoadWord(&geometry().root()->batch_log_bytes);
  const uint64_t sequence = LoadWord(&arena.header().batch);
  if (offset == 0 && bytes == 0 && sequence % 2 == 0) return absl::OkStatus();
  if (bytes < sizeof(HashBatchLog) || !arena.Holds(offset, bytes)) {
    return wrong("place", offset);
  }
  auto* log = reinterpret_cast<HashBatchLog*>(arena.At(offset));
  const auto* locked = reinterpret_cast<const uint64_t*>(log + 1);
  const uint64_t words = (bytes - sizeof(HashBatchLog)) / 8;
  const uint64_t locks = LoadWord(&log->locked);
  if (locks > words) return wrong("number of locks", locks);
  if (sequence % 2 != 0) {
    const uint64_t room = LoadWord(&log->room);
    const uint64_t entries = LoadWord(&log->entries);
    if (room > words || entries > (words - room) / 2) {
      return wrong("length", entries);
    }
    absl::Status status = ReplayEntries(
        arena, reinterpret_cast<const IntentEntry*>(locked + room),
        LoadWord(&log->performed), entries, &log->performed, 0);
    if (!status.ok()) return status;
    StoreWord(&arena.header().batch, sequence + 1);
  }
  for (uint64_t i = 0; i < locks; ++i) FreeLock(LoadWord(&locked[i]));
  return absl::OkStatus();
}

}  // namespace ets_keeper
