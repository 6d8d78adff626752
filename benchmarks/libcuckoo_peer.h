// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: libcuckoo_peer.h
// -----------------------------------------------------------------------------
//
// `LibcuckooPeer`: libcuckoo's `cuckoohash_map` as a peer. It begins empty and
// grows, as the other maps do: by default it would have room for 262'144 rows
// from the beginning, all of it written to before anybody takes the time. As
// that it is `SizedLibcuckooPeer`, to be seen beside the others.
//
//   LibcuckooPeer<WordRow> peer;
//   peer.Insert(1, 10);
//
// Thread safety: any number of threads may use a peer.

#ifndef BENCHMARKS_LIBCUCKOO_PEER_H_
#define BENCHMARKS_LIBCUCKOO_PEER_H_

#include <cstddef>
#include <cstdint>
#include <libcuckoo/cuckoohash_map.hh>
#include <optional>

#include "benchmarks/rows.h"

namespace ets_keeper::benchmarks {

// LibcuckooPeerWithRoom
template <typename R, size_t kRoom>
class LibcuckooPeerWithRoom {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = true;

  std::optional<Value> Find(KeyArg key) const {
    std::optional<Value> value;
    map_.find_fn(key, [&](const Value& found) { value = found; });
    return value;
  }
  void Insert(KeyArg key, const Value& value) {
    map_.insert_or_assign(typename R::Key(key), value);
  }
  bool Add(KeyArg key, uint64_t amount) {
    return map_.update_fn(key,
                          [&](Value& value) { R::Count(value) += amount; });
  }
  void Erase(KeyArg key) { map_.erase(key); }
  uint64_t size() const { return map_.size(); }

 private:
  libcuckoo::cuckoohash_map<typename R::Key, Value, RowHash<R>, RowEqual<R>>
      map_{kRoom};
};

// LibcuckooPeer, SizedLibcuckooPeer
template <typename R>
using LibcuckooPeer = LibcuckooPeerWithRoom<R, 0>;
template <typename R>
using SizedLibcuckooPeer = LibcuckooPeerWithRoom<R, libcuckoo::DEFAULT_SIZE>;

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_LIBCUCKOO_PEER_H_
