// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_core.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_head_change.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_write.h"
#include "common/hash/writer_lanes.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

// How many buckets a turn splits or merges at most. So a write does that
// bounded work, one in kRowsPerTurn does it, and the number of buckets keeps up
// with the rows, also of several threads, of which only one has a turn.
constexpr uint64_t kSplitsPerTurn = 16;
constexpr uint64_t kMergesPerTurn = 32;

// Fewer rows than buckets of a table this much larger are for: it shrinks.
constexpr uint64_t kShrinkAt = 4;

absl::Status BadWord(absl::string_view what, uint64_t value) {
  return MakeStatus(
      Cause::kCorrupt,
      absl::StrFormat("not a usable hash table: its %s is %#x", what, value));
}

}  // namespace

absl::Status HashCore::Format(Arena* arena, const Options& options) {
  HashGeometry geometry = HashGeometry::Of(arena);
  geometry.SetLanes(options.writers + 1);
  if (options.writers > kMaxWriters ||
      geometry.BucketOffset(2) > arena->bytes() / 2) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat("the lanes of ", options.writers,
                                   " writers do not fit into an arena of ",
                                   arena->bytes(), " bytes"));
  }
  absl::Status status =
      arena->BeginFormat({.kind = kHashKind,
                          .schema = options.schema,
                          .schema_text = options.schema_text});
  if (!status.ok()) return status;
  {
    Lock lock(arena->grow_mutex());
    status = arena->CommitFront(geometry.BucketOffset(1));
    if (!status.ok()) return status;
  }
  HashRoot* root = geometry.root();
  StoreWord(&root->lanes, geometry.lanes);
  StoreWord(&root->seed, options.seed);
  StoreWord(&root->key_word, options.key.word);
  StoreWord(&root->key_words, options.key.words);
  StoreWord(&root->key_variable, options.key.variable ? 1 : 0);
  StoreWord(&root->inline_words, InlineWords(options.fixed_words, options.key));
  StoreWord(&geometry.BucketAt(geometry.BucketOffset(0))->head,
            WithLevel(0, 1));
  StoreWord(&root->buckets, 1);
  StoreWord(&root->image, 1);
  StoreWord(&root->mask, HashGeometry::WideMask(1));
  arena->FinishFormat();
  return absl::OkStatus();
}

absl::StatusOr<HashGeometry> HashCore::GeometryOf(Arena* arena) {
  if (absl::Status s = arena->Validate(kHashKind); !s.ok()) return s;
  const HashRoot* root = HashGeometry::RootIn(*arena);
  const uint64_t lanes = LoadWord(&root->lanes);
  const uint64_t key_word = LoadWord(&root->key_word);
  const uint64_t key_words = LoadWord(&root->key_words);
  const uint64_t key_variable = LoadWord(&root->key_variable);
  const uint64_t inline_words = LoadWord(&root->inline_words);
  if (lanes == 0 || lanes > kMaxWriters + 1)
    return BadWord("number of lanes", lanes);
  if (key_word > UINT32_MAX) return BadWord("place of the key", key_word);
  if (key_words > UINT32_MAX) return BadWord("length of the key", key_words);
  if (key_variable > 1) return BadWord("kind of key", key_variable);
  HashGeometry geometry = HashGeometry::Of(arena);
  geometry.SetLanes(static_cast<uint32_t>(lanes));
  // Their counts and intents will all be looked at, in memory that this process
  // may never have seen.
  for (uint32_t lane = 0; lane < geometry.lanes; ++lane) {
    if (!arena->Holds(HashGeometry::LaneOffset(lane), sizeof(HashLane))) break;
    __builtin_prefetch(&geometry.LaneAt(lane)->count);
    __builtin_prefetch(&geometry.LaneAt(lane)->intent);
  }
  geometry.seed = LoadWord(&root->seed);
  geometry.key = {.word = static_cast<uint32_t>(key_word),
                  .words = static_cast<uint32_t>(key_words),
                  .variable = key_variable == 1};
  if (inline_words != 0 &&
      (InlineWords(inline_words, geometry.key) != inline_words ||
       key_word + key_words > inline_words)) {
    return BadWord("length of a row", inline_words);
  }
  geometry.inline_words = static_cast<uint32_t>(inline_words);
  if (geometry.buckets_begin > LoadWord(&arena->header().front_committed)) {
    return BadWord("number of lanes", lanes);
  }
  geometry.most_buckets =
      std::min((arena->bytes() - geometry.buckets_begin) / sizeof(HashBucket),
               kMaxBuckets);
  for (const uint64_t* word : {&root->buckets, &root->image}) {
    const uint64_t buckets = LoadWord(word);
    if (buckets == 0 || buckets > geometry.most_buckets) {
      return BadWord("number of buckets", buckets);
    }
  }
  return geometry;
}

