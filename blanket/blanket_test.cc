// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "blanket/blanket.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "blanket/blanket_testing.h"
#include "blanket/inheritance.h"
#include "blanket/kept_table.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::blanket {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

class BlanketTest : public BlanketTestBase {
 protected:
  // Asks for a table with this init, and for what must be true of a failure.
  absl::Status FailToMake(Init init) {
    const int processes = runtime_.process_count();
    const absl::StatusOr<Pid> heir = blanket_->New<User, &User::id>(
        "owner", Definition("users"), std::move(init));
    EXPECT_FALSE(heir.ok());
    EXPECT_THAT(Names(), IsEmpty());
    EXPECT_EQ(runtime_.process_count(), processes) << "an orphan heir";
    EXPECT_THAT(blanket_->List(), IsEmpty());
    return heir.status();
  }
};

// ---- Making tables.

TEST_F(BlanketTest, C67_TheHeirOwnsTheTableUntilTheOwnerAppears) {
  const Pid heir = NewUsers();
  EXPECT_TRUE(runtime_.IsAlive(heir));
  EXPECT_EQ(Info().owner, heir);
  EXPECT_EQ(Info().protection, Protection::kHeld);
  const auto owner = Start();
  ASSERT_TRUE(owner->has_table());
  EXPECT_EQ(Info().owner, owner->pid);
  EXPECT_EQ(Info().heir, heir);
  EXPECT_EQ(Info().protection, Protection::kOwned);
  EXPECT_THAT(owner->users().Lookup(1), IsOkAndHolds(Optional(User{1, "Ada"})));
  EXPECT_THAT(owner->users().Insert(User{2, "Bob"}), IsOk());
}

TEST_F(BlanketTest, C68_ABadDefinitionIsAnErrorToTheCallerAndMakesNoHeir) {
  const int processes = runtime_.process_count();
  const auto cause = [&](std::string_view owner, TableDefinition definition) {
    return CauseOf(
        blanket_->New<User, &User::id>(owner, std::move(definition)).status());
  };
  TableDefinition impatient = Definition("users");
  impatient.give_up_after = absl::ZeroDuration();
  EXPECT_EQ(cause("owner", std::move(impatient)), Cause::kBadOption);
  TableDefinition no_writers = Definition("users");
  no_writers.table.writers = 0;
  EXPECT_EQ(cause("owner", std::move(no_writers)), Cause::kBadOption);
  EXPECT_EQ(cause("", Definition("users")), Cause::kBadOption);
  EXPECT_EQ(runtime_.process_count(), processes);
  EXPECT_THAT(blanket_->List(), IsEmpty());
}

TEST_F(BlanketTest, C68_ATakenTableNameIsRefusedAndTheOtherTableStays) {
  const Pid keeper = inheritance_.NewKeeper();
  const Users other =
      *Users::New(inheritance_.tables(), keeper, Small("users"));
  EXPECT_EQ(CauseOf(blanket_->New<User, &User::id>("owner", Definition("users"))
                        .status()),
            Cause::kAlreadyExists);
  EXPECT_THAT(other.Size(), IsOkAndHolds(0u));
  EXPECT_THAT(blanket_->List(), IsEmpty());
}

TEST_F(BlanketTest, C69_TheStatusOfAFailedInitIsReturnedAsItIs) {
  const absl::Status mine = absl::DataLossError("the disk is empty");
  EXPECT_EQ(FailToMake([&](Users&) { return mine; }), mine);
  const absl::Status caused = MakeStatus(Cause::kOutOfRange, "too many");
  const absl::Status got = FailToMake([&](Users&) { return caused; });
  EXPECT_EQ(got, caused);
  EXPECT_EQ(CauseOf(got), Cause::kOutOfRange);
}

