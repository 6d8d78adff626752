// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Heirs, and how a ward ends. What owners see of a blanket: blanket_test.cc.

#include "blanket/wards.h"

#include <any>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "blanket/blanket.h"
#include "blanket/blanket_testing.h"
#include "blanket/inheritance.h"
#include "blanket/kept_table.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_hooks.h"
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
using ::testing::IsEmpty;

class WardsTest : public BlanketTestBase {
 protected:
  Tables& tables() { return inheritance_.tables(); }
  bool IsArmed(const Users& users) {
    return tables().Info(users.id())->heirs.size() == 2 &&
           tables().Info(users.id())->heirs.front() == Info().heir;
  }
  // Begins anew, with a hook that comes when the tables of a dead process have
  // been handed over and the blanket has not heard of its death.
  void OnHandedOver(std::function<void(Pid)> function) {
    blanket_.reset();
    between_ = runtime_.AddExitHook(
        ExitPhase::kTables,
        [function](Pid pid, const ExitReason&) { function(pid); });
    blanket_.emplace(inheritance_, names_);
  }

  ExitHook between_;
};

TEST_F(WardsTest, C78_AnAbandonedTableLivesUntilItsOwnerDies) {
  const Pid heir = NewUsers();
  const auto owner = Start();
  const auto public_handle = *inheritance_.tables().Open(owner->users().id());
  EXPECT_EQ(CauseOf(blanket_->Abandon(public_handle)), Cause::kNotOwner);
  EXPECT_TRUE(runtime_.IsAlive(heir));
  EXPECT_THAT(blanket_->Abandon(owner->users().handle()), IsOk());
  runtime_.RunUntilIdle();
  EXPECT_FALSE(runtime_.IsAlive(heir));
  EXPECT_THAT(owner->users().Size(), IsOkAndHolds(1u));
  EXPECT_THAT(blanket_->List(), IsEmpty());
  EXPECT_EQ(CauseOf(blanket_->Abandon(owner->users().handle())),
            Cause::kTableNotFound);
  Kill(owner->pid);
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(runtime_.process_count(), 0);
}

TEST_F(WardsTest, C81_AnHeirThatDiesIsReplacedWhileTheOwnerLives) {
  const Pid heir = NewUsers();
  const auto owner = Start();
  Kill(heir);
  EXPECT_NE(Info().heir, heir);
  EXPECT_TRUE(runtime_.IsAlive(Info().heir));
  EXPECT_EQ(Info().protection, Protection::kOwned);
  EXPECT_TRUE(IsArmed(owner->users()));
  EXPECT_THAT(owner->users().Insert(User{2, "Bob"}), IsOk());
  Kill(owner->pid);
  const auto successor = Start();
  ASSERT_TRUE(successor->has_table());
  EXPECT_THAT(successor->users().Size(), IsOkAndHolds(2u));
  EXPECT_TRUE(IsArmed(successor->users()));
}

TEST_F(WardsTest, C81_AnHeirThatDiesWithTheTableInItsHandsLosesNothing) {
  NewUsers();
  for (int i = 0; i < 20; ++i) {
    const Pid heir = Info().heir;
    EXPECT_EQ(Info().owner, heir);
    Kill(heir);
    EXPECT_NE(Info().heir, heir);
    EXPECT_EQ(Info().owner, Info().heir);
  }
  EXPECT_EQ(Info().protection, Protection::kHeld);
  const auto owner = Start();
  ASSERT_TRUE(owner->has_table());
  EXPECT_THAT(owner->users().Size(), IsOkAndHolds(1u));
  EXPECT_EQ(runtime_.process_count(), 2);
}

TEST_F(WardsTest, C81_OwnerAndHeirDyingTogetherLoseNothingInEitherOrder) {
  NewUsers();
  for (const bool heir_first : {false, true}) {
    const auto owner = Start();
    ASSERT_TRUE(owner->has_table());
    Doom(heir_first ? Info().heir : owner->pid);
    Doom(heir_first ? owner->pid : Info().heir);
    // Both are dead before either's tables are looked at.
    runtime_.RunUntilIdle();
    EXPECT_EQ(Info().owner, Info().heir);
    EXPECT_EQ(Info().protection, Protection::kOrphaned);
  }
  EXPECT_TRUE(Start()->has_table());
}

