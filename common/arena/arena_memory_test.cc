// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/arena_memory.h"

#include <cstdint>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/arena/arena_file.h"
#include "common/arena/pages_testing.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

constexpr uint64_t kPage = ArenaMemory::kPageBytes;
constexpr uint64_t kBytes = 1 << 20;

ArenaMemory MapNewFile() {
  absl::StatusOr<ArenaMemory> memory = ArenaMemory::Map(
      *CreateArenaFile("memory", kBytes), ArenaAccess::kReadWrite);
  CHECK_OK(memory.status());
  return *std::move(memory);
}

void CanBeAllocatedWrittenAndDiscarded(const ArenaMemory& memory) {
  char* const at = memory.base() + 8 * kPage;
  EXPECT_FALSE(IsResident(at));
  ASSERT_THAT(memory.Allocate(8 * kPage, 16 * kPage), IsOk());
  EXPECT_TRUE(IsResident(at));
  EXPECT_TRUE(IsResident(memory.base() + 15 * kPage));
  if (!memory.shared() || !FilesGetMoreThanAsked()) {
    EXPECT_FALSE(IsResident(memory.base() + 16 * kPage));
  }
  at[0] = 'a';
  at[4 * kPage] = 'b';
  ASSERT_THAT(memory.Allocate(4 * kPage, 16 * kPage), IsOk());
  EXPECT_EQ(at[0], 'a') << "what was there stays";
  EXPECT_TRUE(memory.Discard(12 * kPage, 16 * kPage));
  EXPECT_EQ(at[0], 'a');
  EXPECT_FALSE(IsResident(at + 4 * kPage));
  EXPECT_EQ(at[4 * kPage], '\0');
}

void HugePagesComeAndGo(const ArenaMemory& memory) {
  char* const at = memory.base() + 2 * kHugePageBytes;
  ASSERT_THAT(memory.Allocate(2 * kHugePageBytes - kPage, 2 * kHugePageBytes),
              IsOk());
  at[-1] = 'a';
  memory.TryHugePages(kHugePageBytes, 4 * kHugePageBytes);
  ASSERT_THAT(memory.Allocate(2 * kHugePageBytes, 4 * kHugePageBytes), IsOk());
  EXPECT_EQ(at[-1], 'a') << "what was there stays";
  EXPECT_TRUE(HasFlag(at, "hg"));
  EXPECT_FALSE(HasFlag(memory.base() + 4 * kHugePageBytes, "hg"));
  for (uint64_t page = 0; page < 2 * kHugePageBytes; page += kPage) {
    ASSERT_TRUE(IsResident(at + page));
    ASSERT_EQ(at[page], '\0');
    at[page] = 'b';
  }
  EXPECT_FALSE(IsResident(memory.base() + 4 * kHugePageBytes));
  EXPECT_TRUE(memory.Discard(3 * kHugePageBytes, 4 * kHugePageBytes));
  EXPECT_TRUE(HasFlag(at, "hg"));
  EXPECT_EQ(at[kHugePageBytes - kPage], 'b');
  EXPECT_FALSE(IsResident(at + kHugePageBytes));
  EXPECT_EQ(at[kHugePageBytes], '\0');
}

TEST(ArenaMemoryTest, PrivateMemoryComesAndGoesByThePage) {
  const absl::StatusOr<ArenaMemory> memory = ArenaMemory::Reserve(kBytes);
  ASSERT_THAT(memory, IsOk());
  EXPECT_FALSE(memory->shared());
  EXPECT_EQ(memory->bytes(), kBytes);
  EXPECT_EQ(memory->page_bytes(), kPage);
  CanBeAllocatedWrittenAndDiscarded(*memory);
}

TEST(ArenaMemoryTest, SoDoesTheMemoryOfAFile) {
  const ArenaMemory memory = MapNewFile();
  EXPECT_TRUE(memory.shared());
  EXPECT_EQ(memory.bytes(), kBytes);
  EXPECT_EQ(memory.page_bytes(), kPage);
  CanBeAllocatedWrittenAndDiscarded(memory);
}

TEST(ArenaMemoryTest, WhatIsDiscardedReadsAsZeroesElsewhereToo) {
  UniqueFd file = *CreateArenaFile("memory", kBytes);
  const absl::StatusOr<ArenaMemory> reader =
      ArenaMemory::Map(*ReopenForReading(file), ArenaAccess::kReadOnly);
  ASSERT_THAT(reader, IsOk());
  const absl::StatusOr<ArenaMemory> writer =
      ArenaMemory::Map(std::move(file), ArenaAccess::kReadWrite);
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT(writer->Allocate(0, kPage), IsOk());
  writer->base()[7] = 'a';
  EXPECT_EQ(reader->base()[7], 'a');
  EXPECT_TRUE(writer->Discard(0, kPage));
  EXPECT_EQ(reader->base()[7], '\0');
  EXPECT_FALSE(reader->Discard(0, kPage)) << "it may only read";
}

