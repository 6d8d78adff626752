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
// The keys are dealt to *lanes* by the low bits of their hash. A lane is a hash
// table of its own: one lock of the writing process (not in the arena), one
// intent, one part of the heap, one count. Writers of different lanes share no
// word but the top of the heap. Within a lane the buckets grow by linear
// hashing (Litwin, VLDB 1980): bucket n - 2^l splits into itself and bucket n,
// one at a time. The buckets of all lanes are interleaved in one array.
//
// A row is a *record*, a block of the heap; a bucket's slot word names it. A
// row appears, changes or goes by one store of its slot word:
//
//   slot   = tag (16 bits of the hash) | offset of the record (48 bits); 0:
//   none record = hash | number of words | words of the encoded row
//
// A record is never changed while a slot names it, except that a counter in it
// may be replaced by one store. The bucket's version goes up
//   - after a record was taken away and before its memory may be re-used,
//   - before a counter in a record is replaced,
//   - before a row's old place is cleared when it moves within its bucket.
// So a reader that finds the version as it was has read a row that existed.
//
// All zero is an empty bucket, and an empty lane but for its number of buckets.

#ifndef COMMON_HASH_HASH_LAYOUT_H_
#define COMMON_HASH_HASH_LAYOUT_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "common/arena/arena.h"
#include "common/arena/heap.h"
#include "common/arena/intent.h"
#include "common/row/layout.h"

namespace ets_keeper {

inline constexpr uint64_t kHashKind = 0x68736168;  // "hash"
inline constexpr uint32_t kSlots = 6;
inline constexpr uint32_t kMaxLanesLog2 = 10;

// HashBucket
//
// A bucket, or a cell of its overflow chain (a block of kLineClass), in which
// `version` belongs to the heap. Written under the lane's lock.
struct HashBucket {
  uint64_t version;
  uint64_t link;  // offset of the first overflow cell, 0 = none
  uint64_t slot[kSlots];
};
static_assert(sizeof(HashBucket) == 64);

// HashRecord
//
// The head of a record; the words of the row follow.
struct HashRecord {
  uint64_t hash;  // of the key; the heap's while the block is free
  uint64_t words;
};

// HashLane
struct HashLane {
  uint64_t buckets;  // n; a line of its own, which readers load
  uint64_t unused0[7];
  uint64_t count;     // rows
  uint64_t cleaning;  // bucket + 1 that still shows rows that moved; 0 = none
  uint64_t unused1[6];
  HeapLane heap;
  uint64_t unused2[4];
  IntentLog intent;
};
static_assert(sizeof(HashLane) % 64 == 0);

// HashRoot
//
// What the table is; written once, but for the place of the batch log.
struct HashRoot {
  uint64_t lanes_log2;
  uint64_t seed;
  uint64_t key_word;
  uint64_t key_words;
  uint64_t key_variable;
  uint64_t batch_log;        // offset of a HashBatchLog block; 0 = none yet
  uint64_t batch_log_bytes;  // its size
  uint64_t unused;
};
static_assert(sizeof(HashRoot) == 64);

// HashBatchLog
//
// The redo log of a batch that touches several keys, followed by `entries`
// IntentEntry and then by `keys` HashBatchKey, which are sorted by hash. Valid
// exactly while the header's batch word is odd.
struct HashBatchLog {
  uint64_t entries;
  uint64_t keys;
};

// HashBatchKey
//
// What the batch makes of one key: `record` is the offset of its new record, or
// of its old one with the lowest bit set if the key is deleted.
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

// HashGeometry
//
// Where everything is: a copy of the root that was checked once.
struct HashGeometry {
  Arena* arena = nullptr;
  uint32_t lanes_log2 = 0;
  uint64_t seed = 0;
  KeyLayout key = {};

  [[nodiscard]] uint32_t lanes() const { return uint32_t{1} << lanes_log2; }

  [[nodiscard]] static HashRoot* RootIn(const Arena& arena) {
    return reinterpret_cast<HashRoot*>(arena.At(sizeof(ArenaHeader)));
  }
  [[nodiscard]] HashRoot* root() const { return RootIn(*arena); }

  [[nodiscard]] static uint64_t LaneOffset(uint32_t lane) {
    return sizeof(ArenaHeader) + sizeof(HashRoot) + lane * sizeof(HashLane);
  }
  [[nodiscard]] HashLane* LaneAt(uint32_t lane) const {
    return reinterpret_cast<HashLane*>(arena->At(LaneOffset(lane)));
  }
  [[nodiscard]] uint32_t LaneOf(uint64_t hash) const {
    return static_cast<uint32_t>(hash & (lanes() - 1));
  }

  // The bucket in which a lane of `buckets` buckets has the hash.
  [[nodiscard]] uint64_t Home(uint64_t hash, uint64_t buckets) const {
    const uint64_t mask = std::bit_ceil(buckets) - 1;
    const uint64_t bucket = (hash >> lanes_log2) & mask;
    return bucket < buckets ? bucket : bucket & (mask >> 1);
  }

  [[nodiscard]] uint64_t buckets_begin() const { return LaneOffset(lanes()); }
  [[nodiscard]] uint64_t BucketOffset(uint32_t lane, uint64_t bucket) const {
    return buckets_begin() +
           ((bucket << lanes_log2) | lane) * sizeof(HashBucket);
  }
  [[nodiscard]] HashBucket* BucketAt(uint64_t offset) const {
    return reinterpret_cast<HashBucket*>(arena->At(offset));
  }
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_LAYOUT_H_
