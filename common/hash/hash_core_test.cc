// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_core.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::Optional;

constexpr uint64_t kEpoch = TestTable::epoch;

absl::StatusOr<uint64_t> PlusOne(uint64_t word) { return word + 1; }

TEST(HashCoreTest, InsertReplacesTheRowOfTheSameKey_A5) {
  TestTable t;
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(7), TestRow(7, {1, 2})), IsOk());
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(7), TestRow(7, {3})), IsOk());
  EXPECT_THAT(t.Lookup(7), Optional(ElementsAre(7, 3)));
  EXPECT_EQ(t.core->reader().Size(), 1);
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
}

TEST(HashCoreTest, InsertNewLeavesAnExistingRowAlone) {
  TestTable t;
  EXPECT_THAT(t.core->InsertNew(kEpoch, TestKey(7), TestRow(7, {1})),
              IsOkAndHolds(true));
  EXPECT_THAT(t.core->InsertNew(kEpoch, TestKey(7), TestRow(7, {2})),
              IsOkAndHolds(false));
  EXPECT_THAT(t.Lookup(7), Optional(ElementsAre(7, 1)));
}

TEST(HashCoreTest, DeletingAMissingKeyIsNoError_A14) {
  TestTable t;
  EXPECT_THAT(t.core->Delete(kEpoch, TestKey(7)), IsOkAndHolds(false));
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(7), TestRow(7, {})), IsOk());
  EXPECT_THAT(t.core->Delete(kEpoch, TestKey(7)), IsOkAndHolds(true));
  EXPECT_EQ(t.Lookup(7), std::nullopt);
  EXPECT_EQ(t.core->reader().Size(), 0);
}

TEST(HashCoreTest, TakeReturnsWhatItRemoves_A16) {
  TestTable t;
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(7), TestRow(7, {5})), IsOk());
  RowBuffer row;
  EXPECT_THAT(t.core->Take(kEpoch, TestKey(7), &row), IsOkAndHolds(true));
  EXPECT_THAT(row, ElementsAre(7, 5));
  EXPECT_THAT(t.core->Take(kEpoch, TestKey(7), &row), IsOkAndHolds(false));
}

TEST(HashCoreTest, IncrementChangesOneWordInPlace) {
  TestTable t;
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(7), TestRow(7, {5, 6})), IsOk());
  EXPECT_THAT(t.core->Increment(kEpoch, TestKey(7), 2, PlusOne),
              IsOkAndHolds(7));
  EXPECT_THAT(t.Lookup(7), Optional(ElementsAre(7, 5, 7)));
  EXPECT_EQ(CauseOf(t.core->Increment(kEpoch, TestKey(8), 2, PlusOne).status()),
            Cause::kKeyNotFound);
  EXPECT_EQ(CauseOf(t.core->Increment(kEpoch, TestKey(7), 3, PlusOne).status()),
            Cause::kOutOfRange);
}

TEST(HashCoreTest, AWriteOfAnotherEpochIsRefusedAndChangesNothing) {
  TestTable t;
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(7), TestRow(7, {5})), IsOk());
  t.core->RaiseEpoch(kEpoch + 1);
  EXPECT_EQ(CauseOf(t.core->Insert(kEpoch, TestKey(7), TestRow(7, {6}))),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(t.core->Delete(kEpoch, TestKey(7)).status()),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(t.core->Increment(kEpoch, TestKey(7), 1, PlusOne).status()),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(t.core->ChangeAll(kEpoch, {})), Cause::kNotOwner);
  EXPECT_THAT(t.Lookup(7), Optional(ElementsAre(7, 5)));
}

TEST(HashCoreTest, ABatchIsAllOrNothing_A9) {
  TestTable t;
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(2), TestRow(2, {2})), IsOk());
  const TestKey keys[] = {TestKey(1), TestKey(2), TestKey(3)};
  const RowBuffer one = TestRow(1, {10});
  auto put = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
    return HashAction::Put(one);
  };
  auto remove = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
    return HashAction::Remove();
  };
  auto fail = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
    return absl::InternalError("no");
  };
  EXPECT_FALSE(
      t.core
          ->ChangeAll(kEpoch,
                      {{keys[0], put}, {keys[1], remove}, {keys[2], fail}})
          .ok());
  EXPECT_EQ(t.Lookup(1), std::nullopt);
  EXPECT_THAT(t.Lookup(2), Optional(ElementsAre(2, 2)));
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  EXPECT_THAT(t.core->ChangeAll(kEpoch, {{keys[0], put}, {keys[1], remove}}),
              IsOk());
  EXPECT_THAT(t.Lookup(1), Optional(ElementsAre(1, 10)));
  EXPECT_EQ(t.Lookup(2), std::nullopt);
  EXPECT_EQ(t.core->reader().Size(), 1);
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
}

