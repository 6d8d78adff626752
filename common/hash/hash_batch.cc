// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// HashCore::ChangeAll(): several changes that readers and crashes see together.
//
// The changes of all lanes go into one transaction, whose log is a block of its
// own with a directory of the keys that change. Its commit point is the
// header's batch word: it becomes odd, the stores are performed, it becomes
// even. While it is odd, readers look their key up in the directory first, so
// it does not matter to them how far the stores have come. A reader that saw
// the even word before may meet any of the stores; but whoever has seen one
// sees the odd word, or a later one, when it loads the word again: at the end
// of the same call, which then begins anew, and at the beginning of the next.
//
// The locks of all lanes concerned are held from before the first change to
// after the last store: the directory must be the truth about its keys as long
// as it is consulted.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_layout.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {

// The batch in progress. The locks are as many as the keys say, which the
// analysis cannot follow.
class HashCore::Batch {
 public:
  Batch(HashCore& core, absl::Span<const KeyedChange> changes)
      : core_(core), geometry_(core.geometry_), changes_(changes) {
    for (const KeyedChange& change : changes) {
      ++changes_in_lane_[geometry_.LaneOf(change.key.hash)];
    }
  }

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
    Lock lock(core_.locks_[0].mutex);
    Transaction transaction(geometry_.arena);
    HeapTransaction heap(
        &transaction, HashGeometry::LaneOffset(0) + offsetof(HashLane, heap));
    const HeapClass size = ClassOf(bytes);
    const absl::StatusOr<uint64_t> block = heap.Allocate(size);
    if (!block.ok()) return block.status();
    if (old_bytes != 0) {
      heap.Free(LoadWord(&root->batch_log), ClassOf(old_bytes));
    }
    transaction.Store(sizeof(ArenaHeader) + offsetof(HashRoot, batch_log),
                      *block);
    transaction.Store(sizeof(ArenaHeader) + offsetof(HashRoot, batch_log_bytes),
                      size.bytes());
    heap.Finish();
    transaction.Commit(&geometry_.LaneAt(0)->intent);
    return absl::OkStatus();
  }

  void LockLanes() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const auto& [lane, count] : changes_in_lane_) {
      AcquireMutex(core_.locks_[lane].mutex);
    }
  }

  void UnlockLanes() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const auto& [lane, count] : changes_in_lane_) {
      ReleaseMutex(core_.locks_[lane].mutex);
    }
  }

  absl::Status Perform() {
    Transaction transaction(geometry_.arena);
    std::map<uint32_t, HashEdit> edits;
    for (const auto& [lane, count] : changes_in_lane_) {
      edits.try_emplace(lane, geometry_, lane, &transaction);
    }
    std::vector<uint64_t> records;
    for (const KeyedChange& change : changes_) {
      HashEdit& edit = edits.at(geometry_.LaneOf(change.key.hash));
      const absl::StatusOr<uint64_t> found =
          MakeChange(change, edit, transaction);
      if (!found.ok()) return found.status();
      records.push_back(*found);
    }
    std::vector<HashBatchKey> keys;
    for (size_t i = 0; i < changes_.size(); ++i) {
      const HashKey& key = changes_[i].key;
      const absl::StatusOr<HashEdit::Place> place =
          edits.at(geometry_.LaneOf(key.hash)).Find(key);
      if (!place.ok()) return place.status();
      if (place->found()) {
        keys.push_back({key.hash, place->record});
      } else if (records[i] != 0) {
        keys.push_back({key.hash, records[i] | 1});
      }
    }
    for (auto& [lane, edit] : edits) edit.Finish();
    if (transaction.size() != 0) Commit(transaction, keys);
    return absl::OkStatus();
  }

  // Before the changes, as if all of them added a row: within the batch no
  // bucket splits, and thousands of rows in one would take their time.
  void Grow() {
    for (const auto& [lane, count] : changes_in_lane_) {
      core_.Grow(lane, /*budget=*/count, /*coming=*/count);
    }
  }

 private:
  // A change stores at most the record's first word, a slot and a link, a
  // version, and the links of a freed record and cell; a lane its free lists
  // and the words of its chunk and count; all together the top of the heap.
  uint64_t LogBytes() const {
    uint64_t entries = changes_.size() * 6 + 1;
    for (const auto& [lane, count] : changes_in_lane_) {
      entries += 4 + std::min<uint64_t>(kHeapClasses, count * 3);
    }
    return sizeof(HashBatchLog) + entries * sizeof(IntentEntry) +
           2 * changes_.size() * sizeof(HashBatchKey);
  }

  // Returns the record that the change found, 0 if none. When the key is gone
  // after the batch, that record still tells which one is gone.
  absl::StatusOr<uint64_t> MakeChange(const KeyedChange& change, HashEdit& edit,
                                      const Transaction& transaction) {
    const absl::StatusOr<HashEdit::Place> place = edit.Find(change.key);
    if (!place.ok()) return place.status();
    // The first word of a new record is stored by the transaction itself.
    const bool is_new = place->found() && transaction.Stores(place->record);
    const absl::StatusOr<HashAction> action =
        change.change(HashCurrent(edit, *place, is_new));
    if (!action.ok()) return action.status();
    if (action->kind == HashAction::kPut) {
      absl::Status status =
          edit.Put(*place, change.key.hash, action->row).status();
      if (!status.ok()) return status;
    } else if (action->kind == HashAction::kRemove && place->found()) {
      edit.Remove(*place);
    }
    return place->record;
  }

  void Commit(const Transaction& transaction, std::vector<HashBatchKey>& keys) {
    const auto order = [](const HashBatchKey& key) {
      return std::pair(key.hash, key.record);
    };
    std::sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
      return order(a) < order(b);
    });
    keys.erase(std::unique(keys.begin(), keys.end(),
                           [&](const auto& a, const auto& b) {
                             return order(a) == order(b);
                           }),
               keys.end());
    CHECK_LE(sizeof(HashBatchLog) +
                 (transaction.size() + keys.size()) * sizeof(IntentEntry),
             LoadWord(&geometry_.root()->batch_log_bytes));
    auto* log = reinterpret_cast<HashBatchLog*>(
        geometry_.arena->At(LoadWord(&geometry_.root()->batch_log)));
    StoreWord(&log->entries, transaction.size());
    StoreWord(&log->keys, keys.size());
    auto* entries = reinterpret_cast<IntentEntry*>(log + 1);
    transaction.Write(entries);
    auto* directory =
        reinterpret_cast<HashBatchKey*>(entries + transaction.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      StoreWord(&directory[i].hash, keys[i].hash);
      StoreWord(&directory[i].record, keys[i].record);
    }
    uint64_t* word = &geometry_.arena->header().batch;
    const uint64_t sequence = LoadWord(word);
    StoreWord(word, sequence + 1);  // the commit point
    transaction.Apply();
    StoreWord(word, sequence + 2);
  }

  HashCore& core_;
  const HashGeometry& geometry_;
  const absl::Span<const KeyedChange> changes_;
  // Ascending, which is the order of locking.
  std::map<uint32_t, uint64_t> changes_in_lane_;
};

absl::Status HashCore::ChangeAll(uint64_t epoch,
                                 absl::Span<const KeyedChange> changes) {
  Lock lock(batch_mutex_);
  Batch batch(*this, changes);
  if (absl::Status s = CheckEpoch(epoch); !s.ok()) return s;
  if (absl::Status s = batch.ReserveLog(); !s.ok()) return s;
  batch.LockLanes();
  // Under batch_mutex_ the epoch cannot have changed since.
  batch.Grow();
  const absl::Status status = batch.Perform();
  batch.UnlockLanes();
  return status;
}

}  // namespace ets_keeper
