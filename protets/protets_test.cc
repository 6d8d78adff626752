// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// `Protets` without a keeper, on a runtime that runs only when it is told to.

#include "protets/protets.h"

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protets/rows_testing.h"

namespace ets_keeper::protets {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::Contains;
using ::testing::Not;

class ProtetsTest : public testing::Test {
 protected:
  absl::StatusOr<Users> Get(absl::string_view name,
                            const GetOptions& options = {}) {
    return protets_.Get<User, &User::id>(name, options);
  }
  // A table with one row.
  Users GetWithRow(absl::string_view name) {
    absl::StatusOr<Users> users = Get(name);
    EXPECT_THAT(users, IsOk());
    EXPECT_THAT(users->Insert({.id = 7, .name = "Ada"}), IsOk());
    return *users;
  }
  static void ExpectRow(const Users& users) {
    const absl::StatusOr<std::optional<User>> row = users.Lookup(7);
    ASSERT_THAT(row, IsOk());
    ASSERT_TRUE(row->has_value());
    EXPECT_EQ((*row)->name, "Ada");
    EXPECT_THAT(users.Size(), IsOkAndHolds(1));
  }
  Pid Owner(absl::string_view name) {
    const absl::StatusOr<KeptTable> kept = protets_.Info(name);
    EXPECT_THAT(kept, IsOk());
    return kept.ok() ? kept->table.owner : kNoPid;
  }
  void Kill(Pid pid) { runtime_.Exit(pid, ExitReason::Killed()); }
  void Run() { runtime_.RunUntilIdle(); }
  Pool::Monitors Monitors() { return protets_.pool().monitors(); }

  // Everything is as it should be, and nothing more: both monitors, a worker
  // for each table, and every table protected by both.
  void ExpectInOrder(int tables) {
    Run();
    EXPECT_EQ(runtime_.process_count(), 2 + tables);
    EXPECT_EQ(protets_.pool().worker_count(), tables);
    for (const Pid monitor : Monitors()) {
      EXPECT_TRUE(runtime_.IsAlive(monitor));
    }
    for (const TableId table : protets_.tables().All()) {
      const auto info = protets_.tables().Info(table);
      ASSERT_THAT(info, IsOk());
      EXPECT_TRUE(runtime_.IsAlive(info->owner));
      for (const Pid monitor : Monitors()) {
        EXPECT_THAT(info->heirs, Contains(monitor));
        EXPECT_NE(info->owner, monitor);
      }
    }
  }

  Runtime runtime_{{.threads = 0}};
  Protets protets_{{.runtime = &runtime_}};
};

TEST_F(ProtetsTest, D88_GetOfAnUnknownNameCreatesAndOfAKnownOneReturnsIt) {
  const Users first = GetWithRow("users");
  const absl::StatusOr<Users> second = Get("users");
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->id(), first.id());
  EXPECT_EQ(second->name(), "users");
  ExpectRow(*second);
  EXPECT_NE(Get("others")->id(), first.id());
}

TEST_F(ProtetsTest, D88_OptionsThatDifferAreReported) {
  ASSERT_THAT(Get("users", {.max_bytes = 1 << 20, .writers = 3}), IsOk());
  EXPECT_THAT(Get("users"), IsOk());
  EXPECT_THAT(Get("users", {.max_bytes = (1 << 20) - 5, .writers = 3}), IsOk())
      << "it is rounded up to the same";
  const absl::Status bytes = Get("users", {.max_bytes = 1 << 21}).status();
  EXPECT_EQ(CauseOf(bytes), Cause::kBadOption);
  EXPECT_TRUE(absl::StrContains(bytes.message(), "max_bytes is 1048576, not "))
      << bytes;
  const absl::Status writers = Get("users", {.writers = 8}).status();
  EXPECT_EQ(CauseOf(writers), Cause::kBadOption);
  EXPECT_TRUE(absl::StrContains(writers.message(), "writers are 3, not 8"))
      << writers;
}

TEST_F(ProtetsTest, D88_RowsAndKeysThatDifferAreReported) {
  ASSERT_THAT(Get("users"), IsOk());
  const absl::Status rows = protets_.Get<Point, &Point::x>("users").status();
  EXPECT_EQ(CauseOf(rows), Cause::kSchemaMismatch);
  EXPECT_TRUE(absl::StrContains(rows.message(), "visits:i64")) << rows;
  EXPECT_TRUE(absl::StrContains(rows.message(), "y:i32")) << rows;
  EXPECT_EQ(CauseOf(protets_.Get<User, &User::visits>("users").status()),
            Cause::kSchemaMismatch);
  EXPECT_EQ(
      CauseOf(protets_.OpenForReading<Point, &Point::x>("users").status()),
      Cause::kSchemaMismatch);
}