TEST_F(BlanketTest, C70_AnInitThatThrowsFailsWithItsTextAndLeaksNothing) {
  const absl::Status status = FailToMake(
      [](Users&) -> absl::Status { throw std::runtime_error("no luck"); });
  EXPECT_EQ(CauseOf(status), Cause::kInitFailed);
  EXPECT_THAT(status.message(), HasSubstr("no luck"));
  EXPECT_THAT(status.message(), HasSubstr("users"));
  const absl::Status other =
      FailToMake([](Users&) -> absl::Status { throw 1; });
  EXPECT_EQ(CauseOf(other), Cause::kInitFailed);
}

TEST_F(BlanketTest, C71_AnInitThatDeletesTheTableFails) {
  const auto erase = [&](Users& users) {
    return inheritance_.tables().Delete(users.handle());
  };
  EXPECT_EQ(CauseOf(FailToMake(erase)), Cause::kInitFailed);
  const absl::Status mine = absl::UnknownError("and failed as well");
  EXPECT_EQ(FailToMake([&](Users& users) {
              EXPECT_THAT(erase(users), IsOk());
              return mine;
            }),
            mine);
}

TEST_F(BlanketTest, C72_InitRunsInTheCallerWithOwnerRightsBeforeProtection) {
  TableDefinition definition = Definition("users");
  definition.table.access = TableAccess::kPrivate;
  bool ran = false;
  const absl::StatusOr<Pid> heir = blanket_->New<User, &User::id>(
      "owner", std::move(definition), [&](Users& users) {
        ran = true;
        EXPECT_THAT(users.Insert(User{1, "Ada"}), IsOk());
        EXPECT_THAT(users.Size(), IsOkAndHolds(1u));
        EXPECT_FALSE(inheritance_.tables().Info(users.id())->is_protected());
        return absl::OkStatus();
      });
  EXPECT_TRUE(ran);
  ASSERT_THAT(heir, IsOk());
  const auto owner = Start();
  ASSERT_TRUE(owner->has_table());
  EXPECT_THAT(owner->users().Size(), IsOkAndHolds(1u));
}

TEST_F(BlanketTest, C72_AClaimDuringInitIsFulfilledAfterIt) {
  std::shared_ptr<Owner> owner;
  ASSERT_THAT((blanket_->New<User, &User::id>(
                  "owner", Definition("users"),
                  [&](Users& users) {
                    owner = Start();
                    EXPECT_FALSE(owner->got.has_value());
                    EXPECT_EQ(CauseOf(blanket_
                                          ->New<User, &User::id>(
                                              "owner", Definition("users"))
                                          .status()),
                              Cause::kAlreadyExists);
                    return users.Insert(User{1, "Ada"});
                  })),
              IsOk());
  runtime_.RunUntilIdle();
  ASSERT_TRUE(owner->has_table());
  EXPECT_THAT(owner->users().Size(), IsOkAndHolds(1u));
}

TEST_F(BlanketTest, C73_HeirsOfTheUsersOwnAreRefused) {
  TableDefinition definition = Definition("users");
  definition.table.heirs.chain = {inheritance_.NewKeeper()};
  const absl::Status status =
      blanket_->New<User, &User::id>("owner", std::move(definition)).status();
  EXPECT_EQ(CauseOf(status), Cause::kBadOption);
  EXPECT_THAT(status.message(), HasSubstr("heirs"));
  EXPECT_THAT(Names(), IsEmpty());
}

// ---- Receiving them.

TEST_F(BlanketTest, C74_TheRegistrySaysWhoTheOwnerIs) {
  NewUsers();
  const auto waiting = StartNameless();
  EXPECT_FALSE(waiting->got.has_value());
  EXPECT_EQ(Info().waiting, 1);
  ASSERT_THAT(names_.Register("owner", waiting->pid), IsOk());
  runtime_.RunUntilIdle();
  EXPECT_TRUE(waiting->has_table());
  EXPECT_EQ(Info().waiting, 0);
}

TEST_F(BlanketTest, C74_AClaimMayComeBeforeTheTable) {
  const auto owner = Start();
  EXPECT_FALSE(owner->got.has_value());
  NewUsers();
  EXPECT_TRUE(owner->has_table());
}