TEST_F(WardsTest, C81_TheOwnerIsToldOfItsHeirsDeathIfItAsked) {
  for (const bool asks : {true, false}) {
    TableDefinition definition = Definition(asks ? "loud" : "silent");
    definition.report_heir_death = asks;
    const Pid heir = NewUsers(std::move(definition));
    AdoptedThread self(runtime_);
    ASSERT_THAT(names_.Register("owner", self.pid()), IsOk());
    const absl::StatusOr<Users> users = blanket_->ReceiveTable<User, &User::id>(
        self, "owner", asks ? "loud" : "silent");
    ASSERT_THAT(users, IsOk());
    Kill(heir);
    const absl::StatusOr<HeirReplaced> told =
        self.Receive<HeirReplaced>(absl::ZeroDuration());
    ASSERT_EQ(told.ok(), asks);
    if (!asks) continue;
    EXPECT_EQ(told->table, users->id());
    EXPECT_EQ(told->old_heir, heir);
    EXPECT_EQ(told->new_heir, blanket_->Info("owner", "loud")->heir);
  }
}

TEST_F(WardsTest, C82_StrayMessagesAndSignalsThatAreNoneDoNotKillAnHeir) {
  const Pid heir = NewUsers();
  const TableId table = Info().table;
  runtime_.Send(heir, 42);
  runtime_.Send(heir, std::string("stray"));
  runtime_.Send(heir, TableTransfer{.table = table, .from = heir});
  runtime_.Exit(heir, ExitReason::Normal());
  runtime_.RunUntilIdle();
  EXPECT_TRUE(runtime_.IsAlive(heir));
  const Pid keeper = inheritance_.NewKeeper();
  const Users foreign = *Users::New(tables(), keeper, Small("foreign"));
  ASSERT_THAT(tables().GiveAway(foreign.handle(), heir, {}), IsOk());
  runtime_.RunUntilIdle();
  EXPECT_TRUE(runtime_.IsAlive(heir));
  EXPECT_TRUE(Start()->has_table());
  EXPECT_EQ(Info().heir, heir);
}

TEST_F(WardsTest, C83_AnHeirThatWaitsInVainGivesUpInTheEnd) {
  int given_up = 0;
  TableDefinition definition = Definition("users");
  definition.give_up_after = absl::Minutes(10);
  definition.on_give_up = [&](const TableHandle& table) {
    ++given_up;
    EXPECT_THAT(Users::Of(table)->Lookup(1), IsOk());
    throw std::runtime_error("is passed over");
  };
  const Pid heir = NewUsers(std::move(definition));
  Advance(absl::Minutes(9));
  runtime_.Send(heir, 42);  // it is responsive, and that buys no time
  runtime_.RunUntilIdle();
  EXPECT_EQ(given_up, 0);
  Advance(absl::Minutes(1));
  EXPECT_EQ(given_up, 1);
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(blanket_->List(), IsEmpty());
  EXPECT_EQ(runtime_.process_count(), 0);
}

TEST_F(WardsTest, C83_TheWaitBeginsWithEachDeathAndEndsWithEachOwner) {
  TableDefinition definition = Definition("users");
  definition.give_up_after = absl::Minutes(10);
  NewUsers(std::move(definition));
  for (int i = 0; i < 3; ++i) {
    Advance(absl::Minutes(9));
    const auto owner = Start();
    ASSERT_TRUE(owner->has_table());
    Advance(absl::Hours(24));
    ASSERT_TRUE(IsKept());
    Kill(owner->pid);
    EXPECT_EQ(Info().since, clock_.Now());
  }
  Kill(Info().heir);  // which buys no time either
  Advance(absl::Minutes(10));
  EXPECT_FALSE(IsKept());
  EXPECT_EQ(runtime_.process_count(), 0);
}

