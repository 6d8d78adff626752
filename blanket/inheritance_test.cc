// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "blanket/inheritance.h"

#include <any>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/message.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "common/row/row.h"
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

struct Item {
  uint64_t key = 0;
  int64_t value = 0;

  static constexpr auto Fields() {
    return FieldList(Field("key", &Item::key), Field("value", &Item::value));
  }
};
using Items = Table<Item, &Item::key>;

// How a process is told to end.
enum class End { kReturn, kThrow };

class InheritanceTest : public ::testing::Test {
 protected:
  InheritanceTest()
      : hook_(runtime_.AddExitHook(ExitPhase::kNames,
                                   [this](Pid pid, const ExitReason&) {
                                     if (on_names_ != nullptr) on_names_(pid);
                                   })) {}

  // A process that lives until it is told to end.
  Pid Spawn() {
    const Pid pid = runtime_.Spawn([](Self& self) -> Task<> {
      const absl::StatusOr<End> end = co_await self.Receive<End>();
      if (*end == End::kThrow) throw std::runtime_error("crash");
    });
    runtime_.RunUntilIdle();
    return pid;
  }
  void Kill(Pid pid) {
    runtime_.Exit(pid, ExitReason::Killed());
    runtime_.RunUntilIdle();
  }
  void Tell(Pid pid, End end) {
    runtime_.Send(pid, end);
    runtime_.RunUntilIdle();
  }
  Items New(Pid owner, TableOptions options) {
    options.max_bytes = uint64_t{1} << 24;
    absl::StatusOr<Items> items =
        Items::New(tables_, owner, std::move(options));
    EXPECT_THAT(items, IsOk());
    EXPECT_THAT(items->Insert(Item{1, 10}), IsOk());
    return *items;
  }
  std::optional<Cause> WhyNot(const TableReader<Item, &Item::key>& items) {
    return CauseOf(items.Size().status());
  }
  // The messages that `self` has.
  std::vector<TableTransfer> Transfers(AdoptedThread& self) {
    std::vector<TableTransfer> all;
    for (;;) {
      absl::StatusOr<TableTransfer> next =
          self.Receive<TableTransfer>(absl::ZeroDuration());
      if (!next.ok()) return all;
      all.push_back(*std::move(next));
    }
  }

  Runtime runtime_{{.threads = 0}};
  std::function<void(Pid)> on_names_;
  const ExitHook hook_;
  Inheritance inheritance_{runtime_};
  Tables& tables_ = inheritance_.tables();
};

TEST_F(InheritanceTest, B51_TheHeirInheritsWhateverTheOwnerDiedOf) {
  for (const char* how : {"return", "throw", "kill", "shutdown"}) {
    AdoptedThread heir(runtime_);
    const Pid owner = Spawn();
    const Items items =
        New(owner, {.name = "items", .heirs = {.chain = {heir.pid()}}});
    const std::string way = how;
    if (way == "return") Tell(owner, End::kReturn);
    if (way == "throw") Tell(owner, End::kThrow);
    if (way == "kill") Kill(owner);
    if (way == "shutdown") {
      runtime_.Exit(owner, ExitReason::Shutdown());
      runtime_.RunUntilIdle();
    }
    ASSERT_FALSE(runtime_.IsAlive(owner)) << how;
    const absl::StatusOr<TableHandle> inherited =
        tables_.Own(items.id(), heir.pid());
    ASSERT_THAT(inherited, IsOk()) << how;
    EXPECT_EQ(inherited->name(), "items");
    EXPECT_THAT(Items::Of(*inherited)->Size(), IsOkAndHolds(1u)) << how;
    EXPECT_EQ(CauseOf(items.Insert(Item{2, 20})), Cause::kNotOwner) << how;
  }
}

