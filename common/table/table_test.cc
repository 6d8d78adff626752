// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/table.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::HasSubstr;
using ::testing::Optional;

struct User {
  uint64_t id = 0;
  std::string name;
  int64_t visits = 0;
  uint8_t level = 0;

  static constexpr auto Fields() {
    return FieldList(Field("id", &User::id), Field("name", &User::name),
                     Field("visits", &User::visits),
                     Field("level", &User::level));
  }
  friend bool operator==(const User&, const User&) = default;
};
using Users = Table<User, &User::id>;

struct Text {
  std::string text;
  int64_t count = 0;

  static constexpr auto Fields() {
    return FieldList(Field("text", &Text::text), Field("count", &Text::count));
  }
  friend bool operator==(const Text&, const Text&) = default;
};
using Texts = Table<Text, &Text::text>;

class TableTest : public ::testing::Test {
 protected:
  TableTest() : users_(*Users::New(tables_, me_, {.name = "users"})) {}

  void Fill(uint64_t count) {
    for (uint64_t id = 0; id < count; ++id) {
      ASSERT_THAT(users_.Insert(User{id, absl::StrCat("user ", id), 0, 0}),
                  IsOk());
    }
  }

  const Pid me_ = NewPid();
  Tables tables_;
  Users users_;
};

template <typename T>
std::optional<Cause> CauseIn(const absl::StatusOr<T>& result) {
  return CauseOf(result.status());
}

TEST_F(TableTest, A5_InsertReplacesTheRowOfTheSameKey) {
  EXPECT_THAT(users_.Insert(User{7, "Ada", 1, 0}), IsOk());
  EXPECT_THAT(users_.Insert(User{7, "Grace", 2, 0}), IsOk());
  EXPECT_THAT(users_.Size(), IsOkAndHolds(1));
  EXPECT_THAT(users_.Lookup(7), IsOkAndHolds(Optional(User{7, "Grace", 2, 0})));
}

TEST_F(TableTest, ALookupIntoARowLeavesItAsItIsIfThereIsNone) {
  EXPECT_THAT(users_.Insert(User{7, "Ada", 1, 0}), IsOk());
  User row{9, "Grace", 2, 0};
  EXPECT_THAT(users_.LookupInto(8, row), IsOkAndHolds(false));
  EXPECT_EQ(row, (User{9, "Grace", 2, 0}));
  EXPECT_THAT(users_.LookupInto(7, row), IsOkAndHolds(true));
  EXPECT_EQ(row, (User{7, "Ada", 1, 0}));
}

TEST_F(TableTest, A11_InsertNewOfAListInsertsNothingIfOneKeyExists) {
  EXPECT_THAT(users_.InsertNew(User{1, "a", 0, 0}), IsOkAndHolds(true));
  EXPECT_THAT(users_.InsertNew(User{1, "b", 0, 0}), IsOkAndHolds(false));
  const User clash[] = {{2, "c", 0, 0}, {1, "d", 0, 0}};
  EXPECT_THAT(users_.InsertNew(clash), IsOkAndHolds(false));
  EXPECT_THAT(users_.Member(2), IsOkAndHolds(false));
  const User twice[] = {{2, "c", 0, 0}, {2, "e", 0, 0}};
  EXPECT_THAT(users_.InsertNew(twice), IsOkAndHolds(true));
  EXPECT_THAT(users_.Lookup(2), IsOkAndHolds(Optional(User{2, "e", 0, 0})));
}

TEST_F(TableTest, A13_AnEmptyListChangesNothing) {
  EXPECT_THAT(users_.Insert(absl::Span<const User>()), IsOk());
  EXPECT_THAT(users_.InsertNew(absl::Span<const User>()), IsOkAndHolds(true));
  EXPECT_THAT(users_.Size(), IsOkAndHolds(0));
}

TEST_F(TableTest, A14_DeletingAMissingKeyIsNoError) {
  EXPECT_THAT(users_.Delete(7), IsOk());
}

