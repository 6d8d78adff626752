// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// `Protets` with a real keeper and real processes, which are really killed.

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "gtest/gtest.h"
#include "protets/child_process_testing.h"
#include "protets/keeper_client.h"
#include "protets/keeper_process.h"
#include "protets/protets.h"
#include "protets/rows_testing.h"

namespace ets_keeper::protets {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

// Long enough for every process to die that is going to.
constexpr absl::Duration kLong = absl::Seconds(60);

class ProtetsKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<KeeperProcess> keeper =
        KeeperProcess::Start({.binary = "protets/keeper"});
    ASSERT_THAT(keeper, IsOk());
    keeper_.emplace(*std::move(keeper));
  }

  // A process that owns the table "users", with one row and `visits` of it.
  std::unique_ptr<ChildProcess> StartOwner(int64_t visits,
                                           GetOptions options = {}) {
    auto owner = std::make_unique<ChildProcess>([&](auto ready) {
      Protets protets({.keeper = keeper_->socket()});
      options.wait = kLong;
      const auto users = protets.Get<User, &User::id>("users", options);
      if (!users.ok()) _exit(1);
      for (int64_t i = 0; i < visits; ++i) {
        if (!users->UpdateCounter<&User::visits>(7, 1, User{}).ok()) _exit(1);
      }
      ready();
      while (true) pause();
    });
    EXPECT_TRUE(owner->AwaitReady());
    return owner;
  }

  // From here on this process has threads, and starts no other.
  void Start(absl::Duration answer_time = KeeperClient::kAnswerTime) {
    protets_.reset();
    protets_.emplace(Protets::Options{.keeper = keeper_->socket(),
                                      .answer_time = answer_time});
  }
  absl::StatusOr<Users> Get(absl::string_view name,
                            const GetOptions& options = {}) {
    return protets_->Get<User, &User::id>(name, options);
  }
  static void ExpectVisits(const absl::StatusOr<Users>& users, int64_t visits) {
    ASSERT_THAT(users, IsOk());
    EXPECT_THAT(users->LookupElement<&User::visits>(7), IsOkAndHolds(visits));
  }

  std::optional<KeeperProcess> keeper_;
  std::optional<Protets> protets_;
};

TEST_F(ProtetsKeeperTest, RowsSurviveTheKillOfTheirProcess) {
  EXPECT_TRUE(StartOwner(100)->Kill());
  EXPECT_TRUE(StartOwner(23)->Kill());
  Start();
  const absl::StatusOr<Users> users = Get("users");
  ExpectVisits(users, 123);
  EXPECT_THAT(users->UpdateCounter<&User::visits>(7, 1), IsOkAndHolds(124));
}

TEST_F(ProtetsKeeperTest, D80_GetAtOnceAfterTheKillAlwaysSucceeds) {
  for (int i = 0; i < 20; ++i) {
    const std::unique_ptr<ChildProcess> owner = StartOwner(1);
    kill(owner->pid(), SIGKILL);  // the next one waits in line, if need be
  }
  Start();
  ExpectVisits(Get("users"), 20);
}

TEST_F(ProtetsKeeperTest, InfoSaysWhetherItSurvivesAndWhoOwnsIt) {
  const std::unique_ptr<ChildProcess> owner = StartOwner(1);
  Start();
  absl::StatusOr<KeptTable> kept = protets_->Info("users");
  ASSERT_THAT(kept, IsOk());
  EXPECT_TRUE(kept->table.survives_process);
  EXPECT_EQ(kept->os_process, owner->pid());
  EXPECT_TRUE(owner->Kill());
  kept = protets_->Info("users");
  ASSERT_THAT(kept, IsOk());
  EXPECT_TRUE(kept->table.survives_process);
  EXPECT_TRUE(kept->os_process == 0);
  ASSERT_THAT(Get("users"), IsOk());
  kept = protets_->Info("users");
  ASSERT_THAT(kept, IsOk());
  EXPECT_TRUE(kept->table.survives_process);
  EXPECT_TRUE(kept->table.is_protected());
  EXPECT_EQ(kept->os_process, getpid());
  EXPECT_EQ(kept->table.size, 1u);
  EXPECT_EQ(CauseOf(protets_->Info("unknown").status()), Cause::kTableNotFound);
  keeper_->End(SIGKILL);
  kept = protets_->Info("users");
  ASSERT_THAT(kept, IsOk());
  EXPECT_FALSE(kept->table.survives_process);
}

TEST_F(ProtetsKeeperTest, D102_StandingInLineIsBounded) {
  const std::unique_ptr<ChildProcess> owner = StartOwner(1);
  Start();
  const absl::Status at_once =
      Get("users", {.wait = absl::ZeroDuration()}).status();
  EXPECT_EQ(CauseOf(at_once), Cause::kAlreadyOwned) << at_once;
  const absl::Status later =
      Get("users", {.wait = absl::Milliseconds(1)}).status();
  EXPECT_EQ(CauseOf(later), Cause::kTimeout) << later;
  EXPECT_TRUE(owner->Kill());
  ExpectVisits(Get("users"), 1);
}

