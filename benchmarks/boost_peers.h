// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: boost_peers.h
// -----------------------------------------------------------------------------
//
// Boost's open-addressing maps as peers: `concurrent_flat_map`, and
// `unordered_flat_map`, which nothing synchronizes.
//
//   ConcurrentBoostPeer<WordRow> peer;
//   peer.Insert(1, 10);
//
// Thread safety: any number of threads may use a `ConcurrentBoostPeer`, one
// thread a `FlatBoostPeer`.

#ifndef BENCHMARKS_BOOST_PEERS_H_
#define BENCHMARKS_BOOST_PEERS_H_

#include <boost/unordered/concurrent_flat_map.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "benchmarks/peer.h"
#include "benchmarks/rows.h"
#include "benchmarks/sequential_peer.h"

namespace ets_keeper::benchmarks {

// FlatBoostPeer
template <typename R>
using FlatBoostPeer =
    SequentialPeer<R,
                   boost::unordered_flat_map<typename R::Key, typename R::Value,
                                             RowHash<R>, RowEqual<R>>>;

// ConcurrentBoostPeer
template <typename R>
class ConcurrentBoostPeer {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = true;

  std::optional<Value> Find(KeyArg key) const {
    std::optional<Value> value;
    map_.cvisit(key, [&](const auto& row) { value = row.second; });
    return value;
  }
  // Boost has lookups of many keys since 1.85.
  size_t FindBatch(absl::Span<const KeyArg> keys, Value* values) const {
    size_t found = 0;
    const auto copy = [&](const auto& row) { values[found++] = row.second; };
    if constexpr (requires { map_.cvisit(keys.begin(), keys.end(), copy); }) {
      map_.cvisit(keys.begin(), keys.end(), copy);
      return found;
    } else {
      return FindOneByOne(*this, keys, values);
    }
  }
  void Insert(KeyArg key, const Value& value) {
    map_.try_emplace_or_visit(key, value,
                              [&](auto& row) { row.second = value; });
  }
  bool Add(KeyArg key, uint64_t amount) {
    return map_.visit(key,
                      [&](auto& row) { R::Count(row.second) += amount; }) != 0;
  }
  void Erase(KeyArg key) { map_.erase(key); }
  uint64_t size() const { return map_.size(); }

 private:
  boost::concurrent_flat_map<typename R::Key, Value, RowHash<R>, RowEqual<R>>
      map_;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_BOOST_PEERS_H_
