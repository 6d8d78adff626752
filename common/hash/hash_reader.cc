// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_reader.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/hash/hash_batch_view.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_record.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

HashReader::HashReader(const HashGeometry& geometry,
                       InstructionSet instructions)
    : geometry_(geometry), homes_(geometry), instructions_(instructions) {}

ABSL_ATTRIBUTE_NOINLINE bool HashReader::FindFixed(const uint64_t* key,
                                                   uint32_t key_words,
                                                   uint64_t* row,
                                                   uint32_t row_words) const {
  return Find(MakeHashKey(geometry_.seed, absl::MakeConstSpan(key, key_words),
                          uint64_t{key_words} * 8),
              {.buffer = nullptr, .words = absl::MakeSpan(row, row_words)});
}

ABSL_ATTRIBUTE_NOINLINE bool HashReader::LookupView(const KeyView& key,
                                                    RowBuffer* row) const {
  return FindView(key, {.buffer = row, .words = {}});
}

bool HashReader::FindView(const KeyView& key, Sink sink) const {
  return Find(PaddedKey(key).hash_key(), sink);
}

bool HashReader::Find(const HashKey& key, Sink sink) const {
#ifdef ETS_KEEPER_X86_64
  if (ABSL_PREDICT_TRUE(instructions_ == InstructionSet::kAvx512)) {
    return FindAvx512(key, sink);
  }
  if (instructions_ == InstructionSet::kAvx2) return FindAvx2(key, sink);
#endif
  return FindScalar(key, sink);
}

template <typename Match>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool HashReader::FindUntilStable(
    const HashKey& key, Sink sink) const {
  Found found;
  do {
    found = FindOnce<Match>(key, sink);
  } while (ABSL_PREDICT_FALSE(found == Found::kRetry));
  return found == Found::kYes;
}

bool HashReader::FindScalar(const HashKey& key, Sink sink) const {
  return FindUntilStable<MatchScalar>(key, sink);
}

#ifdef ETS_KEEPER_X86_64
ETS_KEEPER_AVX2 __attribute__((flatten)) bool HashReader::FindAvx2(
    const HashKey& key, Sink sink) const {
  return FindUntilStable<MatchAvx2>(key, sink);
}

bool HashReader::FindAvx512(const HashKey& key, Sink sink) const {
  return FindUntilStable<MatchAvx512>(key, sink);
}
#endif

template <typename Match>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline HashReader::Found HashReader::FindOnce(
    const HashKey& key, Sink sink) const {
  // A batch first: whoever has seen a row that a batch stored sees here that
  // the batch is in flight, or that it has ended.
  const uint64_t* batch = &geometry_.arena->header().batch;
  const uint64_t sequence = LoadWord(batch);
  if (ABSL_PREDICT_FALSE(sequence % 2 != 0)) {
    const std::optional<Found> found = FindInBatch(sequence, key, sink);
    if (found.has_value()) return *found;
  }
  HashPlace place;
  FindKey<Match>(geometry_, key, &place);
  if (ABSL_PREDICT_FALSE(place.bucket == 0)) return Found::kNo;
  Found found = Found::kNo;
  if (place.found()) {
    // Before a copy as long as the record says, be sure that it says so.
    if (place.record != 0 &&
        !SameButForLock(LoadWord(place.head_word(geometry_)), place.head)) {
      return Found::kRetry;
    }
    found = CopyOut(place.row(), place.row_words(geometry_), sink);
  }
  MatchFence();
  if (ABSL_PREDICT_FALSE(
          !SameButForLock(LoadWord(place.head_word(geometry_)), place.head))) {
    return Found::kRetry;
  }
  // A batch that began meanwhile stores to its buckets in any order: what was
  // found may be something in between.
  if (!IsSeeded(SeededBug::kBatchNotRechecked) &&
      ABSL_PREDICT_FALSE(LoadWord(batch) != sequence)) {
    return Found::kRetry;
  }
  return found;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline HashReader::Found HashReader::CopyOut(
    uint64_t row, uint64_t words, Sink sink) const {
  const uint64_t* from = geometry_.At(row);
  if (sink.words.data() != nullptr) {
    if (ABSL_PREDICT_FALSE(words != sink.words.size())) return Found::kNo;
    for (uint64_t i = 0; i < words; ++i) sink.words[i] = LoadWord(&from[i]);
  } else if (sink.buffer != nullptr) {
    CopyWords(from, words, sink.buffer);
  }
  return Found::kYes;
}

// Nothing if the batch does not touch the key.
ABSL_ATTRIBUTE_NOINLINE std::optional<HashReader::Found>
HashReader::FindInBatch(uint64_t sequence, const HashKey& key,
                        Sink sink) const {
  const Arena& arena = *geometry_.arena;
  const HashBatchView batch(geometry_, sequence);
  for (uint64_t i = batch.First(key.hash); batch.HasHash(i, key.hash); ++i) {
    uint64_t row, words;
    if (geometry_.is_inline()) {
      row = (reinterpret_cast<const char*>(batch.InlineRow(i)) -
             reinterpret_cast<const char*>(arena.At(0)));
      words = geometry_.inline_words;
      bool same = true;
      for (size_t w = 0; w < key.words.size(); ++w) {
        same &= LoadWord(batch.InlineRow(i) + geometry_.key.word + w) ==
                key.words[w];
      }
      if (!same) continue;
    } else {
      const uint64_t record = batch.Record(i);
      words = batch.RecordWords(i);
      if (!batch.Unchanged()) return Found::kRetry;
      if (words == 0 || !RecordHasKey(geometry_, record, words, key)) continue;
      row = record + sizeof(HashRecord);
    }
    const bool deleted = batch.IsDeleted(i);
    if (!batch.Unchanged()) return Found::kRetry;
    const Found found = deleted ? Found::kNo : CopyOut(row, words, sink);
    if (!batch.Unchanged()) return Found::kRetry;
    return found;
  }
  if (!batch.Unchanged()) return Found::kRetry;
  return std::nullopt;
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
  const HashBatchView batch(geometry_,
                            LoadWord(&geometry_.arena->header().batch));
  std::vector<uint64_t> counts(geometry_.lanes);
  for (uint32_t lane = 0; lane < geometry_.lanes; ++lane) {
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
