// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: row_buffer.h
// -----------------------------------------------------------------------------
//
// `RowBuffer`: an encoded row outside of any table, as a codec makes it, a core
// stores it and a lookup copies it out (see layout.h for the words in it).
//
//   RowBuffer row = {7, 0, 1};
//
// Thread safety: as any container: many readers or one writer.
//
// It is a plain container; it does not know the row's type.

#ifndef COMMON_ROW_ROW_BUFFER_H_
#define COMMON_ROW_ROW_BUFFER_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"

namespace ets_keeper {

// RowBuffer
//
// Rows of up to 32 words need no allocation.
using RowBuffer = absl::InlinedVector<uint64_t, 32>;

}  // namespace ets_keeper

#endif  // COMMON_ROW_ROW_BUFFER_H_