TEST(HashCoreTest, ALaterChangeOfABatchSeesTheEarlierOnes) {
  TestTable t;
  const TestKey key(1);
  std::vector<RowBuffer> rows;
  for (uint64_t i = 0; i < 40; ++i) rows.push_back(TestRow(1, {i}));
  size_t next = 0;
  std::vector<uint64_t> seen;
  auto put = [&](const HashCurrent& current) -> absl::StatusOr<HashAction> {
    EXPECT_FALSE(current.found_before());
    if (current.found()) seen.push_back(current.Row()[1]);
    return HashAction::Put(rows[next++]);
  };
  std::vector<HashCore::KeyedChange> changes(40, {key, put});
  EXPECT_THAT(t.core->ChangeAll(kEpoch, changes), IsOk());
  ASSERT_EQ(seen.size(), 39);
  for (uint64_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
  EXPECT_THAT(t.Lookup(1), Optional(ElementsAre(1, 39)));
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
}

TEST(HashCoreTest, AFullArenaIsAnErrorAndTheTableGoesOn) {
  TestTable t(/*lanes_log2=*/0, Arena::kMinBytes);
  std::map<uint64_t, uint64_t> model;
  absl::Status status;
  uint64_t key = 0;
  for (; status.ok(); ++key) {
    status = t.core->Insert(kEpoch, TestKey(key), TestRow(key, {key}));
    if (status.ok()) model[key] = key;
  }
  EXPECT_EQ(CauseOf(status), Cause::kNoMemory);
  EXPECT_GT(model.size(), 500);
  EXPECT_EQ(t.core->reader().Size(), model.size());
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  for (const auto& [k, v] : model) {
    EXPECT_THAT(t.Lookup(k), Optional(ElementsAre(k, v)));
  }
  EXPECT_THAT(t.core->Delete(kEpoch, TestKey(0)), IsOkAndHolds(true));
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(key), TestRow(key, {1})), IsOk());
}

TEST(HashCoreTest, AgreesWithAModelWhileGrowing) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  TestTable t(/*lanes_log2=*/1);
  std::map<uint64_t, RowBuffer> model;
  for (int i = 0; i < 40000; ++i) {
    const uint64_t key = random() % 5000;
    RowBuffer row = TestRow(key, {});
    row.resize(1 + random() % 20, random());
    switch (random() % 4) {
      case 0:
        ASSERT_THAT(t.core->Delete(kEpoch, TestKey(key)),
                    IsOkAndHolds(model.erase(key) == 1));
        break;
      case 1:
        ASSERT_THAT(t.core->InsertNew(kEpoch, TestKey(key), row),
                    IsOkAndHolds(model.emplace(key, row).second));
        break;
      default:
        ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), row), IsOk());
        model[key] = row;
    }
  }
  ASSERT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  EXPECT_EQ(t.core->reader().Size(), model.size());
  EXPECT_EQ(t.Rows(), model);
  for (uint64_t key = 0; key < 5000; ++key) {
    const auto it = model.find(key);
    const auto row = t.Lookup(key);
    ASSERT_EQ(row.has_value(), it != model.end());
    if (row) {
      ASSERT_EQ(*row, it->second);
    }
  }
}

