// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_core.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/mutex/mutex.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

// How many buckets one write may split: more than the one row in four that
// makes it necessary, so that a table that could not grow for a while catches
// up, and few enough that no single write is slow.
constexpr uint64_t kSplitsPerWrite = 2;

absl::Status BadWord(absl::string_view what, uint64_t value) {
  return MakeStatus(
      Cause::kCorrupt,
      absl::StrFormat("not a usable hash table: its %s is %#x", what, value));
}

}  // namespace

absl::Status HashCore::Format(Arena* arena, const Options& options) {
  HashGeometry geometry;
  geometry.arena = arena;
  geometry.lanes_log2 = options.lanes_log2;
  if (options.lanes_log2 > kMaxLanesLog2 ||
      geometry.BucketOffset(0, 2) > arena->bytes() / 2) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat("2^", options.lanes_log2,
                                   " lanes do not fit into an arena of ",
                                   arena->bytes(), " bytes"));
  }
  absl::Status status =
      arena->BeginFormat({.kind = kHashKind,
                          .schema = options.schema,
                          .schema_text = options.schema_text});
  if (!status.ok()) return status;
  {
    Lock lock(arena->grow_mutex());
    status = arena->CommitFront(geometry.BucketOffset(0, 1));
    if (!status.ok()) return status;
  }
  HashRoot* root = geometry.root();
  StoreWord(&root->lanes_log2, options.lanes_log2);
  StoreWord(&root->seed, options.seed);
  StoreWord(&root->key_word, options.key.word);
  StoreWord(&root->key_words, options.key.words);
  StoreWord(&root->key_variable, options.key.variable ? 1 : 0);
  for (uint32_t lane = 0; lane < geometry.lanes(); ++lane) {
    StoreWord(&geometry.LaneAt(lane)->buckets, 1);
  }
  arena->FinishFormat();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<HashCore>> HashCore::Attach(Arena* arena) {
  if (absl::Status s = arena->Validate(kHashKind); !s.ok()) return s;
  const HashRoot* root = HashGeometry::RootIn(*arena);
  const uint64_t lanes_log2 = LoadWord(&root->lanes_log2);
  const uint64_t key_word = LoadWord(&root->key_word);
  const uint64_t key_words = LoadWord(&root->key_words);
  const uint64_t key_variable = LoadWord(&root->key_variable);
  if (lanes_log2 > kMaxLanesLog2) return BadWord("number of lanes", lanes_log2);
  if (key_word > UINT32_MAX) return BadWord("place of the key", key_word);
  if (key_words > UINT32_MAX) return BadWord("length of the key", key_words);
  if (key_variable > 1) return BadWord("kind of key", key_variable);
  HashGeometry geometry;
  geometry.arena = arena;
  geometry.lanes_log2 = static_cast<uint32_t>(lanes_log2);
  geometry.seed = LoadWord(&root->seed);
  geometry.key = {.word = static_cast<uint32_t>(key_word),
                  .words = static_cast<uint32_t>(key_words),
                  .variable = key_variable == 1};
  if (geometry.buckets_begin() > LoadWord(&arena->header().front_committed)) {
    return BadWord("number of lanes", lanes_log2);
  }
  for (uint32_t lane = 0; lane < geometry.lanes(); ++lane) {
    // In this order: a writer commits pages before it counts a bucket in them.
    const uint64_t buckets = LoadWord(&geometry.LaneAt(lane)->buckets);
    const uint64_t front = LoadWord(&arena->header().front_committed);
    // The lanes' buckets are interleaved: the end may have room for some only.
    const uint64_t all =
        (front - geometry.buckets_begin()) / sizeof(HashBucket);
    const uint64_t room = (all + geometry.lanes() - 1 - lane) >> lanes_log2;
    if (buckets == 0 || buckets > room) {
      return BadWord("number of buckets", buckets);
    }
  }
  return absl::WrapUnique(new HashCore(geometry));
}

HashCore::HashCore(const HashGeometry& geometry)
    : geometry_(geometry),
      reader_(geometry),
      locks_(std::make_unique<LaneLock[]>(geometry.lanes())) {}

