// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"
#include "protets/keeper_client.h"
#include "protets/keeper_peer.h"

namespace ets_keeper {
namespace protets {
namespace {

constexpr char kBinary[] = "protets/keeper";

TEST(KeeperProcessTest, RunsAKeeperForAsLongAsTheObjectLives) {
  std::string socket;
  pid_t pid = 0;
  {
    absl::StatusOr<KeeperProcess> started =
        KeeperProcess::Start({.binary = kBinary});
    ASSERT_TRUE(started.ok()) << started.status();
    const KeeperProcess keeper = *std::move(started);
    EXPECT_EQ(started->pid(), 0);  // NOLINT(bugprone-use-after-move)
    socket = keeper.socket();
    pid = keeper.pid();
    EXPECT_TRUE(KeeperClient::Connect(socket).ok());
  }
  EXPECT_FALSE(OpenProcess(pid).ok());
  EXPECT_FALSE(
      std::filesystem::exists(std::filesystem::path(socket).parent_path()));
}

TEST(KeeperProcessTest, WhatDoesNotStartIsAnError) {
  EXPECT_EQ(CauseOf(KeeperProcess::Start({.binary = "no/such"}).status()),
            Cause::kUnavailable);
  EXPECT_EQ(CauseOf(KeeperProcess::Start({.binary = "/bin/true"}).status()),
            Cause::kUnavailable);
  EXPECT_EQ(CauseOf(KeeperProcess::Start(
                        {.binary = kBinary, .flags = {"--max_tables=nine"}})
                        .status()),
            Cause::kUnavailable);
}

TEST(KeeperProcessTest, EndingItTwiceIsNothing) {
  absl::StatusOr<KeeperProcess> keeper =
      KeeperProcess::Start({.binary = kBinary});
  ASSERT_TRUE(keeper.ok()) << keeper.status();
  EXPECT_TRUE(WIFSIGNALED(keeper->End(SIGKILL)));
  EXPECT_EQ(keeper->End(SIGKILL), -1);
  EXPECT_EQ(keeper->pid(), 0);
}

struct Left {
  pid_t keeper;
  char socket[64];
};

// A process that starts a keeper, tells of it, and is killed. The folder that
// it could not remove goes here.
pid_t KeeperOfAKilledParent(bool outlive_parent) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  const pid_t parent = fork();
  Left left = {};
  if (parent == 0) {
    const absl::StatusOr<KeeperProcess> keeper = KeeperProcess::Start(
        {.binary = kBinary, .outlive_parent = outlive_parent});
    if (!keeper.ok()) _exit(1);
    left.keeper = keeper->pid();
    keeper->socket().copy(left.socket, sizeof(left.socket) - 1);
    if (write(ends[1], &left, sizeof(left)) != sizeof(left)) _exit(1);
    while (true) pause();
  }
  EXPECT_EQ(read(ends[0], &left, sizeof(left)),
            static_cast<ssize_t>(sizeof(left)));
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  std::filesystem::remove_all(std::filesystem::path(left.socket).parent_path());
  return left.keeper;
}

TEST(KeeperProcessTest, StopsByItselfWhenTheParentIsKilled) {
  const pid_t keeper = KeeperOfAKilledParent(false);
  ASSERT_NE(keeper, 0);
  const absl::StatusOr<UniqueFd> pidfd = OpenProcess(keeper);
  if (!pidfd.ok()) return;  // it was quicker
  pollfd entry = {pidfd->get(), POLLIN, 0};
  EXPECT_EQ(poll(&entry, 1, -1), 1);
}

TEST(KeeperProcessTest, OutlivesTheParentIfItIsTold) {
  const pid_t keeper = KeeperOfAKilledParent(true);
  ASSERT_NE(keeper, 0);
  const absl::StatusOr<UniqueFd> pidfd = OpenProcess(keeper);
  ASSERT_TRUE(pidfd.ok()) << pidfd.status();
  EXPECT_FALSE(HasDied(*pidfd));
  kill(keeper, SIGKILL);
  pollfd entry = {pidfd->get(), POLLIN, 0};
  EXPECT_EQ(poll(&entry, 1, -1), 1);
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
