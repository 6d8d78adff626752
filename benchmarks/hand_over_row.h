// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hand_over_row.h
// -----------------------------------------------------------------------------
//
// The table that is handed over: what its owners and its claimer agree on.
//
// Thread safety: none is needed.

#ifndef BENCHMARKS_HAND_OVER_ROW_H_
#define BENCHMARKS_HAND_OVER_ROW_H_

#include <cstdint>

#include "absl/time/time.h"
#include "common/row/row.h"

namespace ets_keeper::benchmarks {

// Keys are 0, 1, 2...; a value is its key.
struct HandOverRow {
  uint64_t key = 0;
  uint64_t value = 0;

  static constexpr auto Fields() {
    return FieldList(Field("key", &HandOverRow::key),
                     Field("value", &HandOverRow::value));
  }
};

// For how long either stands in line: whoever is before it may be dying still.
inline constexpr absl::Duration kHandOverWait = absl::Seconds(60);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_HAND_OVER_ROW_H_