template <typename Options>
concept HasAccessOrHeirs = requires(Options options) {
  options.access;
}
|| requires(Options options) { options.heirs; };

TEST_F(ProtetsTest, D89_AccessAndHeirsCannotBeChosenNorChanged) {
  static_assert(HasAccessOrHeirs<TableOptions>);
  static_assert(!HasAccessOrHeirs<GetOptions>, "would have to be rejected");
  const Users users = GetWithRow("users");
  EXPECT_EQ(protets_.Info("users")->table.access, TableAccess::kPublic);
  EXPECT_EQ(CauseOf(protets_.tables().SetHeirs(users.handle(), {})),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(protets_.tables().SetAccess(users.handle(),
                                                TableAccess::kPrivate)),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(protets_.tables().GiveAway(users.handle(), NewPid(), {})),
            Cause::kNotOwner);
  ExpectInOrder(1);
}

TEST_F(ProtetsTest, D90_TheDeathOfTheCallerHasNoEffect) {
  {
    AdoptedThread caller(runtime_);
    GetWithRow("users");
    caller.Fail(ExitReason::Error("dropped a plate"));
  }
  Run();
  ExpectRow(*Get("users"));
  ExpectInOrder(1);
}

TEST_F(ProtetsTest, D91_AThousandDeadWorkersCostNoRow) {
  const Users users = GetWithRow("users");
  for (int i = 0; i < 1000; ++i) {
    const Pid owner = Owner("users");
    Kill(owner);
    Run();
    ASSERT_NE(Owner("users"), owner);
    ASSERT_EQ(Get("users")->id(), users.id());
    ASSERT_THAT(users.UpdateCounter<&User::visits>(7, 1), IsOkAndHolds(i + 1))
        << "the old handle works";
  }
  ExpectRow(users);
  ExpectInOrder(1);
}

TEST_F(ProtetsTest, D92_KillAndGetAtOnceReturnsTheRows) {
  const Users users = GetWithRow("users");
  for (int i = 0; i < 300; ++i) {
    Kill(Owner("users"));
    const absl::StatusOr<Users> again = Get("users");  // nothing has run
    ASSERT_THAT(again, IsOk());
    ASSERT_EQ(again->id(), users.id());
    ExpectRow(*again);
    for (int steps = i % 7; steps > 0; --steps) runtime_.Step();
  }
  ExpectInOrder(1);
}

TEST_F(ProtetsTest, D93_HeirsAndMonitorsAreRenewed) {
  const Users users = GetWithRow("users");
  for (int i = 0; i < 100; ++i) {
    const Pool::Monitors before = Monitors();
    Kill(before[i % 2]);
    Run();
    EXPECT_NE(Monitors()[i % 2], before[i % 2]);
    EXPECT_EQ(Monitors()[1 - i % 2], before[1 - i % 2]);
    EXPECT_THAT(protets_.Info("users")->table.heirs,
                Not(Contains(before[i % 2])));
    ExpectInOrder(1);
    Kill(Owner("users"));
    Run();
    ExpectRow(users);
  }
  ExpectInOrder(1);
}

TEST_F(ProtetsTest, D93_AMonitorThatDiesWithATableInHandLosesNothing) {
  for (int steps = 0; steps < 8; ++steps) {
    SCOPED_TRACE(steps);
    const Users users = GetWithRow("users");
    Kill(Owner("users"));
    for (int i = 0; i < steps; ++i) runtime_.Step();
    Kill(Monitors()[0]);
    ExpectInOrder(1);
    ExpectRow(users);
    ASSERT_THAT(protets_.Drop("users"), IsOk());
  }
}

TEST_F(ProtetsTest, D94_ABadOptionIsAnErrorToItsCallerOnly) {
  const Users users = GetWithRow("users");
  const Pool::Monitors monitors = Monitors();
  for (int i = 0; i < 100; ++i) {
    for (const GetOptions& bad :
         {GetOptions{.max_bytes = 1}, GetOptions{.max_bytes = ~uint64_t{0}},
          GetOptions{.writers = 0}, GetOptions{.writers = 1025},
          GetOptions{.wait = -absl::Seconds(1)},
          GetOptions{.wait = absl::InfiniteDuration()}}) {
      EXPECT_EQ(CauseOf(Get("bad", bad).status()), Cause::kBadOption);
    }
  }
  EXPECT_EQ(CauseOf(protets_.Info("bad").status()), Cause::kTableNotFound);
  EXPECT_EQ(Monitors(), monitors);
  ExpectRow(users);
  ExpectInOrder(1);
  EXPECT_THAT(Get("bad"), IsOk());
}

