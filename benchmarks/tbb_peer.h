// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: tbb_peer.h
// -----------------------------------------------------------------------------
//
// `TbbPeer`: oneTBB's `concurrent_hash_map` as a peer, with the allocator that
// comes with it.
//
//   TbbPeer<WordRow> peer;
//   peer.Insert(1, 10);
//
// Thread safety: any number of threads may use a peer.

#ifndef BENCHMARKS_TBB_PEER_H_
#define BENCHMARKS_TBB_PEER_H_

#include <tbb/concurrent_hash_map.h>
#include <tbb/tbb_allocator.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "benchmarks/peer.h"
#include "benchmarks/rows.h"

namespace ets_keeper::benchmarks {

// CountingTbbAllocator
//
// oneTBB's allocator, counting what this thread asks of it: it takes its memory
// from the kernel, and has few bytes of its own beside.
inline thread_local int64_t tbb_bytes = 0;

template <typename T>
class CountingTbbAllocator {
 public:
  using value_type = T;

  CountingTbbAllocator() = default;
  template <typename U>
  CountingTbbAllocator(const CountingTbbAllocator<U>&) {}  // NOLINT

  T* allocate(size_t n) {
    tbb_bytes += static_cast<int64_t>(n * sizeof(T));
    return tbb::tbb_allocator<T>().allocate(n);
  }
  void deallocate(T* p, size_t n) {
    tbb_bytes -= static_cast<int64_t>(n * sizeof(T));
    tbb::tbb_allocator<T>().deallocate(p, n);
  }
  friend bool operator==(const CountingTbbAllocator&,
                         const CountingTbbAllocator&) {
    return true;
  }
};

// TbbPeer
template <typename R>
class TbbPeer {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = true;

  TbbPeer() = default;
  TbbPeer(const TbbPeer&) = delete;
  TbbPeer& operator=(const TbbPeer&) = delete;

  std::optional<Value> Find(KeyArg key) const {
    typename Map::const_accessor row;
    if (!map_.find(row, key)) return std::nullopt;
    return row->second;
  }
  void Insert(KeyArg key, const Value& value) {
    typename Map::accessor row;
    map_.insert(row, key);
    row->second = value;
  }
  bool Add(KeyArg key, uint64_t amount) {
    typename Map::accessor row;
    if (!map_.find(row, key)) return false;
    R::Count(row->second) += amount;
    return true;
  }
  void Erase(KeyArg key) { map_.erase(key); }
  uint64_t size() const { return map_.size(); }

  // What was asked of the allocator, and, for long keys, of malloc(); the only
  // peer, and only this thread has used it.
  uint64_t bytes() const {
    return tbb_bytes - tbb_before_ + MallocBytes() - malloc_before_;
  }

 private:
  struct HashCompare {
    using is_transparent = void;
    template <typename Key>
    static size_t hash(const Key& key) {
      return RowHash<R>()(key);
    }
    template <typename A, typename B>
    static bool equal(const A& a, const B& b) {
      return RowEqual<R>()(a, b);
    }
  };
  using Map = tbb::concurrent_hash_map<
      typename R::Key, Value, HashCompare,
      CountingTbbAllocator<std::pair<const typename R::Key, Value>>>;

  const int64_t tbb_before_ = tbb_bytes;
  const uint64_t malloc_before_ = MallocBytes();
  // Looking up by something like a key is not const.
  mutable Map map_;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_TBB_PEER_H_