TEST_F(InheritanceTest, B52_TheTransferSaysWhichTableFromWhomAndWithWhatData) {
  AdoptedThread heir(runtime_);
  const Pid owner = Spawn();
  const Items items =
      New(owner, {.name = "old",
                  .heirs = {.chain = {heir.pid()}, .data = std::string("d")}});
  ASSERT_THAT(tables_.Rename(items.handle(), "new"), IsOk());
  Kill(owner);
  const std::vector<TableTransfer> got = Transfers(heir);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].table, items.id());
  EXPECT_EQ(got[0].name, "new");
  EXPECT_EQ(got[0].from, owner);
  EXPECT_EQ(std::any_cast<std::string>(got[0].data), "d");
}

TEST_F(InheritanceTest, B53_TablesThenNamesThenDown) {
  AdoptedThread heir(runtime_);
  const Pid owner = Spawn();
  const Items items = New(owner, {.heirs = {.chain = {heir.pid()}}});
  runtime_.Monitor(heir.pid(), owner);
  int seen = 0;
  on_names_ = [&](Pid pid) {
    if (pid != owner) return;
    ++seen;
    EXPECT_EQ(tables_.Info(items.id())->owner, heir.pid());
  };
  runtime_.Exit(owner, ExitReason::Killed());
  const absl::StatusOr<Message> first = heir.Receive<Message>();
  EXPECT_NE(first->As<TableTransfer>(), nullptr);
  EXPECT_EQ(seen, 1);
  const absl::StatusOr<Message> second = heir.Receive<Message>();
  EXPECT_NE(second->As<Down>(), nullptr);
}

TEST_F(InheritanceTest, B54_WithoutALivingHeirTheTableIsGoneBeforeTheDown) {
  const Pid dead = Spawn();
  const Pid owner = Spawn();
  const Items none = New(owner, {.name = "none"});
  const Items late = New(owner, {.name = "late", .heirs = {.chain = {dead}}});
  const Items self = New(owner, {.name = "self", .heirs = {.chain = {owner}}});
  Kill(dead);
  AdoptedThread watcher(runtime_);
  runtime_.Monitor(watcher.pid(), owner);
  runtime_.Exit(owner, ExitReason::Killed());
  ASSERT_THAT(watcher.Receive<Down>(), IsOk());
  for (const Items& items : {none, late, self}) {
    EXPECT_EQ(WhyNot(items), Cause::kTableNotFound);
  }
  EXPECT_THAT(tables_.All(), IsEmpty());
  New(watcher.pid(), {.name = "none"});
}

TEST_F(InheritanceTest, B55_TheChainStaysInForceForTheNextDeath) {
  const Pid first = Spawn();
  const Pid second = Spawn();
  const Pid owner = Spawn();
  const Items items = New(owner, {.heirs = {.chain = {first, second}}});
  Kill(owner);
  EXPECT_EQ(tables_.Info(items.id())->owner, first);
  Kill(first);
  EXPECT_EQ(tables_.Info(items.id())->owner, second);
  EXPECT_THAT(Items::Of(*tables_.Own(items.id(), second))->Size(),
              IsOkAndHolds(1u));
  Kill(second);
  EXPECT_EQ(WhyNot(items), Cause::kTableNotFound);
}

TEST_F(InheritanceTest, B56_ADeadHeirIsNoErrorAndNoHeir) {
  const Pid dead = Spawn();
  Kill(dead);
  const Pid owner = Spawn();
  const Items items = New(owner, {.heirs = {.chain = {dead}}});
  EXPECT_THAT(tables_.Info(items.id())->heirs, IsEmpty());
  EXPECT_THAT(tables_.SetHeirs(items.handle(), {.chain = {dead}}), IsOk());
  EXPECT_FALSE(tables_.Info(items.id())->is_protected());
}

TEST_F(InheritanceTest, B57_AnHeirThatDiesLaterIsNotShownAsOne) {
  const Pid heir = Spawn();
  const Pid owner = Spawn();
  const Items items = New(owner, {.heirs = {.chain = {heir}}});
  EXPECT_THAT(tables_.Info(items.id())->heirs, ElementsAre(heir));
  Kill(heir);
  EXPECT_THAT(tables_.Info(items.id())->heirs, IsEmpty());
}

