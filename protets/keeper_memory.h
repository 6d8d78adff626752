// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_memory.h
// -----------------------------------------------------------------------------
//
// The memory of one kept table: a memfd, sized and sealed before anybody else
// sees it.
//
//   absl::StatusOr<TableMemory> memory = MakeTableMemory("users", 1 << 30);
//   // Whoever receives a descriptor over a socket looks before they map:
//   absl::Status status = CheckTableMemory(fd, bytes);
//
// The size can never change (so that no peer can make a mapping fault), no seal
// can be added (so that no peer can lock the next owner out), the bytes cannot
// be executed where the kernel knows how to forbid it, and no other user can
// re-open it through /proc. The file is sparse from birth; pages are taken when
// they are touched, and count against whoever touches them first. The keeper
// reserves none: a machine out of memory shows at the owner's first touch.
//
// Thread safety: functions may be called from any thread. Linux only.
//
// It never maps what it makes, and knows nothing of what is inside.

#ifndef PROTETS_KEEPER_MEMORY_H_
#define PROTETS_KEEPER_MEMORY_H_

#include <cstdint>

#include "absl/status/status.h"
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
// `bytes` bytes of zeroes; `name` shows up in /proc/PID/maps. kUnavailable when
// the system refuses. The second descriptor needs /proc.
[[nodiscard]] absl::StatusOr<TableMemory> MakeTableMemory(
    absl::string_view name, uint64_t bytes);

// CheckTableMemory()
//
// Ok if `fd` is `bytes` bytes of memory sealed as `MakeTableMemory()` seals
// it; else kCorrupt, with a message that says what is wrong.
[[nodiscard]] absl::Status CheckTableMemory(int fd, uint64_t bytes);

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_MEMORY_H_