TEST_F(ProtetsKeeperTest, D102_AKeeperThatHangsIsAnErrorUntilItGoesOn) {
  Start(absl::Milliseconds(20));
  ASSERT_THAT(Get("before"), IsOk());
  ASSERT_EQ(kill(keeper_->pid(), SIGSTOP), 0);
  EXPECT_EQ(CauseOf(Get("users", {.wait = absl::ZeroDuration()}).status()),
            Cause::kNoKeeper);
  EXPECT_EQ(CauseOf(protets_->Drop("before")), Cause::kNoKeeper);
  EXPECT_THAT(Get("before"), IsOk()) << "and is still here";
  ASSERT_EQ(kill(keeper_->pid(), SIGCONT), 0);
  Start();
  EXPECT_THAT(Get("users", {.wait = kLong}), IsOk());
  EXPECT_THAT(protets_->Drop("before"), IsOk());
}

TEST_F(ProtetsKeeperTest, WithoutAKeeperWhatIsHereGoesOn) {
  Start();
  const absl::StatusOr<Users> users = Get("users");
  ASSERT_THAT(users, IsOk());
  keeper_->End(SIGKILL);
  EXPECT_THAT(users->Insert({.id = 7, .name = "Ada"}), IsOk());
  EXPECT_EQ(Get("users")->id(), users->id());
  EXPECT_EQ(CauseOf(Get("others").status()), Cause::kNoKeeper);
  EXPECT_EQ(CauseOf(Get("others").status()), Cause::kNoKeeper) << "not busy";
  EXPECT_EQ(CauseOf(protets_->Drop("users")), Cause::kNoKeeper);
  EXPECT_THAT(users->Size(), IsOkAndHolds(1u)) << "nothing has changed";
}

TEST_F(ProtetsKeeperTest, D96_DropEndsItInTheKeeperToo) {
  EXPECT_TRUE(StartOwner(5)->Kill());
  Start();
  EXPECT_THAT(protets_->Drop("unknown"), IsOk());
  EXPECT_THAT(protets_->Drop("users"), IsOk()) << "not even attached";
  absl::StatusOr<Users> users = Get("users");
  ASSERT_THAT(users, IsOk());
  EXPECT_THAT(users->Size(), IsOkAndHolds(0u));
  EXPECT_THAT(protets_->Drop("users"), IsOk());
  EXPECT_EQ(CauseOf(users->Size().status()), Cause::kTableNotFound);
  EXPECT_EQ(CauseOf(protets_->Info("users").status()), Cause::kTableNotFound);
}

TEST_F(ProtetsKeeperTest, D96_AnotherProcessTableCannotBeDropped) {
  const std::unique_ptr<ChildProcess> owner = StartOwner(5);
  Start();
  EXPECT_EQ(CauseOf(protets_->Drop("users")), Cause::kDenied);
  EXPECT_TRUE(owner->Kill());
  ExpectVisits(Get("users"), 5);
}

TEST_F(ProtetsKeeperTest, D97_ATableThatItsUserDeletedIsMadeAnew) {
  Start();
  const absl::StatusOr<Users> users = Get("users");
  ASSERT_THAT(users, IsOk());
  ASSERT_THAT(users->Insert({.id = 7, .name = "Ada"}), IsOk());
  ASSERT_THAT(protets_->tables().Delete(users->handle()), IsOk());
  const absl::StatusOr<Users> again = Get("users");
  ASSERT_THAT(again, IsOk());
  EXPECT_THAT(again->Size(), IsOkAndHolds(0u));
  EXPECT_EQ(protets_->pool().worker_count(), 1);
}

// A Get() that fails after its claim gives the table back.
TEST_F(ProtetsKeeperTest, D88_WhatDiffersIsReportedAndTheTableStays) {
  EXPECT_TRUE(StartOwner(5, {.max_bytes = 1 << 20, .writers = 4})->Kill());
  Start();
  const absl::Status rows = protets_->Get<Point, &Point::x>("users").status();
  EXPECT_EQ(CauseOf(rows), Cause::kSchemaMismatch);
  EXPECT_TRUE(absl::StrContains(rows.message(), "visits:i64")) << rows;
  EXPECT_TRUE(absl::StrContains(rows.message(), "y:i32")) << rows;
  const absl::Status key = protets_->Get<User, &User::visits>("users").status();
  EXPECT_EQ(CauseOf(key), Cause::kSchemaMismatch) << key;
  const absl::Status bytes = Get("users", {.max_bytes = 2 << 20}).status();
  EXPECT_EQ(CauseOf(bytes), Cause::kBadOption) << bytes;
  const absl::Status writers = Get("users", {.writers = 8}).status();
  EXPECT_EQ(CauseOf(writers), Cause::kBadOption) << writers;
  const absl::Status pages = Get("users", {.huge_pages = true}).status();
  EXPECT_EQ(CauseOf(pages), Cause::kBadOption) << pages;
  EXPECT_EQ(protets_->Info("users")->os_process, 0) << "nobody's";
  EXPECT_EQ(protets_->pool().worker_count(), 0);
  ExpectVisits(Get("users", {.max_bytes = 1 << 20, .writers = 4}), 5);
}

