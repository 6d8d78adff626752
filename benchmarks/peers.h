// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: peers.h
// -----------------------------------------------------------------------------
//
// What the workloads compare: a table through its public, typed API, in private
// memory and in a memfd, and Abseil's hash map in 64 parts behind a mutex each.
//
//   TablePeer<kPrivate> table;
//   table.Insert(1, 10);
//   std::optional<uint64_t> ten = table.Find(1);
//
// Thread safety: any number of threads may use a peer; but what a
// `CountingAllocator` has counted is known to the thread that allocated.

#ifndef BENCHMARKS_PEERS_H_
#define BENCHMARKS_PEERS_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "common/arena/arena.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper::benchmarks {

// CountingAllocator
//
// `Base`, counting the bytes that it was asked for: what the allocator itself
// needs beside is not counted.
inline thread_local int64_t counted_bytes = 0;

template <typename T, typename Base = std::allocator<T>>
class CountingAllocator {
 public:
  using value_type = T;
  template <typename U>
  struct rebind {
    using other = CountingAllocator<
        U, typename std::allocator_traits<Base>::template rebind_alloc<U>>;
  };

  CountingAllocator() = default;
  template <typename U, typename OtherBase>
  CountingAllocator(const CountingAllocator<U, OtherBase>&) {}  // NOLINT

  T* allocate(size_t n) {
    counted_bytes += static_cast<int64_t>(n * sizeof(T));
    return Base().allocate(n);
  }
  void deallocate(T* p, size_t n) {
    counted_bytes -= static_cast<int64_t>(n * sizeof(T));
    Base().deallocate(p, n);
  }
  friend bool operator==(const CountingAllocator&, const CountingAllocator&) {
    return true;
  }
};

// TablePeer
//
// A `Table` as its owner uses it, with default options.
enum class Memory { kPrivate, kMemfd };

template <Memory kMemory>
class TablePeer {
 public:
  TablePeer() : table_(Make(tables_)) {}

  std::optional<uint64_t> Find(uint64_t key) const {
    const auto row = table_.Lookup(key);
    CHECK_OK(row.status());
    if (!row->has_value()) return std::nullopt;
    return (*row)->value;
  }
  void Insert(uint64_t key, uint64_t value) {
    CHECK_OK(table_.Insert({key, value}));
  }
  bool Add(uint64_t key, uint64_t amount) {
    return table_
        .template UpdateCounter<&Row::value>(key, static_cast<int64_t>(amount))
        .ok();
  }
  void Erase(uint64_t key) { CHECK_OK(table_.Delete(key)); }
  uint64_t size() const { return table_.Size().value(); }
  uint64_t bytes() const { return tables_.Info(table_.id())->memory; }

 private:
  struct Row {
    uint64_t key = 0;
    uint64_t value = 0;
    static constexpr auto Fields() {
      return FieldList(Field("key", &Row::key), Field("value", &Row::value));
    }
  };
  using Rows = Table<Row, &Row::key>;

  static std::unique_ptr<Arena> MakeMemfd(uint64_t bytes) {
    UniqueFd fd(memfd_create("benchmark", MFD_CLOEXEC));
    CHECK(fd) << "memfd_create";
    CHECK_EQ(ftruncate(fd.get(), static_cast<off_t>(bytes)), 0);
    auto arena = Arena::Map(std::move(fd), ArenaAccess::kReadWrite);
    CHECK_OK(arena.status());
    return *std::move(arena);
  }

  static Rows Make(Tables& tables) {
    TableOptions options;
    if constexpr (kMemory == Memory::kMemfd) {
      options.arena = MakeMemfd(options.max_bytes);
    }
    auto rows = Rows::New(tables, NewPid(), std::move(options));
    CHECK_OK(rows.status());
    return *std::move(rows);
  }

  Tables tables_;
  const Rows table_;
};

// ShardedPeer
//
// `absl::flat_hash_map` in 64 parts, each behind its `absl::Mutex`: the usual
// way to share one among threads. It survives nothing.
template <template <typename> typename Allocator = std::allocator>
class ShardedPeer {
 public:
  std::optional<uint64_t> Find(uint64_t key) const {
    const Shard& shard = ShardOf(key);
    Lock lock(shard.mutex);
    const auto it = shard.map.find(key);
    if (it == shard.map.end()) return std::nullopt;
    return it->second;
  }
  void Insert(uint64_t key, uint64_t value) {
    Shard& shard = ShardOf(key);
    Lock lock(shard.mutex);
    shard.map.insert_or_assign(key, value);
  }
  bool Add(uint64_t key, uint64_t amount) {
    Shard& shard = ShardOf(key);
    Lock lock(shard.mutex);
    const auto it = shard.map.find(key);
    if (it == shard.map.end()) return false;
    it->second += amount;
    return true;
  }
  void Erase(uint64_t key) {
    Shard& shard = ShardOf(key);
    Lock lock(shard.mutex);
    shard.map.erase(key);
  }
  uint64_t size() const {
    uint64_t size = 0;
    for (const Shard& shard : shards_) {
      Lock lock(shard.mutex);
      size += shard.map.size();
    }
    return size;
  }

  // Only with a CountingAllocator, and the only peer of this thread.
  uint64_t bytes() const { return sizeof(*this) + counted_bytes; }

 private:
  struct alignas(64) Shard {
    mutable absl::Mutex mutex;
    absl::flat_hash_map<uint64_t, uint64_t, absl::Hash<uint64_t>,
                        std::equal_to<uint64_t>,
                        Allocator<std::pair<const uint64_t, uint64_t>>>
        map ABSL_GUARDED_BY(mutex);
  };

  // By the highest bits of the hash; within a shard the others matter.
  const Shard& ShardOf(uint64_t key) const {
    return shards_[static_cast<uint64_t>(absl::HashOf(key)) >> 58];
  }
  Shard& ShardOf(uint64_t key) {
    return shards_[static_cast<uint64_t>(absl::HashOf(key)) >> 58];
  }

  Shard shards_[64];
};

// For a parameter that is to have one parameter of its own.
template <typename T>
using Counting = CountingAllocator<T>;

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PEERS_H_