// The intents of the lanes and the batch are over different words, because each
// of them held the locks of all the words that it names, so their order does
// not matter. Cleaning a bucket writes intents of its own and comes last.
absl::Status HashCore::Recover() {
  Arena& arena = *geometry_.arena;
  for (uint32_t lane = 0; lane < geometry_.lanes(); ++lane) {
    absl::Status status = ReplayIntent(arena, &geometry_.LaneAt(lane)->intent);
    if (!status.ok()) return status;
  }
  const uint64_t batch = LoadWord(&arena.header().batch);
  if (batch % 2 != 0) {
    const uint64_t offset = LoadWord(&geometry_.root()->batch_log);
    const uint64_t bytes = LoadWord(&geometry_.root()->batch_log_bytes);
    if (bytes < sizeof(HashBatchLog) || !arena.Holds(offset, bytes)) {
      return BadWord("batch log", offset);
    }
    auto* log = reinterpret_cast<HashBatchLog*>(arena.At(offset));
    const uint64_t entries = LoadWord(&log->entries);
    if (entries > (bytes - sizeof(HashBatchLog)) / sizeof(IntentEntry)) {
      return BadWord("length of a batch", entries);
    }
    absl::Status status = ReplayEntries(
        arena, reinterpret_cast<const IntentEntry*>(log + 1), entries);
    if (!status.ok()) return status;
    StoreWord(&arena.header().batch, batch + 1);
  }
  if constexpr (kSeededBug == SeededBug::kForgetCleaning) {
    return absl::OkStatus();
  }
  for (uint32_t lane = 0; lane < geometry_.lanes(); ++lane) {
    absl::Status status = CleanBucket(geometry_, lane);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// All lanes' locks at once: more than the analysis can follow.
void HashCore::RaiseEpoch(uint64_t epoch) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock batch(batch_mutex_);
  for (uint32_t lane = 0; lane < geometry_.lanes(); ++lane) {
    AcquireMutex(locks_[lane].mutex);
  }
  StoreWord(&geometry_.arena->header().epoch, epoch);
  for (uint32_t lane = 0; lane < geometry_.lanes(); ++lane) {
    ReleaseMutex(locks_[lane].mutex);
  }
}

absl::Status HashCore::CheckEpoch(uint64_t epoch) const {
  const uint64_t now = this->epoch();
  if (now == epoch || epoch == kAnyEpoch) return absl::OkStatus();
  return MakeStatus(Cause::kNotOwner,
                    absl::StrCat("the table has changed hands: it is in epoch ",
                                 now, ", the handle is of epoch ", epoch));
}

void HashCore::Grow(uint32_t lane, uint64_t budget, uint64_t coming) {
  while (budget-- > 0 && NeedsSplit(geometry_, lane, coming)) {
    if (!SplitBucket(geometry_, lane).ok()) return;
  }
}

absl::Status HashCore::Change(uint64_t epoch, const HashKey& key,
                              HashChange change) {
  const uint32_t lane = geometry_.LaneOf(key.hash);
  Lock lock(locks_[lane].mutex);
  if (absl::Status s = CheckEpoch(epoch); !s.ok()) return s;
  {
    Transaction transaction(geometry_.arena);
    HashEdit edit(geometry_, lane, &transaction);
    const absl::StatusOr<HashEdit::Place> place = edit.Find(key);
    if (!place.ok()) return place.status();
    const absl::StatusOr<HashAction> action =
        change(HashCurrent(edit, *place, /*is_new=*/false));
    if (!action.ok()) return action.status();
    if (action->kind == HashAction::kPut) {
      absl::Status status = edit.Put(*place, key.hash, action->row).status();
      if (!status.ok()) return status;
    } else if (action->kind == HashAction::kRemove && place->found()) {
      edit.Remove(*place);
    } else {
      return absl::OkStatus();
    }
    edit.Finish();
    transaction.Commit(&geometry_.LaneAt(lane)->intent);
  }
  Grow(lane, kSplitsPerWrite);
  return absl::OkStatus();
}

absl::Status HashCore::Insert(uint64_t epoch, const HashKey& key,
                              absl::Span<const uint64_t> row) {
  return Change(epoch, key, [row](const HashCurrent&) {
    return absl::StatusOr<HashAction>(HashAction::Put(row));
  });
}

absl::StatusOr<bool> HashCore::InsertNew(uint64_t epoch, const HashKey& key,
                                         absl::Span<const uint64_t> row) {
  bool found = false;
  absl::Status status = Change(
      epoch, key,
      [row, &found](const HashCurrent& current) -> absl::StatusOr<HashAction> {
        found = current.found();
        return found ? HashAction::Keep() : HashAction::Put(row);
      });
  if (!status.ok()) return status;
  return !found;
}

absl::StatusOr<bool> HashCore::Delete(uint64_t epoch, const HashKey& key) {
  return Take(epoch, key, nullptr);
}

absl::StatusOr<bool> HashCore::Take(uint64_t epoch, const HashKey& key,
                                    RowBuffer* row) {
  bool found = false;
  absl::Status status = Change(
      epoch, key,
      [row, &found](const HashCurrent& current) -> absl::StatusOr<HashAction> {
        found = current.found();
        if (found && row != nullptr) *row = current.Row();
        return HashAction::Remove();
      });
  if (!status.ok()) return status;
  return found;
}

// The version goes up before the word changes, so that a reader that copied
// this word's old value and another word's newer one notices. Killed between
// the two stores the row is as it was.
absl::StatusOr<uint64_t> HashCore::Increment(
    uint64_t epoch, const HashKey& key, uint32_t word,
    absl::FunctionRef<absl::StatusOr<uint64_t>(uint64_t)> increment) {
  const uint32_t lane = geometry_.LaneOf(key.hash);
  Lock lock(locks_[lane].mutex);
  if (absl::Status s = CheckEpoch(epoch); !s.ok()) return s;
  Transaction transaction(geometry_.arena);
  const absl::StatusOr<HashEdit::Place> place =
      HashEdit(geometry_, lane, &transaction).Find(key);
  if (!place.ok()) return place.status();
  if (!place->found()) {
    return MakeStatus(Cause::kKeyNotFound, "there is no row with this key");
  }
  Arena& arena = *geometry_.arena;
  const uint64_t words =
      LoadWord(arena.At(place->record + offsetof(HashRecord, words)));
  if (word >= words) {
    return MakeStatus(Cause::kOutOfRange,
                      absl::StrCat("the row has ", words, " words; word ", word,
                                   " is not one of them"));
  }
  uint64_t* counter =
      arena.At(place->record + sizeof(HashRecord) + word * sizeof(uint64_t));
  const absl::StatusOr<uint64_t> value = increment(LoadWord(counter));
  if (!value.ok()) return value;
  uint64_t* version = &geometry_.BucketAt(place->bucket)->version;
  StoreWord(version, LoadWord(version) + 1);
  StoreWord(counter, *value);
  return value;
}

}  // namespace ets_keeper