TEST_F(TableTest, A16_TakeReturnsWhatItRemoves) {
  EXPECT_THAT(users_.Insert(User{7, "Ada", 1, 0}), IsOk());
  EXPECT_THAT(users_.Take(7), IsOkAndHolds(Optional(User{7, "Ada", 1, 0})));
  EXPECT_THAT(users_.Take(7), IsOkAndHolds(std::nullopt));
}

TEST_F(TableTest, A18_LookupElementOfAMissingKeyIsAnError) {
  EXPECT_THAT(users_.Insert(User{7, "Ada", 1, 0}), IsOk());
  EXPECT_THAT(users_.LookupElement<&User::name>(7), IsOkAndHolds("Ada"));
  const auto missing = users_.LookupElement<&User::name>(8);
  EXPECT_EQ(CauseIn(missing), Cause::kKeyNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr("'users'"));
  EXPECT_THAT(missing.status().message(), HasSubstr("key 8"));
}

TEST_F(TableTest, A19_UpdateCounterCountsInPlace) {
  EXPECT_THAT(users_.Insert(User{7, "Ada", 1, 250}), IsOk());
  EXPECT_THAT(users_.UpdateCounter<&User::visits>(7, 4), IsOkAndHolds(5));
  EXPECT_THAT((users_.UpdateCounter<&User::visits>(7, {9, 10, 0})),
              IsOkAndHolds(0));
  EXPECT_THAT(users_.UpdateCounter<&User::level>(7, 5), IsOkAndHolds(255));
  EXPECT_THAT(users_.Lookup(7), IsOkAndHolds(Optional(User{7, "Ada", 0, 255})));
}

TEST_F(TableTest, A20_UpdateCounterOfAMissingKey) {
  EXPECT_EQ(CauseIn(users_.UpdateCounter<&User::visits>(7, 1)),
            Cause::kKeyNotFound);
  EXPECT_THAT(users_.UpdateCounter<&User::visits>(7, 1, User{0, "new", 10, 0}),
              IsOkAndHolds(11));
  EXPECT_THAT(users_.Lookup(7), IsOkAndHolds(Optional(User{7, "new", 11, 0})));
  // Of a row that is there the other one counts for nothing.
  const User full = {0, "full", std::numeric_limits<int64_t>::max(), 255};
  EXPECT_THAT(users_.UpdateCounter<&User::visits>(7, 1, full),
              IsOkAndHolds(12));
  EXPECT_THAT(users_.UpdateCounter<&User::level>(7, 1, full), IsOkAndHolds(1));
  EXPECT_EQ(CauseIn(users_.UpdateCounter<&User::visits>(8, 1, full)),
            Cause::kOutOfRange);
  EXPECT_EQ(CauseIn(users_.UpdateCounter<&User::level>(8, 1, full)),
            Cause::kOutOfRange);
  EXPECT_THAT(users_.UpdateCounter<&User::level>(8, {1, 200, 3}, full),
              IsOkAndHolds(3));
  EXPECT_THAT(users_.Lookup(8),
              IsOkAndHolds(Optional(User{8, "full", full.visits, 3})));
}

