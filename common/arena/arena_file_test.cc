// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/arena_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

constexpr uint64_t kBytes = 1 << 20;

UniqueFd Make() {
  absl::StatusOr<UniqueFd> file = CreateArenaFile("users", kBytes);
  EXPECT_THAT(file, IsOk());
  return *std::move(file);
}

TEST(ArenaFileTest, IsSparseSealedAndClosedToOtherUsers) {
  const UniqueFd file = Make();
  struct stat info = {};
  ASSERT_EQ(fstat(file.get(), &info), 0);
  EXPECT_EQ(static_cast<uint64_t>(info.st_size), kBytes);
  EXPECT_EQ(info.st_blocks, 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  const int seals = fcntl(file.get(), F_GET_SEALS);
  EXPECT_EQ(seals & ~0x20, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  EXPECT_EQ(fcntl(file.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_THAT(CheckArenaFile(file.get(), kBytes), IsOk());
}

TEST(ArenaFileTest, NobodyCanResizeItOrAddASeal) {
  const UniqueFd file = Make();
  EXPECT_EQ(ftruncate(file.get(), 0), -1);
  EXPECT_EQ(ftruncate(file.get(), 2 * kBytes), -1);
  EXPECT_EQ(fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST(ArenaFileTest, TheReadOnlyDescriptorNeverLetsOneWrite) {
  const UniqueFd file = Make();
  const absl::StatusOr<UniqueFd> reading = ReopenForReading(file);
  ASSERT_THAT(reading, IsOk());
  const int fd = reading->get();
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  EXPECT_THAT(CheckArenaFile(fd, kBytes), IsOk());
  EXPECT_EQ(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
            MAP_FAILED);
  void* view = mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(view, MAP_FAILED);
  EXPECT_EQ(mprotect(view, kBytes, PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(pwrite(fd, "x", 1, 0), -1);
  // It shows what is written elsewhere.
  EXPECT_EQ(pwrite(file.get(), "x", 1, 5), 1);
  EXPECT_EQ(static_cast<const char*>(view)[5], 'x');
  munmap(view, kBytes);
}

TEST(ArenaFileTest, WhatIsNotOpenCannotBeReopened) {
  EXPECT_EQ(CauseOf(ReopenForReading(UniqueFd()).status()),
            Cause::kUnavailable);
}

TEST(ArenaFileTest, AnImpossibleSizeIsRefused) {
  const uint64_t too_much = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(CauseOf(CreateArenaFile("users", too_much).status()),
            Cause::kUnavailable);
}

TEST(ArenaFileTest, ALongNameIsCut) {
  EXPECT_THAT(CreateArenaFile(std::string(1000, 'x'), kBytes), IsOk());
}

TEST(ArenaFileTest, TheCheckRefusesWhatIsNotExactlyThis) {
  const auto refused = [](int fd, uint64_t bytes) {
    return CauseOf(CheckArenaFile(fd, bytes)) == Cause::kCorrupt;
  };
  const UniqueFd file = Make();
  EXPECT_TRUE(refused(file.get(), kBytes + 1));
  EXPECT_TRUE(refused(file.get(), 0));
  EXPECT_TRUE(refused(-1, kBytes));
  EXPECT_TRUE(refused(UniqueFd(open("/dev/null", O_RDONLY)).get(), 0));

  const UniqueFd unsealed(memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(unsealed.get(), kBytes), 0);
  EXPECT_TRUE(refused(unsealed.get(), kBytes));
  ASSERT_EQ(fcntl(unsealed.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
  EXPECT_TRUE(refused(unsealed.get(), kBytes));
  ASSERT_EQ(fcntl(unsealed.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), 0);
  EXPECT_TRUE(refused(unsealed.get(), kBytes));
}

TEST(ArenaFileTest, HugePagesNeedASizeOfWholeOnes) {
  for (const uint64_t bytes : {uint64_t{0}, kBytes, kHugePageBytes + 4096}) {
    EXPECT_EQ(
        CauseOf(CreateArenaFile("users", bytes, {.huge_pages = true}).status()),
        Cause::kBadOption)
        << bytes;
  }
}

// Both outcomes are right: it is the machine's pool that decides.
TEST(ArenaFileTest, HugePagesComeFromThePoolOrItIsNamed) {
  const absl::StatusOr<UniqueFd> file =
      CreateArenaFile("users", 4 * kHugePageBytes, {.huge_pages = true});
  if (!file.ok()) {
    EXPECT_EQ(CauseOf(file.status()), Cause::kNoMemory) << file.status();
    EXPECT_TRUE(absl::StrContains(file.status().message(), "vm.nr_hugepages"));
    EXPECT_TRUE(absl::StrContains(file.status().message(), "users"));
    return;
  }
  struct statfs system;
  ASSERT_EQ(fstatfs(file->get(), &system), 0);
  EXPECT_EQ(static_cast<uint64_t>(system.f_bsize), kHugePageBytes);
  EXPECT_THAT(CheckArenaFile(file->get(), 4 * kHugePageBytes), IsOk());
}

}  // namespace
}  // namespace ets_keeper
