// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace protets {
namespace {

// Both since Linux 6.3; older C libraries lack them.
constexpr unsigned kNoExecSeal = 0x8;
constexpr int kSealExec = 0x20;

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

absl::Status Refused(absl::string_view name, absl::string_view what) {
  const int error = errno;
  return MakeStatus(Cause::kUnavailable,
                    absl::StrCat("cannot ", what, " the memory of table ", name,
                                 ": ", std::strerror(error)));
}

UniqueFd NewMemfd(const std::string& name) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd(memfd_create(name.c_str(), kFlags | kNoExecSeal));
  if (!fd && errno == EINVAL) {
    fd = UniqueFd(memfd_create(name.c_str(), kFlags));
  }
  return fd;
}

}  // namespace

absl::StatusOr<TableMemory> MakeTableMemory(absl::string_view name,
                                            uint64_t bytes) {
  TableMemory memory;
  memory.read_write = NewMemfd(absl::StrCat("ets_keeper:", name));
  const int fd = memory.read_write.get();
  if (fd < 0) return Refused(name, "create");
  if (bytes > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) {
    errno = EFBIG;
    return Refused(name, "size");
  }
  if (ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    return Refused(name, "size");
  }
  // Memfds are born open to everybody who can reach them through /proc.
  if (fchmod(fd, 0600) != 0) return Refused(name, "protect");
  if (fcntl(fd, F_ADD_SEALS, kSeals) != 0) return Refused(name, "seal");
  const std::string path = absl::StrCat("/proc/self/fd/", fd);
  memory.read_only = UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!memory.read_only) return Refused(name, "re-open");
  return memory;
}

absl::Status CheckTableMemory(int fd, uint64_t bytes) {
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

}  // namespace protets
}  // namespace ets_keeper
