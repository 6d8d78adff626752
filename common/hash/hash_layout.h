// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_layout.h
// -----------------------------------------------------------------------------
//
// How the hash core lies in its arena, as stored, and who may write which word.
//
//   header | HashRoot | HashLane[lanes] | HashBucket[...] ->   <- blocks | end
//
// A bucket is two cache lines, which are asked for together: two words of its
// own and fourteen in which *items* lie. Rows of up to three words and a key of
// up to two are items themselves; of any other row the item is one word that
// names a *record*, a block of the heap:
//
//   item   = tag (16 bits of the hash) | offset of the record (48 bits)
//   record = low half of the hash | number of words | words of the encoded row
//
// An item counts while its live bit in the head of its cell is set, so rows
// appear and go by one store of a head. What finds no room in the bucket lies
// in overflow cells, blocks of the heap in a chain behind the bucket.
//
// The table grows by linear hashing (Litwin, VLDB 1980): bucket n - 2^l splits
// into itself and bucket n, one at a time, and shrinks by the reverse. Every
// bucket knows its own level: how many low bits of the hash it answers for.
// Whoever looks for a key with an outdated number of buckets comes to a bucket
// whose level says that the key has moved on, and follows one bit at a time,
// the lowest first: the bucket that split on that bit exists (hash_find.h). So
// growth makes no reader wait or start again.
//
// Writers: the *lock* of a bucket is a bit of its head, taken by a
// compare-and-swap against the head that the writer has read, so that it also
// says that nothing was changed since. The lock covers the chain. Before a
// writer takes it, it stores the bucket's offset in `held` of its lane, so that
// recovery finds the locks of the dead without looking at every bucket (or in
// `changing`: hash_head_change.h). Each
// writing thread has a lane to itself: an intent, a part of the heap, a count.
//
// The *version* of a bucket goes up
//   - with every change of its own live bits and level,
//   - after a change of its chain, and before freed memory may be used again,
//   - before one of several changeable words of a row is replaced in place.
// So a reader that finds head as it was, but for the lock, has read a state
// that existed, and a writer that gets the lock has, too.
//
// All zero is a bucket that does not exist, and an empty lane.

#ifndef COMMON_HASH_HASH_LAYOUT_H_
#define COMMON_HASH_HASH_LAYOUT_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"
#include "common/row/layout.h"

namespace ets_keeper {

inline constexpr uint64_t kHashKind = 0x68736168;  // "hash"
inline constexpr uint32_t kItemWords = 14;         // of a cell
inline constexpr uint32_t kMaxInlineWords = 3;     // of a row that is an item
inline constexpr uint32_t kMaxWriters = 1024;      // one lane is for all others
inline constexpr uint64_t kMaxBuckets = uint64_t{1} << 32;

// HashBucket
//
// A bucket, or a cell of its chain (a block of kCellClass), of which only the
// live bits of `head` and the link of `chain` are used. See hash_cell.h for the
// bits. Written under the bucket's lock; the words of an item only while its
// live bit is not set, except for one word at a time that a reader may see
// change.
struct HashBucket {
  uint64_t head;
  uint64_t chain;
  uint64_t word[kItemWords];
};
static_assert(sizeof(HashBucket) == 128);

// PrefetchCell()
//
// Asks for both lines of it. At an impossible address that does nothing.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void PrefetchCell(const HashBucket* cell) {
  __builtin_prefetch(&cell->head);
  __builtin_prefetch(cell->word + kItemWords / 2);
}

// PrefetchCellToL2()
//
// The same, but no nearer than the second cache: for many cells, all of which
// are asked for before the first is looked at.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void PrefetchCellToL2(
    const HashBucket* cell) {
  __builtin_prefetch(&cell->head, 0, 2);
  __builtin_prefetch(cell->word + kItemWords / 2, 0, 2);
}

// HashRecord
//
// The head of a record; the words of the row follow.
struct HashRecord {
  uint64_t head;  // low half of the hash, words << 32; while the block is free
                  // this word is the heap's
};

// HashLane
//
// Written by the one thread that has the lane, or under its lock.
struct HashLane {
  uint64_t count;    // rows that it added, less those that it took away
  uint64_t held[2];  // offsets of buckets whose lock it may have; 0 = none
  // A row that comes or goes in one store of a head: see hash_head_change.h.
  uint64_t changing;  // offset of the cell; 0 = none
  uint64_t seen;      // its head before
  uint64_t before;    // the count before
  uint64_t unused0[2];
  HeapLane heap;
  uint64_t unused1[4];
  IntentLog intent;
};
static_assert(sizeof(HashLane) % 64 == 0);

