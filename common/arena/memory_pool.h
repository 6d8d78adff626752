// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: memory_pool.h
// -----------------------------------------------------------------------------
//
// To reserve address space for an arena, to find its first pages and to give
// all that back takes some ten system calls: many times what else there is to
// making a small table and dropping it. A `MemoryPool` keeps the private memory
// of the last few small arenas for the next ones.
//
//   MemoryPool& pool = MemoryPool::OfProcess();
//   absl::StatusOr<ReadyMemory> memory = pool.Take(1 << 30);
//   ... use [0, 20000) ...
//   pool.Give({.memory = std::move(memory->memory),
//              .front = 20480,
//              .back = 1 << 30});
//
// What is taken is indistinguishable from new memory but for the pages that it
// has already: all of it reads as zeroes. What is given is cleared at once, so
// that no row outlives its table.
//
// It holds on to kMappings mappings at most, each with kMaxReadyBytes of pages
// at most; what does not fit is unmapped. In a forked child it is empty.
//
// Thread safety: everything may be called from any thread. It has no lock.

#ifndef COMMON_ARENA_MEMORY_POOL_H_
#define COMMON_ARENA_MEMORY_POOL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "common/arena/arena_memory.h"

namespace ets_keeper {

// ReadyMemory
//
// Private memory, and where it has pages.
struct ReadyMemory {
  ArenaMemory memory;
  uint64_t front = 0;  // [0, front) has
  uint64_t back = 0;   // [back, bytes()) has
};

class MemoryPool {
 public:
  static constexpr size_t kMappings = 8;
  static constexpr uint64_t kMaxReadyBytes = 64 << 10;

  // MemoryPool::OfProcess()
  //
  // The one of this OS process, which is never destroyed.
  [[nodiscard]] static MemoryPool& OfProcess();

  MemoryPool() = default;
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;
  ~MemoryPool() { Clear(); }

  // MemoryPool::Take()
  //
  // Memory of exactly `bytes` that somebody gave, else new memory. `kNoMemory`.
  [[nodiscard]] absl::StatusOr<ReadyMemory> Take(uint64_t bytes);

  // MemoryPool::Give()
  //
  // Takes back memory which nobody uses any more: not even to read it. All that
  // was ever stored to lies in [0, front) and [back, bytes()), and has small
  // pages; otherwise let it go instead. If the pool is full, others go.
  void Give(ReadyMemory ready);

  // MemoryPool::Clear()
  //
  // Unmaps all that it holds. Returns whether that was anything.
  bool Clear();

 private:
  using Slot = std::atomic<ReadyMemory*>;

  void Keep(std::unique_ptr<ReadyMemory> ready);

  // Whoever exchanges a pointer for another one owns what it points to.
  std::array<Slot, kMappings> slots_ = {};
  std::atomic<size_t> turn_{0};  // whose it is to go
};

}  // namespace ets_keeper

#endif  // COMMON_ARENA_MEMORY_POOL_H_
