// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: peer.h
// -----------------------------------------------------------------------------
//
// `Peer`: what a map must offer to be measured beside the others.
//
//   template <typename R>
//   class MyMap {
//    public:
//     using Row = R;                               // WordRow or StringRow
//     static constexpr bool kConcurrent = true;
//     std::optional<typename R::Value> Find(typename R::KeyArg key) const;
//     ...
//   };
//
// Thread safety: any number of threads may use a concurrent peer, and one the
// others.

#ifndef BENCHMARKS_PEER_H_
#define BENCHMARKS_PEER_H_

#include <malloc.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "benchmarks/rows.h"

namespace ets_keeper::benchmarks {

// Peer
//
// `Find()` copies the value out; `Insert()` replaces; `Add()` adds to the count
// of a row and returns whether there is one; `Erase()` may find nothing;
// `size()` is exact when nobody writes.
template <typename P>
concept Peer = std::default_initializable<P> &&
    requires(P peer, const P& reader, typename P::Row::KeyArg key,
             const typename P::Row::Value& value, uint64_t amount) {
  { P::kConcurrent } -> std::convertible_to<bool>;
  { reader.Find(key) } -> std::same_as<std::optional<typename P::Row::Value>>;
  { peer.Insert(key, value) } -> std::same_as<void>;
  { peer.Add(key, amount) } -> std::same_as<bool>;
  { peer.Erase(key) } -> std::same_as<void>;
  { reader.size() } -> std::same_as<uint64_t>;
};

// A peer may also have
//
//   size_t FindBatch(absl::Span<const KeyArg> keys, Value* values) const;
//     looks all keys up in one call, copies the values of those that are there
//     to `values`, in any order, and returns how many that are;
//   uint64_t bytes() const;
//     how much memory it has, if that is not what malloc() gave;
//   void BeginFill(); void EndFill();
//     around many calls of Insert() by one thread that nobody needs one by one.

// FindOneByOne()
//
// What `FindBatch()` of a peer is to do, by single lookups.
template <typename P>
size_t FindOneByOne(const P& peer,
                    absl::Span<const typename P::Row::KeyArg> keys,
                    typename P::Row::Value* values) {
  size_t found = 0;
  for (const typename P::Row::KeyArg key : keys) {
    if (const auto value = peer.Find(key)) values[found++] = *value;
  }
  return found;
}

// FindBatch()
//
// Looks up all `keys`: by the peer's own call for that, if it has one.
template <Peer P>
size_t FindBatch(const P& peer, absl::Span<const typename P::Row::KeyArg> keys,
                 typename P::Row::Value* values) {
  if constexpr (requires { peer.FindBatch(keys, values); }) {
    return peer.FindBatch(keys, values);
  } else {
    return FindOneByOne(peer, keys, values);
  }
}

// Fill()
//
// Inserts one row for each key.
template <Peer P>
void Fill(P& peer, absl::Span<const typename P::Row::Packed> keys) {
  using Row = typename P::Row;
  if constexpr (requires { peer.BeginFill(); }) peer.BeginFill();
  uint64_t count = 0;
  for (const typename Row::Packed& key : keys) {
    peer.Insert(Row::Unpack(key), Row::ValueOf(count++));
  }
  if constexpr (requires { peer.EndFill(); }) peer.EndFill();
}

// MallocBytes()
//
// What malloc() has given and not got back, with what it needs itself, in all
// threads. 0 where a sanitizer has a malloc() of its own.
[[nodiscard]] inline uint64_t MallocBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// BytesOf()
//
// The memory of a peer, if malloc() had given `malloc_before` before the peer
// was made and nobody else has allocated since.
template <Peer P>
uint64_t BytesOf(const P& peer, uint64_t malloc_before) {
  if constexpr (requires { peer.bytes(); }) {
    return peer.bytes();
  } else {
    return MallocBytes() - malloc_before;
  }
}

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PEER_H_
