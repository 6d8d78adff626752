// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_growth.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_record.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

// A slot that is in use, and where it is.
struct UsedSlot {
  uint64_t word;  // its offset
  uint64_t slot;
  uint64_t hash;
};

// As many as there are without a long chain.
using UsedSlotVector = absl::InlinedVector<UsedSlot, 2 * kSlots>;

// The slots in use of a bucket (`root`) and its chain, those of the bucket
// first.
absl::StatusOr<UsedSlotVector> UsedSlots(const HashGeometry& geometry,
                                         uint64_t root) {
  const Arena& arena = *geometry.arena;
  UsedSlotVector used;
  uint64_t cell = root;
  for (int i = 0; i < kMaxChain && cell != 0; ++i) {
    if (!arena.Holds(cell, sizeof(HashBucket))) break;
    for (uint32_t s = 0; s < kSlots; ++s) {
      const uint64_t word = cell + offsetof(HashBucket, slot) + s * 8;
      const uint64_t slot = LoadWord(arena.At(word));
      if (slot == 0) continue;
      if (!arena.Holds(RecordOf(slot), sizeof(HashRecord))) {
        return MakeStatus(Cause::kCorrupt,
                          absl::StrFormat("a slot leads to %#x, outside of the "
                                          "arena",
                                          RecordOf(slot)));
      }
      used.push_back({word, slot, LoadWord(arena.At(RecordOf(slot)))});
    }
    cell = LoadWord(&geometry.BucketAt(cell)->link);
  }
  if (cell != 0) return MakeStatus(Cause::kCorrupt, "a chain leads nowhere");
  return used;
}

absl::Status CommitBuckets(Arena& arena, uint64_t end) {
  // This word only grows, so without the lock it may only be too small.
  if (end <= LoadWord(&arena.header().front_committed)) return absl::OkStatus();
  Lock lock(arena.grow_mutex());
  return arena.CommitFront(end);
}

// Fills the new bucket, which no reader looks into yet.
absl::Status FillBucket(const HashGeometry& geometry, uint64_t bucket,
                        absl::Span<const UsedSlot> rows, HashEdit& edit) {
  uint64_t link = 0;
  size_t next = std::min<size_t>(kSlots, rows.size());
  const absl::Span<const UsedSlot> own = rows.first(next);
  while (next < rows.size()) {
    const absl::StatusOr<uint64_t> cell = edit.NewCell(link);
    if (!cell.ok()) return cell.status();
    for (uint32_t s = 0; s < kSlots && next < rows.size(); ++s, ++next) {
      StoreWord(&geometry.BucketAt(*cell)->slot[s], rows[next].slot);
    }
    link = *cell;
  }
  HashBucket* words = geometry.BucketAt(bucket);
  StoreWord(&words->link, link);
  for (uint32_t s = 0; s < kSlots; ++s) {
    StoreWord(&words->slot[s], s < own.size() ? own[s].slot : 0);
  }
  return absl::OkStatus();
}

// Takes rows away whose home is another bucket now, as many as fit into one
// intent; false if there was none.
absl::StatusOr<bool> RemoveGhosts(const HashGeometry& geometry, uint32_t lane,
                                  uint64_t bucket) {
  HashLane* words = geometry.LaneAt(lane);
  const uint64_t n = LoadWord(&words->buckets);
  const uint64_t root = geometry.BucketOffset(lane, bucket);
  const auto used = UsedSlots(geometry, root);
  if (!used.ok()) return used.status();
  Transaction transaction(geometry.arena);
  for (const UsedSlot& row : *used) {
    if (geometry.Home(row.hash, n) == bucket) continue;
    transaction.Store(row.word, 0);
    if (transaction.size() == IntentLog::kCapacity - 1) break;
  }
  if (transaction.size() == 0) return false;
  HashEdit edit(geometry, lane, &transaction);
  edit.Touch(root);
  edit.Finish();
  transaction.Commit(&words->intent);
  return true;
}

