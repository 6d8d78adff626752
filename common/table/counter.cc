// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/counter.h"

#include <cstdint>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/row/layout.h"
#include "common/status/status.h"

namespace ets_keeper {

absl::Status IncrementWord(const FieldLayout& field, uint64_t word,
                           const Increment& increment, uint64_t* result) {
  const int bits = field.width * 8;
  const absl::int128 one = 1;
  const absl::int128 least = field.is_signed ? -(one << (bits - 1)) : 0;
  const absl::int128 most =
      field.is_signed ? (one << (bits - 1)) - 1 : (one << bits) - 1;
  const absl::int128 old = field.is_signed
                               ? absl::int128(static_cast<int64_t>(word))
                               : absl::int128(word);
  absl::int128 value = old + increment.by;
  if (increment.threshold.has_value() &&
      (increment.by >= 0 ? value > *increment.threshold
                         : value < *increment.threshold)) {
    value = increment.set_to;
  }
  if (value < least || value > most) {
    return MakeStatus(
        Cause::kOutOfRange,
        absl::StrCat("a counter of ", field.width, " bytes cannot go from ",
                     field.is_signed ? absl::StrCat(static_cast<int64_t>(word))
                                     : absl::StrCat(word),
                     " by ", increment.by));
  }
  *result = static_cast<uint64_t>(value);
  return absl::OkStatus();
}

}  // namespace ets_keeper
