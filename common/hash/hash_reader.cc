// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_reader.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_record.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {
// The log of the batch in flight, if there is one. Everything read from it
// counts only if `Unchanged()` says so afterwards: the writer ends a batch
// without asking the readers.
class HashReader::BatchView {
 public:
  explicit BatchView(const HashGeometry& geometry)
      : geometry_(geometry),
        sequence_(LoadWord(&geometry.arena->header().batch)) {
    if constexpr (kSeededBug == SeededBug::kBatchWithoutDirectory) return;
    if (sequence_ % 2 == 0) return;
    const uint64_t offset = LoadWord(&geometry.root()->batch_log);
    const uint64_t bytes = LoadWord(&geometry.root()->batch_log_bytes);
    if (!geometry.arena->Holds(offset, bytes) || bytes < sizeof(HashBatchLog)) {
      return;
    }
    const auto* log =
        reinterpret_cast<const HashBatchLog*>(geometry.arena->At(offset));
    const uint64_t entries = LoadWord(&log->entries);
    const uint64_t keys = LoadWord(&log->keys);
    const uint64_t room = (bytes - sizeof(HashBatchLog)) / sizeof(IntentEntry);
    if (entries > room || keys > room - entries) return;
    const auto* first = reinterpret_cast<const IntentEntry*>(log + 1);
    entries_ = absl::MakeConstSpan(first, entries);
    keys_ = absl::MakeConstSpan(
        reinterpret_cast<const HashBatchKey*>(first + entries), keys);
  }

  bool in_flight() const { return sequence_ % 2 != 0; }
  bool Unchanged() const {
    return LoadWord(&geometry_.arena->header().batch) == sequence_;
  }
  absl::Span<const IntentEntry> entries() const { return entries_; }
  absl::Span<const HashBatchKey> keys() const { return keys_; }

  // Those of the keys with the given hash.
  absl::Span<const HashBatchKey> KeysWith(uint64_t hash) const {
    const auto less = [](const HashBatchKey& key, uint64_t h) {
      return LoadWord(&key.hash) < h;
    };
    const auto begin = std::lower_bound(keys_.begin(), keys_.end(), hash, less);
    auto end = begin;
    while (end != keys_.end() && LoadWord(&end->hash) == hash) ++end;
    return keys_.subspan(begin - keys_.begin(), end - begin);
  }

 private:
  const HashGeometry& geometry_;
  const uint64_t sequence_;
  absl::Span<const IntentEntry> entries_;
  absl::Span<const HashBatchKey> keys_;
};

bool HashReader::Lookup(const HashKey& key, RowBuffer* row) const {
  Found found;
  do {
    found = LookupOnce(key, row);
  } while (found == Found::kRetry);
  return found == Found::kYes;
}

HashReader::Found HashReader::LookupOnce(const HashKey& key,
                                         RowBuffer* row) const {
  // A batch first: whoever has seen a row that a batch stored sees here that
  // the batch is in flight, or that it has ended.
  const BatchView batch(geometry_);
  if (batch.in_flight()) {
    const std::optional<Found> found = LookupInBatch(batch, key, row);
    if (found.has_value()) return *found;
  }
  const uint32_t lane = geometry_.LaneOf(key.hash);
  const uint64_t* buckets = &geometry_.LaneAt(lane)->buckets;
  const uint64_t n = LoadWord(buckets);
  const uint64_t offset =
      geometry_.BucketOffset(lane, geometry_.Home(key.hash, n));
  if (!geometry_.arena->Holds(offset, sizeof(HashBucket))) return Found::kNo;
  const HashBucket* bucket = geometry_.BucketAt(offset);
  const uint64_t version = LoadWord(&bucket->version);
  const Found found = LookupInBucket(bucket, version, key, row);
  // A batch that began meanwhile stores to its buckets in any order: what was
  // found may be something in between.
  if (kSeededBug != SeededBug::kBatchNotRechecked && !batch.Unchanged()) {
    return Found::kRetry;
  }
  // A miss counts only if the key had no chance to move to another bucket or
  // another place in this one meanwhile.
  if (found == Found::kNo &&
      (LoadWord(&bucket->version) != version || LoadWord(buckets) != n)) {
    return Found::kRetry;
  }
  return found;
}