TEST(ArenaMemoryTest, LargePrivateMemoryIsAlignedToHugePages) {
  for (const uint64_t bytes :
       {kHugePageBytes, 2 * kHugePageBytes + kPage, 64 * kHugePageBytes}) {
    const absl::StatusOr<ArenaMemory> memory = ArenaMemory::Reserve(bytes);
    ASSERT_THAT(memory, IsOk());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->base()) % kHugePageBytes, 0);
    ASSERT_THAT(memory->Allocate(bytes - kPage, bytes), IsOk());
  }
}

TEST(ArenaMemoryTest, PrivateMemoryTakesHugePagesOnlyWhereTheyAreTried) {
  const absl::StatusOr<ArenaMemory> memory =
      ArenaMemory::Reserve(8 * kHugePageBytes);
  ASSERT_THAT(memory, IsOk());
  EXPECT_TRUE(memory->takes_huge_pages());
  EXPECT_TRUE(HasFlag(memory->base(), "nh"));
  HugePagesComeAndGo(*memory);
  EXPECT_FALSE(HasFlag(memory->base() + 3 * kHugePageBytes, "hg"));
}

// Where the machine is not set to it, small pages come.
TEST(ArenaMemoryTest, SoDoesAFile) {
  const absl::StatusOr<ArenaMemory> memory = ArenaMemory::Map(
      *CreateArenaFile("memory", 8 * kHugePageBytes), ArenaAccess::kReadWrite);
  ASSERT_THAT(memory, IsOk());
  HugePagesComeAndGo(*memory);
}

TEST(ArenaMemoryTest, AFileTakesHugePagesIfTheMachineIsSetToIt) {
  const bool wanted = FilesGetMoreThanAsked() || HugePagesOfFiles() == "advise";
  const absl::StatusOr<ArenaMemory> memory = ArenaMemory::Map(
      *CreateArenaFile("memory", 8 * kHugePageBytes), ArenaAccess::kReadWrite);
  ASSERT_THAT(memory, IsOk());
  EXPECT_EQ(memory->takes_huge_pages(), wanted);
  if (!wanted) GTEST_SKIP() << "it is set to: " << HugePagesOfFiles();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->base()) % kHugePageBytes, 0);
  memory->TryHugePages(2 * kHugePageBytes, 4 * kHugePageBytes);
  ASSERT_THAT(memory->Allocate(2 * kHugePageBytes, 4 * kHugePageBytes), IsOk());
  EXPECT_EQ(HugeBytes(memory->base() + 2 * kHugePageBytes), 2 * kHugePageBytes);
}

TEST(ArenaMemoryTest, NoCopyOfItIsMadeByForksAndCoreDumps) {
  const absl::StatusOr<ArenaMemory> memory = ArenaMemory::Reserve(kBytes);
  ASSERT_THAT(memory, IsOk());
  const ArenaMemory file = MapNewFile();
  for (const char* base : {memory->base(), file.base()}) {
    EXPECT_TRUE(HasFlag(base, "dc"));
    EXPECT_TRUE(HasFlag(base, "dd"));
  }
}

TEST(ArenaMemoryTest, MoreAddressSpaceThanThereIsIsRefused) {
  EXPECT_EQ(CauseOf(ArenaMemory::Reserve(uint64_t{1} << 60).status()),
            Cause::kNoMemory);
}

TEST(ArenaMemoryTest, FilesThatDoNotFitAreRefused) {
  const auto cause = [](UniqueFd file, ArenaAccess access) {
    return CauseOf(ArenaMemory::Map(std::move(file), access).status());
  };
  EXPECT_EQ(cause(UniqueFd(), ArenaAccess::kReadOnly), Cause::kBadOption);
  EXPECT_EQ(cause(*CreateArenaFile("x", 0), ArenaAccess::kReadOnly),
            Cause::kCorrupt);
  EXPECT_EQ(cause(*CreateArenaFile("x", kPage + 1), ArenaAccess::kReadOnly),
            Cause::kCorrupt);
  EXPECT_EQ(cause(*ReopenForReading(*CreateArenaFile("x", kPage)),
                  ArenaAccess::kReadWrite),
            Cause::kWriteProtected);
}

TEST(ArenaMemoryTest, WhatWasMovedFromUnmapsNothing) {
  absl::StatusOr<ArenaMemory> first = ArenaMemory::Reserve(kBytes);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(first->Allocate(0, kPage), IsOk());
  const ArenaMemory second = *std::move(first);
  first = absl::CancelledError();
  second.base()[0] = 'a';
  EXPECT_EQ(second.base()[0], 'a');
}

}  // namespace
}  // namespace ets_keeper