TEST_F(InheritanceTest, B58_TheHeirsDataIsThatOfTheTimeItWasSet) {
  AdoptedThread heir(runtime_);
  const Pid owner = Spawn();
  std::string data = "then";
  New(owner, {.heirs = {.chain = {heir.pid()}, .data = data}});
  data = "now";
  Kill(owner);
  EXPECT_EQ(std::any_cast<std::string>(Transfers(heir).at(0).data), "then");
}

TEST_F(InheritanceTest, B59_SeveralTablesComeOneByOneInOrderOfCreation) {
  AdoptedThread heir(runtime_);
  const Pid owner = Spawn();
  std::vector<TableId> made;
  for (int i = 0; i < 5; ++i) {
    made.push_back(New(owner, {.name = absl::StrCat(9 - i),
                               .heirs = {.chain = {heir.pid()}}})
                       .id());
  }
  Kill(owner);
  std::vector<TableId> got;
  for (const TableTransfer& transfer : Transfers(heir)) {
    got.push_back(transfer.table);
  }
  EXPECT_EQ(got, made);
}

TEST_F(InheritanceTest, B60_AGiftToTheDeadIsRefusedAndTheOwnerStays) {
  const Pid owner = Spawn();
  const Pid dead = Spawn();
  const Items items = New(owner, {});
  runtime_.Exit(dead, ExitReason::Killed());  // its hooks have not run
  EXPECT_EQ(CauseOf(tables_.GiveAway(items.handle(), dead, {})),
            Cause::kRecipientDead);
  EXPECT_THAT(items.Insert(Item{2, 20}), IsOk());
}

TEST_F(InheritanceTest, B61_AReceiverThatDiesBeforeReadingLeavesItToTheHeir) {
  AdoptedThread heir(runtime_);
  const Pid owner = Spawn();
  const Pid receiver = Spawn();
  const Items items = New(owner, {.heirs = {.chain = {heir.pid()}}});
  const Items without = New(owner, {});
  ASSERT_THAT(tables_.GiveAway(items.handle(), receiver, {}), IsOk());
  ASSERT_THAT(tables_.GiveAway(without.handle(), receiver, {}), IsOk());
  Kill(receiver);
  EXPECT_EQ(tables_.Info(items.id())->owner, heir.pid());
  EXPECT_EQ(WhyNot(without), Cause::kTableNotFound);
}

TEST_F(InheritanceTest, B64_ASilentInheritanceSendsNoMessage) {
  AdoptedThread heir(runtime_);
  const Pid owner = Spawn();
  const Items items =
      New(owner, {.heirs = {.chain = {heir.pid()}, .silent = true}});
  Kill(owner);
  EXPECT_EQ(tables_.Info(items.id())->owner, heir.pid());
  EXPECT_THAT(Transfers(heir), IsEmpty());
}

TEST_F(InheritanceTest, AKeeperInheritsLikeAProcessAndCannotBeKilled) {
  const Pid keeper = inheritance_.NewKeeper();
  EXPECT_TRUE(inheritance_.IsAlive(keeper));
  const Pid heir = Spawn();
  const Pid owner = Spawn();
  const Items items = New(owner, {.heirs = {.chain = {heir, keeper}}});
  // Both at once: the owner's death finds no process to inherit.
  runtime_.Exit(owner, ExitReason::Killed());
  runtime_.Exit(heir, ExitReason::Killed());
  runtime_.Exit(keeper, ExitReason::Killed());
  runtime_.RunUntilIdle();
  EXPECT_EQ(tables_.Info(items.id())->owner, keeper);
  inheritance_.EndKeeper(keeper);
  EXPECT_FALSE(inheritance_.IsAlive(keeper));
  EXPECT_EQ(WhyNot(items), Cause::kTableNotFound);
}

TEST_F(InheritanceTest, TheTablesOfAKeeperThatEndsGoToTheNextHeir) {
  const Pid keeper = inheritance_.NewKeeper();
  const Pid heir = Spawn();
  const Items items = New(keeper, {.heirs = {.chain = {heir}}});
  inheritance_.EndKeeper(keeper);
  EXPECT_EQ(tables_.Info(items.id())->owner, heir);
}

}  // namespace
}  // namespace ets_keeper::blanket
