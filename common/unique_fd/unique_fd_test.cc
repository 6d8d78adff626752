// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/unique_fd/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) != -1; }

int OpenNull() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(UniqueFdTest, IsEmptyByDefaultAndAfterAFailedOpen) {
  EXPECT_FALSE(UniqueFd());
  EXPECT_EQ(UniqueFd().get(), -1);
  EXPECT_EQ(UniqueFd(-7).get(), -1);
}

TEST(UniqueFdTest, ClosesAtTheEndOfItsScope) {
  const int raw = OpenNull();
  {
    UniqueFd fd(raw);
    EXPECT_TRUE(fd);
    EXPECT_EQ(fd.get(), raw);
    EXPECT_TRUE(IsOpen(raw));
  }
  EXPECT_FALSE(IsOpen(raw));
}

TEST(UniqueFdTest, OwnsDescriptorZeroToo) {
  const int saved = dup(0);
  { UniqueFd fd(0); }
  EXPECT_FALSE(IsOpen(0));
  EXPECT_EQ(dup2(saved, 0), 0);
  close(saved);
}

TEST(UniqueFdTest, MovingLeavesOneOwner) {
  const int raw = OpenNull();
  UniqueFd from(raw);
  UniqueFd to(std::move(from));
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(to.get(), raw);
}

TEST(UniqueFdTest, AssigningClosesWhatWasHeld) {
  const int first = OpenNull();
  const int second = OpenNull();
  UniqueFd fd(first);
  fd = UniqueFd(second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_EQ(fd.get(), second);
  UniqueFd& itself = fd;
  fd = std::move(itself);
  EXPECT_EQ(fd.get(), second);
  EXPECT_TRUE(IsOpen(second));
}

TEST(UniqueFdTest, ReleasingHandsTheDescriptorOver) {
  UniqueFd fd(OpenNull());
  const int raw = fd.Release();
  EXPECT_FALSE(fd);
  EXPECT_TRUE(IsOpen(raw));
  close(raw);
}

TEST(UniqueFdTest, ClosingKeepsErrnoAndMayBeRepeated) {
  UniqueFd fd(OpenNull());
  errno = E2BIG;
  fd.Close();
  fd.Close();
  EXPECT_EQ(errno, E2BIG);
  EXPECT_FALSE(fd);
}

}  // namespace
}  // namespace ets_keeper
