// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_state_testing.h"

namespace ets_keeper {
namespace protets {
namespace {

// Three processes; c2 is a second connection of the first one.
constexpr Peer kA = {.connection = 1, .process = 100, .pid = 1001};
constexpr Peer kA2 = {.connection = 2, .process = 100, .pid = 1001};
constexpr Peer kB = {.connection = 3, .process = 200, .pid = 2002};
constexpr Peer kC = {.connection = 4, .process = 300, .pid = 3003};

class KeeperStateTest : public testing::Test {
 protected:
  KeeperStateTest() : state_(Limits(), host_) {}

  static KeeperLimits Limits() {
    return {.max_tables = 3,
            .max_bytes_per_table = 1000,
            .max_waiting_claims_per_connection = 2};
  }

  static Request Claim(absl::string_view name = "users") {
    return {.type = RequestType::kClaim,
            .name = std::string(name),
            .schema = 0xabc,
            .max_bytes = 64,
            .may_create = true};
  }

  static Request Waiting(uint64_t wait_ms = Request::kForever) {
    Request request = Claim();
    request.wait = true;
    request.wait_ms = wait_ms;
    return request;
  }

  // Sends the request; the reply to it, if there was one at once.
  std::optional<Reply> Ask(const Peer& peer, Request request) {
    request.id = ++last_id_;
    state_.HandleRequest(peer, request, now_);
    return ReplyTo(request.id);
  }

  std::optional<Reply> ReplyTo(uint64_t id) const {
    for (const FakeHost::Sent& sent : host_.sent) {
      if (sent.reply.id == id) return sent.reply;
    }
    return std::nullopt;
  }

  // The cause of the error that answers `request`; nullopt if it is not one.
  std::optional<Cause> Refusal(const Peer& peer, const Request& request) {
    const std::optional<Reply> reply = Ask(peer, request);
    if (!reply.has_value() || reply->type != ReplyType::kError) {
      return std::nullopt;
    }
    last_message_ = reply->message;
    return reply->cause;
  }

  bool Succeeds(const Peer& peer, RequestType type, uint64_t epoch = 0,
                absl::string_view name = "users") {
    const auto reply =
        Ask(peer, {.type = type, .name = std::string(name), .epoch = epoch});
    return reply.has_value() && reply->type == ReplyType::kOk;
  }

  // Creates and formats "users", owned by `peer`.
  void Create(const Peer& peer) {
    const std::optional<Reply> grant = Ask(peer, Claim());
    ASSERT_TRUE(grant.has_value());
    ASSERT_EQ(grant->type, ReplyType::kGrant);
    ASSERT_TRUE(Succeeds(peer, RequestType::kAttached, grant->table.epoch));
  }

  FakeHost host_;
  KeeperState state_;
  uint64_t now_ = 1000;
  uint64_t last_id_ = 0;
  std::string last_message_;
};

TEST_F(KeeperStateTest, AClaimCreatesATableThatIsFresh) {
  const std::optional<Reply> grant = Ask(kA, Claim());
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->type, ReplyType::kGrant);
  EXPECT_TRUE(grant->fresh);
  EXPECT_EQ(grant->table.epoch, 1u);
  EXPECT_EQ(grant->table.bytes, 64u);
  EXPECT_EQ(grant->table.schema, 0xabcu);
  EXPECT_EQ(grant->table.deaths, 0u);
  EXPECT_EQ(host_.memories.at(host_.sent.back().memory), 64u);
  EXPECT_EQ(state_.OwnerOf("users"), kA.process);
}

TEST_F(KeeperStateTest, AClaimThatMayNotCreateDoesNot) {
  Request claim = Claim();
  claim.may_create = false;
  EXPECT_EQ(Refusal(kA, claim), Cause::kTableNotFound);
  EXPECT_TRUE(host_.memories.empty());
  EXPECT_EQ(Ask(kA, Claim())->table.epoch, 1u);
}

TEST_F(KeeperStateTest, TheFirstClaimerChoosesThePages) {
  ASSERT_EQ(Ask(kA, Claim("small"))->type, ReplyType::kGrant);
  EXPECT_FALSE(host_.last_huge_pages);
  Request claim = Claim();
  claim.huge_pages = true;
  ASSERT_EQ(Ask(kA, claim)->type, ReplyType::kGrant);
  EXPECT_TRUE(host_.last_huge_pages);
}

TEST_F(KeeperStateTest, SizesHaveLimitsUnlessTheTableExists) {
  Request claim = Claim();
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{1001}, ~uint64_t{0}}) {
    claim.max_bytes = bytes;
    EXPECT_EQ(Refusal(kA, claim), Cause::kBadOption);
  }
  Create(kA);
  state_.HandleDeath(kA.process, now_);
  claim.max_bytes = 0;
  EXPECT_EQ(Ask(kB, claim)->table.bytes, 64u);
}