// Each row is made by one thread; that is no count less.
TEST_F(TableTest, A20_CountersThatManyThreadsMakeLoseNothing) {
  constexpr int kThreads = 4;
  constexpr uint64_t kKeys = 2000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (uint64_t id = 0; id < kKeys; ++id) {
        ASSERT_THAT(users_.UpdateCounter<&User::visits>(id, 1, User{}), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t id = 0; id < kKeys; ++id) {
    ASSERT_THAT(users_.Lookup(id),
                IsOkAndHolds(Optional(User{id, "", kThreads, 0})));
  }
}

TEST_F(TableTest, A22_ACounterThatWouldOverflowStaysAsItIs) {
  EXPECT_THAT(
      users_.Insert(User{7, "Ada", std::numeric_limits<int64_t>::max(), 255}),
      IsOk());
  EXPECT_EQ(CauseIn(users_.UpdateCounter<&User::visits>(7, 1)),
            Cause::kOutOfRange);
  EXPECT_EQ(CauseIn(users_.UpdateCounter<&User::level>(7, 1)),
            Cause::kOutOfRange);
  EXPECT_THAT(users_.LookupElement<&User::level>(7), IsOkAndHolds(255));
}

TEST_F(TableTest, A23_UpdateElementReplacesOneField) {
  EXPECT_THAT(users_.Insert(User{7, "Ada", 1, 2}), IsOk());
  EXPECT_THAT(users_.UpdateElement<&User::name>(7, "Augusta Ada King"),
              IsOkAndHolds(true));
  EXPECT_THAT(users_.UpdateElement<&User::name>(8, "nobody"),
              IsOkAndHolds(false));
  EXPECT_THAT(users_.Lookup(7),
              IsOkAndHolds(Optional(User{7, "Augusta Ada King", 1, 2})));
}

TEST_F(TableTest, A25_AVisitSeesEveryRowOnce) {
  Fill(5000);
  std::set<uint64_t> seen;
  EXPECT_THAT(users_.ForEach([&](const User& user) {
    EXPECT_TRUE(seen.insert(user.id).second);
    EXPECT_EQ(user.name, absl::StrCat("user ", user.id));
  }),
              IsOk());
  EXPECT_EQ(seen.size(), 5000);
}

TEST_F(TableTest, A27_AVisitGoesOnWhileRowsAreDeletedAndTheTableGrows) {
  Fill(2000);
  std::set<uint64_t> seen;
  uint64_t next = 10000;
  EXPECT_THAT(users_.ForEach([&](const User& user) {
    EXPECT_TRUE(seen.insert(user.id).second);
    if (user.id % 2 == 0) {
      EXPECT_THAT(users_.Delete(user.id), IsOk());
    }
    if (next < 15000) {
      EXPECT_THAT(users_.Insert(User{next++, "more", 0, 0}), IsOk());
    }
  }),
              IsOk());
  for (uint64_t id = 0; id < 2000; ++id) EXPECT_TRUE(seen.contains(id)) << id;
}

TEST_F(TableTest, A50_RowsAreValues) {
  User user = {7, "Ada", 1, 0};
  EXPECT_THAT(users_.Insert(user), IsOk());
  user.name = "changed";
  absl::StatusOr<std::optional<User>> found = users_.Lookup(7);
  ASSERT_THAT(found, IsOkAndHolds(Optional(User{7, "Ada", 1, 0})));
  (**found).name = "changed, too";
  EXPECT_THAT(users_.LookupElement<&User::name>(7), IsOkAndHolds("Ada"));
}

TEST_F(TableTest, StringsAreKeys) {
  auto words = Texts::New(tables_, me_, {.name = "words"});
  ASSERT_THAT(words, IsOk());
  for (int i = 0; i < 1000; ++i) {
    ASSERT_THAT(words->UpdateCounter<&Text::count>(absl::StrCat("w", i % 100),
                                                   1, Text{}),
                IsOk());
  }
  EXPECT_THAT(words->Size(), IsOkAndHolds(100));
  EXPECT_THAT(words->Lookup("w42"), IsOkAndHolds(Optional(Text{"w42", 10})));
  EXPECT_THAT(words->UpdateCounter<&Text::count>("", 1, Text{}),
              IsOkAndHolds(1));
  EXPECT_THAT(words->Lookup(""), IsOkAndHolds(Optional(Text{"", 1})));
  EXPECT_THAT(words->Delete("w42"), IsOk());
  EXPECT_THAT(words->Member("w42"), IsOkAndHolds(false));
}

TEST_F(TableTest, ABatchThatFailsChangesNothing) {
  EXPECT_THAT(users_.Insert(User{1, "a", 5, 255}), IsOk());
  Batch<User, &User::id> batch;
  batch.UpdateCounter<&User::visits>(1, 1, User{});
  batch.Insert(User{2, "b", 0, 0});
  batch.Delete(1);
  batch.UpdateCounter<&User::level>(1, 1, User{0, "again", 0, 255});
  EXPECT_EQ(CauseOf(users_.Apply(batch)), Cause::kOutOfRange);
  EXPECT_THAT(users_.Lookup(1), IsOkAndHolds(Optional(User{1, "a", 5, 255})));
  EXPECT_THAT(users_.Member(2), IsOkAndHolds(false));
}

TEST_F(TableTest, ABatchIsAppliedAsOneAndInOrder) {
  Batch<User, &User::id> batch;
  uint64_t visits = 0;
  batch.Insert(User{1, "a", 5, 0});
  batch.UpdateCounter<&User::visits>(1, 2, User{}, &visits);
  batch.Delete(2);
  batch.UpdateCounter<&User::visits>(3, 2, User{0, "c", 1, 0});
  EXPECT_EQ(batch.size(), 4);
  EXPECT_THAT(users_.Apply(batch), IsOk());
  EXPECT_EQ(visits, 7);
  EXPECT_THAT(users_.Lookup(1), IsOkAndHolds(Optional(User{1, "a", 7, 0})));
  EXPECT_THAT(users_.Lookup(3), IsOkAndHolds(Optional(User{3, "c", 3, 0})));
  EXPECT_THAT(users_.Apply(batch), IsOk());
  EXPECT_THAT(users_.LookupElement<&User::visits>(3), IsOkAndHolds(5));
}

TEST_F(TableTest, AHandleOfAnotherRowTypeOrKeyIsRefused) {
  const auto handle = tables_.Open("users");
  ASSERT_THAT(handle, IsOk());
  EXPECT_THAT((TableReader<User, &User::id>::Of(*handle)), IsOk());
  const auto other = TableReader<Text, &Text::text>::Of(*handle);
  EXPECT_EQ(CauseIn(other), Cause::kSchemaMismatch);
  EXPECT_THAT(other.status().message(), HasSubstr("visits:i64"));
  EXPECT_EQ(CauseIn(TableReader<User, &User::visits>::Of(*handle)),
            Cause::kSchemaMismatch);
  EXPECT_EQ(CauseIn(Users::Of(*handle)), Cause::kNotOwner);
}

// Who may do what: every operation through every kind of handle.
TEST_F(TableTest, A46_AccessMatrix) {
  Fill(1);
  const auto others = TableWriter<User, &User::id>::Of(*tables_.Open("users"));
  ASSERT_THAT(others, IsOk());
  const User row = {9, "x", 0, 0};
  const User rows[] = {row};
  const auto writes = [&](const TableWriter<User, &User::id>& table) {
    Batch<User, &User::id> batch;
    batch.Insert(row);
    return std::vector<std::optional<Cause>>{
        CauseOf(table.Insert(row)),
        CauseOf(table.Insert(rows)),
        CauseIn(table.InsertNew(row)),
        CauseOf(table.Delete(9)),
        CauseIn(table.Take(9)),
        CauseIn(table.UpdateCounter<&User::visits>(0, 1)),
        CauseIn(table.UpdateCounter<&User::visits>(0, 1, row)),
        CauseIn(table.UpdateElement<&User::name>(0, "y")),
        CauseOf(table.Apply(batch)),
    };
  };
  const auto reads = [&](const TableWriter<User, &User::id>& table) {
    return std::vector<std::optional<Cause>>{
        CauseIn(table.Lookup(0)),
        CauseIn(table.Member(0)),
        CauseIn(table.LookupElement<&User::name>(0)),
        CauseIn(table.Size()),
        CauseOf(table.ForEach([](const User&) {})),
    };
  };
  using ::testing::Each;
  const std::optional<Cause> fine;
  // kProtected, the default.
  EXPECT_THAT(writes(*others), Each(Cause::kWriteProtected));
  EXPECT_THAT(reads(*others), Each(fine));
  EXPECT_THAT(users_.Size(), IsOkAndHolds(1));
  // kPrivate.
  ASSERT_THAT(tables_.SetAccess(users_.handle(), TableAccess::kPrivate),
              IsOk());
  EXPECT_THAT(writes(*others), Each(Cause::kWriteProtected));
  EXPECT_THAT(reads(*others), Each(Cause::kReadProtected));
  EXPECT_THAT(writes(users_), Each(fine));
  EXPECT_THAT(reads(users_), Each(fine));
  // kPublic.
  ASSERT_THAT(tables_.SetAccess(users_.handle(), TableAccess::kPublic), IsOk());
  EXPECT_THAT(writes(*others), Each(fine));
  EXPECT_THAT(reads(*others), Each(fine));
  // An owner no longer.
  const Pid heir = NewPid();
  ASSERT_THAT(tables_.SetAccess(users_.handle(), TableAccess::kPrivate),
              IsOk());
  ASSERT_THAT(tables_.GiveAway(users_.handle(), heir, {}), IsOk());
  EXPECT_THAT(writes(users_), Each(Cause::kNotOwner));
  EXPECT_THAT(reads(users_), Each(Cause::kReadProtected));
  // Nobody any more.
  ASSERT_THAT(tables_.Delete(*tables_.Own(users_.id(), heir)), IsOk());
  EXPECT_THAT(writes(users_), Each(Cause::kTableNotFound));
  EXPECT_THAT(reads(users_), Each(Cause::kTableNotFound));
}

TEST_F(TableTest, AMassDeleteGivesTheMemoryOfSmallRowsBack) {
  struct Counter {
    uint64_t id = 0;
    int64_t count = 0;
    static constexpr auto Fields() {
      return FieldList(Field("id", &Counter::id),
                       Field("count", &Counter::count));
    }
  };
  auto counters = Table<Counter, &Counter::id>::New(tables_, me_, {});
  ASSERT_THAT(counters, IsOk());
  const auto memory = [&] { return tables_.Info(counters->id())->memory; };
  const uint64_t empty = memory();
  constexpr uint64_t kRows = 100'000;
  for (uint64_t id = 0; id < kRows; ++id) {
    ASSERT_THAT(counters->Insert({id, 1}), IsOk());
  }
  const uint64_t full = memory();
  EXPECT_LT(full - empty, kRows * 40);
  for (uint64_t id = 0; id < kRows; ++id) {
    ASSERT_THAT(counters->Delete(id), IsOk());
  }
  // Overflow cells are kept to be used again.
  EXPECT_LT(memory() - empty, (full - empty) / 2);
  for (uint64_t id = 0; id < kRows; ++id) {
    ASSERT_THAT(counters->Insert({id, 1}), IsOk());
  }
  EXPECT_THAT(counters->Size(), IsOkAndHolds(kRows));
  EXPECT_LE(memory(), full + (full - empty) / 4);
}

TEST_F(TableTest, ManyKeysAtOnceAreAsManyKeysOneByOne) {
  std::vector<User> rows;
  std::vector<uint64_t> keys;
  for (uint64_t id = 0; id < 100; ++id) {
    rows.push_back({id, absl::StrCat("user ", id), 0, 0});
    keys.push_back(id);
  }
  EXPECT_THAT(users_.InsertEach(rows), IsOk());
  EXPECT_THAT(users_.Size(), IsOkAndHolds(100));
  EXPECT_THAT(users_.UpdateCounterEach<&User::visits>(keys, 5), IsOk());
  EXPECT_THAT(users_.UpdateCounterEach<&User::visits>({3, 3, 4}, -1), IsOk());
  keys.push_back(100);  // nobody
  keys.push_back(3);    // twice
  std::vector<std::optional<User>> found(keys.size());
  size_t next = 0;
  EXPECT_THAT(users_.LookupEach(keys,
                                [&](size_t i, const User* row) {
                                  EXPECT_EQ(i, next++);
                                  if (row != nullptr) found[i] = *row;
                                }),
              IsOk());
  EXPECT_EQ(next, keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_THAT(users_.Lookup(keys[i]), IsOkAndHolds(found[i]));
  }
  EXPECT_EQ(found[100], std::nullopt);
  EXPECT_EQ(found[101]->visits, 3);
}

TEST_F(TableTest, KeysOfStringsAreLookedUpAtOnceHoweverTheyAreHeld) {
  using Words = Table<Text, &Text::text>;
  const auto words = Words::New(tables_, me_, {.name = "words"});
  ASSERT_THAT(words, IsOk());
  // Longer than what rows and keys have room for without an allocation, too.
  const std::string longest(1000, 'x');
  ASSERT_THAT(words->Insert({"one", 1}), IsOk());
  ASSERT_THAT(words->Insert({longest, 2}), IsOk());
  std::vector<int64_t> counts;
  const auto note = [&](size_t i, const Text* row) {
    EXPECT_EQ(i, counts.size());
    counts.push_back(row != nullptr ? row->count : 0);
  };
  const std::vector<std::string> strings = {"one", "none", longest};
  EXPECT_THAT(words->LookupEach(strings, note), IsOk());
  EXPECT_THAT(counts, ::testing::ElementsAre(1, 0, 2));
  counts.clear();
  const std::vector<absl::string_view> views(strings.begin(), strings.end());
  EXPECT_THAT(words->LookupEach(views, note), IsOk());
  EXPECT_THAT(counts, ::testing::ElementsAre(1, 0, 2));
  counts.clear();
  EXPECT_THAT(words->LookupEach({"one", "none"}, note), IsOk());
  EXPECT_THAT(counts, ::testing::ElementsAre(1, 0));
}

TEST_F(TableTest, OfManyAtOnceTheOnesBeforeAnErrorAreDone) {
  Fill(3);
  EXPECT_EQ(CauseOf(users_.UpdateCounterEach<&User::visits>({0, 1, 9, 2}, 1)),
            Cause::kKeyNotFound);
  EXPECT_THAT(users_.LookupElement<&User::visits>(1), IsOkAndHolds(1));
  EXPECT_THAT(users_.LookupElement<&User::visits>(2), IsOkAndHolds(0));
  ASSERT_THAT(tables_.Delete(users_.handle()), IsOk());
  const User row = {1, "a", 0, 0};
  EXPECT_EQ(CauseOf(users_.InsertEach(absl::MakeConstSpan(&row, 1))),
            Cause::kTableNotFound);
  EXPECT_EQ(CauseOf(users_.LookupEach(
                {1}, [](size_t, const User*) { ADD_FAILURE(); })),
            Cause::kTableNotFound);
}

TEST_F(TableTest, A43_AnOldHandleNeverReachesATableMadeLaterUnderItsName) {
  ASSERT_THAT(tables_.Delete(users_.handle()), IsOk());
  auto again = Users::New(tables_, me_, {.name = "users"});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(CauseOf(users_.Insert(User{1, "a", 0, 0})), Cause::kTableNotFound);
  EXPECT_THAT(again->Size(), IsOkAndHolds(0));
}

// Money moves between accounts in batches; nobody ever sees it missing.
TEST_F(TableTest, A9_NobodySeesAPartOfABatch) {
  constexpr uint64_t kAccounts = 2;
  constexpr int kTransfers = 3000;
  for (uint64_t id = 0; id < kAccounts; ++id) {
    ASSERT_THAT(users_.Insert(User{id, "account", 1000, 0}), IsOk());
  }
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      // Account 0 only loses and account 1 only gains: what is read later is
      // never poorer than all that there is.
      const int64_t first = *users_.LookupElement<&User::visits>(0);
      const int64_t second = *users_.LookupElement<&User::visits>(1);
      ASSERT_GE(first + second, 2000);
    }
  });
  for (int i = 0; i < kTransfers; ++i) {
    Batch<User, &User::id> transfer;
    transfer.UpdateCounter<&User::visits>(0, -1, User{});
    transfer.UpdateCounter<&User::visits>(1, +1, User{});
    ASSERT_THAT(users_.Apply(transfer), IsOk());
  }
  done = true;
  reader.join();
  EXPECT_THAT(users_.LookupElement<&User::visits>(0),
              IsOkAndHolds(1000 - kTransfers));
}

}  // namespace
}  // namespace ets_keeper
