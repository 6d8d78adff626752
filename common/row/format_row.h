// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: format_row.h
// -----------------------------------------------------------------------------
//
// Prints an encoded row without its type, for tools and people.
//
//   absl::StatusOr<Schema> schema = Schema::Parse("{id:u64,name:str}");
//   FormatRow(*schema, row);  // {id: 7, name: "a\n"}
//
// Thread safety: a pure function.
//
// The text is not made to be parsed.

#ifndef COMMON_ROW_FORMAT_ROW_H_
#define COMMON_ROW_FORMAT_ROW_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/row/schema.h"

namespace ets_keeper {

// FormatRow()
//
// `row`, which may hold anything, as one line of printable ASCII; kCorrupt,
// naming the field, when it is not a row of `schema`.
//
// Numbers are decimal, and floating-point numbers the shortest that read back
// to the same value. Enums are the number. Chars, strings, and arrays and
// vectors of chars are C literals (an array without the zeros at its end).
// Other arrays and vectors are `[1, 2]`; an absent value is `none`.
[[nodiscard]] absl::StatusOr<std::string> FormatRow(
    const Schema& schema, absl::Span<const uint64_t> row);

}  // namespace ets_keeper

#endif  // COMMON_ROW_FORMAT_ROW_H_