TEST_F(KeeperStateTest, ThereIsALimitToTheTables) {
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(Ask(kA, Claim(name))->type, ReplyType::kGrant);
  }
  EXPECT_EQ(Refusal(kA, Claim("d")), Cause::kNoMemory);
  EXPECT_TRUE(Succeeds(kA, RequestType::kDrop, 0, "a"));
  EXPECT_EQ(Ask(kA, Claim("d"))->type, ReplyType::kGrant);
}

TEST_F(KeeperStateTest, ATableWithALivingOwnerIsNotGivenAway) {
  Create(kA);
  EXPECT_EQ(Refusal(kB, Claim()), Cause::kAlreadyOwned);
  EXPECT_TRUE(absl::StrContains(last_message_, "1001")) << last_message_;
  EXPECT_EQ(Refusal(kA, Claim()), Cause::kAlreadyOwned);
  EXPECT_EQ(Refusal(kA2, Waiting()), Cause::kAlreadyOwned);
}

TEST_F(KeeperStateTest, TheDeathOfTheOwnerServesTheLineInItsOrder) {
  Create(kA);
  const MemoryId memory = host_.memories.begin()->first;
  EXPECT_FALSE(Ask(kB, Waiting()).has_value());
  const uint64_t b_claim = last_id_;
  EXPECT_FALSE(Ask(kC, Waiting()).has_value());
  const uint64_t c_claim = last_id_;
  state_.HandleDeath(kA.process, now_);
  const std::optional<Reply> b_grant = ReplyTo(b_claim);
  ASSERT_TRUE(b_grant.has_value());
  EXPECT_FALSE(b_grant->fresh);
  EXPECT_EQ(b_grant->table.epoch, 2u);
  EXPECT_EQ(b_grant->table.deaths, 1u);
  EXPECT_EQ(host_.sent.back().memory, memory);
  EXPECT_FALSE(ReplyTo(c_claim).has_value());
  state_.HandleDeath(kB.process, now_);
  EXPECT_EQ(ReplyTo(c_claim)->table.epoch, 3u);
  EXPECT_EQ(ReplyTo(c_claim)->table.deaths, 2u);
}

TEST_F(KeeperStateTest, ALostConnectionGivesNothingAway) {
  Create(kA);
  EXPECT_FALSE(Ask(kB, Waiting()).has_value());
  state_.HandleDisconnect(kA.connection);
  EXPECT_FALSE(ReplyTo(last_id_).has_value());
  EXPECT_EQ(Refusal(kC, Claim()), Cause::kAlreadyOwned);
  // The process is known by any other connection of its.
  EXPECT_TRUE(Succeeds(kA2, RequestType::kRelease, 1));
  EXPECT_EQ(state_.OwnerOf("users"), kB.process);
}

TEST_F(KeeperStateTest, AReleasedTableIsKept) {
  Create(kA);
  EXPECT_TRUE(Succeeds(kA, RequestType::kRelease, 1));
  EXPECT_EQ(state_.OwnerOf("users"), 0u);
  EXPECT_FALSE(state_.OwnsAnything(kA.process));
  const std::optional<Reply> grant = Ask(kB, Claim());
  EXPECT_FALSE(grant->fresh);
  EXPECT_EQ(grant->table.epoch, 2u);
  EXPECT_EQ(grant->table.deaths, 0u);
}

TEST_F(KeeperStateTest, OnlyTheOwnerWithItsEpochMayReleaseOrAttach) {
  Create(kA);
  for (const RequestType type :
       {RequestType::kRelease, RequestType::kAttached}) {
    const auto request = [type](uint64_t epoch, std::string name) {
      return Request{.type = type, .name = std::move(name), .epoch = epoch};
    };
    EXPECT_EQ(Refusal(kB, request(1, "users")), Cause::kNotOwner);
    EXPECT_EQ(Refusal(kA, request(2, "users")), Cause::kNotOwner);
    EXPECT_EQ(Refusal(kA, request(1, "other")), Cause::kTableNotFound);
  }
  EXPECT_TRUE(Succeeds(kA, RequestType::kAttached, 1));
  EXPECT_TRUE(Succeeds(kA, RequestType::kRelease, 1));
  EXPECT_FALSE(Succeeds(kA, RequestType::kRelease, 1));
}

