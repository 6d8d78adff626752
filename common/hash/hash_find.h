// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_find.h
// -----------------------------------------------------------------------------
//
// `FindKey()`: how a reader and a writer find the bucket of a key and, if it is
// there, its item. No lock is needed, nothing is written.
//
//   HashPlace place;
//   FindKey<MatchScalar>(geometry, key, &place);
//   ... copy the row ...
//   if (!SameButForLock(LoadWord(place.head_word(geometry)), place.head)) {
//     ... a writer came in between: again ...
//   }
//
// What was found counts only after that check. A writer does not check but
// takes the bucket's lock by a compare-and-swap against `place.head`.
//
// Why a reader that races with a split or a merge is right: see hash_growth.h.
// It loads the head first, then the chain and the items, and at last the head
// again; whoever changes them stores in the reverse order.
//
// Thread safety: pure functions of the arena's words. Every offset loaded is
// checked before it is followed, and every loop is bounded, so that neither a
// stale nor a hostile word leads out of the mapping or in circles.

#ifndef COMMON_HASH_HASH_FIND_H_
#define COMMON_HASH_HASH_FIND_H_

#include <bit>
#include <cstdint>
#include <optional>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_record.h"

namespace ets_keeper {

// HashPlace
//
// Where a key is, or would be.
struct HashPlace {
  uint64_t bucket = 0;  // offset; 0: the table's words are impossible
  uint64_t head = 0;    // of the bucket
  uint64_t cell = 0;    // with the item: the bucket or a cell of its chain;
                        // 0: there is none
  uint64_t predecessor = 0;  // of the cell in the chain; 0 for the bucket
  uint64_t position = 0;     // word of the cell at which the item begins
  uint64_t record = 0;       // that it names, if rows are records
  uint64_t record_words = 0;

  [[nodiscard]] bool found() const { return cell != 0; }
  [[nodiscard]] uint64_t* head_word(const HashGeometry& geometry) const {
    return &geometry.BucketAt(bucket)->head;
  }
  // Offset of the first word of the item, and of the row.
  [[nodiscard]] uint64_t item() const { return cell + position * 8; }
  [[nodiscard]] uint64_t row() const {
    return record != 0 ? record + sizeof(HashRecord) : item();
  }
  [[nodiscard]] uint64_t row_words(const HashGeometry& geometry) const {
    return record != 0 ? record_words : geometry.inline_words;
  }
};

// kMaxHops
//
// More levels than a key can have moved on since somebody looked.
inline constexpr int kMaxHops = 1 << 10;

// FollowLevels()
//
// The number of the bucket at which to go on looking for a hash for which the
// bucket with this number and level does not answer: the one that split from it
// on the lowest bit that is missing, or the one that it was merged into.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t FollowLevels(uint64_t hash,
                                                          uint64_t number,
                                                          uint64_t level) {
  if (level == 0) {  // it was merged into its parent
    return number == 0 ? number : number ^ std::bit_floor(number);
  }
  const uint64_t missing = (hash ^ number) & LevelMask(level);
  return number | (missing & -missing);
}

// FindBucket()
//
// The offset of the bucket that answers for the hash, and its head; 0 if there
// is none, which only impossible words can make.
[[nodiscard]] inline uint64_t FindBucket(const HashGeometry& geometry,
                                         uint64_t hash, uint64_t* head) {
  uint64_t number = HashGeometry::ImageHome(geometry.root(), hash);
  for (int hop = 0; hop < kMaxHops && number < geometry.most_buckets; ++hop) {
    const uint64_t offset = geometry.BucketOffset(number);
    *head = LoadWord(&geometry.BucketAt(offset)->head);
    if (AnswersFor(*head, number ^ hash)) return offset;
    number = FollowLevels(hash, number, LevelOf(*head));
  }
  return 0;
}

// MatchItems()
//
// Of the items of a cell with the head `head` those that may have the key: of
// inline rows the first one has it. `kWords`, here and below: of an inline row;
// 0 if rows are records.
template <typename Match, uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t MatchItems(
    const HashBucket& cell, uint64_t head, const HashProbe& probe) {
  if constexpr (kWords != 0) {
    return Match::template MatchKey<kWords>(cell, probe, head);
  } else {
    return Match::MatchTag(cell, probe) & head & HashGeometry::PlacesFor(0);
  }
}

