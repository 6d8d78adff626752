// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: tbb_peer.h
// -----------------------------------------------------------------------------
//
// `TbbPeer`: oneTBB's `concurrent_hash_map` as a peer.
//
//   TbbPeer<> peer;
//   peer.Insert(1, 10);
//
// Thread safety: any number of threads may use a peer.

#ifndef BENCHMARKS_TBB_PEER_H_
#define BENCHMARKS_TBB_PEER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "benchmarks/peers.h"
#include "tbb/concurrent_hash_map.h"
#include "tbb/tbb_allocator.h"

namespace ets_keeper::benchmarks {

// TbbPeer
//
// With the library's own allocator, or one that counts what that one is asked.
template <typename Allocator =
              tbb::tbb_allocator<std::pair<const uint64_t, uint64_t>>>
class TbbPeer {
 public:
  std::optional<uint64_t> Find(uint64_t key) const {
    typename Map::const_accessor row;
    if (!map_.find(row, key)) return std::nullopt;
    return row->second;
  }
  void Insert(uint64_t key, uint64_t value) {
    typename Map::accessor row;
    map_.insert(row, key);
    row->second = value;
  }
  bool Add(uint64_t key, uint64_t amount) {
    typename Map::accessor row;
    if (!map_.find(row, key)) return false;
    row->second += amount;
    return true;
  }
  void Erase(uint64_t key) { map_.erase(key); }
  uint64_t size() const { return map_.size(); }

  // Only with a CountingAllocator, and the only peer of this thread.
  uint64_t bytes() const { return sizeof(*this) + counted_bytes; }

 private:
  struct HashCompare {
    static size_t hash(uint64_t key) { return absl::HashOf(key); }
    static bool equal(uint64_t a, uint64_t b) { return a == b; }
  };
  using Map =
      tbb::concurrent_hash_map<uint64_t, uint64_t, HashCompare, Allocator>;

  Map map_;
};

// CountingTbbPeer
using CountingTbbPeer = TbbPeer<
    CountingAllocator<std::pair<const uint64_t, uint64_t>,
                      tbb::tbb_allocator<std::pair<const uint64_t, uint64_t>>>>;

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_TBB_PEER_H_