TEST_F(ProtetsTest, D95_ANameIsPrintableOrACleanError) {
  for (const std::string& good :
       {std::string("a"), std::string("two words"), std::string("$x/y:z~"),
        std::string(128, 'n')}) {
    EXPECT_THAT(Get(good), IsOk());
    EXPECT_THAT(protets_.Info(good), IsOk());
  }
  ExpectInOrder(4);
  for (const std::string& bad :
       {std::string(), std::string(129, 'n'), std::string("a\n"),
        std::string("a\0b", 3), std::string("\xc3\xbc")}) {
    EXPECT_EQ(CauseOf(Get(bad).status()), Cause::kBadOption);
    EXPECT_EQ(CauseOf(protets_.Drop(bad)), Cause::kBadOption);
    EXPECT_EQ(CauseOf(protets_.Info(bad).status()), Cause::kBadOption);
  }
  ExpectInOrder(4);
}

TEST_F(ProtetsTest, D96_DropIsDoneWhenItReturns) {
  EXPECT_THAT(protets_.Drop("unknown"), IsOk());
  const Users users = GetWithRow("users");
  EXPECT_THAT(protets_.Drop("users"), IsOk());
  EXPECT_EQ(CauseOf(users.Lookup(7).status()), Cause::kTableNotFound);
  EXPECT_EQ(CauseOf(users.Insert({.id = 8, .name = "Bob"})),
            Cause::kTableNotFound);
  EXPECT_EQ(CauseOf(protets_.Info("users").status()), Cause::kTableNotFound);
  EXPECT_TRUE(protets_.tables().All().empty());
  const absl::StatusOr<Users> again = Get("users");
  ASSERT_THAT(again, IsOk());
  EXPECT_NE(again->id(), users.id());
  EXPECT_THAT(again->Size(), IsOkAndHolds(0));
  ExpectInOrder(1);
}

TEST_F(ProtetsTest, D97_ATableThatItsUserDeletedIsMadeAnew) {
  const Users users = GetWithRow("users");
  ASSERT_THAT(protets_.tables().Delete(users.handle()), IsOk());
  Kill(protets_.pool().monitors()[0]);  // which finds nothing to protect
  Run();
  const absl::StatusOr<Users> again = Get("users");
  ASSERT_THAT(again, IsOk());
  EXPECT_NE(again->id(), users.id());
  EXPECT_THAT(again->Size(), IsOkAndHolds(0));
  ExpectInOrder(1);
  ASSERT_THAT(protets_.tables().Delete(again->handle()), IsOk());
  EXPECT_THAT(protets_.Drop("users"), IsOk());
  ExpectInOrder(0);
}

TEST_F(ProtetsTest, D97_ARenamedTableKeepsTheNameItWasGotBy) {
  const Users users = GetWithRow("users");
  ASSERT_THAT(protets_.tables().Rename(users.handle(), "people"), IsOk());
  EXPECT_EQ(Get("users")->id(), users.id());
  EXPECT_EQ(CauseOf(Get("people").status()), Cause::kAlreadyExists);
  EXPECT_THAT(protets_.Drop("users"), IsOk());
  EXPECT_THAT(Get("people"), IsOk());
  ExpectInOrder(1);
}

TEST_F(ProtetsTest, D98_D99_AnythingMayDieTogether) {
  // Bit 0 and 1: a monitor. Bit 2: the worker. In three orders of dying.
  for (int dead = 1; dead < 8; ++dead) {
    for (int order = 0; order < 3; ++order) {
      SCOPED_TRACE(absl::StrCat(dead, " dead in the order ", order));
      const Users users = GetWithRow("users");
      const Pid all[] = {Monitors()[0], Monitors()[1], Owner("users")};
      for (int i = 0; i < 3; ++i) {
        const int who = (i + order) % 3;
        if (dead >> who & 1) Kill(all[who]);
      }
      EXPECT_EQ(Get("users")->id(), users.id());
      ExpectInOrder(1);
      ExpectRow(users);
      EXPECT_EQ(Get("users")->id(), users.id());
      ASSERT_THAT(protets_.Drop("users"), IsOk());
    }
  }
}

// The monitor that has inherited a table is taken for dead, and replaced,
// before its death has been dealt with.
TEST_F(ProtetsTest, D99_ATableThatAReplacedMonitorInheritedFindsAWorker) {
  const Users users = GetWithRow("users");
  Kill(Owner("users"));
  while (Owner("users") != Monitors()[0]) ASSERT_TRUE(runtime_.Step());
  for (const Pid monitor : Monitors()) Kill(monitor);
  GetWithRow("others");
  ExpectInOrder(2);
  ExpectRow(users);
}

