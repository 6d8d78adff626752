// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_batch_view.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/hash/hash_record.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// One attempt to read all rows of a region, in however many buckets they are:
// nearly always one, which takes no allocation.
class HashReader::RegionRead {
 public:
  RegionRead(const HashGeometry& geometry, const Region& region,
             std::vector<RowBuffer>* rows)
      : geometry_(geometry),
        arena_(*geometry.arena),
        region_(region),
        batch_(geometry, LoadWord(&arena_.header().batch)),
        rows_(*rows) {
    rows_.clear();
  }

  // False if a writer came in between: then the rows are any.
  bool Read() {
    if (!Collect()) return false;
    if (batch_.in_flight() && !ApplyBatch()) return false;
    if (!batch_.Unchanged()) return false;
    return std::all_of(heads_.begin(), heads_.end(), [this](const auto& seen) {
      return Is(seen.first, seen.second);
    });
  }

 private:
  bool Is(uint64_t bucket, uint64_t head) const {
    return SameButForLock(LoadWord(&geometry_.BucketAt(bucket)->head), head);
  }

  // The bucket that had the region when it was cut, and those that split from
  // it since: on bit k of the hash, bucket b | 1 << k. If it was merged since,
  // the one it went to.
  bool Collect() {
    uint64_t root = region_.residue;
    uint64_t head = 0;
    for (;;) {
      if (root >= geometry_.most_buckets) return true;  // impossible words
      head = HeadOf(root);
      // Also of the last one: it may be merged before it is looked at again.
      heads_.emplace_back(geometry_.BucketOffset(root), head);
      if (LevelOf(head) != 0 || root == 0) break;
      root ^= std::bit_floor(root);
    }
    absl::InlinedVector<std::pair<uint64_t, uint64_t>, 4> todo = {
        {root, std::popcount(region_.mask)}};
    while (!todo.empty()) {
      const auto [number, bits] = todo.back();
      todo.pop_back();
      if (number >= geometry_.most_buckets) continue;
      const uint64_t offset = geometry_.BucketOffset(number);
      const uint64_t own = HeadOf(number);
      heads_.emplace_back(offset, own);
      const uint64_t level = LevelOf(own);
      if (level == 0 || heads_.size() > kMaxChain) continue;
      for (uint64_t k = bits; k + 1 < level; ++k) {
        todo.emplace_back(number | uint64_t{1} << k, k + 1);
      }
      if (!CollectBucket(offset, own, number)) return false;
    }
    return true;
  }

  uint64_t HeadOf(uint64_t number) const {
    return LoadWord(&geometry_.BucketAt(geometry_.BucketOffset(number))->head);
  }

  // Adds the rows of the bucket that belong to it and to the region: what a
  // killed writer was about to move may be in two places.
  bool CollectBucket(uint64_t bucket, uint64_t head, uint64_t number) {
    const size_t first = rows_.size();
    hashes_.clear();
    const uint64_t mask = LevelMask(LevelOf(head));
    uint64_t cell = bucket;
    for (int i = 0; i < kMaxChain; ++i) {
      const HashBucket& words = *geometry_.BucketAt(cell);
      uint64_t live =
          (i == 0 ? head : LoadWord(&words.head)) & geometry_.places();
      if (!geometry_.is_inline()) PrefetchRecords(geometry_, words, live, 2);
      for (; live != 0; live &= live - 1) {
        RowBuffer& row = rows_.emplace_back();
        uint64_t hash = 0;
        if (!ReadItem(bucket, head, cell, FirstItem(live), &row, &hash)) {
          return false;
        }
        if (row.empty() || (hash & mask) != number || !region_.Has(hash) ||
            IsAmong(first, hash)) {
          rows_.pop_back();
        } else {
          hashes_.push_back(hash);
        }
      }
      const uint64_t link = LinkOf(LoadWord(&words.chain));
      if (link == 0 || !geometry_.HoldsCell(link)) return true;
      if (!Is(bucket, head)) return false;
      cell = link;
    }
    return true;
  }

