// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: absl_peers.h
// -----------------------------------------------------------------------------
//
// `absl::flat_hash_map` as peers: as it is, which is the ceiling of what one
// thread can reach, and in 64 parts, each behind an `absl::Mutex`, the usual
// way to share one among threads. Its rows survive nothing.
//
//   ShardedAbslPeer<WordRow> peer;
//   peer.Insert(1, 10);
//
// Thread safety: any number of threads may use a `ShardedAbslPeer`, one thread
// a `FlatAbslPeer`.

#ifndef BENCHMARKS_ABSL_PEERS_H_
#define BENCHMARKS_ABSL_PEERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "benchmarks/rows.h"
#include "benchmarks/sequential_peer.h"
#include "common/mutex/mutex.h"

namespace ets_keeper::benchmarks {

// FlatAbslPeer
template <typename R>
using FlatAbslPeer =
    SequentialPeer<R, absl::flat_hash_map<typename R::Key, typename R::Value,
                                          RowHash<R>, RowEqual<R>>>;

// ShardedAbslPeer
template <typename R>
class ShardedAbslPeer {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = true;

  std::optional<Value> Find(KeyArg key) const {
    const Shard& shard = ShardOf(key);
    Lock lock(shard.mutex);
    return shard.map.Find(key);
  }
  void Insert(KeyArg key, const Value& value) {
    Shard& shard = ShardOf(key);
    Lock lock(shard.mutex);
    shard.map.Insert(key, value);
  }
  bool Add(KeyArg key, uint64_t amount) {
    Shard& shard = ShardOf(key);
    Lock lock(shard.mutex);
    return shard.map.Add(key, amount);
  }
  void Erase(KeyArg key) {
    Shard& shard = ShardOf(key);
    Lock lock(shard.mutex);
    shard.map.Erase(key);
  }
  uint64_t size() const {
    uint64_t size = 0;
    for (const Shard& shard : shards_) {
      Lock lock(shard.mutex);
      size += shard.map.size();
    }
    return size;
  }

 private:
  static constexpr int kShardBits = 6;

  struct alignas(64) Shard {
    mutable absl::Mutex mutex;
    FlatAbslPeer<R> map ABSL_GUARDED_BY(mutex);
  };

  // By the highest bits of the hash; within a shard the others matter.
  static size_t IndexOf(KeyArg key) {
    return uint64_t{RowHash<R>()(key)} >> (64 - kShardBits);
  }
  const Shard& ShardOf(KeyArg key) const { return shards_[IndexOf(key)]; }
  Shard& ShardOf(KeyArg key) { return shards_[IndexOf(key)]; }

  Shard shards_[1 << kShardBits];
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_ABSL_PEERS_H_
