// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_memory.h
// -----------------------------------------------------------------------------
//
// The memory of one kept table: what the keeper makes and holds.
//
//   absl::StatusOr<TableMemory> memory =
//       MakeTableMemory("users", 1 << 30, /*huge_pages=*/false);
//
// See common/arena/arena_file.h for what is sealed and checked. The keeper
// reserves no pages, but one if they are huge: a machine out of memory shows
// when the owner allocates them.
//
// Thread safety: functions may be called from any thread. Linux only.
//
// It never maps what it makes, and knows nothing of what is inside.

#ifndef PROTETS_KEEPER_MEMORY_H_
#define PROTETS_KEEPER_MEMORY_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace protets {

// TableMemory
//
// Two descriptors of the same memory. The second can be mapped for reading
// only.
struct TableMemory {
  UniqueFd read_write;
  UniqueFd read_only;
};

// MakeTableMemory()
//
// The memory of a new table, all zeroes. Errors as for `CreateArenaFile()` and
// `ReopenForReading()`.
[[nodiscard]] absl::StatusOr<TableMemory> MakeTableMemory(
    absl::string_view name, uint64_t bytes, bool huge_pages);

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_MEMORY_H_
