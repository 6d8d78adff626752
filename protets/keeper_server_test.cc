// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_server.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/arena/arena_file.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"
#include "protets/child_process_testing.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_socket.h"

namespace ets_keeper {
namespace protets {
namespace {

// A client that says whatever it is told to.
class RawClient {
 public:
  explicit RawClient(const std::string& path) {
    absl::StatusOr<UniqueFd> socket = ConnectTo(path, absl::Seconds(60));
    EXPECT_TRUE(socket.ok()) << socket.status();
    if (socket.ok()) socket_ = *std::move(socket);
  }

  int fd() const { return socket_.get(); }

  bool Send(absl::string_view bytes, int fd = -1) {
    return SendPacket(socket_.get(), bytes, fd);
  }
  bool Send(const Request& request) { return Send(EncodeRequest(request)); }

  Received Receive() {
    pollfd entry = {socket_.get(), POLLIN, 0};
    EXPECT_EQ(poll(&entry, 1, -1), 1);
    return ReceivePacket(socket_.get(), kReplySize, 1);
  }

  Reply ReceiveReply() {
    last_ = Receive();
    const absl::StatusOr<Reply> reply = DecodeReply(last_.packet);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.value_or(Reply());
  }

  Reply Ask(const Request& request) {
    EXPECT_TRUE(Send(request));
    return ReceiveReply();
  }

  // Whether the next word is an error with this cause, followed by the end.
  bool IsTurnedAway(Cause cause, uint64_t id) {
    const Reply reply = ReceiveReply();
    return reply.type == ReplyType::kError && reply.cause == cause &&
           reply.id == id && Receive().state == Received::State::kClosed;
  }

  Received last_;

 private:
  UniqueFd socket_;
};

Request Ping() { return {.type = RequestType::kPing, .id = 1}; }

Request Claim(std::string name) {
  return {.type = RequestType::kClaim,
          .id = 2,
          .name = std::move(name),
          .max_bytes = 4096,
          .may_create = true};
}

Request Attached(std::string name) {
  return {.type = RequestType::kAttached,
          .id = 3,
          .name = std::move(name),
          .epoch = 1};
}

// A process that owns "users": forked before there is a server and its thread,
// it claims the table when it is told to.
class UsersOwner {
 public:
  explicit UsersOwner(const std::string& socket)
      : process_([&](auto ready) {
          char byte;
          if (read(ends_[0].get(), &byte, 1) != 1) _exit(1);
          RawClient client(socket);
          if (client.Ask(Claim("users")).type != ReplyType::kGrant ||
              client.Ask(Attached("users")).type != ReplyType::kOk) {
            _exit(1);
          }
          ready();
          while (true) pause();
        }) {}

  // Whether it has it now.
  [[nodiscard]] bool Claims() {
    return write(ends_[1].get(), "g", 1) == 1 && process_.AwaitReady();
  }
  bool Kill() { return process_.Kill(); }

 private:
  static std::array<UniqueFd, 2> Pipe() {
    int ends[2];
    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
  }

  const std::array<UniqueFd, 2> ends_ = Pipe();  // before the process
  ChildProcess process_;
};

class KeeperServerTest : public testing::Test {
 protected:
  KeeperServerTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    options_.socket = folder_ + "/keeper.sock";
    options_.limits.max_connections = 8;
    options_.log = [this](absl::string_view line) {
      Lock lock(mu_);
      log_.push_back(std::string(line));
    };
  }

