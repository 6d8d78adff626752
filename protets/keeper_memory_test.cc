// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "common/arena/arena_file.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace protets {
namespace {

constexpr uint64_t kBytes = 1 << 20;

TEST(KeeperMemoryTest, HasADescriptorForTheOwnerAndOneForReaders) {
  const absl::StatusOr<TableMemory> memory =
      MakeTableMemory("users", kBytes, /*huge_pages=*/false);
  ASSERT_TRUE(memory.ok()) << memory.status();
  for (const UniqueFd* fd : {&memory->read_write, &memory->read_only}) {
    EXPECT_TRUE(CheckArenaFile(fd->get(), kBytes).ok());
  }
  EXPECT_EQ(pwrite(memory->read_write.get(), "x", 1, 5), 1);
  char byte = 0;
  EXPECT_EQ(pread(memory->read_only.get(), &byte, 1, 5), 1);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(pwrite(memory->read_only.get(), "x", 1, 0), -1);
  EXPECT_EQ(
      mmap(nullptr, kBytes, PROT_WRITE, MAP_SHARED, memory->read_only.get(), 0),
      MAP_FAILED);
}

TEST(KeeperMemoryTest, AnImpossibleSizeIsRefusedAndTheTableNamed) {
  const absl::Status status =
      MakeTableMemory("users", std::numeric_limits<uint64_t>::max(),
                      /*huge_pages=*/false)
          .status();
  EXPECT_EQ(CauseOf(status), Cause::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "table users")) << status;
}

TEST(KeeperMemoryTest, HugePagesAreAskedFor) {
  EXPECT_EQ(
      CauseOf(MakeTableMemory("users", kBytes, /*huge_pages=*/true).status()),
      Cause::kBadOption)
      << "not a whole one";
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
