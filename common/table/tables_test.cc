// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/tables.h"

#include <any>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "common/arena/memory_pool.h"
#include "common/hash/hash_core.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

struct Item {
  uint64_t id = 0;
  uint64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("id", &Item::id), Field("value", &Item::value));
  }
  friend bool operator==(const Item&, const Item&) = default;
};
using Items = Table<Item, &Item::id>;

// Processes that live and die as a test says.
class FakeProcesses : public TableProcesses {
 public:
  bool IsAlive(Pid pid) const override { return !dead.contains(pid); }
  void Deliver(Pid to, TableTransfer transfer) override {
    delivered.emplace_back(to, std::move(transfer));
  }

  std::set<Pid> dead;
  std::vector<std::pair<Pid, TableTransfer>> delivered;
};

class TablesTest : public ::testing::Test {
 protected:
  Items New(TableOptions options) {
    auto table = Items::New(tables_, owner_, std::move(options));
    EXPECT_THAT(table, IsOk());
    EXPECT_THAT(table->Insert(Item{1, 10}), IsOk());
    return *table;
  }

  void Die(Pid pid) {
    processes_.dead.insert(pid);
    tables_.OwnerDied(pid);
  }

  const Pid owner_ = NewPid();
  const Pid heir_ = NewPid();
  const Pid next_heir_ = NewPid();
  FakeProcesses processes_;
  Tables tables_{&processes_};
};

TEST_F(TablesTest, A1_DefaultsAreThoseOfEts) {
  const Items table = New({});
  const auto info = tables_.Info(table.id());
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->name, "");
  EXPECT_EQ(info->access, TableAccess::kProtected);
  EXPECT_EQ(info->owner, owner_);
  EXPECT_THAT(info->heirs, IsEmpty());
  EXPECT_FALSE(info->is_protected());
  EXPECT_FALSE(info->survives_process);
  EXPECT_EQ(info->size, 1);
  EXPECT_EQ(info->schema, "{id:u64,value:u64}");
}

TEST_F(TablesTest, A3_BadOptionsMakeNoTable) {
  const auto cause = [&](TableOptions options) {
    return CauseOf(Items::New(tables_, owner_, std::move(options)).status());
  };
  EXPECT_EQ(cause({.writers = 0}), Cause::kBadOption);
  EXPECT_EQ(cause({.writers = 2000}), Cause::kBadOption);
  EXPECT_EQ(cause({.max_bytes = 10}), Cause::kBadOption);
  EXPECT_EQ(cause({.max_bytes = ~uint64_t{0}}), Cause::kBadOption);
  processes_.dead.insert(owner_);
  EXPECT_EQ(cause({.name = "n"}), Cause::kRecipientDead);
  EXPECT_THAT(tables_.All(), IsEmpty());
  EXPECT_EQ(tables_.WhereIs("n"), std::nullopt);
}

TEST_F(TablesTest, A4_ASecondTableOfTheSameNameIsRefused) {
  const Items table = New({.name = "items"});
  EXPECT_EQ(CauseOf(Items::New(tables_, owner_, {.name = "items"}).status()),
            Cause::kAlreadyExists);
  EXPECT_THAT(tables_.WhereIs("items"), Optional(table.id()));
  EXPECT_THAT(tables_.All(), ElementsAre(table.id()));
}

TEST_F(TablesTest, A41_ARenamedTableKeepsItsHandles) {
  const Items table = New({.name = "items"});
  const Items other = New({.name = "other"});
  EXPECT_EQ(CauseOf(tables_.Rename(table.handle(), "other")),
            Cause::kAlreadyExists);
  EXPECT_EQ(CauseOf(tables_.Rename(table.handle(), "items")),
            Cause::kAlreadyExists);
  EXPECT_EQ(CauseOf(tables_.Rename(table.handle(), "")), Cause::kBadOption);
  EXPECT_THAT(tables_.Rename(table.handle(), "things"), IsOk());
  EXPECT_EQ(tables_.WhereIs("items"), std::nullopt);
  EXPECT_THAT(tables_.WhereIs("things"), Optional(table.id()));
  EXPECT_THAT(table.Lookup(1), IsOkAndHolds(Optional(Item{1, 10})));
}

