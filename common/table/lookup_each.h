// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: lookup_each.h
// -----------------------------------------------------------------------------
//
// `LookupEachIn()`: many lookups with their memory accesses going on side by
// side. Internal: `TableReader::LookupEach()`.
//
//   absl::Status status = LookupEachIn<User, &User::id>(
//       core, absl::MakeConstSpan(ids), [&](size_t i, const User* user) { ...
//       });
//
// How: the bucket of a key is asked for a window of keys ahead of its lookup,
// and its record, or overflow cell, some keys ahead, when the bucket is there.
// In between a key is no more than its hash and its bucket: the fewer
// instructions a lookup has, the more memory accesses go on beside it.
//
// Thread safety: as lookups.

#ifndef COMMON_TABLE_LOOKUP_EACH_H_
#define COMMON_TABLE_LOOKUP_EACH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_homes.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/row/layout.h"
#include "common/row/row.h"
#include "common/table/encoded.h"

namespace ets_keeper {

// kLookupWindow, kRecordsAhead
//
// How many keys before its own turn the bucket of a key is asked for, and its
// record.
inline constexpr size_t kLookupWindow = 64;
inline constexpr size_t kRecordsAhead = 16;

// LookupEachIn()
//
// Calls `visit(i, row)` for the keys, in order: null if the key has no row.
// Ends with the error of the first row that is none. `visit` may do anything
// with the table.
template <typename Row, auto Key, typename AnyKey, typename Visit>
[[nodiscard]] absl::Status LookupEachIn(const HashCore& core,
                                        absl::Span<const AnyKey> keys,
                                        const Visit& visit) {
  using Codec = RowCodec<Row>;
  constexpr KeyLayout kKey = Codec::template KeyLayoutOf<Key>();
  constexpr bool kIsInline =
      Codec::kIsFixed && InlineWords(Codec::kFixedWords, kKey) != 0;
  struct Begun {
    uint64_t hash;
    const HashBucket* home;
  };
  Begun window[kLookupWindow];
  const HashReader& reader = core.reader();
  const uint64_t seed = core.seed();
  HashHomes homes = reader.homes();

  const auto begin = [&](size_t i, Begun& begun) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    begun.hash = LookupKey<Codec, Key>(keys[i]).view(seed).hash;
    begun.home = homes.Of(begun.hash);
    PrefetchCell(begun.home);
  };
  const auto go_on = [&](const Begun& begun) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    if constexpr (kIsInline) {
      reader.PrefetchChain(begun.home, begun.hash);
    } else {
      reader.PrefetchRecord(begun.home, begun.hash);
    }
  };

  // How many keys have one in the window behind them, and one whose record is
  // to be asked for; those before the first key have their turn here.
  const size_t count = keys.size();
  const size_t ahead = std::min(count, kLookupWindow);
  const size_t begins = count - ahead;
  for (size_t i = 0; i < ahead; ++i) begin(i, window[i]);
  size_t goes_on = 0;
  if (reader.prefetches_records()) {
    const size_t records_ahead = std::min(count, kRecordsAhead);
    goes_on = count - records_ahead;
    for (size_t i = 0; i < records_ahead; ++i) go_on(window[i]);
  }
  FoundRow<Codec, Key> words;
  Row row;
  size_t i = 0;
  while (i < count) {
    homes = reader.homes();
    const size_t end = std::min(count, i + kLookupWindow);
    for (Begun* begun = window; i < end; ++i, ++begun) {
      const LookupKey<Codec, Key> key(keys[i]);
      if (words.Lookup(reader, begun->home, key.view_of_hash(begun->hash))) {
        absl::Status status = Codec::Decode(words.words(), row);
        if (ABSL_PREDICT_FALSE(!status.ok())) return status;
        visit(i, &row);
      } else {
        visit(i, nullptr);
      }
      if (i < begins) begin(i + kLookupWindow, *begun);
      if (i < goes_on) go_on(window[(i + kRecordsAhead) % kLookupWindow]);
    }
  }
  return absl::OkStatus();
}

}  // namespace ets_keeper

#endif  // COMMON_TABLE_LOOKUP_EACH_H_
