// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/arena.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "common/arena/arena_file.h"
#include "common/arena/pages_testing.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

constexpr uint64_t kKind = 7;
constexpr uint64_t kBytes = 1 << 20;

UniqueFd Memfd(uint64_t bytes) { return *CreateArenaFile("arena_test", bytes); }

UniqueFd ReadOnly(const UniqueFd& fd) { return *ReopenForReading(fd); }

void Format(Arena& arena) {
  ASSERT_THAT(arena.BeginFormat({.kind = kKind,
                                 .schema = 99,
                                 .schema_text = "a schema of 23 letters."}),
              IsOk());
  arena.FinishFormat();
}

uint64_t AllocatedBytes(const UniqueFd& fd) {
  struct stat info;
  CHECK_EQ(fstat(fd.get(), &info), 0);
  return static_cast<uint64_t>(info.st_blocks) * 512;
}

TEST(ArenaTest, SizesThatMakeNoSenseAreRefused) {
  EXPECT_EQ(CauseOf(Arena::CreatePrivate(Arena::kMinBytes - 1).status()),
            Cause::kBadOption);
  EXPECT_EQ(CauseOf(Arena::CreatePrivate(Arena::kMaxBytes + 1).status()),
            Cause::kBadOption);
  EXPECT_EQ(CauseOf(Arena::Map(Memfd(100), ArenaAccess::kReadWrite).status()),
            Cause::kCorrupt);
  EXPECT_EQ(CauseOf(Arena::Map(Memfd(4096), ArenaAccess::kReadWrite).status()),
            Cause::kCorrupt);
  EXPECT_EQ(CauseOf(Arena::Map(UniqueFd(), ArenaAccess::kReadWrite).status()),
            Cause::kBadOption);
}

TEST(ArenaTest, AFormattedArenaIsValidAndAnEmptyOneIsNot) {
  auto arena = *Arena::CreatePrivate(kBytes);
  EXPECT_TRUE(arena->blank());
  EXPECT_EQ(CauseOf(arena->Validate(kKind)), Cause::kCorrupt);
  Format(*arena);
  EXPECT_FALSE(arena->blank());
  EXPECT_THAT(arena->Validate(kKind), IsOk());
  EXPECT_EQ(CauseOf(arena->Validate(kKind + 1)), Cause::kCorrupt);
  EXPECT_EQ(arena->schema_text(), "a schema of 23 letters.");
  EXPECT_EQ(CauseOf(arena->BeginFormat({})), Cause::kCorrupt);
}

TEST(ArenaTest, ASchemaThatIsTooLongIsRefused) {
  auto arena = *Arena::CreatePrivate(kBytes);
  const std::string text(Arena::kMaxSchemaBytes + 1, 'x');
  EXPECT_EQ(CauseOf(arena->BeginFormat({.schema_text = text})),
            Cause::kBadOption);
  EXPECT_TRUE(arena->blank());
}

TEST(ArenaTest, OtherMappingsOfTheMemfdSeeTheSameWords) {
  const UniqueFd fd = Memfd(kBytes);
  auto writer = *Arena::Map(UniqueFd(dup(fd.get())), ArenaAccess::kReadWrite);
  Format(*writer);
  auto reader = *Arena::Map(ReadOnly(fd), ArenaAccess::kReadOnly);
  EXPECT_TRUE(reader->shared());
  EXPECT_THAT(reader->Validate(kKind), IsOk());
  {
    Lock lock(writer->grow_mutex());
    ASSERT_THAT(writer->CommitBack(kBytes - 8), IsOk());
  }
  StoreWord(writer->At(kBytes - 8), 42);
  EXPECT_EQ(LoadWord(reader->At(kBytes - 8)), 42);
}

TEST(ArenaTest, AReadOnlyDescriptorCannotBeMappedForWriting) {
  const UniqueFd fd = Memfd(kBytes);
  EXPECT_EQ(CauseOf(Arena::Map(ReadOnly(fd), ArenaAccess::kReadWrite).status()),
            Cause::kWriteProtected);
}

TEST(ArenaDeathTest, AStoreThroughAReadOnlyMappingKills) {
  const UniqueFd fd = Memfd(kBytes);
  EXPECT_DEATH(
      {
        auto arena = *Arena::Map(ReadOnly(fd), ArenaAccess::kReadOnly);
        StoreWord(arena->At(4096), 1);
      },
      "");
}