absl::StatusOr<std::unique_ptr<HashCore>> HashCore::Attach(Arena* arena) {
  const absl::StatusOr<HashGeometry> geometry = GeometryOf(arena);
  if (!geometry.ok()) return geometry.status();
  return std::make_unique<HashCore>(*geometry);
}

HashCore::HashCore(const HashGeometry& geometry)
    : reader_(geometry),
      operations_(ChooseOperations(geometry)),
      lanes_(geometry.LaneAt(0), geometry.lanes),
      rows_(static_cast<int64_t>(reader_.Size())) {}

// The intents, the changes of heads, the split or merge and the batch are over
// different words, because each of them held the locks of all the words that it
// names. The intents come first, for a split may be one; the heads before any
// lock is freed. Then nothing is in flight, and the locks are free.
absl::Status HashCore::Recover() {
  Arena& arena = *geometry().arena;
  for (uint32_t lane = 0; lane < geometry().lanes; ++lane) {
    absl::Status status = ReplayIntent(arena, &geometry().LaneAt(lane)->intent);
    if (!status.ok()) return status;
  }
  for (uint32_t lane = 0; lane < geometry().lanes; ++lane) {
    RecoverHeadChange(geometry(), geometry().LaneAt(lane));
  }
  if (absl::Status s = RecoverGrowth(geometry()); !s.ok()) return s;
  if (absl::Status s = RecoverBatch(); !s.ok()) return s;
  if (!IsSeeded(SeededBug::kForgetLocks)) {
    for (uint32_t lane = 0; lane < geometry().lanes; ++lane) {
      for (const uint64_t& held : geometry().LaneAt(lane)->held) {
        FreeLock(LoadWord(&held));
      }
    }
  }
  rows_ = static_cast<int64_t>(reader_.Size());
  reader_.RefreshHomes();
  arena.ReleaseLeftovers();
  return absl::OkStatus();
}

// Of a bucket whose holder is dead, if it is one.
void HashCore::FreeLock(uint64_t bucket) {
  if (bucket < geometry().buckets_begin ||
      geometry().BucketNumber(bucket) >= geometry().most_buckets ||
      !geometry().HoldsCell(bucket)) {
    return;
  }
  if (IsLocked(LoadWord(&geometry().BucketAt(bucket)->head))) {
    UnlockBucket(geometry(), bucket);
  }
}

// After the exchange every write that takes a bucket's lock sees the new epoch;
// those that took one before are waited for.
void HashCore::RaiseEpoch(uint64_t epoch) {
  Lock lock(batch_mutex_);
  uint64_t* word = &geometry().arena->header().epoch;
  while (!CompareAndSwapWord(word, LoadWord(word), epoch)) {
  }
  lanes_.WaitForUses();
}

absl::Status HashCore::WrongEpoch(uint64_t epoch) const {
  const uint64_t now = this->epoch();
  return MakeStatus(Cause::kNotOwner,
                    absl::StrCat("the table has changed hands: it is in epoch ",
                                 now, ", the handle is of epoch ", epoch));
}

absl::Status HashCore::NoBucket() const {
  return MakeStatus(Cause::kCorrupt,
                    absl::StrFormat("the number of buckets, %#x, leads nowhere",
                                    LoadWord(&geometry().root()->image)));
}