// Nothing if the batch does not touch the key.
std::optional<HashReader::Found> HashReader::LookupInBatch(
    const BatchView& batch, const HashKey& key, RowBuffer* row) const {
  const Arena& arena = *geometry_.arena;
  for (const HashBatchKey& entry : batch.KeysWith(key.hash)) {
    const uint64_t named = LoadWord(&entry.record);
    const uint64_t record = named & ~uint64_t{1};
    const std::optional<uint64_t> words = RecordWords(arena, record);
    if (!batch.Unchanged()) return Found::kRetry;
    if (!words || !RecordHasKey(geometry_, record, *words, key)) continue;
    const bool deleted = named != record;
    if (!deleted && row != nullptr) CopyRecord(arena, record, *words, row);
    if (!batch.Unchanged()) return Found::kRetry;
    return deleted ? Found::kNo : Found::kYes;
  }
  if (!batch.Unchanged()) return Found::kRetry;
  return std::nullopt;
}

HashReader::Found HashReader::LookupInBucket(const HashBucket* bucket,
                                             uint64_t version,
                                             const HashKey& key,
                                             RowBuffer* row) const {
  const Arena& arena = *geometry_.arena;
  const HashBucket* cell = bucket;
  for (int i = 0; i < kMaxChain; ++i) {
    for (uint32_t s = 0; s < kSlots; ++s) {
      const uint64_t slot = LoadWord(&cell->slot[s]);
      if (slot == 0 || ((slot ^ key.hash) & kTagBits) != 0) continue;
      const uint64_t record = RecordOf(slot);
      const std::optional<uint64_t> words = RecordWords(arena, record);
      if (!words || LoadWord(arena.At(record)) != key.hash ||
          !RecordHasKey(geometry_, record, *words, key)) {
        continue;  // another key, or a record re-used meanwhile: then the
                   // caller sees a new version
      }
      // Before a copy as long as `words` says, be sure that it says so.
      if (LoadWord(&bucket->version) != version) return Found::kRetry;
      if (row == nullptr) return Found::kYes;
      CopyRecord(arena, record, *words, row);
      if (LoadWord(&bucket->version) != version) return Found::kRetry;
      return Found::kYes;
    }
    const uint64_t link = LoadWord(&cell->link);
    if (link == 0 || !arena.Holds(link, sizeof(HashBucket))) return Found::kNo;
    if (LoadWord(&bucket->version) != version) return Found::kRetry;
    cell = geometry_.BucketAt(link);
  }
  return Found::kNo;
}

bool HashReader::Scan(HashCursor* cursor, std::vector<RowBuffer>* rows) const {
  rows->clear();
  if (cursor->done) return false;
  if (cursor->regions == 0) {
    cursor->regions = LoadWord(&geometry_.LaneAt(cursor->lane)->buckets);
    cursor->region = 0;
  }
  if (cursor->region >= cursor->regions) {
    cursor->regions = 0;
    cursor->done = ++cursor->lane == geometry_.lanes();
    return !cursor->done;
  }
  // With n buckets, the hashes of bucket b are those that agree with b in the
  // low l or l + 1 bits. These regions of hashes do not change when buckets
  // split later: several buckets then hold one region.
  const uint64_t mask = std::bit_ceil(cursor->regions) - 1;
  const uint64_t half = mask >> 1;
  const uint64_t b = cursor->region;
  const bool is_split = b > half || (b | (half + 1)) < cursor->regions;
  const Region region = {.lane = cursor->lane,
                         .residue = b,
                         .mask = is_split || mask == 0 ? mask : half};
  while (!ReadRegion(region, rows)) rows->clear();
  ++cursor->region;
  return true;
}

// False if a writer came in between.
bool HashReader::ReadRegion(const Region& region,
                            std::vector<RowBuffer>* rows) const {
  const BatchView batch(geometry_);
  const uint64_t* buckets = &geometry_.LaneAt(region.lane)->buckets;
  const uint64_t n = LoadWord(buckets);
  std::vector<RegionRow> found;
  std::vector<std::pair<const HashBucket*, uint64_t>> versions;
  for (uint64_t b = region.residue; b < n; b += region.mask + 1) {
    const uint64_t offset = geometry_.BucketOffset(region.lane, b);
    if (!geometry_.arena->Holds(offset, sizeof(HashBucket))) break;
    const HashBucket* bucket = geometry_.BucketAt(offset);
    versions.emplace_back(bucket, LoadWord(&bucket->version));
    if (!CollectBucket(bucket, versions.back().second, region, &found)) {
      return false;
    }
  }
  if (batch.in_flight() && !ApplyBatch(batch, region, &found)) return false;
  if (!batch.Unchanged() || LoadWord(buckets) != n) return false;
  for (const auto& [bucket, version] : versions) {
    if (LoadWord(&bucket->version) != version) return false;
  }
  for (RegionRow& row : found) rows->push_back(std::move(row.words));
  return true;
}