TEST_F(TablesTest, A42_DeleteFreesTheNameAtOnce) {
  const Items table = New({.name = "items"});
  EXPECT_THAT(tables_.Delete(table.handle()), IsOk());
  EXPECT_THAT(tables_.All(), IsEmpty());
  EXPECT_EQ(CauseOf(tables_.Delete(table.handle())), Cause::kTableNotFound);
  EXPECT_EQ(CauseOf(tables_.Info(table.id()).status()), Cause::kTableNotFound);
  EXPECT_EQ(CauseOf(tables_.Open("items").status()), Cause::kTableNotFound);
  New({.name = "items"});
}

// Tables one after the other live in the same memory.
TEST_F(TablesTest, NewTablesHaveNothingOfDeletedOnes) {
  std::set<const void*> deleted;
  for (int i = 0; i < 3; ++i) {
    const Items table = New({.name = "old"});
    EXPECT_THAT(table.UpdateCounter<&Item::value>(1, 5), IsOk());
    EXPECT_THAT(tables_.Delete(table.handle()), IsOk());
    deleted.insert(table.handle().state().arena().At(0));
  }
  std::vector<Items> all;
  bool met = false;
  for (size_t i = 0; i <= MemoryPool::kMappings; ++i) {
    auto table = Items::New(tables_, owner_, {});
    ASSERT_THAT(table, IsOk());
    EXPECT_THAT(table->Size(), IsOkAndHolds(0));
    EXPECT_THAT(table->Lookup(1), IsOkAndHolds(std::nullopt));
    EXPECT_EQ(tables_.Info(table->id())->epoch, 1);
    EXPECT_THAT(table->Insert(Item{i, i}), IsOk());
    EXPECT_THAT(table->Size(), IsOkAndHolds(1));
    met = met || deleted.contains(table->handle().state().arena().At(0));
    all.push_back(*std::move(table));
  }
  EXPECT_TRUE(met);
}

TEST_F(TablesTest, TheMemoryOfADeletedTableStaysAsItIsForItsHandles) {
  const Items table = New({});
  const TableReader<Item, &Item::id> reader = table;
  Die(owner_);
  const HashCore& core = reader.handle().state().core();
  std::vector<Items> all;
  for (size_t i = 0; i <= MemoryPool::kMappings; ++i) {
    auto other = Items::New(tables_, heir_, {});
    ASSERT_THAT(other, IsOk());
    EXPECT_NE(other->handle().state().arena().At(0),
              reader.handle().state().arena().At(0));
    ASSERT_THAT(other->Insert(Item{1, 99}), IsOk());
    all.push_back(*std::move(other));
  }
  EXPECT_EQ(core.reader().Size(), 1);
  EXPECT_EQ(CauseOf(reader.Lookup(1).status()), Cause::kTableNotFound);
}

TEST_F(TablesTest, ADeathIsThatOfItsOwnTablesOnly) {
  const Items first = New({.heirs = {.chain = {heir_}}});
  const Items given = New({});
  const Items last = New({});
  const auto others = Items::New(tables_, next_heir_, {});
  ASSERT_THAT(others, IsOk());
  ASSERT_THAT(tables_.GiveAway(given.handle(), next_heir_, {}), IsOk());
  Die(owner_);
  EXPECT_THAT(tables_.All(), ElementsAre(first.id(), given.id(), others->id()));
  Die(heir_);
  EXPECT_THAT(tables_.All(), ElementsAre(given.id(), others->id()));
  Die(next_heir_);
  EXPECT_THAT(tables_.All(), IsEmpty());
}