// FindItem()
//
// Whether one of the candidates in the cell has the key; if so, fills in where.
// Inline rows were compared in full; of records only the tag was.
template <uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool FindItem(const HashGeometry& geometry,
                                                  const HashKey& key,
                                                  uint64_t cell,
                                                  uint64_t candidates,
                                                  HashPlace* place) {
  while (candidates != 0) {
    const auto position = FirstItem(candidates);
    candidates &= candidates - 1;
    if constexpr (kWords == 0) {
      const Arena& arena = *geometry.arena;
      const uint64_t record = RecordOf(LoadWord(arena.At(cell + position * 8)));
      const std::optional<uint64_t> words = RecordWords(arena, record);
      if (!words ||
          static_cast<uint32_t>(LoadWord(arena.At(record)) ^ key.hash) != 0 ||
          !RecordHasKey(geometry, record, *words, key)) {
        continue;  // another key, or a record re-used meanwhile: then the
                   // caller sees a new version
      }
      place->record = record;
      place->record_words = *words;
    }
    place->cell = cell;
    place->position = position;
    return true;
  }
  return false;
}

// FindInChain()
//
// The same for the cells behind a bucket; stops where its head has changed.
template <typename Match, uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void FindInChain(
    const HashGeometry& geometry, const HashKey& key, const HashProbe& probe,
    uint64_t link, HashPlace* place) {
  uint64_t predecessor = place->bucket;
  for (int i = 0; i < kMaxChain && link != 0; ++i) {
    if (!geometry.HoldsCell(link)) return;
    const HashBucket& cell = *geometry.BucketAt(link);
    const uint64_t candidates =
        MatchItems<Match, kWords>(cell, LoadWord(&cell.head), probe);
    if (FindItem<kWords>(geometry, key, link, candidates, place)) {
      place->predecessor = predecessor;
      return;
    }
    predecessor = link;
    link = LinkOf(LoadWord(&cell.chain));
    if (!SameButForLock(LoadWord(place->head_word(geometry)), place->head)) {
      return;
    }
  }
}

// FindKey()
//
// Expected O(1): a bucket, and a cell when it has a chain and its filter
// does not exclude the key; and a record.
template <typename Match, uint32_t kWords>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void FindKeyIn(const HashGeometry& geometry,
                                                   const HashKey& key,
                                                   HashPlace* place) {
  const HashProbe probe = kWords != 0 ? HashProbe::OfInlineKey(geometry, key)
                                      : HashProbe::OfTag(key.hash);
  uint64_t number = HashGeometry::ImageHome(geometry.root(), key.hash);
  for (int hop = 0; hop < kMaxHops; ++hop) {
    if (ABSL_PREDICT_FALSE(number >= geometry.most_buckets)) break;
    place->bucket = geometry.BucketOffset(number);
    const HashBucket& bucket = *geometry.BucketAt(place->bucket);
    place->head = LoadWord(&bucket.head);
    // Items of the bucket itself are there exactly while it answers for them,
    // so a hit need not look at the level.
    const uint64_t candidates =
        MatchItems<Match, kWords>(bucket, place->head, probe);
    if (FindItem<kWords>(geometry, key, place->bucket, candidates, place)) {
      return;
    }
    if (ABSL_PREDICT_FALSE(!AnswersFor(place->head, number ^ key.hash))) {
      number = FollowLevels(key.hash, number, LevelOf(place->head));
      continue;
    }
    const uint64_t chain = LoadWord(&bucket.chain);
    if (MayBeInChain(chain, key.hash)) {
      FindInChain<Match, kWords>(geometry, key, probe, LinkOf(chain), place);
    }
    return;
  }
  place->bucket = 0;
}

template <typename Match>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void FindKey(const HashGeometry& geometry,
                                                 const HashKey& key,
                                                 HashPlace* place) {
  switch (geometry.inline_words) {
    case 1:
      return FindKeyIn<Match, 1>(geometry, key, place);
    case 2:
      return FindKeyIn<Match, 2>(geometry, key, place);
    case 3:
      return FindKeyIn<Match, 3>(geometry, key, place);
    default:
      return FindKeyIn<Match, 0>(geometry, key, place);
  }
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_FIND_H_
