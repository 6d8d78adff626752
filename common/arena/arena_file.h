// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: arena_file.h
// -----------------------------------------------------------------------------
//
// The memory of an arena that is to outlive its process: a memfd, sized and
// sealed before anybody else sees it.
//
//   absl::StatusOr<UniqueFd> file = CreateArenaFile("users", 1 << 30);
//   if (!file.ok()) return file.status();
//   auto arena = Arena::Map(*std::move(file), ArenaAccess::kReadWrite);
//
//   // Whoever receives a descriptor over a socket looks before they map:
//   absl::Status status = CheckArenaFile(fd, bytes);
//
// The size can never change (so that no peer can make a mapping fault), no seal
// can be added (so that no peer can lock the next owner out), the bytes cannot
// be executed where the kernel knows how to forbid it, and no other user can
// re-open it through /proc. The file is sparse from birth; pages count against
// whoever allocates them first.
//
// Thread safety: functions may be called from any thread. Linux only.
//
// It maps nothing, and knows nothing of what is inside.

#ifndef COMMON_ARENA_ARENA_FILE_H_
#define COMMON_ARENA_ARENA_FILE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {

inline constexpr uint64_t kHugePageBytes = uint64_t{2} << 20;

// ArenaFileOptions
struct ArenaFileOptions {
  // Take the pages from the machine's pool of huge pages (the setting
  // vm.nr_hugepages), which nothing else can use then and which is never
  // swapped: fewer cache misses per lookup, and the death of a process that
  // maps the arena is known much sooner. Needs a size of whole huge pages; the
  // first of them is allocated at once.
  bool huge_pages = false;
};

// CreateArenaFile()
//
// `bytes` bytes of zeroes; `name`, which may be cut, shows up in
// /proc/PID/maps. `kBadOption` if the size is not one of whole huge pages,
// `kNoMemory` if there is no huge page in the pool, `kUnavailable` when the
// system refuses anything else.
[[nodiscard]] absl::StatusOr<UniqueFd> CreateArenaFile(
    absl::string_view name, uint64_t bytes,
    const ArenaFileOptions& options = {});

// ReopenForReading()
//
// Another descriptor of the same file, which can only be mapped read-only.
// Needs /proc; `kUnavailable` without.
[[nodiscard]] absl::StatusOr<UniqueFd> ReopenForReading(const UniqueFd& file);

// CheckArenaFile()
//
// Ok if `fd` is `bytes` bytes of memory sealed as `CreateArenaFile()` seals it;
// else `kCorrupt`, with a message that says what is wrong.
[[nodiscard]] absl::Status CheckArenaFile(int fd, uint64_t bytes);

}  // namespace ets_keeper

#endif  // COMMON_ARENA_ARENA_FILE_H_