TEST_F(WardsTest, C83_ATableThatIsClaimedWhileTheHeirGivesUpIsKept) {
  std::shared_ptr<Owner> owner;
  TableDefinition definition = Definition("users");
  definition.give_up_after = absl::Minutes(10);
  definition.on_give_up = [&](const TableHandle&) { owner = Start(); };
  NewUsers(std::move(definition));
  Advance(absl::Minutes(10));
  ASSERT_TRUE(owner->has_table());
  EXPECT_THAT(owner->users().Size(), IsOkAndHolds(1u));
  EXPECT_EQ(Info().protection, Protection::kOwned);
}

TEST_F(WardsTest, C83_AnHeirThatGetsTheTableBeforeTheDeathIsOverGivesUpToo) {
  OnHandedOver([&](Pid) { runtime_.RunUntilIdle(); });
  TableDefinition definition = Definition("users");
  definition.give_up_after = absl::Minutes(10);
  NewUsers(std::move(definition));
  Kill(Start()->pid);
  Advance(absl::Minutes(9));
  EXPECT_EQ(runtime_.process_count(), 1);
  Advance(absl::Minutes(1));
  EXPECT_EQ(runtime_.process_count(), 0);
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(WardsTest, C77_NobodyGetsATransientTableBeforeTheReasonIsKnown) {
  for (const bool graceful : {false, true}) {
    Pid dying;
    std::shared_ptr<Owner> successor;
    OnHandedOver([&](Pid pid) {
      if (pid != dying) return;
      successor = Start("users", absl::Seconds(1));
      EXPECT_FALSE(successor->got.has_value());
    });
    TableDefinition definition = Definition("users");
    definition.transient = true;
    NewUsers(std::move(definition));
    dying = Start()->pid;
    graceful ? Return(dying) : Crash(dying);
    Advance(absl::Seconds(1));
    EXPECT_EQ(successor->has_table(), !graceful);
    Kill(successor->pid);
  }
}

TEST_F(WardsTest, C84_ADeletedTableIsNoLongerKeptAndItsKeyIsFree) {
  const Pid heir = NewUsers();
  const auto owner = Start();
  ASSERT_THAT(tables().Delete(owner->users().handle()), IsOk());
  EXPECT_FALSE(IsKept());
  runtime_.RunUntilIdle();
  EXPECT_FALSE(runtime_.IsAlive(heir));
  NewUsers();
  EXPECT_EQ(Info().protection, Protection::kHeld);
}

TEST_F(WardsTest, C84_TheHeirOfADeletedTableEndsWithTheOwnerAtTheLatest) {
  NewUsers();
  const auto owner = Start();
  ASSERT_THAT(tables().Delete(owner->users().handle()), IsOk());
  Kill(owner->pid);
  EXPECT_EQ(runtime_.process_count(), 0);
}

TEST_F(WardsTest, C84_ATableThatWasGivenAwayComesBackWhenItsOwnerDies) {
  NewUsers();
  const auto owner = Start();
  const auto third = StartNameless("other", absl::InfiniteDuration());
  const Users users = owner->users();
  ASSERT_THAT(tables().GiveAway(users.handle(), third->pid, {}), IsOk());
  EXPECT_EQ(Info().owner, third->pid);
  EXPECT_EQ(Info().protection, Protection::kOwned);
  Kill(owner->pid);
  EXPECT_EQ(Info().owner, third->pid);
  EXPECT_EQ(Start()->why_not(), Cause::kAlreadyOwned);
  Kill(third->pid);
  EXPECT_EQ(Info().protection, Protection::kOrphaned);
  Kill(names_.WhereIs("owner"));
  EXPECT_TRUE(Start()->has_table());
}

TEST_F(WardsTest, AReleasedTableGoesToTheHeirAndCanBeClaimedAgain) {
  NewUsers();
  const auto owner = Start();
  const Users users = owner->users();
  EXPECT_THAT(blanket_->Release(users.handle()), IsOk());
  EXPECT_EQ(Info().protection, Protection::kHeld);
  EXPECT_EQ(CauseOf(users.Insert(User{2, "Bob"})), Cause::kNotOwner);
  EXPECT_EQ(CauseOf(blanket_->Release(users.handle())), Cause::kNotOwner);
  ASSERT_THAT(names_.Unregister("owner", owner->pid), IsOk());
  EXPECT_TRUE(Start()->has_table());
  Kill(owner->pid);
  EXPECT_EQ(Info().protection, Protection::kOwned) << "of no concern any more";
}

TEST_F(WardsTest, AGiftToTheHeirIsARelease) {
  NewUsers();
  const auto owner = Start();
  ASSERT_THAT(
      tables().GiveAway(owner->users().handle(), Info().heir, std::any()),
      IsOk());
  runtime_.RunUntilIdle();
  EXPECT_EQ(Info().protection, Protection::kHeld);
}

TEST_F(WardsTest, AnOwnerThatNamesOtherHeirsIsShownAsUnprotected) {
  NewUsers();
  const auto owner = Start();
  ASSERT_THAT(tables().SetHeirs(owner->users().handle(), {}), IsOk());
  EXPECT_EQ(Info().protection, Protection::kUnprotected);
  Kill(Info().heir);
  EXPECT_EQ(Info().protection, Protection::kUnprotected)
      << "a new heir is not forced upon the owner";
  // Given back it is protected again.
  EXPECT_THAT(blanket_->Release(owner->users().handle()), IsOk());
  Kill(Info().heir);
  EXPECT_EQ(Info().protection, Protection::kHeld);
  ASSERT_THAT(names_.Unregister("owner", owner->pid), IsOk());
  const auto successor = Start();
  ASSERT_TRUE(successor->has_table());
  ASSERT_THAT(tables().SetHeirs(successor->users().handle(), {}), IsOk());
  Kill(successor->pid);
  EXPECT_FALSE(IsKept());
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(WardsTest, C75_AClaimThatWasFulfilledCannotBeWithdrawn) {
  const auto wards = std::make_shared<internal::Wards>(inheritance_, names_);
  const internal::WardKey key = {"owner", "users"};
  AdoptedThread self(runtime_);
  const absl::StatusOr<internal::ClaimId> waiting =
      wards->Claim(key, self.pid());
  ASSERT_THAT(waiting, IsOk());
  EXPECT_TRUE(wards->Withdraw(key, *waiting, absl::Seconds(5)).has_value());

  const absl::StatusOr<internal::ClaimId> claim = wards->Claim(key, self.pid());
  ASSERT_THAT(claim, IsOk());
  ASSERT_THAT(names_.Register("owner", self.pid()), IsOk());
  ASSERT_THAT(wards->New("owner", Definition("users"), Users::Codec::schema(),
                         Users::Codec::KeyLayoutOf<&User::id>(),
                         [](const TableHandle&) { return absl::OkStatus(); }),
              IsOk());
  // It has come, though a timeout may have fired at the same time.
  EXPECT_FALSE(wards->Withdraw(key, *claim, absl::Seconds(5)).has_value());
  EXPECT_FALSE(
      self.Receive<TableTransfer>(*waiting, absl::ZeroDuration()).ok());
  EXPECT_THAT(self.Receive<TableTransfer>(*claim, absl::ZeroDuration()),
              IsOk());
  wards->Close();
}

TEST_F(WardsTest, TheListHasAllTablesInTheOrderOfOwnersAndNames) {
  const auto add = [&](const char* owner, const char* table) {
    ASSERT_THAT((blanket_->New<User, &User::id>(owner, Definition(table))),
                IsOk());
  };
  add("b", "1");
  add("a", "2");
  add("a", "0");
  std::vector<std::string> all;
  for (const KeptTable& kept : blanket_->List()) {
    all.push_back(kept.owner_name + kept.table_name);
  }
  EXPECT_THAT(all, ElementsAre("a0", "a2", "b1"));
}

TEST_F(WardsTest, TheEndOfTheBlanketLeavesOwnedTablesToTheirOwners) {
  NewUsers();
  NewUsers(Definition("held"));
  const auto owner = Start();
  blanket_.reset();
  EXPECT_THAT(Names(), ElementsAre("users")) << "what heirs held is gone";
  runtime_.RunUntilIdle();
  EXPECT_THAT(owner->users().Size(), IsOkAndHolds(1u));
  EXPECT_EQ(runtime_.process_count(), 1) << "only the owner";
  Kill(owner->pid);
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace ets_keeper::blanket