// HashRoot
//
// What the table is. The first line is loaded by what finds its key the long
// way, and by HashHomes, which have it for the others; of it only `image` and
// `mask` ever change: the number of buckets as it was some time
// ago, stored 256 times while it doubles, and HashGeometry::WideMask() of it.
// Whoever sees only one of them stored comes to a bucket from which its level
// leads on, as from any bucket that has split or was merged since. The second
// line belongs to whoever splits or makes a batch.
struct HashRoot {
  uint64_t lanes;
  uint64_t seed;
  uint64_t key_word;
  uint64_t key_words;
  uint64_t key_variable;
  uint64_t inline_words;  // of a row that is its own item; 0: rows are records
  uint64_t image;
  uint64_t mask;

  uint64_t buckets;          // n
  uint64_t batch_log;        // offset of a HashBatchLog block; 0 = none yet
  uint64_t batch_log_bytes;  // its size
  uint64_t unused1[5];
};
static_assert(sizeof(HashRoot) == 128);

// HashBatchLog
//
// The redo log of a batch that touches several keys, followed by `locked`
// offsets of the buckets whose locks it may have, `entries` IntentEntry, and
// `keys` HashBatchKey, sorted by hash. Entries and keys are valid exactly while
// the header's batch word is odd.
struct HashBatchLog {
  uint64_t locked;
  uint64_t entries;
  uint64_t performed;  // of the entries
  uint64_t keys;
  uint64_t room;  // for how many offsets there is room before the entries
  uint64_t unused;
};

// HashBatchKey
//
// What the batch makes of one key. Rows that are records: `record` is the
// offset of the new record, or of the old one with the lowest bit set if the
// key is deleted, and the number of its words follows, for the record's own
// head may not be there yet. Inline rows: `record` is 1 if the key is deleted,
// else 0, and the words of the row follow, of which in a deleted one only the
// key counts.
struct HashBatchKey {
  uint64_t hash;
  uint64_t record;
};

inline constexpr uint64_t kTagBits = 0xffff'0000'0000'0000;

[[nodiscard]] inline uint64_t MakeSlot(uint64_t hash, uint64_t record) {
  return (hash & kTagBits) | record;
}
[[nodiscard]] inline uint64_t RecordOf(uint64_t slot) {
  return slot & ~kTagBits;
}
[[nodiscard]] inline HeapClass ClassOfRecord(uint64_t words) {
  return ClassOf(sizeof(HashRecord) + words * 8);
}

// InlineWords()
//
// How many words of its own bucket a row has in a table of rows of `words`
// words each (0: of various sizes) with the given key; 0 if it is a record.
[[nodiscard]] constexpr uint32_t InlineWords(uint64_t words,
                                             const KeyLayout& key) {
  const bool fits = words >= 1 && words <= kMaxInlineWords && !key.variable &&
                    key.words >= 1 && key.words <= 2;
  return fits ? static_cast<uint32_t>(words) : 0;
}

// ForConstants()
//
// Calls `use(0)` to `use(kCount - 1)`, written out one after the other: loops
// over the few words of a cell are too short to be loops.
template <uint32_t kCount, typename Use>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void ForConstants(const Use& use) {
  [&]<uint32_t... kIndex>(std::integer_sequence<uint32_t, kIndex...>)
      ABSL_ATTRIBUTE_ALWAYS_INLINE {
    (use(kIndex), ...);
  }
  (std::make_integer_sequence<uint32_t, kCount>());
}

// WithWords()
//
// Calls `use` with the words of a table's inline rows, or 0 if its rows are
// records, as a constant: std::integral_constant<uint32_t, words>.
template <typename Use>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline auto WithWords(uint32_t inline_words,
                                                   const Use& use) {
  switch (inline_words) {
    case 1:
      return use(std::integral_constant<uint32_t, 1>());
    case 2:
      return use(std::integral_constant<uint32_t, 2>());
    case 3:
      return use(std::integral_constant<uint32_t, 3>());
    default:
      return use(std::integral_constant<uint32_t, 0>());
  }
}

// HashGeometry
//
// Where everything is: a copy of the root that was checked once.
struct HashGeometry {
  Arena* arena = nullptr;
  char* base = nullptr;  // where it is mapped
  uint32_t lanes = 1;
  uint64_t buckets_begin = LaneOffset(1);  // offset of the first one
  uint64_t seed = 0;
  KeyLayout key = {};
  uint32_t inline_words = 0;
  uint64_t most_buckets = 0;  // for which there is room in the arena

  // Of an arena of which nothing else is known yet.
  [[nodiscard]] static HashGeometry Of(Arena* arena) {
    return {.arena = arena, .base = reinterpret_cast<char*>(arena->At(0))};
  }

