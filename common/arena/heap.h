// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: heap.h
// -----------------------------------------------------------------------------
//
// The allocator of an arena: blocks in size classes, one set of free lists a
// lane, so that the writers of different lanes do not meet. Its whole state
// changes only through the `Transaction` of the operation that allocates or
// frees, so after a crash there is neither a leak nor a block that is both free
// and in use.
//
//   Transaction transaction(&arena);
//   HeapTransaction heap(&transaction, lane_offset);
//   absl::StatusOr<uint64_t> block = heap.Allocate(ClassOf(bytes));
//   ... fill it: nobody can reach it yet ...
//   heap.Free(old_block, ClassOf(old_bytes));
//   heap.Finish();
//   transaction.Commit(log);
//
// The first word of a block belongs to the heap while the block is free (it is
// FreeLink() of the next free block; its low 16 bits are 0, so that to a reader
// who still takes the block for what it was, that word can say "empty") and
// changes only by the transaction's own stores; the rest may be written by
// plain stores as soon as the block is allocated, before the commit: if it
// never comes the block is simply still free.
//
// A block freed in a transaction is not given out again by the same one. Until
// the commit it is still in use by everybody else.
//
// Thread safety: a HeapTransaction needs its lane's lock.
//
// It does not give memory back to the system, nor join neighbouring blocks.

#ifndef COMMON_ARENA_HEAP_H_
#define COMMON_ARENA_HEAP_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"

namespace ets_keeper {

// HeapClass
//
// A size of blocks. Class 0 is two cache lines: 128 bytes, aligned to 128. The
// others are aligned to 16 and go up in steps of 16 bytes to 256 and then in
// four steps a doubling, so at most a fifth of a large block is unused.
struct HeapClass {
  uint32_t index = 0;

  [[nodiscard]] uint64_t bytes() const;

  friend bool operator==(HeapClass, HeapClass) = default;
};

inline constexpr HeapClass kCellClass = {0};
inline constexpr uint64_t kCellBytes = 128;
inline constexpr uint32_t kHeapClasses = 112;
inline constexpr uint64_t kMaxBlockBytes = uint64_t{1} << 32;

// ClassOf()
//
// The class of the smallest blocks of at least `bytes`, 1 to kMaxBlockBytes.
[[nodiscard]] HeapClass ClassOf(uint64_t bytes);

// FreeLink(), FreeLinkTarget()
//
// The first word of a free block that is followed by `next`, and the reverse.
[[nodiscard]] inline uint64_t FreeLink(uint64_t next) { return next << 16; }
[[nodiscard]] inline uint64_t FreeLinkTarget(uint64_t link) {
  return link >> 16;
}

// HeapLane
//
// A lane's part of the heap, as stored. All zero is an empty one.
struct HeapLane {
  uint64_t chunk_next;  // the rest of the lane's current chunk:
  uint64_t chunk_end;   // [chunk_next, chunk_end)
  uint64_t waste;       // bytes lost between blocks and at ends of chunks
  uint64_t unused;
  uint64_t free[kHeapClasses];  // first block of each free list; 0 = none
};

// HeapChunkBytes()
//
// How much a lane takes from the heap at a time.
[[nodiscard]] uint64_t HeapChunkBytes(const Arena& arena);

// LargestInChunk()
//
// The size of the largest blocks that come from chunks. Others come from the
// top of the heap, one by one.
[[nodiscard]] inline uint64_t LargestInChunk(const Arena& arena) {
  return HeapChunkBytes(arena) / 4;
}

// FreeListOffset()
//
// Where the free list of a class is, in the part of the heap at offset `lane`.
[[nodiscard]] inline uint64_t FreeListOffset(uint64_t lane, HeapClass size) {
  return lane + offsetof(HeapLane, free) + size.index * sizeof(uint64_t);
}

// kHeapAlignment
//
// Of all blocks but cells, which are aligned to their own size.
inline constexpr uint64_t kHeapAlignment = 16;

// BlockToTake
//
// A free block, and the store that takes it, for a transaction whose stores are
// known at once: see CommitStores(). It is the one that a HeapTransaction would
// allocate.
struct BlockToTake {
  uint64_t offset = 0;  // 0: there is none to be had by one store
  IntentEntry store = {};

  // Of the given class, in the part of the heap at offset `lane`.
  [[nodiscard]] static BlockToTake Of(const Arena& arena, uint64_t lane,
                                      HeapClass size) {
    const bool is_cell = size == kCellClass;
    const uint64_t bytes = is_cell ? kCellBytes : size.bytes();
    const auto* heap = reinterpret_cast<const HeapLane*>(arena.At(lane));
    uint64_t block = LoadWord(&heap->free[size.index]);
    if (block != 0) {
      if (!arena.Holds(block, bytes)) return {};
      return {.offset = block,
              .store = {FreeListOffset(lane, size),
                        FreeLinkTarget(LoadWord(arena.At(block)))}};
    }
    block = LoadWord(&heap->chunk_next);
    if (block == 0 || block % (is_cell ? kCellBytes : kHeapAlignment) != 0 ||
        block + bytes > LoadWord(&heap->chunk_end) ||
        !arena.Holds(block, bytes) ||
        (!is_cell && bytes > LargestInChunk(arena))) {
      return {};
    }
    return {.offset = block,
            .store = {lane + offsetof(HeapLane, chunk_next), block + bytes}};
  }
};

class HeapTransaction {
 public:
  // `lane` is the offset of a HeapLane.
  HeapTransaction(Transaction* transaction, uint64_t lane)
      : transaction_(*transaction), lane_(lane) {}

  // HeapTransaction::Allocate()
  //
  // The offset of a block of the given class. `kNoMemory` if the arena is full:
  // then the transaction is to be given up.
  [[nodiscard]] absl::StatusOr<uint64_t> Allocate(HeapClass size);

  // HeapTransaction::Free()
  //
  // The block becomes free when the transaction is performed.
  void Free(uint64_t block, HeapClass size);

  // HeapTransaction::Finish()
  //
  // Adds the stores that free the blocks, behind all others: called once, when
  // everything that makes the blocks unreachable has been added.
  void Finish();

 private:
  struct Freed {
    uint64_t block;
    HeapClass size;
  };

  absl::StatusOr<uint64_t> TakeFromFreeList(HeapClass size);
  absl::StatusOr<uint64_t> TakeFromChunk(HeapClass size);
  absl::Status NextChunk(uint64_t bytes);
  absl::StatusOr<uint64_t> LowerTop(uint64_t bytes);

  Transaction& transaction_;
  const uint64_t lane_;
  absl::InlinedVector<Freed, 4> freed_;
};

}  // namespace ets_keeper

#endif  // COMMON_ARENA_HEAP_H_
