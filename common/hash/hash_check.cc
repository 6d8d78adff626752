// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_check.h"

#include <algorithm>
#include <bit>
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
#include "common/hash/hash_cell.h"
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
    for (uint32_t lane = 0; lane < geometry_.lanes; ++lane) {
      absl::Status status = CheckLane(lane);
      if (!status.ok()) return status;
    }
    if (absl::Status s = CheckBuckets(); !s.ok()) return s;
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
    counted_ += LoadWord(&words->count);
    return CheckFreeLists(words->heap);
  }

  absl::Status CheckBuckets() {
    const HashRoot* root = geometry_.root();
    const uint64_t buckets = LoadWord(&root->buckets);
    const uint64_t image = LoadWord(&root->image);
    // As far apart as the number may get before its image is stored.
    if (image == 0 || image > buckets + std::bit_floor(buckets) / 128 + 1 ||
        buckets > image + std::bit_floor(buckets) / 128 + 1) {
      return Wrong(
          absl::StrCat("the image of ", buckets, " buckets is ", image));
    }
    if (LoadWord(&root->mask) != HashGeometry::WideMask(image)) {
      return Wrong(absl::StrCat("the mask of ", image, " buckets is ",
                                LoadWord(&root->mask)));
    }
    for (uint64_t bucket = 0; bucket < buckets; ++bucket) {
      absl::Status status = CheckBucket(bucket, buckets);
      if (!status.ok()) return status;
    }
    const uint64_t end = std::min(
        (LoadWord(&arena_.header().front_committed) - geometry_.buckets_begin) /
            sizeof(HashBucket),
        buckets + 64);
    for (uint64_t bucket = buckets; bucket < end; ++bucket) {
      const uint64_t head =
          LoadWord(&geometry_.BucketAt(geometry_.BucketOffset(bucket))->head);
      if ((head & (kLevelBits | kLiveBits)) != 0) {
        return Wrong(
            absl::StrCat("bucket ", bucket, " of ", buckets, " exists"));
      }
    }
    if (rows_ != counted_) {
      return Wrong(absl::StrCat("the table has ", rows_, " rows and counts ",
                                static_cast<int64_t>(counted_)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckBucket(uint64_t bucket, uint64_t buckets) {
    const uint64_t root = geometry_.BucketOffset(bucket);
    const uint64_t head = LoadWord(&geometry_.BucketAt(root)->head);
    if (IsLocked(head)) {
      return Wrong(absl::StrCat("bucket ", bucket, " is locked"));
    }
    // Bits of the hash on which the buckets up to this one have split.
    const uint64_t half = std::bit_floor(buckets);
    const bool is_split = bucket >= half || (bucket | half) < buckets;
    const auto level =
        static_cast<uint64_t>(std::bit_width(buckets)) + (is_split ? 1 : 0);
    if (LevelOf(head) != level) {
      return Wrong(absl::StrCat("bucket ", bucket, " of ", buckets,
                                " is of level ", LevelOf(head), ", not ",
                                level));
    }
    keys_.clear();
    uint64_t cell = root;
    for (int i = 0; cell != 0; ++i) {
      if (i == kMaxChain || !geometry_.HoldsCell(cell)) {
        return Wrong(absl::StrFormat("a chain leads to %#x", cell));
      }
      if (i > 0) Use(cell, kCellClass.bytes());
      absl::Status status = CheckCell(bucket, buckets, cell);
      if (!status.ok()) return status;
      cell = LinkOf(LoadWord(&geometry_.BucketAt(cell)->chain));
    }
    std::sort(keys_.begin(), keys_.end());
    if (std::adjacent_find(keys_.begin(), keys_.end()) != keys_.end()) {
      return Wrong(absl::StrCat("a key is twice in bucket ", bucket));
    }
    rows_ += keys_.size();
    return absl::OkStatus();
  }

  absl::Status CheckCell(uint64_t bucket, uint64_t buckets, uint64_t cell) {
    const uint64_t live = LiveOf(LoadWord(&geometry_.BucketAt(cell)->head));
    if ((live & ~geometry_.places()) != 0) {
      return Wrong(absl::StrFormat("the live bits of a cell are %#x", live));
    }
    const uint64_t root = geometry_.BucketOffset(bucket);
    if (cell != root && live == 0) return Wrong("an overflow cell is empty");
    const uint64_t chain = LoadWord(&geometry_.BucketAt(root)->chain);
    for (uint64_t left = live; left != 0; left &= left - 1) {
      RowBuffer row;
      uint64_t hash;
      absl::Status status = CheckItem(cell + FirstItem(left) * 8, &row, &hash);
      if (!status.ok()) return status;
      if (HashGeometry::Home(hash, buckets) != bucket) {
        return Wrong(
            absl::StrFormat("a row of hash %#x is in bucket %d", hash, bucket));
      }
      if (cell != root && !MayBeInChain(chain, hash)) {
        return Wrong("the filter excludes a key of its chain");
      }
      uint64_t bytes;
      const absl::Span<const uint64_t> key =
          KeyInRow(geometry_.key, row, &bytes);
      keys_.emplace_back(key.begin(), key.end());
      keys_.back().push_back(bytes);
    }
    return absl::OkStatus();
  }

  absl::Status CheckItem(uint64_t item, RowBuffer* row, uint64_t* hash) {
    if (geometry_.is_inline()) {
      CopyWords(arena_.At(item), geometry_.inline_words, row);
      *hash = HashOfRow(geometry_, *row);
      return absl::OkStatus();
    }
    const uint64_t slot = LoadWord(arena_.At(item));
    const uint64_t record = RecordOf(slot);
    const std::optional<uint64_t> words = RecordWords(arena_, record);
    if (!words) return Wrong(absl::StrFormat("an item leads to %#x", record));
    CopyRecord(arena_, record, *words, row);
    *hash = HashOfRow(geometry_, *row);
    const uint64_t head = LoadWord(arena_.At(record));
    if (MakeSlot(*hash, record) != slot ||
        MakeRecordHead(*hash, *words) != head) {
      return Wrong(
          absl::StrFormat("the record at %#x has another key", record));
    }
    Use(record, ClassOfRecord(*words).bytes());
    return absl::OkStatus();
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
        block = FreeLinkTarget(LoadWord(arena_.At(block)));
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
  std::vector<std::vector<uint64_t>>
      keys_;  // of one bucket, with their lengths
  uint64_t rows_ = 0;
  uint64_t counted_ = 0;
  uint64_t waste_ = 0;
};

}  // namespace

absl::Status CheckHashTable(const HashGeometry& geometry) {
  return Checker(geometry).Check();
}

}  // namespace ets_keeper