TEST_F(BlanketTest, C75_AClaimTimesOutWithNothingLost) {
  NewUsers();
  const auto nameless = StartNameless("users", absl::Seconds(5));
  Advance(absl::Seconds(4));
  EXPECT_FALSE(nameless->got.has_value());
  Advance(absl::Seconds(1));
  EXPECT_EQ(nameless->why_not(), Cause::kTimeout);
  EXPECT_THAT(nameless->got->status().message(), HasSubstr("registered"));
  EXPECT_EQ(Info().waiting, 0);
  ASSERT_THAT(names_.Register("owner", nameless->pid), IsOk());
  runtime_.RunUntilIdle();
  EXPECT_EQ(Info().protection, Protection::kHeld) << "the claim was over";
}

TEST_F(BlanketTest, C75_AClaimOfATableThatNobodyMakesLeavesNothing) {
  const auto owner = Start("users", absl::Seconds(5));
  Advance(absl::Seconds(5));
  EXPECT_EQ(owner->why_not(), Cause::kTimeout);
  EXPECT_THAT(owner->got->status().message(), HasSubstr("kept"));
  EXPECT_THAT(blanket_->List(), IsEmpty());
}

TEST_F(BlanketTest, C75_TheTableIsTakenWhenItComesTogetherWithTheTimeout) {
  NewUsers();
  const auto owner = StartNameless("users", absl::Seconds(5));
  clock_.Advance(absl::Seconds(5));  // the timeout has not been looked at
  ASSERT_THAT(names_.Register("owner", owner->pid), IsOk());
  runtime_.RunUntilIdle();
  EXPECT_TRUE(owner->has_table());
}

TEST_F(BlanketTest, C75_TransfersOfOthersAreNotTakenForTheTable) {
  const Pid keeper = inheritance_.NewKeeper();
  const Users foreign =
      *Users::New(inheritance_.tables(), keeper, Small("foreign"));
  const auto owner = Start();
  ASSERT_THAT(inheritance_.tables().GiveAway(foreign.handle(), owner->pid, {}),
              IsOk());
  runtime_.RunUntilIdle();
  EXPECT_FALSE(owner->got.has_value());
  NewUsers();
  ASSERT_TRUE(owner->has_table());
  EXPECT_EQ(owner->users().name(), "users");
}

TEST_F(BlanketTest, C75_ATableWithOtherRowsGoesBackToTheHeir) {
  NewUsers();
  AdoptedThread self(runtime_);
  ASSERT_THAT(names_.Register("owner", self.pid()), IsOk());
  EXPECT_EQ(CauseOf(blanket_
                        ->ReceiveTable<Stranger, &Stranger::id>(self, "owner",
                                                                "users")
                        .status()),
            Cause::kSchemaMismatch);
  EXPECT_EQ(Info().protection, Protection::kHeld);
  EXPECT_THAT((blanket_->ReceiveTable<User, &User::id>(self, "owner", "users")),
              IsOk());
}

TEST_F(BlanketTest, AnAdoptedThreadReceivesTooAndDiesLikeAnyOwner) {
  NewUsers();
  {
    AdoptedThread self(runtime_);
    ASSERT_THAT(names_.Register("owner", self.pid()), IsOk());
    const absl::StatusOr<Users> users =
        blanket_->ReceiveTable<User, &User::id>(self, "owner", "users");
    ASSERT_THAT(users, IsOk());
    EXPECT_THAT(users->Insert(User{2, "Bob"}), IsOk());
  }
  EXPECT_EQ(Info().protection, Protection::kOrphaned);
  AdoptedThread nameless(runtime_);
  EXPECT_EQ(CauseOf(blanket_
                        ->ReceiveTable<User, &User::id>(
                            nameless, "owner", "users", absl::ZeroDuration())
                        .status()),
            Cause::kTimeout);
  nameless.Fail(ExitReason::Killed());
  EXPECT_EQ(
      CauseOf(
          blanket_->ReceiveTable<User, &User::id>(nameless, "owner", "users")
              .status()),
      Cause::kRecipientDead);
  EXPECT_EQ(Info().waiting, 0);
}

// ---- Owners that die.

