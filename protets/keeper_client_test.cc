// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// The client against a keeper that the test plays itself. Against a real one:
// keeper_main_test.cc.

#include "protets/keeper_client.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/arena/arena_file.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"
#include "protets/keeper_memory.h"
#include "protets/keeper_protocol.h"
#include "protets/scripted_keeper_testing.h"

namespace ets_keeper {
namespace protets {
namespace {

KeeperClient Connect(const ScriptedKeeper& keeper) {
  absl::StatusOr<KeeperClient> client =
      KeeperClient::Connect(keeper.path(), absl::Seconds(60));
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

Reply GrantOf(uint64_t bytes) {
  Reply reply;
  reply.type = ReplyType::kGrant;
  reply.fresh = true;
  reply.table.name = "users";
  reply.table.epoch = 5;
  reply.table.bytes = bytes;
  reply.table.schema = 77;
  reply.table.deaths = 3;
  return reply;
}

TEST(KeeperClientTest, NobodyListensAndThePathIsNamed) {
  const absl::Status status =
      KeeperClient::Connect("/tmp/ets_keeper_nobody/k.sock").status();
  EXPECT_EQ(CauseOf(status), Cause::kNoKeeper);
  EXPECT_TRUE(
      absl::StrContains(status.message(), "/tmp/ets_keeper_nobody/k.sock"))
      << status;
}

TEST(KeeperClientTest, AKeeperThatHangsDoesNotHangTheClient) {
  ScriptedKeeper hung(nullptr);
  const absl::Status status =
      KeeperClient::Connect(hung.path(), absl::Milliseconds(20)).status();
  EXPECT_EQ(CauseOf(status), Cause::kNoKeeper);
  EXPECT_TRUE(absl::StrContains(status.message(), hung.path())) << status;
}

TEST(KeeperClientTest, ClaimsTravelAsTheyAreAndGrantsAsWell) {
  const absl::StatusOr<TableMemory> memory =
      MakeTableMemory("users", 8192, /*huge_pages=*/false);
  ASSERT_TRUE(memory.ok());
  Request seen;
  ScriptedKeeper keeper([&](ScriptedKeeper& self) {
    self.AnswerPing();
    seen = self.Next();
    self.Answer(seen, GrantOf(8192), memory->read_write.get());
    self.Next();
  });
  {
    KeeperClient client = Connect(keeper);
    const absl::StatusOr<Grant> grant =
        client.Claim({.name = "users",
                      .schema = 77,
                      .max_bytes = 4096,
                      .may_create = false,
                      .huge_pages = true,
                      .wait = absl::Microseconds(1500)});
    ASSERT_TRUE(grant.ok()) << grant.status();
    EXPECT_EQ(grant->epoch, 5u);
    EXPECT_EQ(grant->bytes, 8192u);
    EXPECT_EQ(grant->schema, 77u);
    EXPECT_EQ(grant->deaths, 3u);
    EXPECT_TRUE(grant->fresh);
    EXPECT_TRUE(CheckArenaFile(grant->fd.get(), 8192).ok());
    EXPECT_EQ(seen.name, "users");
    EXPECT_EQ(seen.schema, 77u);
    EXPECT_EQ(seen.max_bytes, 4096u);
    EXPECT_EQ(seen.wait_ms, 2u);
    EXPECT_TRUE(seen.wait);
    EXPECT_FALSE(seen.may_create);
    EXPECT_TRUE(seen.huge_pages);
  }
}

// The cause with which a claim fails when the keeper grants so.
std::optional<Cause> CauseOfGrant(const Reply& reply, int fd) {
  ScriptedKeeper keeper([&](ScriptedKeeper& self) {
    self.AnswerPing();
    self.Answer(self.Next(), reply, fd);
    self.Next();
  });
  KeeperClient client = Connect(keeper);
  return CauseOf(client.Claim({.name = "users", .max_bytes = 1}).status());
}

TEST(KeeperClientTest, MemoryThatIsNotWhatTheGrantSaysIsRefused) {
  const absl::StatusOr<TableMemory> memory =
      MakeTableMemory("users", 8192, /*huge_pages=*/false);
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(CauseOfGrant(GrantOf(4096), memory->read_write.get()),
            Cause::kCorrupt);
  const UniqueFd unsealed(memfd_create("x", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(unsealed.get(), 8192), 0);
  EXPECT_EQ(CauseOfGrant(GrantOf(8192), unsealed.get()), Cause::kCorrupt);
  EXPECT_EQ(CauseOfGrant(GrantOf(8192), -1), Cause::kProtocol);
  EXPECT_EQ(CauseOfGrant(Reply(), memory->read_write.get()), Cause::kProtocol);
}

TEST(KeeperClientTest, TheKeepersErrorsKeepTheirCauseAndWords) {
  ScriptedKeeper keeper([](ScriptedKeeper& self) {
    self.AnswerPing();
    const Request drop = self.Next();
    self.Send(EncodeReply(ErrorReply(
        drop.id, MakeStatus(Cause::kDenied, "owned by process 12"))));
    self.AnswerPing();
    self.Next();
  });
  KeeperClient client = Connect(keeper);
  EXPECT_EQ(client.Drop("users"),
            MakeStatus(Cause::kDenied, "owned by process 12"));
  EXPECT_TRUE(client.Ping().ok());
}

TEST(KeeperClientTest, BadArgumentsDoNotTravel) {
  ScriptedKeeper keeper([](ScriptedKeeper& self) {
    self.AnswerPing();
    self.AnswerPing();  // the next thing that comes is a ping again
    self.Next();
  });
  KeeperClient client = Connect(keeper);
  const auto is_bad = [](const absl::Status& status) {
    return CauseOf(status) == Cause::kBadOption;
  };
  EXPECT_TRUE(is_bad(client.Claim({.name = ""}).status()));
  EXPECT_TRUE(
      is_bad(client.Claim({.name = "x", .wait = -absl::Seconds(1)}).status()));
  EXPECT_TRUE(is_bad(client.Open("\n").status()));
  EXPECT_TRUE(is_bad(client.Drop(std::string(129, 'x'))));
  EXPECT_TRUE(is_bad(client.Release("", 1)));
  EXPECT_TRUE(is_bad(client.Attached("", 1)));
  EXPECT_TRUE(client.Ping().ok());
}

TEST(KeeperClientTest, WhyTheKeeperTurnsAwayIsPassedOn) {
  ScriptedKeeper keeper([](ScriptedKeeper& self) {
    self.Send(EncodeReply(ErrorReply(0, MakeStatus(Cause::kDenied, "go"))));
  });
  EXPECT_EQ(KeeperClient::Connect(keeper.path()).status(),
            MakeStatus(Cause::kDenied, "go"));
}

TEST(KeeperClientTest, WhatIsNoReplyEndsTheConnectionForGood) {
  ScriptedKeeper keeper([](ScriptedKeeper& self) {
    self.AnswerPing();
    self.Next();
    self.Send("nonsense");
  });
  KeeperClient client = Connect(keeper);
  EXPECT_EQ(CauseOf(client.Ping()), Cause::kProtocol);
  EXPECT_EQ(CauseOf(client.Drop("users")), Cause::kProtocol);
}

TEST(KeeperClientTest, AKeeperThatDiesIsNoKeeper) {
  ScriptedKeeper keeper([](ScriptedKeeper& self) {
    self.AnswerPing();
    self.Next();
  });
  KeeperClient client = Connect(keeper);
  EXPECT_EQ(CauseOf(client
                        .Claim({.name = "users",
                                .max_bytes = 1,
                                .wait = absl::InfiniteDuration()})
                        .status()),
            Cause::kNoKeeper);
  EXPECT_EQ(CauseOf(client.List().status()), Cause::kNoKeeper);
}

TEST(KeeperClientTest, AClaimThatWaitsDoesNotHoldUpOtherThreads) {
  const absl::StatusOr<TableMemory> memory =
      MakeTableMemory("users", 8192, /*huge_pages=*/false);
  ASSERT_TRUE(memory.ok());
  constexpr int kPings = 8;
  absl::Notification claimed;
  ScriptedKeeper keeper([&](ScriptedKeeper& self) {
    self.AnswerPing();
    const Request claim = self.Next();
    claimed.Notify();
    for (int i = 0; i < kPings; ++i) self.AnswerPing();
    self.Answer(claim, GrantOf(8192), memory->read_write.get());
    self.Next();
  });
  {
    KeeperClient client = Connect(keeper);
    std::thread waiter([&client] {
      const absl::StatusOr<Grant> grant = client.Claim(
          {.name = "users", .max_bytes = 1, .wait = absl::InfiniteDuration()});
      EXPECT_TRUE(grant.ok()) << grant.status();
    });
    claimed.WaitForNotification();
    std::vector<std::thread> others;
    for (int i = 0; i < kPings; ++i) {
      others.emplace_back([&client] { EXPECT_TRUE(client.Ping().ok()); });
    }
    for (std::thread& other : others) other.join();
    waiter.join();
  }
}

TEST(KeeperClientTest, ThatItIsAttachedIsSaidWithoutWaitingForTheAnswer) {
  Request attached;
  ScriptedKeeper keeper([&](ScriptedKeeper& self) {
    self.AnswerPing();
    attached = self.Next();
    const Request ping = self.Next();  // comes before the answer
    self.Answer(attached, ErrorReply(0, MakeStatus(Cause::kNotOwner, "no")));
    self.Answer(ping, {});
    self.Next();
  });
  KeeperClient client = Connect(keeper);
  EXPECT_TRUE(client.SayAttached("users", 5).ok());
  EXPECT_TRUE(client.Ping().ok());
  EXPECT_EQ(attached.type, RequestType::kAttached);
  EXPECT_EQ(attached.name, "users");
  EXPECT_EQ(attached.epoch, 5u);
}

TEST(KeeperClientTest, WhatCannotBeSaidIsAnError) {
  ScriptedKeeper keeper([](ScriptedKeeper& self) {
    self.AnswerPing();
    const Request ping = self.Next();
    self.StopReading();
    self.Answer(ping, {});
    self.AwaitEnd();
  });
  KeeperClient client = Connect(keeper);
  EXPECT_EQ(CauseOf(client.SayAttached("", 5)), Cause::kBadOption);
  EXPECT_TRUE(client.Ping().ok());
  EXPECT_EQ(CauseOf(client.SayAttached("users", 5)), Cause::kNoKeeper);
}

TEST(KeeperClientTest, NothingIsSaidOverAConnectionThatBroke) {
  ScriptedKeeper keeper([](ScriptedKeeper& self) {
    self.AnswerPing();
    self.Next();
  });
  KeeperClient client = Connect(keeper);
  EXPECT_EQ(CauseOf(client.Ping()), Cause::kNoKeeper);
  EXPECT_EQ(CauseOf(client.SayAttached("users", 5)), Cause::kNoKeeper);
}

TEST(KeeperClientTest, AListThatDoesNotAdvanceIsRefused) {
  ScriptedKeeper keeper([](ScriptedKeeper& self) {
    self.AnswerPing();
    for (int i = 0; i < 2; ++i) {
      Reply reply = GrantOf(1);
      reply.type = ReplyType::kTable;
      self.Answer(self.Next(), reply);
    }
    self.Next();
  });
  KeeperClient client = Connect(keeper);
  EXPECT_EQ(CauseOf(client.List().status()), Cause::kProtocol);
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
