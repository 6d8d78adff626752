// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/arena_memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/arena/arena_file.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace ets_keeper {
namespace {

constexpr unsigned long kHugetlbfsMagic = 0x958458f6;

absl::Status SystemError(Cause cause, absl::string_view call) {
  const int error = errno;
  return MakeStatus(cause, absl::StrCat(call, ": ", std::strerror(error)));
}

// fallocate(2), where interruptions are no errors.
bool ChangeFile(int fd, int mode, uint64_t begin, uint64_t end) {
  int result;
  do {
    result = fallocate(fd, mode, static_cast<off_t>(begin),
                       static_cast<off_t>(end - begin));
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

// Of the processes that this one descends from by forks, how many there are: a
// number that is never the same in a child and in its parent.
uint64_t Forks() {
  static std::atomic<uint64_t> forks{0};
  static const int registered = pthread_atfork(
      nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(registered);
  return forks.load(std::memory_order_relaxed);
}

// Whether a file of memory gets transparent huge pages where a mapping of it
// wants them. What is chosen stands in brackets.
bool FilesTakeHugePages() {
  static const bool chosen = [] {
    char text[128] = {};
    const UniqueFd setting(
        open("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
             O_RDONLY | O_CLOEXEC));
    if (read(setting.get(), text, sizeof(text) - 1) <= 0) return false;
    return !absl::StrContains(text, "[never]") &&
           !absl::StrContains(text, "[deny]");
  }();
  return chosen;
}

// Without DONTFORK a forked child could go on writing after its parent's pidfd
// said that the owner is dead.
void KeepToThisProcess(void* base, uint64_t bytes) {
  madvise(base, bytes, MADV_DONTFORK);
  madvise(base, bytes, MADV_DONTDUMP);
}

}  // namespace

ArenaMemory::ArenaMemory(UniqueFd file, char* base, uint64_t bytes,
                         uint64_t page_bytes)
    : file_(std::move(file)),
      base_(base),
      bytes_(bytes),
      page_bytes_(page_bytes),
      process_(Forks()) {}

ArenaMemory::ArenaMemory(ArenaMemory&& other) noexcept
    : file_(std::move(other.file_)),
      base_(std::exchange(other.base_, nullptr)),
      bytes_(other.bytes_),
      page_bytes_(other.page_bytes_),
      process_(other.process_) {}

ArenaMemory::~ArenaMemory() {
  if (base_ != nullptr && mapped_here()) munmap(base_, bytes_);
}

bool ArenaMemory::mapped_here() const { return process_ == Forks(); }

bool ArenaMemory::takes_huge_pages() const {
  return page_bytes_ == kPageBytes && (!file_ || FilesTakeHugePages());
}

absl::StatusOr<ArenaMemory> ArenaMemory::Reserve(uint64_t bytes) {
  const uint64_t slack = bytes >= kHugePageBytes ? kHugePageBytes : 0;
  void* mapped = mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    return SystemError(Cause::kNoMemory,
                       absl::StrCat("reserving ", bytes, " bytes"));
  }
  char* base = static_cast<char*>(mapped);
  if (slack != 0) {
    const uint64_t before =
        -reinterpret_cast<uintptr_t>(mapped) % kHugePageBytes;
    if (before != 0) munmap(base, before);
    base += before;
    if (before != slack) munmap(base + bytes, slack - before);
  }
  KeepToThisProcess(base, bytes);
  // Else a machine that is set to give huge pages to everybody would give one
  // to each small table.
  madvise(base, bytes, MADV_NOHUGEPAGE);
  return ArenaMemory(UniqueFd(), base, bytes, kPageBytes);
}

absl::StatusOr<ArenaMemory> ArenaMemory::Map(UniqueFd file,
                                             ArenaAccess access) {
  struct stat info;
  struct statfs system;
  if (fstat(file.get(), &info) != 0 || fstatfs(file.get(), &system) != 0) {
    return SystemError(Cause::kBadOption, "fstat of an arena's descriptor");
  }
  const bool pool =
      static_cast<unsigned long>(system.f_type) == kHugetlbfsMagic;
  const uint64_t page =
      pool ? static_cast<uint64_t>(system.f_bsize) : kPageBytes;
  if (page != kPageBytes && page != kHugePageBytes) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat("an arena's huge pages have ",
                                   kHugePageBytes, " bytes, not ", page));
  }
  const uint64_t bytes = static_cast<uint64_t>(info.st_size);
  if (bytes == 0 || bytes % page != 0) {
    return MakeStatus(Cause::kCorrupt, absl::StrCat("a file of ", bytes,
                                                    " bytes is not an arena"));
  }
  const int protection =
      access == ArenaAccess::kReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  // Where files take huge pages the system aligns the mapping to them.
  void* base = mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE,
                    file.get(), 0);
  if (base == MAP_FAILED) {
    return SystemError(
        errno == EACCES ? Cause::kWriteProtected : Cause::kNoMemory,
        absl::StrCat("mmap of an arena of ", bytes, " bytes"));
  }
  KeepToThisProcess(base, bytes);
  return ArenaMemory(std::move(file), static_cast<char*>(base), bytes, page);
}

absl::Status ArenaMemory::Allocate(uint64_t begin, uint64_t end) const {
  if (file_ && !ChangeFile(file_.get(), 0, begin, end)) {
    return SystemError(
        Cause::kNoMemory,
        absl::StrCat("allocating ", end - begin, " bytes of an arena"));
  }
  // Of a file this only maps the pages. EINVAL: a kernel before 5.14 has no
  // such advice; there the first touch does it.
  if (madvise(base_ + begin, end - begin, MADV_POPULATE_WRITE) != 0 &&
      errno != EINVAL && !file_) {
    return SystemError(
        Cause::kNoMemory,
        absl::StrCat("allocating ", end - begin, " bytes of an arena"));
  }
  return absl::OkStatus();
}

// fallocate() knows nothing of what a mapping wants.
void ArenaMemory::TryHugePages(uint64_t begin, uint64_t end) const {
  madvise(base_ + begin, end - begin, MADV_HUGEPAGE);
  madvise(base_ + begin, end - begin, MADV_POPULATE_WRITE);
}

bool ArenaMemory::Discard(uint64_t begin, uint64_t end) const {
  if (takes_huge_pages()) {
    madvise(base_ + begin, end - begin, MADV_NOHUGEPAGE);
  }
  if (file_) {
    return ChangeFile(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      begin, end);
  }
  return madvise(base_ + begin, end - begin, MADV_DONTNEED) == 0;
}

}  // namespace ets_keeper