TEST(ArenaTest, PagesAreAllocatedBeforeTheyAreUsed) {
  const UniqueFd fd = Memfd(kBytes);
  auto arena = *Arena::Map(UniqueFd(dup(fd.get())), ArenaAccess::kReadWrite);
  Format(*arena);
  const uint64_t before = AllocatedBytes(fd);
  EXPECT_LE(before, 4096);
  Lock lock(arena->grow_mutex());
  ASSERT_THAT(arena->CommitFront(100 << 10), IsOk());
  EXPECT_GE(AllocatedBytes(fd), 100 << 10);
  ASSERT_THAT(arena->CommitBack(kBytes - (200 << 10)), IsOk());
  EXPECT_GE(AllocatedBytes(fd), 300 << 10);
  EXPECT_THAT(arena->Validate(kKind), IsOk());
}

TEST(ArenaTest, AccountsForWhatIsCommitted) {
  const UniqueFd fd = Memfd(kBytes);
  auto arena = *Arena::Map(UniqueFd(dup(fd.get())), ArenaAccess::kReadWrite);
  EXPECT_EQ(arena->committed_bytes(), 0);
  EXPECT_EQ(arena->allocated_bytes(), 0);
  Format(*arena);
  EXPECT_EQ(arena->committed_bytes(), 4096);
  {
    Lock lock(arena->grow_mutex());
    ASSERT_THAT(arena->CommitFront(100 << 10), IsOk());
    ASSERT_THAT(arena->CommitBack(kBytes - (200 << 10)), IsOk());
  }
  EXPECT_GE(arena->committed_bytes(), 300 << 10);
  EXPECT_LE(arena->committed_bytes(), 364 << 10);
  EXPECT_EQ(arena->allocated_bytes(), arena->committed_bytes());
  if (FilesGetMoreThanAsked()) {
    EXPECT_LE(arena->allocated_bytes(), AllocatedBytes(fd));
  } else {
    EXPECT_EQ(arena->allocated_bytes(), AllocatedBytes(fd));
  }
  const auto reader = *Arena::Map(ReadOnly(fd), ArenaAccess::kReadOnly);
  EXPECT_EQ(reader->committed_bytes(), arena->committed_bytes());
}

TEST(ArenaTest, TheTwoEndsMeetAndThenItIsFull) {
  auto arena = *Arena::CreatePrivate(kBytes);
  Format(*arena);
  Lock lock(arena->grow_mutex());
  ASSERT_THAT(arena->CommitFront(kBytes / 2), IsOk());
  EXPECT_EQ(CauseOf(arena->CommitBack(kBytes / 2 - 1)), Cause::kNoMemory);
  ASSERT_THAT(arena->CommitBack(kBytes / 2), IsOk());
  EXPECT_EQ(CauseOf(arena->CommitFront(kBytes / 2 + 1)), Cause::kNoMemory);
  EXPECT_THAT(arena->Validate(kKind), IsOk());
  StoreWord(arena->At(kBytes / 2 - 8), 1);
  StoreWord(arena->At(kBytes / 2), 2);
}

TEST(ArenaTest, HoldsOnlyWhatIsInside) {
  auto arena = *Arena::CreatePrivate(kBytes);
  EXPECT_TRUE(arena->Holds(4096, 8));
  EXPECT_TRUE(arena->Holds(kBytes - 8, 8));
  EXPECT_FALSE(arena->Holds(0, 8));
  EXPECT_FALSE(arena->Holds(4088, 8));
  EXPECT_FALSE(arena->Holds(4097, 8));
  EXPECT_FALSE(arena->Holds(kBytes - 8, 16));
  EXPECT_FALSE(arena->Holds(kBytes, 0));
  EXPECT_FALSE(arena->Holds(8192, ~uint64_t{0}));
}

// A child that goes on after its parent's death must not be able to write.
TEST(ArenaTest, AForkedChildHasNoMapping) {
  const UniqueFd fd = Memfd(kBytes);
  auto arena = *Arena::Map(UniqueFd(dup(fd.get())), ArenaAccess::kReadWrite);
  Format(*arena);
  // mincore() asks the kernel about the mapping and touches nothing.
  unsigned char page;
  ASSERT_EQ(mincore(arena->At(0), 4096, &page), 0);
  const pid_t child = fork();
  if (child == 0) {
    unsigned char child_page;
    _exit(mincore(arena->At(0), 4096, &child_page) == 0 ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace ets_keeper