// Moves the rows of the first overflow cell into free slots of the bucket and
// unlinks the cell; false if there is none or they do not fit.
absl::StatusOr<bool> ShortenChain(const HashGeometry& geometry, uint32_t lane,
                                  uint64_t bucket) {
  const Arena& arena = *geometry.arena;
  const uint64_t root = geometry.BucketOffset(lane, bucket);
  const uint64_t link_word = root + offsetof(HashBucket, link);
  const uint64_t version_word = root + offsetof(HashBucket, version);
  const uint64_t cell = LoadWord(arena.At(link_word));
  if (cell == 0) return false;
  if (!arena.Holds(cell, sizeof(HashBucket))) {
    return MakeStatus(Cause::kCorrupt, "a chain leads nowhere");
  }
  absl::InlinedVector<uint64_t, kSlots> rows, room;
  for (uint32_t s = 0; s < kSlots; ++s) {
    const uint64_t slot = LoadWord(&geometry.BucketAt(cell)->slot[s]);
    if (slot != 0) rows.push_back(slot);
    const uint64_t own = root + offsetof(HashBucket, slot) + s * 8;
    if (LoadWord(arena.At(own)) == 0) room.push_back(own);
  }
  if (rows.size() > room.size()) return false;
  Transaction transaction(geometry.arena);
  HashEdit edit(geometry, lane, &transaction);
  for (size_t i = 0; i < rows.size(); ++i) transaction.Store(room[i], rows[i]);
  // A reader that passed the slots before they were filled and comes to the
  // chain after it was cut must see a new version: hence the first of the two.
  // The second says that the cell may be re-used.
  const uint64_t version = LoadWord(arena.At(version_word));
  transaction.Store(version_word, version + 1);
  transaction.Store(link_word, LoadWord(&geometry.BucketAt(cell)->link));
  transaction.Store(version_word, version + 2);
  edit.FreeCell(cell);
  edit.Finish();
  transaction.Commit(&geometry.LaneAt(lane)->intent);
  return true;
}

}  // namespace

bool NeedsSplit(const HashGeometry& geometry, uint32_t lane, uint64_t coming) {
  const HashLane* words = geometry.LaneAt(lane);
  const uint64_t rows = LoadWord(&words->count) + coming;
  return rows / kRowsPerBucket >= LoadWord(&words->buckets);
}

absl::Status SplitBucket(const HashGeometry& geometry, uint32_t lane) {
  HashLane* words = geometry.LaneAt(lane);
  const uint64_t n = LoadWord(&words->buckets);
  const uint64_t split = n - std::bit_floor(n);
  const uint64_t added = geometry.BucketOffset(lane, n);
  absl::Status status =
      CommitBuckets(*geometry.arena, added + sizeof(HashBucket));
  if (!status.ok()) return status;
  auto rows = UsedSlots(geometry, geometry.BucketOffset(lane, split));
  if (!rows.ok()) return rows.status();
  const auto stays = [&](const UsedSlot& row) {
    return geometry.Home(row.hash, n + 1) != n;
  };
  rows->erase(std::remove_if(rows->begin(), rows->end(), stays), rows->end());
  Transaction transaction(geometry.arena);
  HashEdit edit(geometry, lane, &transaction);
  status = FillBucket(geometry, added, *rows, edit);
  if (!status.ok()) return status;
  if constexpr (kSeededBug == SeededBug::kGhostsBeforeSplit) {
    for (const UsedSlot& row : *rows) {
      StoreWord(geometry.arena->At(row.word), 0);
    }
  }
  const uint64_t lane_offset = HashGeometry::LaneOffset(lane);
  transaction.Store(lane_offset + offsetof(HashLane, buckets), n + 1);
  transaction.Store(lane_offset + offsetof(HashLane, cleaning), split + 1);
  edit.Finish();
  transaction.Commit(&words->intent);
  return CleanBucket(geometry, lane);
}

absl::Status CleanBucket(const HashGeometry& geometry, uint32_t lane) {
  HashLane* words = geometry.LaneAt(lane);
  const uint64_t cleaning = LoadWord(&words->cleaning);
  if (cleaning == 0) return absl::OkStatus();
  const uint64_t bucket = cleaning - 1;
  if (bucket >= LoadWord(&words->buckets)) {
    return MakeStatus(Cause::kCorrupt,
                      absl::StrFormat("bucket %d is to be cleaned of %d",
                                      bucket, LoadWord(&words->buckets)));
  }
  for (auto* step : {&RemoveGhosts, &ShortenChain}) {
    absl::StatusOr<bool> again = true;
    while (again.ok() && *again) again = step(geometry, lane, bucket);
    if (!again.ok()) return again.status();
  }
  StoreWord(&words->cleaning, 0);
  return absl::OkStatus();
}

}  // namespace ets_keeper
