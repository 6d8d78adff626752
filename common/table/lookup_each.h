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
#include "absl/status/statusor.h"
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
inline constexpr size_t kRecordsAhead = 32;

// LookupEachIn()
//
// Calls `visit(i, row)` for the keys, in order: null if the key has no row.
// Ends with the error of the first row that is none. `visit` may do anything
// with the table.
template <typename Row, auto Key, typename AnyKey, typename Visit>
[[nodiscard]] absl::Status LookupEachIn(const HashCore& core,
                                        absl::Span<const AnyKey> keys,
                                        Visit& visit) {
  using Codec = RowCodec<Row>;
  using Found = HashReader::Found;
  using Words = FoundRow<Codec, Key>;
  using Wanted = LookupKey<Codec, Key>;
  struct Begun {
    typename Wanted::Kept key;
    const HashBucket* home;
    HashReader::Sight sight;  // of rows that are not in their buckets
  };
  Begun window[kLookupWindow];
  const HashReader& reader = core.reader();
  const uint64_t seed = core.seed();
  const HashHomes& homes = reader.homes();

  const auto begin = [&](size_t i, Begun& begun) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    begun.key = typename Wanted::Kept(Wanted(keys[i]).view(seed));
    begun.home = homes.Of(begun.key.hash());
    // Not nearer: what waits for a place there holds up what comes after it.
    PrefetchCellToL2(begun.home);
  };
  const auto go_on = [&](Begun& begun) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    if constexpr (Words::kIsInline) {
      reader.PrefetchChain(begun.home, begun.key.hash());
    } else {
      begun.sight = reader.PrefetchRecord(begun.home, begun.key.hash());
    }
  };
  const auto look_up = [&](const Begun& begun, const KeyView& key,
                           Words& words) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    if constexpr (Words::kIsInline) {
      return words.Lookup(reader, begun.home, key);
    } else {
      return words.Lookup(reader, begun.home, begun.sight, key);
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
  Words words;
  Row row;
  const auto turn = [&](size_t i, const Begun& begun)
                        ABSL_ATTRIBUTE_ALWAYS_INLINE -> absl::Status {
    const Wanted wanted(keys[i]);
    const KeyView key = wanted.view_of(begun.key);
    const Found found = look_up(begun, key, words);
    if (found == Found::kNo) {
      visit(i, nullptr);
    } else if (ABSL_PREDICT_TRUE(found == Found::kYes &&
                                 words.Decode(key, row))) {
      visit(i, &row);
    } else {
      const absl::StatusOr<bool> slowly =
          LookupSlowly<Row, Key>(reader, seed, keys[i], row);
      if (ABSL_PREDICT_FALSE(!slowly.ok())) return slowly.status();
      visit(i, *slowly ? &row : nullptr);
    }
    return absl::OkStatus();
  };
  size_t i = 0;
  const auto refill = [&](Begun& begun) ABSL_ATTRIBUTE_ALWAYS_INLINE {
    if (i >= begins) return;
    if (i % kLookupWindow == 0) reader.RefreshHomes();
    begin(i + kLookupWindow, begun);
  };
  for (; i < goes_on; ++i) {
    Begun& begun = window[i % kLookupWindow];
    if (absl::Status s = turn(i, begun); ABSL_PREDICT_FALSE(!s.ok())) return s;
    refill(begun);
    go_on(window[(i + kRecordsAhead) % kLookupWindow]);
  }
  // A loop of its own, for calls with few keys come to this one alone.
  for (; i < count; ++i) {
    Begun& begun = window[i % kLookupWindow];
    if (absl::Status s = turn(i, begun); ABSL_PREDICT_FALSE(!s.ok())) return s;
    refill(begun);
  }
  return absl::OkStatus();
}

}  // namespace ets_keeper

#endif  // COMMON_TABLE_LOOKUP_EACH_H_
