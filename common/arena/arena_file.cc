// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/arena_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace {

// Newer than some C libraries.
constexpr unsigned kNoExecSeal = 0x8;     // Linux 6.3
constexpr int kSealExec = 0x20;           // Linux 6.3
constexpr unsigned kHuge2Mb = 21u << 26;  // Linux 4.14

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

// The system takes 249 bytes.
constexpr size_t kMaxName = 200;

absl::Status Refused(absl::string_view what, absl::string_view name) {
  const int error = errno;
  return MakeStatus(Cause::kUnavailable,
                    absl::StrCat("cannot ", what, " the memory of ", name, ": ",
                                 std::strerror(error)));
}

UniqueFd NewMemfd(const std::string& name, bool huge_pages) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING |
                         (huge_pages ? MFD_HUGETLB | kHuge2Mb : 0u);
  UniqueFd fd(memfd_create(name.c_str(), flags | kNoExecSeal));
  if (!fd && errno == EINVAL) {
    fd = UniqueFd(memfd_create(name.c_str(), flags));
  }
  return fd;
}

absl::Status NoHugePage(absl::string_view name) {
  const int error = errno;
  return MakeStatus(
      Cause::kNoMemory,
      absl::StrCat("there is no huge page for the memory of ", name, ": the ",
                   "machine's pool (vm.nr_hugepages) has none of ",
                   kHugePageBytes >> 20, " MiB left: ", std::strerror(error)));
}

}  // namespace

absl::StatusOr<UniqueFd> CreateArenaFile(absl::string_view name, uint64_t bytes,
                                         const ArenaFileOptions& options) {
  if (options.huge_pages && (bytes == 0 || bytes % kHugePageBytes != 0)) {
    return MakeStatus(
        Cause::kBadOption,
        absl::StrCat("the memory of ", name, " cannot have ", bytes,
                     " bytes: huge pages have ", kHugePageBytes));
  }
  UniqueFd file =
      NewMemfd(absl::StrCat("ets_keeper:", name.substr(0, kMaxName)),
               options.huge_pages);
  const int fd = file.get();
  if (fd < 0) {
    return options.huge_pages ? NoHugePage(name) : Refused("create", name);
  }
  if (bytes > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) {
    errno = EFBIG;
    return Refused("size", name);
  }
  if (ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    return Refused("size", name);
  }
  // Memfds are born open to everybody who can reach them through /proc.
  if (fchmod(fd, 0600) != 0) return Refused("protect", name);
  if (fcntl(fd, F_ADD_SEALS, kSeals) != 0) return Refused("seal", name);
  // An empty pool shows only here.
  if (options.huge_pages && fallocate(fd, 0, 0, kHugePageBytes) != 0) {
    return NoHugePage(name);
  }
  return file;
}

absl::StatusOr<UniqueFd> ReopenForReading(const UniqueFd& file) {
  const std::string path = absl::StrCat("/proc/self/fd/", file.get());
  UniqueFd again(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!again) return Refused("re-open", path);
  return again;
}

absl::Status CheckArenaFile(int fd, uint64_t bytes) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) {
    return MakeStatus(Cause::kCorrupt, "the memory cannot be sealed");
  }
  if ((seals & ~kSealExec) != kSeals) {
    return MakeStatus(
        Cause::kCorrupt,
        absl::StrCat("the memory has the seals 0x", absl::Hex(seals),
                     " instead of 0x", absl::Hex(kSeals)));
  }
  struct stat info = {};
  if (fstat(fd, &info) != 0 || static_cast<uint64_t>(info.st_size) != bytes) {
    return MakeStatus(Cause::kCorrupt,
                      absl::StrCat("the memory has ", info.st_size,
                                   " bytes instead of ", bytes));
  }
  return absl::OkStatus();
}

}  // namespace ets_keeper