TEST_F(KeeperStateTest, AnotherSchemaIsRefusedAndBothAreNamed) {
  Create(kA);
  Request claim = Claim();
  claim.schema = 0xdef;
  EXPECT_EQ(Refusal(kB, claim), Cause::kSchemaMismatch);
  EXPECT_TRUE(absl::StrContains(last_message_, "0xabc")) << last_message_;
  EXPECT_TRUE(absl::StrContains(last_message_, "0xdef")) << last_message_;
  state_.HandleDeath(kA.process, now_);
  EXPECT_EQ(Refusal(kB, claim), Cause::kSchemaMismatch);
  EXPECT_EQ(Ask(kB, Claim())->type, ReplyType::kGrant);
}

TEST_F(KeeperStateTest, ATableThatWasNeverFormattedIsMadeAnew) {
  ASSERT_EQ(Ask(kA, Claim())->table.epoch, 1u);
  const MemoryId first = host_.sent.back().memory;
  EXPECT_FALSE(Ask(kB, Waiting()).has_value());
  state_.HandleDeath(kA.process, now_);
  const std::optional<Reply> grant = ReplyTo(last_id_);
  ASSERT_TRUE(grant.has_value());
  EXPECT_TRUE(grant->fresh);
  EXPECT_EQ(grant->table.epoch, 2u);
  EXPECT_NE(host_.sent.back().memory, first);
  EXPECT_EQ(host_.memories.size(), 1u);
  // Nor does it stay when nobody is in line.
  state_.HandleDeath(kB.process, now_);
  EXPECT_TRUE(host_.memories.empty());
  Request claim = Claim();
  claim.schema = 0xdef;
  EXPECT_TRUE(Ask(kC, claim)->fresh);
  EXPECT_EQ(host_.sent.back().reply.table.epoch, 3u);
}

TEST_F(KeeperStateTest, WhoMayNotCreateIsNotGivenAnUnformattedTable) {
  ASSERT_TRUE(Ask(kA, Claim())->fresh);
  Request claim = Waiting();
  claim.may_create = false;
  EXPECT_FALSE(Ask(kB, claim).has_value());
  const uint64_t b_claim = last_id_;
  EXPECT_FALSE(Ask(kC, Waiting()).has_value());
  EXPECT_TRUE(Succeeds(kA, RequestType::kRelease, 1));
  EXPECT_EQ(ReplyTo(b_claim)->cause, Cause::kTableNotFound);
  EXPECT_EQ(state_.OwnerOf("users"), kC.process);
}

TEST_F(KeeperStateTest, AWaitEndsAtItsDeadline) {
  Create(kA);
  EXPECT_EQ(state_.NextDeadline(), std::nullopt);
  EXPECT_FALSE(Ask(kB, Waiting(50)).has_value());
  const uint64_t b_claim = last_id_;
  EXPECT_FALSE(Ask(kC, Waiting()).has_value());
  EXPECT_EQ(state_.NextDeadline(), now_ + 50);
  state_.HandleTime(now_ + 49);
  EXPECT_FALSE(ReplyTo(b_claim).has_value());
  state_.HandleTime(now_ + 50);
  EXPECT_EQ(ReplyTo(b_claim)->cause, Cause::kTimeout);
  EXPECT_EQ(state_.NextDeadline(), std::nullopt);
  // Its place in the line is gone.
  state_.HandleDeath(kA.process, now_ + 60);
  EXPECT_EQ(state_.OwnerOf("users"), kC.process);
  EXPECT_EQ(Refusal(kB, Waiting(0)), Cause::kTimeout);
}

TEST_F(KeeperStateTest, ClaimsLeaveTheLineWithTheirConnectionOrProcess) {
  Create(kA);
  EXPECT_FALSE(Ask(kB, Waiting(70)).has_value());
  state_.HandleDisconnect(kB.connection);
  EXPECT_FALSE(Ask(kC, Waiting(70)).has_value());
  state_.HandleDeath(kC.process, now_);
  EXPECT_EQ(state_.NextDeadline(), std::nullopt);
  state_.HandleDeath(kA.process, now_);
  EXPECT_EQ(state_.OwnerOf("users"), 0u);
}