template <uint32_t kWords, KeyPlace kKey>
absl::Status HashCore::OperationsOf<kWords, kKey>::Change(HashCore& core,
                                                          uint64_t epoch,
                                                          const HashKey& key,
                                                          HashChange change) {
  return WriteKey<absl::Status, false>(core, epoch, key, [&](KeyWrite& write) {
    const HashPlace place = write.place();
    return write.Edit([&](HashEdit<kWords>& edit) -> absl::Status {
      const absl::StatusOr<HashAction> action = change(HashCurrent(
          core.geometry(), edit.transaction(), place, core.reader_, key));
      if (!action.ok()) return action.status();
      if (action->kind == HashAction::kPut) {
        return edit.Put(place, key.hash, action->row);
      }
      if (action->kind == HashAction::kRemove && place.found()) {
        edit.Remove(place);
      }
      return absl::OkStatus();
    });
  });
}

const HashCore::Operations& HashCore::ChooseOperations(
    const HashGeometry& geometry) {
  const auto made_for = []<uint32_t kWords, KeyPlace kKey>() {
    using Made = OperationsOf<kWords, kKey>;
    static constexpr Operations kAll = {.change = &Made::Change,
                                        .insert = &Made::Insert,
                                        .insert_new = &Made::InsertNew,
                                        .remove = &Made::Remove,
                                        .take = &Made::Take,
                                        .add = &Made::Add};
    return &kAll;
  };
  const bool is_plain = geometry.key == KeyLayout();
  return *WithWords(
      geometry.inline_words, [&](auto words) -> const Operations* {
        if constexpr (words != 0) {
          if (is_plain) {
            return made_for.template operator()<words, KeyLayout{}>();
          }
        }
        return made_for.template operator()<words, kAnyKey>();
      });
}

void HashCore::TakeTurn(WriterLanes::Lane& lane) {
  rows_.fetch_add(lane.rows, std::memory_order_relaxed);
  lane.rows = 0;
  Resize(lane);
}

void HashCore::Resize(WriterLanes::Lane& lane) {
  const int64_t rows = rows_.load(std::memory_order_relaxed);
  const uint64_t wanted =
      BucketsFor(geometry(), rows < 0 ? 0 : static_cast<uint64_t>(rows));
  const uint64_t buckets = LoadWord(&geometry().root()->buckets);
  const bool grows = wanted > buckets;
  if (!grows && wanted * kShrinkAt >= buckets) return;
  // One writer makes pages ready while another one splits. If whoever splits
  // had to, with the lock held, the rows of all others would go into chains
  // meanwhile, which take four times as long to split.
  if (grows) {
    geometry().arena->ReadyAhead(geometry().BucketOffset(wanted) +
                                 Arena::kMaxOwnStep);
  }
  // Somebody else is at it, and this lane goes on, unless the table has only
  // half of what it should have: longer chains cost less than to wait.
  if (!TryAcquireMutex(growth_mutex_)) {
    if (!grows || wanted - buckets < buckets + kSplitsPerTurn) return;
    AcquireMutex(growth_mutex_);
  }
  if (grows) {
    Grow(lane, wanted, kSplitsPerTurn);
  } else {
    // Rows that all go take the buckets along: with kShrinkAt, three merges a
    // row are just enough for rows of three words.
    Shrink(lane, wanted * 2, kMergesPerTurn);
  }
  ReleaseMutex(growth_mutex_);
}

void HashCore::Grow(WriterLanes::Lane& lane, uint64_t wanted, uint64_t budget) {
  const uint64_t buckets = LoadWord(&geometry().root()->buckets);
  if (buckets >= wanted) return;
  // A table that cannot grow goes on with longer chains.
  SplitBuckets(geometry(), lane.index(), std::min(budget, wanted - buckets))
      .IgnoreError();
  reader_.RefreshHomes();
}

void HashCore::Shrink(WriterLanes::Lane& lane, uint64_t wanted,
                      uint64_t budget) {
  const HashRoot* root = geometry().root();
  const uint64_t buckets = LoadWord(&root->buckets);
  if (buckets > wanted) {
    // A table that cannot shrink goes on with more buckets than it needs.
    MergeBuckets(geometry(), lane.index(), std::min(budget, buckets - wanted))
        .IgnoreError();
    reader_.RefreshHomes();
  }
  // Readers still come to buckets below the image, to be sent back from there;
  // those that know an older image find zeroes, as of a bucket that has gone.
  const uint64_t used =
      std::max(LoadWord(&root->buckets), LoadWord(&root->image));
  Lock lock(geometry().arena->grow_mutex());
  geometry().arena->ReleaseFront(geometry().BucketOffset(used));
}

}  // namespace ets_keeper