  // The buckets begin behind so many lanes.
  void SetLanes(uint32_t number) {
    lanes = number;
    buckets_begin = LaneOffset(number);
  }

  [[nodiscard]] bool is_inline() const { return inline_words != 0; }
  // Words of an item.
  [[nodiscard]] uint32_t item_words() const {
    return is_inline() ? inline_words : 1;
  }
  // Whether a reader that copies a row could see two of its words change, one
  // before and one after it copied them.
  [[nodiscard]] bool words_can_tear() const {
    return !is_inline() || inline_words - key.words > 1;
  }
  // The live bits of a cell whose every place for an item is taken: bit i for
  // the i-th word of the cell.
  [[nodiscard]] static constexpr uint64_t PlacesFor(uint32_t item_words) {
    return item_words <= 1   ? 0b1111'1111'1111'1100
           : item_words == 2 ? 0b0101'0101'0101'0100
                             : 0b0000'1001'0010'0100;
  }
  [[nodiscard]] uint64_t places() const { return PlacesFor(inline_words); }

  [[nodiscard]] static HashRoot* RootIn(const Arena& arena) {
    return reinterpret_cast<HashRoot*>(arena.At(sizeof(ArenaHeader)));
  }
  [[nodiscard]] HashRoot* root() const {
    return reinterpret_cast<HashRoot*>(At(sizeof(ArenaHeader)));
  }
  [[nodiscard]] uint64_t* At(uint64_t offset) const {
    return reinterpret_cast<uint64_t*>(base + offset);
  }
  // The offset of a word of the root.
  [[nodiscard]] static constexpr uint64_t RootWord(size_t member) {
    return sizeof(ArenaHeader) + member;
  }

  [[nodiscard]] static constexpr uint64_t LaneOffset(uint32_t lane) {
    return sizeof(ArenaHeader) + sizeof(HashRoot) + lane * sizeof(HashLane);
  }
  // Of the lane's part of the heap.
  [[nodiscard]] static constexpr uint64_t HeapOffset(uint32_t lane) {
    return LaneOffset(lane) + offsetof(HashLane, heap);
  }
  [[nodiscard]] HashLane* LaneAt(uint32_t lane) const {
    return reinterpret_cast<HashLane*>(At(LaneOffset(lane)));
  }

  [[nodiscard]] uint32_t LaneNumber(const HashLane* lane) const {
    return static_cast<uint32_t>(lane - LaneAt(0));
  }

  // The bits of a hash of which a table of `buckets` buckets, at least one,
  // looks at all or all but the highest.
  [[nodiscard]] static uint64_t Mask(uint64_t buckets) {
    return ~uint64_t{0} >> std::countl_zero((buckets - 1) | 1);
  }

  // The bucket in which a table of so many buckets has the hash. Without a
  // branch: which of the two masks it is depends on random bits. The wide one
  // has a bit too many if `buckets` is a power of two, which the smaller one
  // mends, as it does a bucket that does not exist.
  [[nodiscard]] static uint64_t Home(uint64_t hash, uint64_t buckets) {
    return Home(hash, buckets, WideMask(buckets));
  }
  [[nodiscard]] static uint64_t WideMask(uint64_t buckets) {
    return ~uint64_t{0} >> std::countl_zero(buckets | 1);
  }
  // The same as the root has it: where to begin to look. The mask is not made
  // from the image here because on x86-64 without LZCNT that waits for what was
  // in its register before, the last lookup's bucket from memory, say.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t ImageHome(
      const HashRoot* root, uint64_t hash) {
    return Home(hash, LoadWord(&root->image), LoadWord(&root->mask));
  }

  // The bits of `mask`, or all but its highest if that is no bucket.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t Home(
      uint64_t hash, uint64_t buckets, uint64_t mask) {
    const uint64_t bucket = hash & mask;
    return bucket < buckets ? bucket : bucket & (mask >> 1);
  }

  [[nodiscard]] uint64_t BucketOffset(uint64_t bucket) const {
    return buckets_begin + bucket * sizeof(HashBucket);
  }
  [[nodiscard]] uint64_t BucketNumber(uint64_t offset) const {
    return (offset - buckets_begin) / sizeof(HashBucket);
  }
  [[nodiscard]] HashBucket* BucketAt(uint64_t offset) const {
    return reinterpret_cast<HashBucket*>(At(offset));
  }
  // Whether there can be a bucket or a cell at an offset that was loaded.
  [[nodiscard]] bool HoldsCell(uint64_t offset) const {
    return offset % sizeof(HashBucket) == 0 &&
           arena->Holds(offset, sizeof(HashBucket));
  }
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_LAYOUT_H_
