// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_memory.h"

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/arena/arena_file.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace protets {

absl::StatusOr<TableMemory> MakeTableMemory(absl::string_view name,
                                            uint64_t bytes, bool huge_pages) {
  absl::StatusOr<UniqueFd> file = CreateArenaFile(
      absl::StrCat("table ", name), bytes, {.huge_pages = huge_pages});
  if (!file.ok()) return file.status();
  absl::StatusOr<UniqueFd> reading = ReopenForReading(*file);
  if (!reading.ok()) return reading.status();
  return TableMemory{*std::move(file), *std::move(reading)};
}

}  // namespace protets
}  // namespace ets_keeper