TEST_F(TablesTest, B51_AtTheOwnersDeathTheHeirOwnsTheRows) {
  const Items table = New({.name = "items", .heirs = {.chain = {heir_}}});
  EXPECT_TRUE(tables_.Info(table.id())->is_protected());
  Die(owner_);
  EXPECT_EQ(tables_.Info(table.id())->owner, heir_);
  EXPECT_THAT(tables_.WhereIs("items"), Optional(table.id()));
  const auto inherited = Items::Of(*tables_.Own(table.id(), heir_));
  ASSERT_THAT(inherited, IsOk());
  EXPECT_THAT(inherited->Lookup(1), IsOkAndHolds(Optional(Item{1, 10})));
  EXPECT_THAT(inherited->Insert(Item{2, 20}), IsOk());
  EXPECT_EQ(CauseOf(table.Insert(Item{3, 30})), Cause::kNotOwner);
}

TEST_F(TablesTest, B52_TheHeirIsToldWhichTableFromWhomAndWhy) {
  const Items table = New(
      {.name = "old", .heirs = {.chain = {heir_}, .data = std::string("x")}});
  ASSERT_THAT(tables_.Rename(table.handle(), "new"), IsOk());
  Die(owner_);
  ASSERT_EQ(processes_.delivered.size(), 1);
  const auto& [to, transfer] = processes_.delivered[0];
  EXPECT_EQ(to, heir_);
  EXPECT_EQ(transfer.table, table.id());
  EXPECT_EQ(transfer.name, "new");
  EXPECT_EQ(transfer.from, owner_);
  EXPECT_EQ(std::any_cast<std::string>(transfer.data), "x");
}

TEST_F(TablesTest, B54_WithoutALivingHeirTheTableIsDestroyed) {
  const Items none = New({.name = "none"});
  const Items dead = New({.name = "dead", .heirs = {.chain = {heir_}}});
  const Items self = New({.name = "self", .heirs = {.chain = {owner_}}});
  processes_.dead.insert(heir_);
  Die(owner_);
  EXPECT_THAT(tables_.All(), IsEmpty());
  EXPECT_EQ(tables_.WhereIs("none"), std::nullopt);
  EXPECT_EQ(CauseOf(none.Lookup(1).status()), Cause::kTableNotFound);
}

TEST_F(TablesTest, B55_TheChainOfHeirsGoesOn) {
  const Items table = New({.heirs = {.chain = {heir_, next_heir_}}});
  Die(owner_);
  EXPECT_EQ(tables_.Info(table.id())->owner, heir_);
  Die(heir_);
  EXPECT_EQ(tables_.Info(table.id())->owner, next_heir_);
  EXPECT_THAT(Items::Of(*tables_.Own(table.id(), next_heir_))->Lookup(1),
              IsOkAndHolds(Optional(Item{1, 10})));
  Die(next_heir_);
  EXPECT_THAT(tables_.All(), IsEmpty());
}

TEST_F(TablesTest, B56_ADeadHeirIsNoHeirAndNoError) {
  processes_.dead.insert(heir_);
  const Items table = New({.heirs = {.chain = {heir_}}});
  EXPECT_THAT(tables_.Info(table.id())->heirs, IsEmpty());
  EXPECT_THAT(tables_.SetHeirs(table.handle(), {.chain = {heir_}}), IsOk());
  EXPECT_FALSE(tables_.Info(table.id())->is_protected());
}

TEST_F(TablesTest, B57_AnHeirThatDiesLaterIsNotShownAsOne) {
  const Items table = New({.heirs = {.chain = {heir_, next_heir_}}});
  Die(heir_);
  EXPECT_THAT(tables_.Info(table.id())->heirs, ElementsAre(next_heir_));
  Die(owner_);
  EXPECT_EQ(tables_.Info(table.id())->owner, next_heir_);
}

TEST_F(TablesTest, B59_SeveralTablesGoInTheOrderOfTheirCreation) {
  const Items first = New({.heirs = {.chain = {heir_}}});
  const Items second = New({.heirs = {.chain = {heir_}}});
  Die(owner_);
  ASSERT_EQ(processes_.delivered.size(), 2);
  EXPECT_EQ(processes_.delivered[0].second.table, first.id());
  EXPECT_EQ(processes_.delivered[1].second.table, second.id());
}

