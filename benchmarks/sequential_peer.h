// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: sequential_peer.h
// -----------------------------------------------------------------------------
//
// `SequentialPeer`: a map with the interface of `std::unordered_map` and
// lookups by anything that compares with a key, as a peer.
//
//   SequentialPeer<WordRow, absl::flat_hash_map<uint64_t, uint64_t>> peer;
//   peer.Insert(1, 10);
//
// Thread safety: one thread at a time.

#ifndef BENCHMARKS_SEQUENTIAL_PEER_H_
#define BENCHMARKS_SEQUENTIAL_PEER_H_

#include <cstdint>
#include <optional>

namespace ets_keeper::benchmarks {

// SequentialPeer
template <typename R, typename Map>
class SequentialPeer {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = false;

  std::optional<Value> Find(KeyArg key) const {
    const auto it = map_.find(key);
    if (it == map_.end()) return std::nullopt;
    return it->second;
  }
  void Insert(KeyArg key, const Value& value) {
    const auto [it, inserted] = map_.try_emplace(key, value);
    if (!inserted) it->second = value;
  }
  bool Add(KeyArg key, uint64_t amount) {
    const auto it = map_.find(key);
    if (it == map_.end()) return false;
    R::Count(it->second) += amount;
    return true;
  }
  void Erase(KeyArg key) { map_.erase(key); }
  uint64_t size() const { return map_.size(); }

 private:
  Map map_;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_SEQUENTIAL_PEER_H_
