// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_reader.h"

#include <bit>
#include <cstddef>
#include <cstdint>
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
#include "common/row/row_buffer.h"

namespace ets_keeper {

HashReader::HashReader(const HashGeometry& geometry,
                       InstructionSet instructions)
    : geometry_(geometry),
      instructions_(instructions),
      find_fixed_(ChooseFindFixed(instructions, geometry)),
      image_(&geometry.root()->image),
      buckets_(geometry.BucketAt(geometry.BucketOffset(0))) {}

namespace {

// Two words at a time, as whoever decodes them will load them: the processor
// does not hand two short stores on to one long load.
template <uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void CopyItem(const HashBucket* cell,
                                                  uint64_t found,
                                                  uint64_t* row) {
  const uint64_t* from = &cell->head + std::countr_zero(found);
  uint32_t i = 0;
#ifdef ETS_KEEPER_VECTORS
  for (; i + 2 <= kWords; i += 2) {
    MatchFence();
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(row + i),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
  }
#endif
  for (; i < kWords; ++i) row[i] = LoadWord(&from[i]);
}

template <bool kTwo>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline HashProbe InlineProbe(
    const HashGeometry& geometry, const uint64_t* key) {
  return {.want = key[0],
          .second = kTwo ? key[1] : 0,
          .shift = geometry.key.word,
          .two_words = kTwo};
}

}  // namespace

// Short, because a lookup that waits for memory holds up those behind it as
// soon as the processor has no room for more instructions: the fewer a lookup
// has, the more of them wait side by side. Whatever is not plain is a call in
// the last place.
//
// A batch holds the locks of its buckets from before its commit point until
// its last store, also if it is killed. So a bucket that nobody had locked,
// neither before it was read nor after, is in no batch in flight, and the
// batch's word need not be asked.
template <typename Match, uint32_t kWords, bool kTwo>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool HashReader::FindInlineBy(
    const HashReader& reader, uint64_t hash, const uint64_t* key, uint64_t* row,
    size_t row_words) {
  const HashGeometry& geometry = reader.geometry_;
  const uint64_t number = HashGeometry::Home(hash, LoadWord(reader.image_));
  if (ABSL_PREDICT_FALSE(row_words != kWords ||
                         number >= geometry.most_buckets)) {
    return FindAnyFixed(reader, hash, key, row, row_words);
  }
  const HashBucket* const bucket = &reader.buckets_[number];
  const uint64_t head = LoadWord(&bucket->head);
  const uint64_t found = Match::template MatchKey<kWords>(
                             *bucket, InlineProbe<kTwo>(geometry, key)) &
                         head & HashGeometry::PlacesFor(kWords);
  if (found != 0) {
    CopyItem<kWords>(bucket, found, row);
  } else {
    if (ABSL_PREDICT_FALSE(!AnswersFor(head, number, hash))) {
      return FindAnyFixed(reader, hash, key, row, row_words);
    }
    if ((LoadWord(&bucket->chain) & FilterBit(hash)) != 0) {
      return FindInlineInChain<kWords, kTwo>(reader, hash, key, row, bucket,
                                             head);
    }
  }
  MatchFence();
  if (ABSL_PREDICT_FALSE(LoadWord(&bucket->head) != head || IsLocked(head))) {
    return FindAnyFixed(reader, hash, key, row, row_words);
  }
  return found != 0;
}

// The same for a key that is not in the bucket itself but may be in its chain.
template <uint32_t kWords, bool kTwo>
ABSL_ATTRIBUTE_NOINLINE bool HashReader::FindInlineInChain(
    const HashReader& reader, uint64_t hash, const uint64_t* key, uint64_t* row,
    const HashBucket* bucket, uint64_t head) {
  const HashGeometry& geometry = reader.geometry_;
  const HashProbe probe = InlineProbe<kTwo>(geometry, key);
  uint64_t link = LinkOf(LoadWord(&bucket->chain));
  uint64_t found = 0;
  for (int i = 0; link != 0 && found == 0; ++i) {
    // A head that has not changed says that the link was the bucket's.
    if (ABSL_PREDICT_FALSE(LoadWord(&bucket->head) != head || i == kMaxChain ||
                           !geometry.HoldsCell(link))) {
      return FindAnyFixed(reader, hash, key, row, kWords);
    }
    const HashBucket* const cell = geometry.BucketAt(link);
    found = MatchScalar::MatchKey<kWords>(*cell, probe) &
            LoadWord(&cell->head) & HashGeometry::PlacesFor(kWords);
    if (found != 0) CopyItem<kWords>(cell, found, row);
    link = LinkOf(LoadWord(&cell->chain));
  }
  MatchFence();
  if (ABSL_PREDICT_FALSE(LoadWord(&bucket->head) != head || IsLocked(head))) {
    return FindAnyFixed(reader, hash, key, row, kWords);
  }
  return found != 0;
}

ABSL_ATTRIBUTE_NOINLINE bool HashReader::FindAnyFixed(const HashReader& reader,
                                                      uint64_t hash,
                                                      const uint64_t* key,
                                                      uint64_t* row,
                                                      size_t row_words) {
  const size_t key_words = reader.geometry_.key.words;
  return reader.Find(
      {.hash = hash,
       .bytes = key_words * 8,
       .words = absl::MakeConstSpan(key, key_words)},
      {.buffer = nullptr, .words = absl::MakeSpan(row, row_words)});
}

template <uint32_t kWords, bool kTwo>
bool HashReader::FindInlineScalar(const HashReader& reader, uint64_t hash,
                                  const uint64_t* key, uint64_t* row,
                                  size_t row_words) {
  return FindInlineBy<MatchScalar, kWords, kTwo>(reader, hash, key, row,
                                                 row_words);
}

#ifdef ETS_KEEPER_VECTORS
template <uint32_t kWords, bool kTwo>
ETS_KEEPER_AVX2 bool HashReader::FindInlineAvx2(const HashReader& reader,
                                                uint64_t hash,
                                                const uint64_t* key,
                                                uint64_t* row,
                                                size_t row_words) {
  return FindInlineBy<MatchAvx2, kWords, kTwo>(reader, hash, key, row,
                                               row_words);
}

template <uint32_t kWords, bool kTwo>
ETS_KEEPER_AVX512 bool HashReader::FindInlineAvx512(const HashReader& reader,
                                                    uint64_t hash,
                                                    const uint64_t* key,
                                                    uint64_t* row,
                                                    size_t row_words) {
  return FindInlineBy<MatchAvx512, kWords, kTwo>(reader, hash, key, row,
                                                 row_words);
}
#endif

HashReader::FindFixed HashReader::ChooseFindFixed(
    InstructionSet instructions, const HashGeometry& geometry) {
  if (!geometry.is_inline()) return &FindAnyFixed;
  // By the words of a key, and of a row.
  using Choice = FindFixed[2][3];
  const auto choose = [&](const Choice& choice) {
    return choice[geometry.key.words - 1][geometry.inline_words - 1];
  };
#ifdef ETS_KEEPER_VECTORS
  if (instructions == InstructionSet::kAvx512) {
    return choose(
        {{&FindInlineAvx512<1, false>, &FindInlineAvx512<2, false>,
          &FindInlineAvx512<3, false>},
         {nullptr, &FindInlineAvx512<2, true>, &FindInlineAvx512<3, true>}});
  }
  if (instructions == InstructionSet::kAvx2) {
    return choose(
        {{&FindInlineAvx2<1, false>, &FindInlineAvx2<2, false>,
          &FindInlineAvx2<3, false>},
         {nullptr, &FindInlineAvx2<2, true>, &FindInlineAvx2<3, true>}});
  }
#endif
  (void)instructions;
  return choose(
      {{&FindInlineScalar<1, false>, &FindInlineScalar<2, false>,
        &FindInlineScalar<3, false>},
       {nullptr, &FindInlineScalar<2, true>, &FindInlineScalar<3, true>}});
}

bool HashReader::Find(const HashKey& key, Sink sink) const {
#ifdef ETS_KEEPER_VECTORS
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

#ifdef ETS_KEEPER_VECTORS
ETS_KEEPER_AVX2 __attribute__((flatten)) bool HashReader::FindAvx2(
    const HashKey& key, Sink sink) const {
  return FindUntilStable<MatchAvx2>(key, sink);
}

ETS_KEEPER_AVX512 __attribute__((flatten)) bool HashReader::FindAvx512(
    const HashKey& key, Sink sink) const {
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

bool HashReader::PrefetchRecordIn(const HashBucket& bucket,
                                  const HashKey& key) const {
  const uint64_t candidates =
      MatchScalar::MatchTag(bucket, HashProbe::OfTag(key)) &
      LoadWord(&bucket.head) & geometry_.places();
  if (candidates == 0) return false;
  const uint64_t record =
      RecordOf(LoadWord(&bucket.head + std::countr_zero(candidates)));
  if (geometry_.arena->Holds(record, sizeof(HashRecord))) {
    __builtin_prefetch(geometry_.At(record));
    __builtin_prefetch(geometry_.base + record + 64);
  }
  return true;
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
