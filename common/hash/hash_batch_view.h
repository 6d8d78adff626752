// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_batch_view.h
// -----------------------------------------------------------------------------
//
// `HashBatchView`: the log of the batch that is being applied to a table, as a
// reader sees it who must not take its rows from the buckets meanwhile.
//
//   HashBatchView batch(geometry, LoadWord(&header.batch));
//   for (uint64_t i = batch.First(hash); batch.HasHash(i, hash); ++i) ...
//   if (!batch.Unchanged()) ... again ...
//
// The writer ends a batch without asking the readers, so everything that was
// read from it counts only if `Unchanged()` says so afterwards. Every offset is
// checked: it does not lead out of the arena.
//
// Thread safety: as any value.

#ifndef COMMON_HASH_HASH_BATCH_VIEW_H_
#define COMMON_HASH_HASH_BATCH_VIEW_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_layout.h"

namespace ets_keeper {

class HashBatchView {
 public:
  // `sequence` is the header's batch word; nothing is in flight if it is even.
  HashBatchView(const HashGeometry& geometry, uint64_t sequence)
      : geometry_(geometry), sequence_(sequence) {
    if (IsSeeded(SeededBug::kBatchWithoutDirectory)) return;
    if (!in_flight()) return;
    const Arena& arena = *geometry.arena;
    const uint64_t offset = LoadWord(&geometry.root()->batch_log);
    const uint64_t bytes = LoadWord(&geometry.root()->batch_log_bytes);
    if (!arena.Holds(offset, bytes) || bytes < sizeof(HashBatchLog)) return;
    const auto* log = reinterpret_cast<const HashBatchLog*>(arena.At(offset));
    const uint64_t entries = LoadWord(&log->entries);
    const uint64_t keys = LoadWord(&log->keys);
    const uint64_t locks = LoadWord(&log->room);
    uint64_t words = (bytes - sizeof(HashBatchLog)) / 8;
    if (locks > words) return;
    words -= locks;
    if (entries > words / 2) return;
    words -= entries * 2;
    if (keys > words / KeyWords(geometry)) return;
    const auto* first = reinterpret_cast<const IntentEntry*>(
        reinterpret_cast<const uint64_t*>(log + 1) + locks);
    entries_ = absl::MakeConstSpan(first, entries);
    keys_ = reinterpret_cast<const uint64_t*>(first + entries);
    size_ = keys;
  }

  // Words of a key of the directory.
  static uint64_t KeyWords(const HashGeometry& geometry) {
    return sizeof(HashBatchKey) / 8 + geometry.item_words();
  }

  [[nodiscard]] bool in_flight() const { return sequence_ % 2 != 0; }
  [[nodiscard]] bool Unchanged() const {
    return LoadWord(&geometry_.arena->header().batch) == sequence_;
  }
  [[nodiscard]] absl::Span<const IntentEntry> entries() const {
    return entries_;
  }

  // The number of keys; of the i-th one what HashBatchKey says: the hash, the
  // offset of the record and the number of its words, 0 if there can be no such
  // record; or the words of the inline row.
  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] uint64_t Hash(uint64_t i) const { return LoadWord(At(i)); }
  [[nodiscard]] uint64_t Record(uint64_t i) const {
    return LoadWord(At(i) + 1) & ~uint64_t{1};
  }
  [[nodiscard]] uint64_t RecordWords(uint64_t i) const {
    const uint64_t record = Record(i);
    const uint64_t words = LoadWord(At(i) + sizeof(HashBatchKey) / 8);
    if (words > geometry_.arena->bytes() / 8 ||
        !geometry_.arena->Holds(record, sizeof(HashRecord) + words * 8)) {
      return 0;
    }
    return words;
  }
  [[nodiscard]] bool IsDeleted(uint64_t i) const {
    return (LoadWord(At(i) + 1) & 1) != 0;
  }
  [[nodiscard]] const uint64_t* InlineRow(uint64_t i) const {
    return At(i) + sizeof(HashBatchKey) / 8;
  }

  // The first key with at least that hash, and whether the i-th has it.
  [[nodiscard]] uint64_t First(uint64_t hash) const {
    uint64_t begin = 0;
    for (uint64_t end = size_; begin < end;) {
      const uint64_t middle = begin + (end - begin) / 2;
      if (Hash(middle) < hash) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    return begin;
  }
  [[nodiscard]] bool HasHash(uint64_t i, uint64_t hash) const {
    return i < size_ && Hash(i) == hash;
  }

 private:
  const uint64_t* At(uint64_t i) const {
    return keys_ + i * KeyWords(geometry_);
  }

  const HashGeometry& geometry_;
  const uint64_t sequence_;
  absl::Span<const IntentEntry> entries_;
  const uint64_t* keys_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_BATCH_VIEW_H_
