// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace protets {
namespace {

constexpr uint64_t kBytes = 1 << 20;

TableMemory Make() {
  absl::StatusOr<TableMemory> memory = MakeTableMemory("users", kBytes);
  EXPECT_TRUE(memory.ok()) << memory.status();
  return *std::move(memory);
}

TEST(KeeperMemoryTest, IsSparseSealedAndClosedToOtherUsers) {
  const TableMemory memory = Make();
  struct stat info = {};
  ASSERT_EQ(fstat(memory.read_write.get(), &info), 0);
  EXPECT_EQ(static_cast<uint64_t>(info.st_size), kBytes);
  EXPECT_EQ(info.st_blocks, 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  const int seals = fcntl(memory.read_write.get(), F_GET_SEALS);
  EXPECT_EQ(seals & ~0x20, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  for (const UniqueFd* fd : {&memory.read_write, &memory.read_only}) {
    EXPECT_EQ(fcntl(fd->get(), F_GETFD), FD_CLOEXEC);
    EXPECT_TRUE(CheckTableMemory(fd->get(), kBytes).ok());
  }
}

TEST(KeeperMemoryTest, NobodyCanResizeItOrAddASeal) {
  const TableMemory memory = Make();
  const int fd = memory.read_write.get();
  EXPECT_EQ(ftruncate(fd, 0), -1);
  EXPECT_EQ(ftruncate(fd, 2 * kBytes), -1);
  EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST(KeeperMemoryTest, TheReadOnlyDescriptorNeverLetsOneWrite) {
  const TableMemory memory = Make();
  const int fd = memory.read_only.get();
  EXPECT_EQ(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
            MAP_FAILED);
  void* view = mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(view, MAP_FAILED);
  EXPECT_EQ(mprotect(view, kBytes, PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(pwrite(fd, "x", 1, 0), -1);
  // It shows what is written elsewhere.
  EXPECT_EQ(pwrite(memory.read_write.get(), "x", 1, 5), 1);
  EXPECT_EQ(static_cast<const char*>(view)[5], 'x');
  munmap(view, kBytes);
}

TEST(KeeperMemoryTest, AnImpossibleSizeIsRefused) {
  const uint64_t too_much = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(CauseOf(MakeTableMemory("users", too_much).status()),
            Cause::kUnavailable);
}

TEST(KeeperMemoryTest, TheCheckRefusesWhatIsNotExactlyThis) {
  const auto refused = [](int fd, uint64_t bytes) {
    return CauseOf(CheckTableMemory(fd, bytes)) == Cause::kCorrupt;
  };
  const TableMemory memory = Make();
  EXPECT_TRUE(refused(memory.read_write.get(), kBytes + 1));
  EXPECT_TRUE(refused(memory.read_write.get(), 0));
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

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
