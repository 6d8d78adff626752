// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: counter.h
// -----------------------------------------------------------------------------
//
// The arithmetic of ETS' `update_counter` on one word of a row.
//
//   Increment by_one = 1;
//   Increment capped = {.by = 5, .threshold = 100, .set_to = 0};
//
// Thread safety: values and pure functions.

#ifndef COMMON_TABLE_COUNTER_H_
#define COMMON_TABLE_COUNTER_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "common/row/layout.h"

namespace ets_keeper {

// Increment
//
// What is added to a counter. With a threshold: if `by` is not negative and the
// result is greater than the threshold, or `by` is negative and the result is
// less, the counter becomes `set_to` instead.
struct Increment {
  int64_t by = 1;
  std::optional<int64_t> threshold;
  int64_t set_to = 0;

  Increment() = default;
  Increment(int64_t amount) : by(amount) {}  // NOLINT: a number is an increment
  Increment(int64_t amount, int64_t limit, int64_t value)
      : by(amount), threshold(limit), set_to(value) {}
};

// IncrementWord()
//
// Stores in `result` the word of an integer field of the given layout after the
// increment. `kOutOfRange`, with `result` as it was, if the field cannot hold
// it. (ETS has integers without bounds; this is our rule.)
[[nodiscard]] absl::Status IncrementWord(const FieldLayout& field,
                                         uint64_t word,
                                         const Increment& increment,
                                         uint64_t* result);

}  // namespace ets_keeper

#endif  // COMMON_TABLE_COUNTER_H_