// A reader that has seen one key of a batch sees all of it, a counter is never
// lost, and a key that is always there is always found, while the table grows.
TEST(HashCoreTest, WritersAndReadersAgree) {
  constexpr uint64_t kStable = 200, kPairs = 50, kRounds = 300;
  TestTable t(/*lanes_log2=*/2);
  for (uint64_t key = 0; key < kStable + 2 * kPairs; ++key) {
    ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), TestRow(key, {0, 0})),
                IsOk());
  }
  std::atomic<int> writers{3};
  // Counts the two words of each stable row up, one after the other.
  std::thread counter([&] {
    for (uint64_t round = 0; round < kRounds; ++round) {
      for (uint64_t key = 0; key < kStable; ++key) {
        for (uint32_t word : {1, 2}) {
          EXPECT_TRUE(
              t.core->Increment(kEpoch, TestKey(key), word, PlusOne).ok());
        }
      }
    }
    --writers;
  });
  std::thread batcher([&] {
    for (uint64_t round = 1; round <= kRounds; ++round) {
      for (uint64_t pair = 0; pair < kPairs; ++pair) {
        const uint64_t first = kStable + 2 * pair;
        const TestKey keys[] = {TestKey(first), TestKey(first + 1)};
        const RowBuffer rows[] = {TestRow(first, {round, round}),
                                  TestRow(first + 1, {round, round})};
        auto put0 = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
          return HashAction::Put(rows[0]);
        };
        auto put1 = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
          return HashAction::Put(rows[1]);
        };
        EXPECT_TRUE(
            t.core->ChangeAll(kEpoch, {{keys[0], put0}, {keys[1], put1}}).ok());
      }
    }
    --writers;
  });
  std::thread grower([&] {
    for (uint64_t key = 10000; key < 25000; ++key) {
      EXPECT_TRUE(
          t.core->Insert(kEpoch, TestKey(key), TestRow(key, {key, key})).ok());
      if (key % 3 == 0) {
        EXPECT_TRUE(t.core->Delete(kEpoch, TestKey(key - 100)).ok());
      }
    }
    --writers;
  });
  std::thread reader([&] {
    std::mt19937_64 random(1);
    while (writers > 0) {
      const uint64_t key = random() % kStable;
      const auto row = t.Lookup(key);
      ASSERT_TRUE(row.has_value());
      ASSERT_TRUE((*row)[1] == (*row)[2] || (*row)[1] == (*row)[2] + 1);
      const uint64_t first = kStable + 2 * (random() % kPairs);
      const auto a = t.Lookup(first);
      const auto b = t.Lookup(first + 1);
      ASSERT_TRUE(a && b);
      ASSERT_LE((*a)[1], (*b)[1]);  // b was read later
    }
  });
  std::thread scanner([&] {
    while (writers > 0) {
      const auto rows = t.Rows();
      for (uint64_t key = 0; key < kStable + 2 * kPairs; ++key) {
        ASSERT_TRUE(rows.contains(key));
      }
    }
  });
  for (std::thread* thread : {&counter, &batcher, &grower, &reader, &scanner}) {
    thread->join();
  }
  for (uint64_t key = 0; key < kStable; ++key) {
    EXPECT_THAT(t.Lookup(key), Optional(ElementsAre(key, kRounds, kRounds)));
  }
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
}

TEST(HashCoreTest, ATableCanBeAttachedWhateverItsSize) {
  for (const uint32_t lanes_log2 : {2, 3}) {
    TestTable t(lanes_log2);
    for (uint64_t i = 0; i < 4000; ++i) {
      ASSERT_THAT(t.core->Insert(kEpoch, TestKey(i), TestRow(i, {})), IsOk());
      ASSERT_THAT(HashCore::Attach(t.arena.get()).status(), IsOk())
          << i + 1 << " rows in " << (1 << lanes_log2) << " lanes";
    }
  }
}

TEST(HashCoreTest, AttachTakesNoWordOnTrust) {
  TestTable t;
  for (uint64_t key = 0; key < 1000; ++key) {
    ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), TestRow(key, {key})),
                IsOk());
  }
  EXPECT_THAT(HashCore::Attach(t.arena.get()), IsOk());
  for (uint64_t* word :
       {&t.core->geometry().root()->lanes_log2,
        &t.core->geometry().root()->key_word,
        &t.core->geometry().root()->key_variable,
        &t.core->geometry().LaneAt(1)->buckets, &t.arena->header().magic,
        &t.arena->header().format, &t.arena->header().bytes,
        &t.arena->header().kind, &t.arena->header().front_committed,
        &t.arena->header().back_committed, &t.arena->header().heap_top}) {
    const uint64_t old = LoadWord(word);
    StoreWord(word, ~uint64_t{0});
    EXPECT_EQ(CauseOf(HashCore::Attach(t.arena.get()).status()),
              Cause::kCorrupt);
    StoreWord(word, old);
  }
  EXPECT_THAT(HashCore::Attach(t.arena.get()), IsOk());
}

// Readers and the checker go over bytes that anybody may have changed: they may
// say anything, but stay inside the arena and come to an end.
TEST(HashCoreTest, HostileBytesAreReadSafely) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  TestTable t(/*lanes_log2=*/0, Arena::kMinBytes);
  for (uint64_t key = 0; key < 300; ++key) {
    ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), TestRow(key, {key})),
                IsOk());
  }
  const uint64_t words = t.arena->bytes() / 8;
  for (int i = 0; i < 3000; ++i) {
    uint64_t* word = t.arena->At(random() % words * 8);
    const uint64_t old = LoadWord(word);
    StoreWord(word, i % 2 == 0 ? random() : random() % t.arena->bytes());
    if (auto core = HashCore::Attach(t.arena.get()); core.ok()) {
      RowBuffer row;
      for (uint64_t key = 0; key < 300; key += 7) {
        (void)(*core)->reader().Lookup(TestKey(key), &row);
      }
      HashCursor cursor;
      std::vector<RowBuffer> rows;
      while ((*core)->reader().Scan(&cursor, &rows)) {
      }
      (void)(*core)->reader().Size();
      (void)CheckHashTable((*core)->geometry());
    }
    StoreWord(word, old);
  }
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
}

}  // namespace
}  // namespace ets_keeper