  // Leaves the row empty if there is none where an item says so. Of a hash in a
  // bucket it is the lower half. False if a writer came in between.
  bool ReadItem(uint64_t bucket, uint64_t head, uint64_t cell, int position,
                RowBuffer* row, uint64_t* hash) const {
    const uint64_t* item = arena_.At(cell + position * 8);
    if (geometry_.is_inline()) {
      CopyWords(item, geometry_.inline_words, row);
      *hash = HashOfRow(geometry_, *row);
      return true;
    }
    const uint64_t slot = LoadWord(item);
    const std::optional<uint64_t> words = RecordWords(arena_, RecordOf(slot));
    if (!Is(bucket, head)) return false;
    if (!words) return true;
    *hash = HashOfItem(slot, LoadWord(arena_.At(RecordOf(slot))));
    CopyRecord(arena_, RecordOf(slot), *words, row);
    return true;
  }

  // Whether the key of the last row, which has that hash, is one of those
  // before from `first` on, whose hashes are known.
  bool IsAmong(size_t first, uint64_t hash) const {
    for (size_t i = 0; i < hashes_.size(); ++i) {
      if (hashes_[i] == hash && SameKey(rows_[first + i], rows_.back())) {
        return true;
      }
    }
    return false;
  }

  // Makes the rows what they are after the batch in flight.
  bool ApplyBatch() {
    for (uint64_t i = 0; i < batch_.size(); ++i) {
      const uint64_t hash = batch_.Hash(i);
      if (!region_.Has(hash)) continue;
      RowBuffer row;
      if (geometry_.is_inline()) {
        CopyWords(batch_.InlineRow(i), geometry_.inline_words, &row);
      } else {
        const uint64_t words = batch_.RecordWords(i);
        if (!batch_.Unchanged()) return false;
        if (words == 0) continue;
        CopyRecord(arena_, batch_.Record(i), words, &row);
      }
      const bool deleted = batch_.IsDeleted(i);
      std::erase_if(
          rows_, [&](const RowBuffer& other) { return SameKey(other, row); });
      if (!deleted) rows_.push_back(std::move(row));
    }
    return true;
  }

  bool SameKey(absl::Span<const uint64_t> a,
               absl::Span<const uint64_t> b) const {
    uint64_t a_bytes, b_bytes;
    const absl::Span<const uint64_t> a_key =
        KeyInRow(geometry_.key, a, &a_bytes);
    return a_key == KeyInRow(geometry_.key, b, &b_bytes) && a_bytes == b_bytes;
  }

  const HashGeometry& geometry_;
  const Arena& arena_;
  const Region region_;
  const HashBatchView batch_;
  // Of the buckets read.
  absl::InlinedVector<std::pair<uint64_t, uint64_t>, 4> heads_;
  std::vector<RowBuffer>& rows_;
  absl::InlinedVector<uint64_t, 16> hashes_;  // of the rows of one bucket
};

bool HashReader::Scan(HashCursor* cursor, std::vector<RowBuffer>* rows) const {
  rows->clear();
  if (cursor->done) return false;
  if (cursor->regions == 0) {
    cursor->regions = std::clamp<uint64_t>(LoadWord(&geometry_.root()->image),
                                           1, geometry_.most_buckets);
  }
  // With n buckets, the hashes of bucket b are those that agree with b in the
  // low l or l + 1 bits. These regions of hashes do not change when buckets
  // split or merge later: several buckets then hold one region, or one several.
  const uint64_t mask = HashGeometry::Mask(cursor->regions);
  const uint64_t half = mask >> 1;
  const uint64_t b = cursor->region;
  const bool is_split = b > half || (b | (half + 1)) < cursor->regions;
  const Region region = {.residue = b, .mask = is_split ? mask : half};
  while (!RegionRead(geometry_, region, rows).Read()) {
  }
  if (++cursor->region >= cursor->regions) cursor->done = true;
  return true;
}

}  // namespace ets_keeper
