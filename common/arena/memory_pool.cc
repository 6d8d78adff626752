// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/memory_pool.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "common/arena/arena_memory.h"

namespace ets_keeper {
namespace {

absl::StatusOr<ReadyMemory> Reserve(uint64_t bytes) {
  absl::StatusOr<ArenaMemory> memory = ArenaMemory::Reserve(bytes);
  if (!memory.ok()) return memory.status();
  return ReadyMemory{.memory = *std::move(memory), .front = 0, .back = bytes};
}

}  // namespace

MemoryPool& MemoryPool::OfProcess() {
  static MemoryPool* const pool = new MemoryPool;
  return *pool;
}

absl::StatusOr<ReadyMemory> MemoryPool::Take(uint64_t bytes) {
  for (Slot& slot : slots_) {
    if (slot.load(std::memory_order_relaxed) == nullptr) continue;
    std::unique_ptr<ReadyMemory> ready(slot.exchange(nullptr));
    // What a parent process left is not here.
    if (ready == nullptr || !ready->memory.mapped_here()) continue;
    if (ready->memory.bytes() == bytes) return std::move(*ready);
    Keep(std::move(ready));
  }
  absl::StatusOr<ReadyMemory> memory = Reserve(bytes);
  if (memory.ok() || !Clear()) return memory;
  // The process was at the limit of its address space.
  return Reserve(bytes);
}

void MemoryPool::Give(ReadyMemory ready) {
  const ArenaMemory& memory = ready.memory;
  if (memory.shared() || !memory.mapped_here()) return;
  const uint64_t at_back = memory.bytes() - ready.back;
  if (ready.front > kMaxReadyBytes || at_back > kMaxReadyBytes - ready.front) {
    return;
  }
  std::memset(memory.base(), 0, ready.front);
  std::memset(memory.base() + ready.back, 0, at_back);
  Keep(std::make_unique<ReadyMemory>(std::move(ready)));
}

void MemoryPool::Keep(std::unique_ptr<ReadyMemory> ready) {
  for (Slot& slot : slots_) {
    ReadyMemory* none = nullptr;
    if (slot.compare_exchange_strong(none, ready.get())) {
      ready.release();
      return;
    }
  }
  const size_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
  delete slots_[turn % kMappings].exchange(ready.release());
}

bool MemoryPool::Clear() {
  bool any = false;
  for (Slot& slot : slots_) {
    const std::unique_ptr<ReadyMemory> ready(slot.exchange(nullptr));
    any = any || ready != nullptr;
  }
  return any;
}

}  // namespace ets_keeper