TEST_F(BlanketTest, C76_ACrashedOwnersSuccessorHasTheSameTableAHundredTimes) {
  NewUsers();
  auto owner = Start();
  const TableId table = owner->users().id();
  for (uint64_t i = 2; i < 102; ++i) {
    ASSERT_TRUE(owner->has_table());
    ASSERT_THAT(owner->users().Insert(User{i, "x"}), IsOk());
    const Users stale = owner->users();
    Crash(owner->pid);
    EXPECT_EQ(Info().protection, Protection::kOrphaned);
    owner = Start();
    ASSERT_TRUE(owner->has_table()) << owner->got->status();
    EXPECT_EQ(owner->users().id(), table);
    EXPECT_THAT(owner->users().Size(), IsOkAndHolds(i));
    EXPECT_EQ(CauseOf(stale.Insert(User{999, "ghost"})), Cause::kNotOwner);
  }
  EXPECT_EQ(runtime_.process_count(), 2) << "one owner, one heir";
}

TEST_F(BlanketTest, C77_ATableOutlivesTheNormalEndOfItsOwner) {
  NewUsers();
  Return(Start()->pid);
  EXPECT_EQ(Info().protection, Protection::kOrphaned);
  EXPECT_TRUE(Start()->has_table());
}

TEST_F(BlanketTest, C77_ATransientTableGoesWithAGracefulEndAndNotWithACrash) {
  const auto transient = [&] {
    TableDefinition definition = Definition("users");
    definition.transient = true;
    return definition;
  };
  NewUsers(transient());
  Crash(Start()->pid);
  EXPECT_TRUE(IsKept());
  Kill(Start()->pid);
  EXPECT_TRUE(IsKept());
  Return(Start()->pid);
  EXPECT_FALSE(IsKept());
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(runtime_.process_count(), 0);

  NewUsers(transient());
  const auto owner = Start();
  runtime_.Exit(owner->pid, ExitReason::Shutdown());
  runtime_.RunUntilIdle();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(BlanketTest, C77_ASuccessorInLineDoesNotSaveATransientTable) {
  TableDefinition definition = Definition("users");
  definition.transient = true;
  NewUsers(std::move(definition));
  const auto owner = Start();
  std::shared_ptr<Owner> successor;
  before_tables_ = [&](Pid pid) {
    if (pid == owner->pid) successor = Start("users", absl::Seconds(1));
  };
  Return(owner->pid);
  EXPECT_FALSE(successor->got.has_value());
  EXPECT_THAT(Names(), IsEmpty());
  Advance(absl::Seconds(1));
  EXPECT_EQ(successor->why_not(), Cause::kTimeout);
}

TEST_F(BlanketTest, C79_AClaimOfAnOwnedTableIsRefusedAlsoToItsOwner) {
  NewUsers();
  AdoptedThread self(runtime_);
  ASSERT_THAT(names_.Register("owner", self.pid()), IsOk());
  const absl::StatusOr<Users> users =
      blanket_->ReceiveTable<User, &User::id>(self, "owner", "users");
  ASSERT_THAT(users, IsOk());
  EXPECT_EQ(
      CauseOf(blanket_->ReceiveTable<User, &User::id>(self, "owner", "users")
                  .status()),
      Cause::kAlreadyOwned);
  EXPECT_EQ(StartNameless()->why_not(), Cause::kAlreadyOwned);
  EXPECT_THAT(users->Insert(User{2, "Bob"}), IsOk());
  self.Fail(ExitReason::Killed());
  EXPECT_TRUE(Start()->has_table());
}

TEST_F(BlanketTest, C80_AClaimRightAfterAKillWaitsForTheTable) {
  NewUsers();
  auto owner = Start();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(owner->has_table());
    Doom(owner->pid);  // nothing of its death has been done
    // In odd rounds the successor comes in the middle of that death.
    const Pid dying = owner->pid;
    std::shared_ptr<Owner> successor;
    before_tables_ = [&](Pid pid) {
      if (pid == dying) successor = Start();
    };
    if (i % 2 == 0) {
      before_tables_ = nullptr;
      successor = Start();
    }
    runtime_.RunUntilIdle();
    before_tables_ = nullptr;
    ASSERT_TRUE(successor->has_table());
    EXPECT_THAT(successor->users().Size(), IsOkAndHolds(1u));
    owner = successor;
  }
}

