// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_socket.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace protets {
namespace {

class KeeperSocketTest : public testing::Test {
 protected:
  KeeperSocketTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/keeper.sock";
  }
  ~KeeperSocketTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_ = "/tmp/ets_keeper_test.XXXXXX";
  std::string path_;
};

std::optional<Cause> ListenCause(const std::string& path) {
  return CauseOf(KeeperListener::Listen(path).status());
}

std::optional<Cause> ConnectCause(const std::string& path) {
  return CauseOf(ConnectTo(path, absl::Seconds(30)).status());
}

std::pair<UniqueFd, UniqueFd> Pair() {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

TEST_F(KeeperSocketTest, TheDefaultPathFollowsTheEnvironment) {
  setenv("ETS_KEEPER_SOCKET", "/x/y.sock", 1);
  setenv("XDG_RUNTIME_DIR", "/run/me", 1);
  EXPECT_EQ(DefaultKeeperSocket(), "/x/y.sock");
  unsetenv("ETS_KEEPER_SOCKET");
  EXPECT_EQ(DefaultKeeperSocket(), "/run/me/ets_keeper/keeper.sock");
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(DefaultKeeperSocket(),
            absl::StrCat("/tmp/ets_keeper-", getuid(), "/keeper.sock"));
}

TEST_F(KeeperSocketTest, ListensInAFolderOfItsOwnUntilTheEnd) {
  const std::string path = folder_ + "/new/keeper.sock";
  EXPECT_EQ(ConnectCause(path), Cause::kNoKeeper);
  {
    const absl::StatusOr<KeeperListener> listener =
        KeeperListener::Listen(path);
    ASSERT_TRUE(listener.ok()) << listener.status();
    EXPECT_EQ(listener->path(), path);
    struct stat info = {};
    ASSERT_EQ(stat((folder_ + "/new").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0700u);
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
    const auto client = ConnectTo(path, absl::Seconds(30));
    ASSERT_TRUE(client.ok()) << client.status();
    EXPECT_EQ(PeerUser(client->get()), geteuid());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(ConnectCause(path), Cause::kNoKeeper);
}

TEST_F(KeeperSocketTest, AFolderThatOthersMayEnterIsNotSafe) {
  chmod(folder_.c_str(), 0750);
  EXPECT_EQ(ListenCause(path_), Cause::kDenied);
  chmod(folder_.c_str(), 0701);
  EXPECT_EQ(ListenCause(path_), Cause::kDenied);
  chmod(folder_.c_str(), 0700);
  EXPECT_TRUE(KeeperListener::Listen(path_).ok());
}

TEST_F(KeeperSocketTest, ASymbolicLinkIsNoFolder) {
  mkdir((folder_ + "/real").c_str(), 0700);
  ASSERT_EQ(symlink("real", (folder_ + "/link").c_str()), 0);
  EXPECT_EQ(ListenCause(folder_ + "/link/keeper.sock"), Cause::kDenied);
  std::ofstream(folder_ + "/file") << "x";
  EXPECT_EQ(ListenCause(folder_ + "/file/keeper.sock"), Cause::kDenied);
  EXPECT_EQ(ListenCause(folder_ + "/no/such/keeper.sock"), Cause::kDenied);
}

TEST_F(KeeperSocketTest, APathTooLongForASocketIsNamed) {
  const std::string path = folder_ + "/" + std::string(100, 'x');
  const absl::Status status = KeeperListener::Listen(path).status();
  EXPECT_EQ(CauseOf(status), Cause::kBadOption);
  EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
  EXPECT_EQ(ConnectCause(path), Cause::kBadOption);
  EXPECT_EQ(ConnectCause(""), Cause::kBadOption);
}

TEST_F(KeeperSocketTest, ASecondKeeperIsKeptAway) {
  const absl::StatusOr<KeeperListener> first = KeeperListener::Listen(path_);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(ListenCause(path_), Cause::kAlreadyExists);
  EXPECT_TRUE(ConnectTo(path_, absl::Seconds(30)).ok());
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  return address;
}

TEST_F(KeeperSocketTest, ReplacesTheSocketOfADeadKeeperOnly) {
  const sockaddr_un address = AddressOf(path_);
  UniqueFd other(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(other.get(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)),
            0);
  ASSERT_EQ(listen(other.get(), 1), 0);
  EXPECT_EQ(ListenCause(path_), Cause::kAlreadyExists);
  other.Close();
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_TRUE(KeeperListener::Listen(path_).ok());
  std::ofstream(path_) << "precious";
  EXPECT_EQ(ListenCause(path_), Cause::kAlreadyExists);
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(KeeperSocketTest, PacketsTravelWithADescriptor) {
  const auto [a, b] = Pair();
  EXPECT_EQ(ReceivePacket(b.get(), 10, 1).state, Received::State::kNothingYet);
  const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(SendPacket(a.get(), "0123456789", null.get()));
  ASSERT_TRUE(SendPacket(a.get(), "x"));
  const Received first = ReceivePacket(b.get(), 10, 1);
  EXPECT_EQ(first.state, Received::State::kPacket);
  EXPECT_EQ(first.packet, "0123456789");
  EXPECT_FALSE(first.truncated);
  ASSERT_EQ(first.fds.size(), 1u);
  EXPECT_EQ(fcntl(first.fds[0].get(), F_GETFD), FD_CLOEXEC);
  const Received second = ReceivePacket(b.get(), 10, 1);
  EXPECT_EQ(second.packet, "x");
  EXPECT_TRUE(second.fds.empty());
}

int OpenDescriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

void SendDescriptors(int socket, int fd, int count) {
  char byte = 'x';
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  for (int i = 0; i < count; ++i) {
    reinterpret_cast<int*>(CMSG_DATA(header))[i] = fd;
  }
  ASSERT_EQ(sendmsg(socket, &message, 0), 1);
}

TEST_F(KeeperSocketTest, WhatIsOverTheLimitIsReportedAndDoesNotComeIn) {
  const auto [a, b] = Pair();
  ASSERT_TRUE(SendPacket(a.get(), "0123456789"));
  EXPECT_TRUE(ReceivePacket(b.get(), 9, 0).truncated);
  const int before = OpenDescriptors();
  SendDescriptors(a.get(), b.get(), 1);
  EXPECT_TRUE(ReceivePacket(b.get(), 10, 0).truncated);
  SendDescriptors(a.get(), b.get(), 7);
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_TRUE(ReceivePacket(b.get(), 10, 1).truncated);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(KeeperSocketTest, LastWordsAreHeardThoughTheSenderDidNotListen) {
  auto [a, b] = Pair();
  ASSERT_TRUE(SendPacket(b.get(), "never read"));
  ASSERT_TRUE(SendPacket(a.get(), "last words"));
  a.Close();
  EXPECT_EQ(ReceivePacket(b.get(), 10, 0).packet, "last words");
  EXPECT_EQ(ReceivePacket(b.get(), 10, 0).state, Received::State::kClosed);
  EXPECT_FALSE(SendPacket(b.get(), "x"));
}

TEST_F(KeeperSocketTest, SendingNeverBlocks) {
  const auto [a, b] = Pair();
  const std::string packet(1000, 'x');
  int sent = 0;
  while (SendPacket(a.get(), packet)) ++sent;
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_GT(sent, 0);
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