TEST_F(ProtetsTest, D99_RandomDeathsAtRandomMomentsLoseNothing) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  constexpr int kTables = 5;
  std::vector<Users> tables;
  for (int i = 0; i < kTables; ++i) {
    tables.push_back(GetWithRow(absl::StrCat("t", i)));
  }
  for (int i = 0; i < 3000; ++i) {
    const uint32_t who = random() % (kTables + 2);
    Kill(who < kTables ? Owner(absl::StrCat("t", who))
                       : Monitors()[who - kTables]);
    for (int steps = static_cast<int>(random() % 6); steps > 0; --steps) {
      runtime_.Step();
    }
    const uint32_t table = random() % kTables;
    ASSERT_EQ(Get(absl::StrCat("t", table))->id(), tables[table].id());
    ASSERT_THAT(tables[table].Insert({.id = 7, .name = "Ada"}), IsOk());
  }
  ExpectInOrder(kTables);
  for (const Users& table : tables) ExpectRow(table);
}

TEST_F(ProtetsTest, D100_AWorkerMayDieOfAnyReason) {
  const Users users = GetWithRow("users");
  for (const ExitReason& reason :
       {ExitReason::Shutdown(), ExitReason::Killed(), ExitReason::Noproc(),
        ExitReason::Error("bad day"), ExitReason::Normal()}) {
    const Pid owner = Owner("users");
    runtime_.Exit(owner, reason);
    Run();
    EXPECT_EQ(Owner("users") == owner, reason == ExitReason::Normal())
        << absl::StrCat(reason);
    ExpectRow(users);
  }
  runtime_.Send(Owner("users"), std::string("a stray message"));
  runtime_.Send(Monitors()[0], std::string("a stray message"));
  runtime_.Send(Monitors()[0], TableTransfer{.table = users.id()});
  ExpectInOrder(1);
  ExpectRow(users);
}

TEST_F(ProtetsTest, D101_ThereAreAsManyWorkersAsTables) {
  constexpr int kTables = 50;
  for (int i = 0; i < kTables; ++i) {
    ASSERT_THAT(Get(absl::StrCat("t", i)), IsOk());
    ASSERT_THAT(Get(absl::StrCat("t", i)), IsOk());
  }
  ExpectInOrder(kTables);
  for (int i = 0; i < kTables; ++i) {
    if (i % 3 == 0) Kill(Owner(absl::StrCat("t", i)));
    if (i % 2 == 0) {
      ASSERT_THAT(protets_.Drop(absl::StrCat("t", i)), IsOk());
    }
  }
  ExpectInOrder(kTables / 2);
}

TEST_F(ProtetsTest, InfoSaysThatItDoesNotSurviveThisProcess) {
  GetWithRow("users");
  const absl::StatusOr<KeptTable> kept = protets_.Info("users");
  ASSERT_THAT(kept, IsOk());
  EXPECT_FALSE(kept->table.survives_process);
  EXPECT_TRUE(kept->table.is_protected());
  EXPECT_EQ(kept->table.size, 1);
  EXPECT_EQ(kept->os_process, getpid());
}

TEST_F(ProtetsTest, AReaderSeesWhatIsWritten) {
  EXPECT_EQ(CauseOf(protets_.OpenForReading<User, &User::id>("users").status()),
            Cause::kTableNotFound);
  const Users users = GetWithRow("users");
  const auto reader = protets_.OpenForReading<User, &User::id>("users");
  ASSERT_THAT(reader, IsOk());
  EXPECT_THAT(reader->LookupElement<&User::name>(7), IsOkAndHolds("Ada"));
}

TEST(ProtetsLifetimeTest, HandlesOutliveIt) {
  Runtime runtime({.threads = 0});
  std::optional<Users> users;
  {
    Protets protets({.runtime = &runtime});
    users = *protets.Get<User, &User::id>("users");
    ASSERT_THAT(users->Insert({.id = 7, .name = "Ada"}), IsOk());
  }
  EXPECT_EQ(CauseOf(users->Insert({.id = 8, .name = "Bob"})),
            Cause::kTableNotFound);
  runtime.RunUntilIdle();
  EXPECT_EQ(runtime.process_count(), 0);
}

TEST(ProtetsStressTest, CountsExactlyWhileEverythingDies) {
  constexpr int kThreads = 3, kRounds = 2000;
  Runtime runtime({.threads = 2});
  Protets protets({.runtime = &runtime});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        const auto users = protets.Get<User, &User::id>("users");
        ASSERT_THAT(users, IsOk());
        ASSERT_THAT(users->UpdateCounter<&User::visits>(7, 1, User{}), IsOk());
        if (i % 8 == t) {
          runtime.Exit(protets.Info("users")->table.owner,
                       ExitReason::Killed());
        }
        if (i % 16 == t) {
          runtime.Exit(protets.pool().monitors()[i / 16 % 2],
                       ExitReason::Killed());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto users = protets.Get<User, &User::id>("users");
  ASSERT_THAT(users, IsOk());
  EXPECT_THAT(users->LookupElement<&User::visits>(7),
              IsOkAndHolds(kThreads * kRounds));
}

}  // namespace
}  // namespace ets_keeper::protets
