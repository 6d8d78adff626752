// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: phmap_peer.h
// -----------------------------------------------------------------------------
//
// `PhmapPeer`: parallel-hashmap's `parallel_flat_hash_map` as a peer, in 64
// parts with a `std::mutex` each.
//
//   PhmapPeer<WordRow> peer;
//   peer.Insert(1, 10);
//
// Thread safety: any number of threads may use a peer.

#ifndef BENCHMARKS_PHMAP_PEER_H_
#define BENCHMARKS_PHMAP_PEER_H_

#include <parallel_hashmap/phmap.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "benchmarks/rows.h"

namespace ets_keeper::benchmarks {

// PhmapPeer
template <typename R>
class PhmapPeer {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = true;

  std::optional<Value> Find(KeyArg key) const {
    std::optional<Value> value;
    map_.if_contains(key, [&](const auto& row) { value = row.second; });
    return value;
  }
  void Insert(KeyArg key, const Value& value) {
    map_.lazy_emplace_l(
        key, [&](auto& row) { row.second = value; },
        [&](const auto& make) { make(typename R::Key(key), value); });
  }
  bool Add(KeyArg key, uint64_t amount) {
    return map_.modify_if(key,
                          [&](auto& row) { R::Count(row.second) += amount; });
  }
  void Erase(KeyArg key) {
    map_.erase_if(key, [](const auto&) { return true; });
  }
  uint64_t size() const { return map_.size(); }

 private:
  static constexpr size_t kPartBits = 6;

  phmap::parallel_flat_hash_map<
      typename R::Key, Value, RowHash<R>, RowEqual<R>,
      std::allocator<std::pair<const typename R::Key, Value>>, kPartBits,
      std::mutex>
      map_;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PHMAP_PEER_H_
