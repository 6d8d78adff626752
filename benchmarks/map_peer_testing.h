// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: map_peer_testing.h
// -----------------------------------------------------------------------------
//
// `MapPeer`: `std::map` behind a mutex, as a peer that tests measure; and, to
// see that it would be noticed, one that forgets to do something.
//
//   MapPeer<WordRow> peer;
//   MapPeer<WordRow, Broken::kErase> keeps_everything;
//
// Thread safety: any number of threads may use a peer.

#ifndef BENCHMARKS_MAP_PEER_TESTING_H_
#define BENCHMARKS_MAP_PEER_TESTING_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "benchmarks/rows.h"
#include "common/mutex/mutex.h"

namespace ets_keeper::benchmarks {

enum class Broken { kNothing, kFind, kMiss, kInsert, kAdd, kErase };

// MapPeer
template <typename R, Broken kBroken = Broken::kNothing>
class MapPeer {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = true;
  static constexpr uint64_t kBytesPerRow =
      sizeof(typename R::Packed) + sizeof(Value);

  std::optional<Value> Find(KeyArg key) const {
    Lock lock(mutex_);
    const auto it = map_.find(key);
    if (it == map_.end()) {
      return kBroken == Broken::kMiss ? std::optional<Value>(Value{})
                                      : std::nullopt;
    }
    if (kBroken == Broken::kFind) return std::nullopt;
    return it->second;
  }
  void Insert(KeyArg key, const Value& value) {
    Lock lock(mutex_);
    // A growing map that loses rows: one in eight.
    if (kBroken == Broken::kInsert && RowHash<R>()(key) % 8 == 0) return;
    map_.insert_or_assign(typename R::Key(key), value);
  }
  bool Add(KeyArg key, uint64_t amount) {
    Lock lock(mutex_);
    const auto it = map_.find(key);
    if (kBroken == Broken::kAdd || it == map_.end()) return false;
    R::Count(it->second) += amount;
    return true;
  }
  void Erase(KeyArg key) {
    Lock lock(mutex_);
    const auto it = map_.find(key);
    if (kBroken != Broken::kErase && it != map_.end()) map_.erase(it);
  }
  uint64_t size() const {
    Lock lock(mutex_);
    return map_.size();
  }
  uint64_t bytes() const { return size() * kBytesPerRow; }

 private:
  mutable absl::Mutex mutex_;
  std::map<typename R::Key, Value, std::less<>> map_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_MAP_PEER_TESTING_H_
