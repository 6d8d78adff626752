// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: arena_memory.h
// -----------------------------------------------------------------------------
//
// `ArenaMemory` is the address space of an arena and its pages: what of `Arena`
// is the operating system's affair.
//
//   auto memory = ArenaMemory::Reserve(1 << 30);
//   if (!memory.ok()) return memory.status();
//   absl::Status status = memory->Allocate(0, 4096);
//
// The address space is reserved at its full size, is inherited by no forked
// child and written to no core dump. Pages come when they are allocated. No
// range that is asked for is ever given to somebody else by mistake: all ranges
// are of whole pages inside of it, which is not checked.
//
// Thread safety: const methods may be called from any thread. Who allocates and
// who discards the same pages at the same time gets either.
//
// It does not know which pages are in use.

#ifndef COMMON_ARENA_ARENA_MEMORY_H_
#define COMMON_ARENA_ARENA_MEMORY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {

enum class ArenaAccess { kReadWrite, kReadOnly };

class ArenaMemory {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  // ArenaMemory::Reserve()
  //
  // Private memory of zeroes, in small pages; aligned to huge pages if it is
  // large enough to have some. `kNoMemory`.
  [[nodiscard]] static absl::StatusOr<ArenaMemory> Reserve(uint64_t bytes);

  // ArenaMemory::Map()
  //
  // The memory that is the file: see arena_file.h. `kBadOption` if that is no
  // file, or one in other huge pages, `kCorrupt` if its size is not one of
  // whole pages,
  // `kWriteProtected` if the descriptor may not be used like that, `kNoMemory`.
  [[nodiscard]] static absl::StatusOr<ArenaMemory> Map(UniqueFd file,
                                                       ArenaAccess access);

  ArenaMemory(ArenaMemory&& other) noexcept;
  ArenaMemory& operator=(ArenaMemory&&) = delete;

  // Unmaps it, where it is mapped.
  ~ArenaMemory();

  [[nodiscard]] char* base() const { return base_; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

  // Whether it is a file, which may outlive the process.
  [[nodiscard]] bool shared() const { return static_cast<bool>(file_); }

  // ArenaMemory::mapped_here()
  //
  // Whether this is the process that mapped it. In a forked child that has a
  // copy of the object, there is nothing at its addresses, or something else.
  [[nodiscard]] bool mapped_here() const;

  // ArenaMemory::page_bytes()
  //
  // What the ends of all ranges are multiples of: of a file in huge pages
  // their size, else kPageBytes.
  [[nodiscard]] uint64_t page_bytes() const { return page_bytes_; }

  // ArenaMemory::takes_huge_pages()
  //
  // Whether TryHugePages() is worth a try. Of a file it is if the machine lets
  // memfds have transparent huge pages, as far as this process has seen when it
  // first asked: /sys/kernel/mm/transparent_hugepage/shmem_enabled says
  // something else than `never` or `deny`.
  [[nodiscard]] bool takes_huge_pages() const;

  // ArenaMemory::Allocate()
  //
  // Finds pages for [begin, end) where there are none, filled with zeroes, so
  // that neither a load nor a store can fail or fault. `kNoMemory` if the
  // system has none left; some may have been allocated then.
  [[nodiscard]] absl::Status Allocate(uint64_t begin, uint64_t end) const;

  // ArenaMemory::TryHugePages()
  //
  // The same with huge pages, where that is possible: where a whole one lies
  // inside and has no pages yet, and the system has one. What has none
  // afterwards is left to Allocate().
  void TryHugePages(uint64_t begin, uint64_t end) const;

  // ArenaMemory::Discard()
  //
  // Gives the pages of [begin, end) back to the system. The range reads as
  // zeroes, in all processes; pages that come next are small ones. Returns
  // false if the system refused: then they are as they were.
  bool Discard(uint64_t begin, uint64_t end) const;

 private:
  ArenaMemory(UniqueFd file, char* base, uint64_t bytes, uint64_t page_bytes);

  UniqueFd file_;  // empty: private memory
  char* base_;     // null: moved from
  uint64_t bytes_;
  uint64_t page_bytes_;
  uint64_t process_;  // how many forks lay before it
};

}  // namespace ets_keeper

#endif  // COMMON_ARENA_ARENA_MEMORY_H_