// Both outcomes are right: it is the machine's pool that decides.
TEST_F(ProtetsKeeperTest, HugePagesAreThoseOfTheMachinesPool) {
  Start();
  const absl::StatusOr<Users> users =
      Get("users", {.max_bytes = 3 << 20, .huge_pages = true});
  if (users.ok()) {
    EXPECT_EQ(protets_->Info("users")->table.max_memory, 4 << 20);
    EXPECT_THAT(users->Insert({.id = 7, .name = "Ada"}), IsOk());
    EXPECT_THAT(Get("users", {.max_bytes = 3 << 20}), IsOk());
    EXPECT_EQ(CauseOf(Get("users", {.huge_pages = false}).status()),
              Cause::kBadOption);
    return;
  }
  EXPECT_EQ(CauseOf(users.status()), Cause::kNoMemory) << users.status();
  EXPECT_TRUE(absl::StrContains(users.status().message(), "vm.nr_hugepages"))
      << users.status();
  EXPECT_EQ(CauseOf(protets_->Info("users").status()), Cause::kTableNotFound);
  EXPECT_THAT(Get("users", {.huge_pages = false}), IsOk());
}

TEST_F(ProtetsKeeperTest, D94_ABadOptionLeavesNothingInTheKeeper) {
  Start();
  ASSERT_THAT(Get("good"), IsOk());
  EXPECT_EQ(CauseOf(Get("bad", {.max_bytes = uint64_t{1} << 45}).status()),
            Cause::kBadOption)
      << "more than the keeper gives";
  EXPECT_EQ(CauseOf(protets_->Info("bad").status()), Cause::kTableNotFound);
  EXPECT_THAT(Get("bad"), IsOk());
}

TEST_F(ProtetsKeeperTest, ItsDestructionGivesTheTablesBack) {
  Start();
  const absl::StatusOr<Users> old = Get("users");
  ASSERT_THAT(old, IsOk());
  ASSERT_THAT(old->Insert({.id = 7, .name = "Ada", .visits = 9}), IsOk());
  Start();
  EXPECT_EQ(protets_->Info("users")->os_process, 0);
  ExpectVisits(Get("users"), 9);
  EXPECT_EQ(CauseOf(old->Insert({.id = 8, .name = "Bob"})),
            Cause::kTableNotFound);
}

TEST_F(ProtetsKeeperTest, OthersReadWhatTheOwnerWrites) {
  const std::unique_ptr<ChildProcess> owner = StartOwner(5);
  Start();
  const auto reader = protets_->OpenForReading<User, &User::id>("users");
  ASSERT_THAT(reader, IsOk());
  EXPECT_THAT(reader->LookupElement<&User::visits>(7), IsOkAndHolds(5));
  EXPECT_EQ(CauseOf(Users::Of(reader->handle())->Insert({.id = 8, .name = ""})),
            Cause::kWriteProtected);
  EXPECT_TRUE(owner->Kill());
  EXPECT_THAT(reader->LookupElement<&User::visits>(7), IsOkAndHolds(5));
  const absl::StatusOr<Users> users = Get("users");
  ASSERT_THAT(users, IsOk());
  ASSERT_THAT(users->UpdateCounter<&User::visits>(7, 1), IsOkAndHolds(6));
  EXPECT_THAT(reader->LookupElement<&User::visits>(7), IsOkAndHolds(6))
      << "the memory is the same";
  EXPECT_EQ(
      CauseOf(protets_->OpenForReading<User, &User::id>("unknown").status()),
      Cause::kTableNotFound);
}

TEST_F(ProtetsKeeperTest, TheDefaultOneUsesTheKeeperOfTheUser) {
  EXPECT_TRUE(StartOwner(5)->Kill());
  ASSERT_EQ(setenv("ETS_KEEPER_SOCKET", keeper_->socket().c_str(), 1), 0);
  ExpectVisits(protets::Get<User, &User::id>("users"), 5);
  EXPECT_TRUE(DefaultProtets().Info("users")->table.survives_process);
  EXPECT_THAT(protets::Drop("users"), IsOk());
}

TEST(ProtetsNoKeeperTest, NobodyListens) {
  Protets protets({.keeper = "/nonexistent"});
  const absl::Status status = protets.Get<User, &User::id>("users").status();
  EXPECT_EQ(CauseOf(status), Cause::kNoKeeper);
  EXPECT_TRUE(absl::StrContains(status.message(), "/nonexistent")) << status;
}

}  // namespace
}  // namespace ets_keeper::protets
