// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/heap.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/seeded_bug.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

constexpr uint64_t kSmallest = 32;
constexpr uint64_t kLinearEnd = 256;  // up to here in steps of kHeapAlignment
constexpr uint32_t kLinearClasses =
    (kLinearEnd - kSmallest) / kHeapAlignment + 1;
constexpr uint32_t kStepsPerDoubling = 4;

uint64_t AlignUp(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}

}  // namespace

uint64_t HeapClass::bytes() const {
  if (*this == kCellClass) return kCellBytes;
  const uint32_t step = index - 1;
  if (step < kLinearClasses) return kSmallest + step * kHeapAlignment;
  const uint32_t above = step - kLinearClasses;
  const uint64_t base = kLinearEnd << (above / kStepsPerDoubling);
  return base + base / kStepsPerDoubling * (above % kStepsPerDoubling + 1);
}

HeapClass ClassOf(uint64_t bytes) {
  if (bytes <= kSmallest) return HeapClass{1};
  if (bytes <= kLinearEnd) {
    const uint64_t step =
        (bytes - kSmallest + kHeapAlignment - 1) / kHeapAlignment;
    return HeapClass{static_cast<uint32_t>(step) + 1};
  }
  // (base, 2 * base] with base a power of two holds four classes.
  const uint32_t doubling =
      static_cast<uint32_t>(std::bit_width(bytes - 1)) - 9;  // 257..512 is 0
  const uint64_t base = kLinearEnd << doubling;
  const uint64_t quarter = base / kStepsPerDoubling;
  const uint64_t step = (bytes - base + quarter - 1) / quarter - 1;
  return HeapClass{1 + kLinearClasses + doubling * kStepsPerDoubling +
                   static_cast<uint32_t>(step)};
}

uint64_t HeapChunkBytes(const Arena& arena) {
  return std::clamp<uint64_t>(arena.bytes() / 4096, 2048, 16384) / kCellBytes *
         kCellBytes;
}

absl::StatusOr<uint64_t> HeapTransaction::Allocate(HeapClass size) {
  absl::StatusOr<uint64_t> block = TakeFromFreeList(size);
  if (!block.ok() || *block != 0) return block;
  return TakeFromChunk(size);
}

// 0 if the list is empty.
absl::StatusOr<uint64_t> HeapTransaction::TakeFromFreeList(HeapClass size) {
  if (IsSeeded(SeededBug::kReuseWithinTransaction)) {
    for (Freed& freed : freed_) {
      if (freed.size == size && freed.block != 0) return freed.block;
    }
  }
  const uint64_t list = FreeListOffset(lane_, size);
  const uint64_t block = transaction_.Load(list);
  if (block == 0) return 0;
  if (!transaction_.arena().Holds(block, size.bytes())) {
    return MakeStatus(
        Cause::kCorrupt,
        absl::StrFormat("a free list names a block at %#x", block));
  }
  transaction_.Replace(list, FreeLinkTarget(transaction_.Load(block)));
  return block;
}

absl::StatusOr<uint64_t> HeapTransaction::TakeFromChunk(HeapClass size) {
  const uint64_t bytes = size.bytes();
  if (bytes > LargestInChunk(transaction_.arena())) {
    return LowerTop(bytes);
  }
  const uint64_t next_word = lane_ + offsetof(HeapLane, chunk_next);
  const uint64_t end_word = lane_ + offsetof(HeapLane, chunk_end);
  const uint64_t waste_word = lane_ + offsetof(HeapLane, waste);
  const uint64_t alignment = size == kCellClass ? kCellBytes : kHeapAlignment;
  uint64_t next = transaction_.Load(next_word);
  uint64_t block = AlignUp(next, alignment);
  if (next == 0 || block + bytes > transaction_.Load(end_word)) {
    if (absl::Status s = NextChunk(bytes); !s.ok()) return s;
    next = transaction_.Load(next_word);
    block = next;  // a chunk begins where a cell may
  }
  if (!transaction_.arena().Holds(block, bytes)) {
    return MakeStatus(Cause::kCorrupt,
                      absl::StrFormat("a lane's chunk begins at %#x", next));
  }
  if (block != next) {
    transaction_.Replace(waste_word,
                         transaction_.Load(waste_word) + (block - next));
  }
  transaction_.Replace(next_word, block + bytes);
  return block;
}

absl::Status HeapTransaction::NextChunk(uint64_t bytes) {
  absl::StatusOr<uint64_t> chunk =
      LowerTop(HeapChunkBytes(transaction_.arena()));
  uint64_t chunk_bytes = HeapChunkBytes(transaction_.arena());
  if (!chunk.ok()) {
    // Nearly full: what is asked for may fit where a whole chunk does not.
    chunk_bytes = AlignUp(bytes, kCellBytes);
    chunk = LowerTop(chunk_bytes);
  }
  if (!chunk.ok()) return chunk.status();
  const uint64_t next_word = lane_ + offsetof(HeapLane, chunk_next);
  const uint64_t end_word = lane_ + offsetof(HeapLane, chunk_end);
  const uint64_t waste_word = lane_ + offsetof(HeapLane, waste);
  const uint64_t rest =
      transaction_.Load(end_word) - transaction_.Load(next_word);
  if (rest != 0) {
    transaction_.Replace(waste_word, transaction_.Load(waste_word) + rest);
  }
  transaction_.Replace(next_word, *chunk);
  transaction_.Replace(end_word, *chunk + chunk_bytes);
  return absl::OkStatus();
}

// `bytes` is a multiple of kCellBytes. The lock that CommitBack() wants is held
// from here to the end of the transaction, beyond what the analysis can follow;
// the system is asked before, for others may want the lock.
absl::StatusOr<uint64_t> HeapTransaction::LowerTop(uint64_t bytes)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Arena& arena = transaction_.arena();
  const uint64_t word = offsetof(ArenaHeader, heap_top);
  if (!transaction_.holds_heap()) {
    const uint64_t top = LoadWord(arena.At(word));
    if (top >= bytes) arena.ReadyBack(top - bytes);
  }
  transaction_.HoldHeap();
  const uint64_t top = transaction_.Load(word);
  if (top < bytes || top > arena.bytes()) {
    return MakeStatus(
        Cause::kNoMemory,
        absl::StrCat("the arena of ", arena.bytes(), " bytes is full"));
  }
  if (absl::Status s = arena.CommitBack(top - bytes); !s.ok()) return s;
  transaction_.Replace(word, top - bytes);
  return top - bytes;
}

void HeapTransaction::Free(uint64_t block, HeapClass size) {
  freed_.push_back({block, size});
}

void HeapTransaction::Finish() {
  for (const Freed& freed : freed_) {
    const uint64_t list = FreeListOffset(lane_, freed.size);
    transaction_.Store(freed.block, FreeLink(transaction_.Load(list)));
    transaction_.Replace(list, freed.block);
  }
  freed_.clear();
}

}  // namespace ets_keeper
