// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// What Protets and a keeper say to each other between the grant of a table and
// the end of `Get()`.

#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/arena/arena.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"
#include "protets/keeper_memory.h"
#include "protets/keeper_protocol.h"
#include "protets/protets.h"
#include "protets/rows_testing.h"
#include "protets/scripted_keeper_testing.h"

namespace ets_keeper::protets {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

constexpr uint64_t kBytes = 1 << 20;
constexpr uint64_t kEpoch = 5;

// The memory of a table of one row, as its dead owner left it.
TableMemory MakeOldTable() {
  absl::StatusOr<TableMemory> memory =
      MakeTableMemory("users", kBytes, /*huge_pages=*/false);
  CHECK_OK(memory.status());
  Tables tables;
  TableOptions options;
  options.arena = *Arena::Map(UniqueFd(dup(memory->read_write.get())),
                              ArenaAccess::kReadWrite);
  const auto users =
      Table<User, &User::id>::New(tables, NewPid(), std::move(options));
  CHECK_OK(users.status());
  CHECK_OK(users->Insert({.id = 7, .name = "Ada", .visits = 9}));
  return *std::move(memory);
}

Reply GrantOfTable(bool fresh) {
  Reply reply;
  reply.type = ReplyType::kGrant;
  reply.fresh = fresh;
  reply.table.name = "users";
  reply.table.epoch = kEpoch;
  reply.table.bytes = kBytes;
  reply.table.schema = RowCodec<User>::schema().fingerprint();
  return reply;
}

class ProtetsAttachTest : public testing::Test {
 protected:
  // To the claim, and the grant.
  Request NextClaim(ScriptedKeeper& keeper) {
    keeper.AnswerPing();
    const Request claim = keeper.Next();
    EXPECT_EQ(claim.type, RequestType::kClaim);
    return claim;
  }
  void Grant(ScriptedKeeper& keeper, const Request& claim) {
    keeper.Answer(claim, GrantOfTable(/*fresh=*/false),
                  memory_.read_write.get());
  }

  Request NextAttached(ScriptedKeeper& keeper) {
    const Request attached = keeper.Next();
    EXPECT_EQ(attached.type, RequestType::kAttached);
    EXPECT_EQ(attached.name, "users");
    EXPECT_EQ(attached.epoch, kEpoch);
    return attached;
  }

  // At the end, with or without an error.
  void AnswerRelease(ScriptedKeeper& keeper) {
    const Request release = keeper.Next();
    EXPECT_EQ(release.type, RequestType::kRelease);
    EXPECT_EQ(release.epoch, kEpoch);
    keeper.Answer(release, {});
    keeper.Next();
  }

  const TableMemory memory_ = MakeOldTable();
};

TEST_F(ProtetsAttachTest, AnOldTableIsThereBeforeTheKeeperHasAnswered) {
  ScriptedKeeper keeper([&](ScriptedKeeper& self) {
    Grant(self, NextClaim(self));
    NextAttached(self);
    AnswerRelease(self);
  });
  Protets protets({.keeper = keeper.path()});
  const absl::StatusOr<Users> users = protets.Get<User, &User::id>("users");
  ASSERT_THAT(users, IsOk());
  EXPECT_THAT(users->LookupElement<&User::visits>(7), IsOkAndHolds(9));
}

TEST_F(ProtetsAttachTest, ANewTableThatTheKeeperDoesNotConfirmIsNone) {
  const absl::StatusOr<TableMemory> blank =
      MakeTableMemory("users", kBytes, /*huge_pages=*/false);
  ASSERT_THAT(blank.status(), IsOk());
  ScriptedKeeper keeper([&](ScriptedKeeper& self) {
    self.Answer(NextClaim(self), GrantOfTable(/*fresh=*/true),
                blank->read_write.get());
    self.Answer(NextAttached(self),
                ErrorReply(0, MakeStatus(Cause::kNotOwner, "not you")));
    AnswerRelease(self);
  });
  Protets protets({.keeper = keeper.path()});
  EXPECT_EQ(CauseOf(protets.Get<User, &User::id>("users").status()),
            Cause::kNotOwner);
  EXPECT_EQ(protets.pool().worker_count(), 0);
}

TEST_F(ProtetsAttachTest, WhatCannotBeSaidIsSaidOverAnotherConnection) {
  ScriptedKeeper keeper([&](ScriptedKeeper& self) {
    const Request claim = NextClaim(self);
    self.StopReading();
    Grant(self, claim);
    self.NextClient();
    self.AnswerPing();
    self.Answer(NextAttached(self), {});
    AnswerRelease(self);
  });
  Protets protets({.keeper = keeper.path()});
  const absl::StatusOr<Users> users = protets.Get<User, &User::id>("users");
  ASSERT_THAT(users, IsOk());
  EXPECT_THAT(users->LookupElement<&User::visits>(7), IsOkAndHolds(9));
}

TEST_F(ProtetsAttachTest, AnOldTableThatIsNotWhatWasWantedIsReleased) {
  ScriptedKeeper keeper([&](ScriptedKeeper& self) {
    Grant(self, NextClaim(self));
    self.Answer(NextAttached(self), {});
    AnswerRelease(self);
  });
  Protets protets({.keeper = keeper.path()});
  EXPECT_EQ(
      CauseOf(protets.Get<User, &User::id>("users", {.max_bytes = 2 << 20})
                  .status()),
      Cause::kBadOption);
}

}  // namespace
}  // namespace ets_keeper::protets