TEST_F(KeeperStateTest, OneConnectionHasSoManyWaitingClaims) {
  Create(kA);
  EXPECT_FALSE(Ask(kB, Waiting()).has_value());
  EXPECT_FALSE(Ask(kB, Waiting(10)).has_value());
  EXPECT_EQ(Refusal(kB, Waiting()), Cause::kNoMemory);
  EXPECT_FALSE(Ask(kC, Waiting()).has_value());
  state_.HandleTime(now_ + 10);
  EXPECT_FALSE(Ask(kB, Waiting()).has_value());
}

TEST_F(KeeperStateTest, D96_DroppingIsIdempotentAndFreesTheName) {
  EXPECT_TRUE(Succeeds(kA, RequestType::kDrop));
  Create(kA);
  EXPECT_TRUE(Succeeds(kA, RequestType::kDrop));
  EXPECT_TRUE(host_.memories.empty());
  EXPECT_TRUE(Succeeds(kA, RequestType::kDrop));
  const std::optional<Reply> grant = Ask(kB, Claim());
  EXPECT_TRUE(grant->fresh);
  // An old handle is never mistaken for one of the new table.
  EXPECT_GT(grant->table.epoch, 1u);
}

TEST_F(KeeperStateTest, OnlyTheOwnerDropsAnOwnedTableAnybodyAnOrphan) {
  Create(kA);
  EXPECT_EQ(Refusal(kB, {.type = RequestType::kDrop, .name = "users"}),
            Cause::kDenied);
  EXPECT_TRUE(absl::StrContains(last_message_, "1001")) << last_message_;
  state_.HandleDeath(kA.process, now_);
  EXPECT_TRUE(Succeeds(kB, RequestType::kDrop));
}

TEST_F(KeeperStateTest, WhoWaitsForADroppedTableGetsANewOne) {
  Create(kA);
  EXPECT_FALSE(Ask(kB, Waiting()).has_value());
  const uint64_t b_claim = last_id_;
  EXPECT_TRUE(Succeeds(kA, RequestType::kDrop));
  EXPECT_TRUE(ReplyTo(b_claim)->fresh);
  EXPECT_EQ(ReplyTo(b_claim)->table.epoch, 2u);
  EXPECT_EQ(host_.memories.size(), 1u);
}

TEST_F(KeeperStateTest, AFormattedTableCanBeOpenedForReading) {
  const Request open = {.type = RequestType::kOpen, .name = "users"};
  EXPECT_EQ(Refusal(kB, open), Cause::kTableNotFound);
  ASSERT_TRUE(Ask(kA, Claim())->fresh);
  EXPECT_EQ(Refusal(kB, open), Cause::kTableNotFound);
  ASSERT_TRUE(Succeeds(kA, RequestType::kAttached, 1));
  for (int round = 0; round < 2; ++round) {
    const std::optional<Reply> view = Ask(kB, open);
    EXPECT_EQ(view->type, ReplyType::kReadGrant);
    EXPECT_EQ(view->table.epoch, 1u);
    EXPECT_EQ(host_.sent.back().memory, host_.memories.begin()->first);
    state_.HandleDeath(kA.process, now_);  // an orphan can be read as well
  }
}

TEST_F(KeeperStateTest, TheListShowsEachTableAndItsState) {
  ASSERT_EQ(Ask(kB, Claim("b"))->type, ReplyType::kGrant);
  Create(kA);
  ASSERT_EQ(Ask(kC, Claim("c"))->type, ReplyType::kGrant);
  ASSERT_TRUE(Succeeds(kC, RequestType::kAttached, 1, "c"));
  state_.HandleDeath(kC.process, now_);
  now_ += 1500;
  std::vector<KeeperTableInfo> tables;
  std::string after;
  while (true) {
    const auto reply = Ask(kA, {.type = RequestType::kList, .name = after});
    if (reply->type == ReplyType::kEnd) break;
    tables.push_back(reply->table);
    after = reply->table.name;
  }
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(tables[0].name, "b");
  EXPECT_EQ(tables[0].state, KeeperTableState::kCreating);
  EXPECT_EQ(tables[0].owner_pid, 2002);
  EXPECT_EQ(tables[1].name, "c");
  EXPECT_EQ(tables[1].state, KeeperTableState::kOrphaned);
  EXPECT_EQ(tables[1].owner_pid, 0);
  EXPECT_EQ(tables[1].deaths, 1u);
  EXPECT_EQ(tables[1].orphaned_for, absl::Milliseconds(1500));
  EXPECT_EQ(tables[2].name, "users");
  EXPECT_EQ(tables[2].state, KeeperTableState::kOwned);
  EXPECT_EQ(tables[2].owner_pid, 1001);
  EXPECT_EQ(tables[2].orphaned_for, absl::ZeroDuration());
}