  ~KeeperServerTest() override {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    absl::StatusOr<std::unique_ptr<KeeperServer>> server =
        KeeperServer::Listen(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    stop_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
    thread_ = std::thread([this, server = *std::move(server)] {
      end_ = server->Run(stop_.get());
    });
  }

  void Stop() {
    if (!thread_.joinable()) return;
    EXPECT_EQ(eventfd_write(stop_.get(), 1), 0);
    thread_.join();
    EXPECT_TRUE(end_.ok()) << end_;
  }

  bool WasLogged(absl::string_view what) {
    Lock lock(mu_);
    for (const std::string& line : log_) {
      if (absl::StrContains(line, what)) return true;
    }
    return false;
  }

  std::string folder_ = "/tmp/ets_keeper_test.XXXXXX";
  KeeperOptions options_;
  UniqueFd stop_;
  std::thread thread_;
  absl::Status end_;
  absl::Mutex mu_;
  std::vector<std::string> log_ ABSL_GUARDED_BY(mu_);
};

TEST_F(KeeperServerTest, GrantsMemoryAndStopsWhenTold) {
  Start();
  RawClient client(options_.socket);
  const Reply grant = client.Ask(Claim("users"));
  EXPECT_EQ(grant.type, ReplyType::kGrant);
  ASSERT_EQ(client.last_.fds.size(), 1u);
  EXPECT_TRUE(CheckArenaFile(client.last_.fds[0].get(), 4096).ok());
  Stop();
  EXPECT_TRUE(WasLogged(absl::StrCat("event=grant uid=", getuid(), " pid=",
                                     getpid(), " table=\"users\" epoch=1")));
  EXPECT_FALSE(std::filesystem::exists(options_.socket));
  EXPECT_EQ(client.Receive().state, Received::State::kClosed);
}

TEST_F(KeeperServerTest, NonsenseEndsOnlyTheConnectionThatSentIt) {
  Start();
  RawClient good(options_.socket);
  ASSERT_EQ(good.Ask(Claim("users")).type, ReplyType::kGrant);
  std::string other_version = EncodeRequest(Ping());
  other_version[4] = 9;
  std::string no_type = EncodeRequest(Ping());
  no_type[6] = 99;
  const std::string valid = EncodeRequest(Ping());
  for (const auto& [bytes, id] : std::vector<std::pair<std::string, uint64_t>>{
           {"x", 0},
           {std::string(kRequestSize, 'x'), 0},
           {valid.substr(0, kRequestSize - 1), 1},
           {valid + "x", 1},
           {std::string(100'000, 'x'), 0},
           {other_version, 1},
           {no_type, 1}}) {
    RawClient bad(options_.socket);
    ASSERT_TRUE(bad.Send(bytes));
    EXPECT_TRUE(bad.IsTurnedAway(Cause::kProtocol, id)) << bytes.size();
  }
  EXPECT_TRUE(WasLogged("event=protocol"));
  EXPECT_EQ(good.Ask(Ping()).type, ReplyType::kOk);
  EXPECT_EQ(RawClient(options_.socket).Ask(Claim("users")).cause,
            Cause::kAlreadyOwned);
}

TEST_F(KeeperServerTest, ADescriptorThatNobodyAskedForEndsTheConnection) {
  Start();
  RawClient client(options_.socket);
  ASSERT_TRUE(client.Send(EncodeRequest(Ping()), STDERR_FILENO));
  EXPECT_TRUE(client.IsTurnedAway(Cause::kProtocol, 1));
}

TEST_F(KeeperServerTest, RandomNonsenseDoesNoHarm) {
  Start();
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  RawClient good(options_.socket);
  for (int round = 0; round < 300; ++round) {
    RawClient bad(options_.socket);
    for (uint32_t packets = 1 + random() % 4; packets > 0; --packets) {
      std::string bytes = EncodeRequest(Claim("users"));
      for (uint32_t i = random() % 4; i > 0; --i) {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
      static_cast<void>(bad.Send(bytes));
    }
    ASSERT_EQ(good.Ask(Ping()).type, ReplyType::kOk);
  }
}

TEST_F(KeeperServerTest, WhoDoesNotReadTheAnswersIsDropped) {
  Start();
  RawClient good(options_.socket);
  RawClient deaf(options_.socket);
  // Until the keeper hangs up; it would be for ever if it did not.
  while (true) {
    if (deaf.Send(Ping())) continue;
    if (errno != EAGAIN) break;
    pollfd entry = {deaf.fd(), POLLOUT, 0};
    ASSERT_EQ(poll(&entry, 1, -1), 1);
  }
  EXPECT_EQ(good.Ask(Ping()).type, ReplyType::kOk);
}

TEST_F(KeeperServerTest, OtherUsersAreDenied) {
  options_.user = geteuid() + 1;
  options_.allow_root = false;
  Start();
  RawClient client(options_.socket);
  EXPECT_TRUE(client.IsTurnedAway(Cause::kDenied, 0));
  EXPECT_TRUE(WasLogged("event=deny"));
}

TEST_F(KeeperServerTest, ThereIsALimitToTheConnections) {
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<RawClient>(options_.socket));
    ASSERT_EQ(clients.back()->Ask(Ping()).type, ReplyType::kOk);
  }
  EXPECT_TRUE(RawClient(options_.socket).IsTurnedAway(Cause::kNoMemory, 0));
  clients.pop_back();
  // The second answer comes from a turn that began after the end was seen.
  for (int i = 0; i < 2; ++i) clients[0]->Ask(Ping());
  EXPECT_EQ(RawClient(options_.socket).Ask(Ping()).type, ReplyType::kOk);
}

TEST_F(KeeperServerTest, OneProcessCannotHaveAllConnections) {
  options_.limits.max_connections_per_process = 2;
  UsersOwner other(options_.socket);
  Start();
  RawClient first(options_.socket), second(options_.socket);
  ASSERT_EQ(first.Ask(Ping()).type, ReplyType::kOk);
  ASSERT_EQ(second.Ask(Ping()).type, ReplyType::kOk);
  EXPECT_TRUE(RawClient(options_.socket).IsTurnedAway(Cause::kNoMemory, 0));
  EXPECT_TRUE(WasLogged("has 2 connections, and may not have more"));
  EXPECT_EQ(first.Ask(Ping()).type, ReplyType::kOk);
  EXPECT_TRUE(other.Claims());
}

// The keeper reads the question after the death and before it has been told of
// it: it must look itself.
TEST_F(KeeperServerTest, AnOwnerThatHasJustDiedIsNoOwnerInAnyAnswer) {
  for (const RequestType type : {RequestType::kList, RequestType::kClaim}) {
    UsersOwner owner(options_.socket);
    absl::Notification held, go_on;
    options_.log = [&](absl::string_view line) {
      if (!absl::StrContains(line, "table=\"pause\"")) return;
      held.Notify();
      go_on.WaitForNotification();
    };
    Start();
    ASSERT_TRUE(owner.Claims());
    RawClient asker(options_.socket), other(options_.socket);
    ASSERT_EQ(asker.Ask(Ping()).type, ReplyType::kOk);
    ASSERT_TRUE(other.Send(Claim("pause")));
    held.WaitForNotification();
    Request request = Claim("users");
    request.type = type;
    if (type == RequestType::kList)
      request = {.type = type, .id = 4, .name = "pause"};
    ASSERT_TRUE(asker.Send(request));
    EXPECT_TRUE(owner.Kill());
    go_on.Notify();
    const Reply reply = asker.ReceiveReply();
    EXPECT_EQ(reply.table.name, "users");
    EXPECT_EQ(reply.table.deaths, 1u);
    EXPECT_EQ(reply.table.owner_pid, type == RequestType::kList ? 0 : getpid());
    Stop();
  }
}

// Writing the log is no part of a hand-over.
TEST_F(KeeperServerTest, WhoStandsInLineIsAnsweredBeforeTheDeathIsLogged) {
  UsersOwner owner(options_.socket);
  absl::Notification answered;
  options_.log = [&](absl::string_view line) {
    if (absl::StrContains(line, "event=owner_death")) {
      answered.WaitForNotification();
    }
    Lock lock(mu_);
    log_.push_back(std::string(line));
  };
  Start();
  ASSERT_TRUE(owner.Claims());
  RawClient heir(options_.socket);
  Request claim = Claim("users");
  claim.wait = true;
  claim.wait_ms = Request::kForever;
  ASSERT_TRUE(heir.Send(claim));
  ASSERT_EQ(heir.Ask(Ping()).type, ReplyType::kOk) << "it is in line";
  EXPECT_TRUE(owner.Kill());
  const Reply grant = heir.ReceiveReply();
  EXPECT_EQ(grant.type, ReplyType::kGrant);
  EXPECT_EQ(grant.table.owner_pid, getpid());
  answered.Notify();
  Stop();
  Lock lock(mu_);
  ASSERT_GE(log_.size(), 2u);
  EXPECT_TRUE(absl::StrContains(log_.end()[-2], "event=owner_death"));
  EXPECT_TRUE(absl::StrContains(log_.end()[-1], "event=grant"));
}

// So is what the new owner asks next, and what everybody else had asked.
TEST_F(KeeperServerTest, WhoeverHasAskedIsAnsweredBeforeADeathIsLogged) {
  UsersOwner owner(options_.socket);
  absl::Notification held, go_on, answered;
  options_.log = [&](absl::string_view line) {
    if (absl::StrContains(line, "table=\"pause\"")) {
      held.Notify();
      go_on.WaitForNotification();
    } else if (absl::StrContains(line, "event=owner_death")) {
      answered.WaitForNotification();
    }
    Lock lock(mu_);
    log_.push_back(std::string(line));
  };
  Start();
  ASSERT_TRUE(owner.Claims());
  RawClient asker(options_.socket), other(options_.socket);
  ASSERT_EQ(asker.Ask(Ping()).type, ReplyType::kOk);
  ASSERT_TRUE(other.Send(Claim("pause")));
  held.WaitForNotification();
  EXPECT_TRUE(owner.Kill());
  ASSERT_TRUE(asker.Send(Claim("new")));
  go_on.Notify();
  EXPECT_EQ(asker.ReceiveReply().type, ReplyType::kGrant);
  answered.Notify();
  Stop();
  Lock lock(mu_);
  ASSERT_GE(log_.size(), 2u);
  EXPECT_TRUE(absl::StrContains(log_.end()[-2], "event=owner_death"));
  EXPECT_TRUE(absl::StrContains(log_.end()[-1], "table=\"new\"")) << "in order";
}

int OpenDescriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

TEST_F(KeeperServerTest, ConnectionsAndTablesThatAreGoneLeaveNothingOpen) {
  Start();
  RawClient good(options_.socket);
  ASSERT_EQ(good.Ask(Ping()).type, ReplyType::kOk);
  const int before = OpenDescriptors();
  for (int round = 0; round < 50; ++round) {
    RawClient passing(options_.socket);
    ASSERT_EQ(passing.Ask(Claim("users")).type, ReplyType::kGrant);
    ASSERT_EQ(passing
                  .Ask({.type = RequestType::kAttached,
                        .id = 3,
                        .name = "users",
                        .epoch = static_cast<uint64_t>(round) + 1})
                  .type,
              ReplyType::kOk);
    ASSERT_EQ(
        passing.Ask({.type = RequestType::kOpen, .id = 4, .name = "users"})
            .type,
        ReplyType::kReadGrant);
    ASSERT_EQ(
        passing.Ask({.type = RequestType::kDrop, .id = 5, .name = "users"})
            .type,
        ReplyType::kOk);
    if (round % 2 == 0) {
      ASSERT_TRUE(passing.Send("nonsense"));
    }
  }
  // So many turns cannot all have put it off.
  for (int i = 0; i < 20; ++i) good.Ask(Ping());
  EXPECT_EQ(OpenDescriptors(), before);
}

// Whoever could say that it has the table is not taken for one whose grant was
// lost, for which it would be granted again beside the first.
TEST_F(KeeperServerTest, WhatWasSaidBeforeABreachClosedTheConnectionCounts) {
  std::optional<RawClient> first;
  options_.log = [&first](absl::string_view line) {
    if (!absl::StrContains(line, "event=protocol")) return;
    EXPECT_TRUE(first->Send("more nonsense"));
    EXPECT_TRUE(first->Send(Attached("users")));
  };
  Start();
  first.emplace(options_.socket);
  ASSERT_EQ(first->Ask(Claim("users")).type, ReplyType::kGrant);
  ASSERT_TRUE(first->Send("nonsense"));
  EXPECT_EQ(first->ReceiveReply().cause, Cause::kProtocol);
  EXPECT_EQ(first->ReceiveReply().type, ReplyType::kOk);
  EXPECT_EQ(first->Receive().state, Received::State::kClosed);
  EXPECT_EQ(RawClient(options_.socket).Ask(Claim("users")).cause,
            Cause::kAlreadyOwned);
}

TEST_F(KeeperServerTest, ASecondServerIsKeptAway) {
  Start();
  EXPECT_EQ(CauseOf(KeeperServer::Listen(options_).status()),
            Cause::kAlreadyExists);
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