TEST_F(TablesTest, B60_GiveAway) {
  const Items table =
      New({.access = TableAccess::kPrivate, .heirs = {.chain = {heir_}}});
  const Pid other = NewPid();
  EXPECT_EQ(CauseOf(tables_.GiveAway(*tables_.Open(table.id()), other, {})),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(tables_.GiveAway(table.handle(), owner_, {})),
            Cause::kAlreadyOwned);
  processes_.dead.insert(next_heir_);
  EXPECT_EQ(CauseOf(tables_.GiveAway(table.handle(), next_heir_, {})),
            Cause::kRecipientDead);
  EXPECT_THAT(table.Lookup(1), IsOkAndHolds(Optional(Item{1, 10})));
  EXPECT_THAT(tables_.GiveAway(table.handle(), other, std::string("gift")),
              IsOk());
  EXPECT_EQ(CauseOf(table.Lookup(1).status()), Cause::kReadProtected);
  EXPECT_EQ(CauseOf(table.Insert(Item{2, 2})), Cause::kNotOwner);
  EXPECT_THAT(tables_.Info(table.id())->heirs, ElementsAre(heir_));
  EXPECT_EQ(CauseOf(tables_.GiveAway(table.handle(), owner_, {})),
            Cause::kNotOwner);
  ASSERT_EQ(processes_.delivered.size(), 1);
  EXPECT_EQ(std::any_cast<std::string>(processes_.delivered[0].second.data),
            "gift");
}

TEST_F(TablesTest, OfASilentGiftTheReceiverIsNotTold) {
  const Items table = New({});
  EXPECT_THAT(tables_.GiveAway(table.handle(), heir_, {}, /*silent=*/true),
              IsOk());
  EXPECT_THAT(processes_.delivered, IsEmpty());
  EXPECT_THAT(tables_.Own(table.id(), heir_), IsOk());
}

TEST_F(TablesTest, B61_AReceiverThatDiesBeforeReadingLeavesItToTheHeir) {
  const Items table = New({.heirs = {.chain = {heir_}}});
  const Pid other = NewPid();
  EXPECT_THAT(tables_.GiveAway(table.handle(), other, {}), IsOk());
  Die(other);
  EXPECT_EQ(tables_.Info(table.id())->owner, heir_);
}

TEST_F(TablesTest, B62_OnlyTheOwnerSetsHeirsAlsoOnPublicTables) {
  const Items table = New({.access = TableAccess::kPublic});
  EXPECT_EQ(CauseOf(tables_.SetHeirs(*tables_.Open(table.id()), {})),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(tables_.SetAccess(*tables_.Open(table.id()),
                                      TableAccess::kPrivate)),
            Cause::kNotOwner);
}

TEST_F(TablesTest, B63_AnybodyMayDeleteAPublicTableAndNobodyInherits) {
  const Items table =
      New({.access = TableAccess::kPublic, .heirs = {.chain = {heir_}}});
  EXPECT_THAT(tables_.Delete(*tables_.Open(table.id())), IsOk());
  Die(owner_);
  EXPECT_THAT(processes_.delivered, IsEmpty());
}

TEST_F(TablesTest, B64_ASilentHeirIsNotTold) {
  const Items table = New({.heirs = {.chain = {heir_}, .silent = true}});
  Die(owner_);
  EXPECT_THAT(processes_.delivered, IsEmpty());
  EXPECT_EQ(tables_.Info(table.id())->owner, heir_);
}

TEST_F(TablesTest, EachOwnerRaisesTheEpoch) {
  const Items table = New({.heirs = {.chain = {heir_}}});
  const uint64_t epoch = tables_.Info(table.id())->epoch;
  ASSERT_THAT(tables_.GiveAway(table.handle(), next_heir_, {}), IsOk());
  EXPECT_EQ(tables_.Info(table.id())->epoch, epoch + 1);
  Die(next_heir_);
  EXPECT_EQ(tables_.Info(table.id())->epoch, epoch + 2);
}

}  // namespace
}  // namespace ets_keeper
