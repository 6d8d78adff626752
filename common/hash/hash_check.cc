// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/word.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_record.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

class Checker {
 public:
  explicit Checker(const HashGeometry& geometry)
      : geometry_(geometry), arena_(*geometry.arena) {}

  absl::Status Check() {
    if (LoadWord(&arena_.header().batch) % 2 != 0) {
      return Wrong("a batch is in flight");
    }
    for (uint32_t lane = 0; lane < geometry_.lanes(); ++lane) {
      absl::Status status = CheckLane(lane);
      if (!status.ok()) return status;
    }
    const HashRoot* root = geometry_.root();
    if (const uint64_t log = LoadWord(&root->batch_log); log != 0) {
      Use(log, LoadWord(&root->batch_log_bytes));
    }
    return CheckHeap();
  }

 private:
  struct Block {
    uint64_t begin;
    uint64_t bytes;
  };

  static absl::Status Wrong(absl::string_view what) {
    return MakeStatus(Cause::kCorrupt, what);
  }

  void Use(uint64_t begin, uint64_t bytes) { used_.push_back({begin, bytes}); }

  absl::Status CheckLane(uint32_t lane) {
    const HashLane* words = geometry_.LaneAt(lane);
    if (LoadWord(&words->intent.committed) != 0) {
      return Wrong(absl::StrCat("lane ", lane, " has an intent in flight"));
    }
    if (LoadWord(&words->cleaning) != 0) {
      return Wrong(absl::StrCat("lane ", lane, " has a bucket to clean"));
    }
    uint64_t rows = 0;
    const uint64_t buckets = LoadWord(&words->buckets);
    for (uint64_t bucket = 0; bucket < buckets; ++bucket) {
      absl::Status status = CheckBucket(lane, bucket, buckets, &rows);
      if (!status.ok()) return status;
    }
    if (rows != LoadWord(&words->count)) {
      return Wrong(absl::StrCat("lane ", lane, " has ", rows,
                                " rows and counts ", LoadWord(&words->count)));
    }
    return CheckFreeLists(words->heap);
  }

  absl::Status CheckBucket(uint32_t lane, uint64_t bucket, uint64_t buckets,
                           uint64_t* rows) {
    std::vector<uint64_t> records;
    uint64_t cell = geometry_.BucketOffset(lane, bucket);
    for (int i = 0; cell != 0; ++i) {
      if (i == kMaxChain || !arena_.Holds(cell, sizeof(HashBucket))) {
        return Wrong(absl::StrFormat("a chain leads to %#x", cell));
      }
      if (i > 0) Use(cell, kLineClass.bytes());
      for (const uint64_t& word : geometry_.BucketAt(cell)->slot) {
        const uint64_t slot = LoadWord(&word);
        if (slot == 0) continue;
        absl::Status status = CheckSlot(lane, bucket, buckets, slot);
        if (!status.ok()) return status;
        records.push_back(RecordOf(slot));
      }
      cell = LoadWord(&geometry_.BucketAt(cell)->link);
    }
    *rows += records.size();
    return CheckKeysDiffer(records);
  }

  absl::Status CheckSlot(uint32_t lane, uint64_t bucket, uint64_t buckets,
                         uint64_t slot) {
    const uint64_t record = RecordOf(slot);
    const std::optional<uint64_t> words = RecordWords(arena_, record);
    if (!words) return Wrong(absl::StrFormat("a slot leads to %#x", record));
    const uint64_t hash = LoadWord(arena_.At(record));
    if (MakeSlot(hash, record) != slot || geometry_.LaneOf(hash) != lane ||
        geometry_.Home(hash, buckets) != bucket) {
      return Wrong(absl::StrFormat(
          "the record at %#x of hash %#x is in bucket %d of lane %d", record,
          hash, bucket, lane));
    }
    const RowBuffer row = RowAt(record);
    uint64_t bytes;
    const absl::Span<const uint64_t> key = KeyInRow(geometry_.key, row, &bytes);
    if (HashWords(geometry_.seed, key, bytes) != hash) {
      return Wrong(
          absl::StrFormat("the record at %#x has another key", record));
    }
    Use(record, ClassOfRecord(*words).bytes());
    return absl::OkStatus();
  }

  RowBuffer RowAt(uint64_t record) const {
    RowBuffer row;
    CopyRecord(arena_, record, RecordWords(arena_, record).value_or(0), &row);
    return row;
  }

  absl::Status CheckKeysDiffer(absl::Span<const uint64_t> records) const {
    for (size_t a = 0; a < records.size(); ++a) {
      for (size_t b = a + 1; b < records.size(); ++b) {
        if (LoadWord(arena_.At(records[a])) ==
                LoadWord(arena_.At(records[b])) &&
            HaveSameKey(records[a], records[b])) {
          return Wrong(absl::StrFormat("a key is twice in a bucket: %#x, %#x",
                                       records[a], records[b]));
        }
      }
    }
    return absl::OkStatus();
  }

  bool HaveSameKey(uint64_t a, uint64_t b) const {
    const RowBuffer row_a = RowAt(a);
    const RowBuffer row_b = RowAt(b);
    uint64_t bytes_a, bytes_b;
    return KeyInRow(geometry_.key, row_a, &bytes_a) ==
               KeyInRow(geometry_.key, row_b, &bytes_b) &&
           bytes_a == bytes_b;
  }

  absl::Status CheckFreeLists(const HeapLane& heap) {
    for (uint32_t i = 0; i < kHeapClasses; ++i) {
      const HeapClass size = {i};
      uint64_t block = LoadWord(&heap.free[i]);
      while (block != 0) {
        if (!arena_.Holds(block, size.bytes()) ||
            used_.size() > arena_.bytes() / 32) {
          return Wrong(absl::StrFormat("a free list leads to %#x", block));
        }
        Use(block, size.bytes());
        block = LoadWord(arena_.At(block));
      }
    }
    const uint64_t next = LoadWord(&heap.chunk_next);
    const uint64_t end = LoadWord(&heap.chunk_end);
    if (next > end) return Wrong("a lane's chunk ends before it begins");
    if (next < end) Use(next, end - next);
    waste_ += LoadWord(&heap.waste);
    return absl::OkStatus();
  }

  absl::Status CheckHeap() {
    std::sort(used_.begin(), used_.end(),
              [](const Block& a, const Block& b) { return a.begin < b.begin; });
    const uint64_t top = LoadWord(&arena_.header().heap_top);
    uint64_t end = top;
    uint64_t bytes = waste_;
    for (const Block& block : used_) {
      if (block.begin < end || block.bytes > arena_.bytes() - block.begin) {
        return Wrong(
            absl::StrFormat("the block at %#x is used twice", block.begin));
      }
      end = block.begin + block.bytes;
      bytes += block.bytes;
    }
    if (bytes != arena_.bytes() - top) {
      return Wrong(absl::StrCat("the heap gave out ", arena_.bytes() - top,
                                " bytes, of which ", bytes,
                                " are accounted for"));
    }
    return absl::OkStatus();
  }

  const HashGeometry& geometry_;
  const Arena& arena_;
  std::vector<Block> used_;
  uint64_t waste_ = 0;
};

}  // namespace

absl::Status CheckHashTable(const HashGeometry& geometry) {
  return Checker(geometry).Check();
}

}  // namespace ets_keeper