// Adds the rows of `bucket` that belong to the region. A row that a killed
// writer left in two places is added once: both name the same record.
bool HashReader::CollectBucket(const HashBucket* bucket, uint64_t version,
                               const Region& region,
                               std::vector<RegionRow>* rows) const {
  const Arena& arena = *geometry_.arena;
  const HashBucket* cell = bucket;
  for (int i = 0; i < kMaxChain; ++i) {
    for (uint32_t s = 0; s < kSlots; ++s) {
      const uint64_t record = RecordOf(LoadWord(&cell->slot[s]));
      if (record == 0) continue;
      const std::optional<uint64_t> words = RecordWords(arena, record);
      if (LoadWord(&bucket->version) != version) return false;
      if (!words) continue;
      const uint64_t hash = LoadWord(arena.At(record));
      const uint64_t position = hash >> geometry_.lanes_log2;
      const auto same = [&](const RegionRow& row) {
        return row.record == record;
      };
      if ((position & region.mask) != region.residue ||
          std::any_of(rows->begin(), rows->end(), same)) {
        continue;
      }
      rows->push_back({.record = record, .hash = hash, .words = {}});
      CopyRecord(arena, record, *words, &rows->back().words);
    }
    const uint64_t link = LoadWord(&cell->link);
    if (link == 0 || !arena.Holds(link, sizeof(HashBucket))) return true;
    if (LoadWord(&bucket->version) != version) return false;
    cell = geometry_.BucketAt(link);
  }
  return true;
}

// Makes `rows` what they are after the batch in flight.
bool HashReader::ApplyBatch(const BatchView& batch, const Region& region,
                            std::vector<RegionRow>* rows) const {
  const Arena& arena = *geometry_.arena;
  for (const HashBatchKey& entry : batch.keys()) {
    const uint64_t hash = LoadWord(&entry.hash);
    if (geometry_.LaneOf(hash) != region.lane) continue;
    if (((hash >> geometry_.lanes_log2) & region.mask) != region.residue) {
      continue;
    }
    const uint64_t named = LoadWord(&entry.record);
    const uint64_t record = named & ~uint64_t{1};
    const std::optional<uint64_t> words = RecordWords(arena, record);
    if (!batch.Unchanged()) return false;
    if (!words) continue;
    RegionRow row = {.record = record, .hash = hash, .words = {}};
    CopyRecord(arena, record, *words, &row.words);
    std::erase_if(*rows, [&](const RegionRow& other) {
      return other.hash == hash && SameKey(other.words, row.words);
    });
    if (named == record) rows->push_back(std::move(row));
  }
  return true;
}

bool HashReader::SameKey(absl::Span<const uint64_t> a,
                         absl::Span<const uint64_t> b) const {
  uint64_t a_bytes, b_bytes;
  const absl::Span<const uint64_t> a_key = KeyInRow(geometry_.key, a, &a_bytes);
  return a_key == KeyInRow(geometry_.key, b, &b_bytes) && a_bytes == b_bytes;
}

uint64_t HashReader::Size() const {
  uint64_t size;
  bool retry;
  do {
    retry = false;
    size = SizeOnce(&retry);
  } while (retry);
  return size;
}

// While a batch is applied, the counts that it will have stored are in its log.
uint64_t HashReader::SizeOnce(bool* retry) const {
  const BatchView batch(geometry_);
  std::vector<uint64_t> counts(geometry_.lanes());
  for (uint32_t lane = 0; lane < geometry_.lanes(); ++lane) {
    counts[lane] = LoadWord(&geometry_.LaneAt(lane)->count);
  }
  const uint64_t first =
      HashGeometry::LaneOffset(0) + offsetof(HashLane, count);
  for (const IntentEntry& entry : batch.entries()) {
    const uint64_t offset = LoadWord(&entry.offset);
    if (offset < first || (offset - first) % sizeof(HashLane) != 0) continue;
    const uint64_t lane = (offset - first) / sizeof(HashLane);
    if (lane < counts.size()) counts[lane] = LoadWord(&entry.value);
  }
  *retry = !batch.Unchanged();
  uint64_t size = 0;
  for (const uint64_t count : counts) size += count;
  return size;
}

}  // namespace ets_keeper
