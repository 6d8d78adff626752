// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_peer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace protets {
namespace {

TEST(KeeperPeerTest, ThePeerIsWhoeverMadeTheSocket) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd a(ends[0]);
  const UniqueFd b(ends[1]);
  const absl::StatusOr<PeerProcess> peer = IdentifyPeer(a.get());
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->pid, getpid());
  EXPECT_EQ(peer->uid, geteuid());
  EXPECT_FALSE(HasDied(peer->pidfd));
  EXPECT_EQ(fcntl(peer->pidfd.get(), F_GETFD), FD_CLOEXEC);
}

TEST(KeeperPeerTest, WhatIsNoSocketHasNoPeer) {
  const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(CauseOf(IdentifyPeer(null.get()).status()), Cause::kUnavailable);
}

TEST(KeeperPeerTest, AProcessHasDiedWhenItIsKilledThoughNobodyReapedIt) {
  const pid_t child = fork();
  if (child == 0) {
    while (true) pause();
  }
  const absl::StatusOr<UniqueFd> pidfd = OpenProcess(child);
  ASSERT_TRUE(pidfd.ok()) << pidfd.status();
  EXPECT_FALSE(HasDied(*pidfd));
  kill(child, SIGKILL);
  pollfd entry = {pidfd->get(), POLLIN, 0};
  EXPECT_EQ(poll(&entry, 1, -1), 1);
  EXPECT_TRUE(HasDied(*pidfd));
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(HasDied(*pidfd));
  EXPECT_EQ(CauseOf(OpenProcess(child).status()), Cause::kUnavailable);
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