TEST_F(BlanketTest, C80_AClaimerThatDiesWhileItGetsTheTableLosesNothing) {
  NewUsers();
  const auto unlucky = StartNameless();
  // It is given the table, and dies before it has seen it.
  ASSERT_THAT(names_.Register("owner", unlucky->pid), IsOk());
  EXPECT_EQ(Info().owner, unlucky->pid);
  Kill(unlucky->pid);
  EXPECT_FALSE(unlucky->got.has_value());
  EXPECT_EQ(Info().protection, Protection::kOrphaned);
  const auto owner = Start();
  ASSERT_TRUE(owner->has_table());
  EXPECT_THAT(owner->users().Size(), IsOkAndHolds(1u));
}

TEST_F(BlanketTest, C80_ADeadClaimerIsStruckOutOfTheLine) {
  NewUsers();
  const auto waiting = StartNameless();
  EXPECT_EQ(Info().waiting, 1);
  Kill(waiting->pid);
  EXPECT_EQ(Info().waiting, 0);
}

TEST_F(BlanketTest, C85_OwnerWithASecondLargeTableIsKept) {
  NewUsers();
  auto owner = Start();
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(owner->has_table());
    const Users large =
        *Users::New(inheritance_.tables(), owner->pid, Small("large"));
    std::vector<User> rows(20'000);
    for (uint64_t i = 0; i < rows.size(); ++i) rows[i].id = i;
    ASSERT_THAT(large.Insert(rows), IsOk());
    // The name answers with nobody, or with the successor; never the dying.
    const Pid dying = owner->pid;
    std::shared_ptr<Owner> successor;
    before_tables_ = [&](Pid pid) {
      if (pid != dying) return;
      EXPECT_EQ(names_.WhereIs("owner"), kNoPid);
      successor = Start();
      EXPECT_EQ(names_.WhereIs("owner"), successor->pid);
      EXPECT_FALSE(successor->got.has_value());
    };
    Kill(owner->pid);
    before_tables_ = nullptr;
    ASSERT_TRUE(successor->has_table());
    EXPECT_THAT(successor->users().Size(), IsOkAndHolds(1u));
    EXPECT_EQ(CauseOf(large.Size().status()), Cause::kTableNotFound);
    owner = successor;
  }
}

TEST_F(BlanketTest, C86_NewByEachRestartedOwnerGivesTheOneTable) {
  const Pid heir = NewUsers();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(NewUsers(), heir);  // and no second row is inserted
    const auto owner = Start();
    ASSERT_TRUE(owner->has_table());
    EXPECT_THAT(owner->users().Size(), IsOkAndHolds(1u));
    EXPECT_EQ(NewUsers(), heir);
    Crash(owner->pid);
  }
  EXPECT_THAT(Names(), ElementsAre("users"));
  EXPECT_EQ(blanket_->List().size(), 1u);
  EXPECT_EQ(
      CauseOf(
          blanket_->New<Stranger, &Stranger::id>("owner", Definition("users"))
              .status()),
      Cause::kSchemaMismatch);
}

TEST_F(BlanketTest, C87_TwoTablesOfOneOwnerAreToldApartByTheirNames) {
  NewUsers(Definition("a"));
  NewUsers(Definition("b"));
  NewUsers(Definition(""));
  AdoptedThread self(runtime_);
  ASSERT_THAT(names_.Register("owner", self.pid()), IsOk());
  for (const char* name : {"b", "", "a"}) {
    const absl::StatusOr<Users> users =
        blanket_->ReceiveTable<User, &User::id>(self, "owner", name);
    ASSERT_THAT(users, IsOk());
    EXPECT_EQ(users->name(), name);
  }
  EXPECT_EQ(blanket_->List().size(), 3u);
}

}  // namespace
}  // namespace ets_keeper::blanket