TEST_F(KeeperStateTest, ARequestConcernsTheOwnerOfTheTableThatItIsAbout) {
  Create(kA);
  ASSERT_EQ(Ask(kB, Claim("others"))->type, ReplyType::kGrant);
  const auto concerned = [this](RequestType type, std::string name) {
    return state_.OwnerConcernedBy({.type = type, .name = std::move(name)});
  };
  EXPECT_EQ(concerned(RequestType::kClaim, "users"), kA.process);
  EXPECT_EQ(concerned(RequestType::kDrop, "others"), kB.process);
  EXPECT_EQ(concerned(RequestType::kOpen, "unknown"), 0u);
  EXPECT_EQ(concerned(RequestType::kPing, ""), 0u);
  EXPECT_EQ(concerned(RequestType::kList, ""), kB.process);
  EXPECT_EQ(concerned(RequestType::kList, "others"), kA.process);
  EXPECT_EQ(concerned(RequestType::kList, "users"), 0u);
  state_.HandleDeath(kA.process, now_);
  EXPECT_EQ(concerned(RequestType::kList, "others"), 0u);
}

TEST_F(KeeperStateTest, AGrantThatIsNotReceivedGoesToTheNext) {
  Create(kA);
  EXPECT_FALSE(Ask(kB, Waiting()).has_value());
  EXPECT_FALSE(Ask(kC, Waiting()).has_value());
  host_.listens = [](ConnectionId id) { return id != kB.connection; };
  state_.HandleDeath(kA.process, now_);
  EXPECT_EQ(state_.OwnerOf("users"), kC.process);
  EXPECT_EQ(ReplyTo(last_id_)->table.epoch, 3u);
  EXPECT_EQ(ReplyTo(last_id_)->table.deaths, 1u);
}

TEST_F(KeeperStateTest, AGrantLostWithItsConnectionGoesToThatProcessOnly) {
  Create(kA);
  state_.HandleDeath(kA.process, now_);
  ASSERT_EQ(Ask(kB, Claim())->table.epoch, 2u);
  Peer b2 = kB;
  b2.connection = 9;
  EXPECT_EQ(Refusal(b2, Claim()), Cause::kAlreadyOwned);
  EXPECT_FALSE(Ask(kC, Waiting()).has_value());
  state_.HandleDisconnect(kB.connection);
  EXPECT_EQ(state_.OwnerOf("users"), kB.process);
  EXPECT_EQ(Ask(b2, Claim())->table.epoch, 3u);
  ASSERT_TRUE(Succeeds(b2, RequestType::kAttached, 3));
  state_.HandleDisconnect(b2.connection);
  EXPECT_EQ(Refusal(kB, Claim()), Cause::kAlreadyOwned);
}

TEST_F(KeeperStateTest, WithoutMemoryAClaimFailsAndChangesNothing) {
  host_.memory_works = [] { return false; };
  EXPECT_EQ(Refusal(kA, Claim()), Cause::kUnavailable);
  EXPECT_EQ(Ask(kA, {.type = RequestType::kList})->type, ReplyType::kEnd);
  host_.memory_works = [] { return true; };
  EXPECT_EQ(Ask(kA, Claim())->table.epoch, 1u);
}

TEST_F(KeeperStateTest, WhatHappensIsAudited) {
  Create(kA);
  EXPECT_EQ(Refusal(kB, Claim()), Cause::kAlreadyOwned);
  ASSERT_TRUE(Succeeds(kA, RequestType::kRelease, 1));
  ASSERT_EQ(Ask(kB, Claim())->type, ReplyType::kGrant);
  state_.HandleDeath(kB.process, now_);
  ASSERT_TRUE(Succeeds(kC, RequestType::kDrop));
  EXPECT_EQ(host_.audited,
            (std::vector<std::string>{"grant", "deny", "release", "grant",
                                      "owner_death", "drop"}));
}

TEST_F(KeeperStateTest, PingIsAnswered) {
  EXPECT_TRUE(Succeeds(kA, RequestType::kPing));
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
