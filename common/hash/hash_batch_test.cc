// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// `HashCore::ChangeAll()`, for all shapes of rows.

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/arena/arena.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::Optional;

constexpr uint64_t kEpoch = TestTable::epoch;

// What a batch makes of a key: the row, or none.
struct Wish {
  uint64_t key;
  std::optional<RowBuffer> row;
};

class HashBatchTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  HashBatchTest() : t_({.fixed_words = GetParam()}) {}
  ~HashBatchTest() override {
    EXPECT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
  }

  absl::Status Insert(uint64_t key, uint64_t value) {
    return t_.core->Insert(kEpoch, TestKey(key), t_.Row(key, value));
  }

  static absl::Status Perform(HashCore& core, const std::vector<Wish>& wishes) {
    std::vector<TestKey> keys;
    for (const Wish& wish : wishes) keys.emplace_back(wish.key);
    size_t next = 0;
    const auto change = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
      const Wish& wish = wishes[next++];
      return wish.row ? HashAction::Put(*wish.row) : HashAction::Remove();
    };
    std::vector<HashCore::KeyedChange> changes;
    for (const TestKey& key : keys) changes.push_back({key, change});
    return core.ChangeAll(kEpoch, changes);
  }

  // Keys that stay in one bucket for long.
  static std::vector<uint64_t> KeysOfOneBucket(size_t count) {
    std::vector<uint64_t> keys;
    for (uint64_t key = 0; keys.size() < count; ++key) {
      if (TestKey(key).hash_key.hash % 1024 == 5) keys.push_back(key);
    }
    return keys;
  }

  TestTable t_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashBatchTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

TEST_P(HashBatchTest, ABatchIsAllOrNothing_A9) {
  EXPECT_THAT(Insert(2, 2), IsOk());
  const TestKey keys[] = {TestKey(1), TestKey(2), TestKey(3)};
  const RowBuffer one = t_.Row(1, 10);
  const auto put = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
    return HashAction::Put(one);
  };
  const auto remove = [](const HashCurrent&) -> absl::StatusOr<HashAction> {
    return HashAction::Remove();
  };
  const auto fail = [](const HashCurrent&) -> absl::StatusOr<HashAction> {
    return absl::InternalError("no");
  };
  EXPECT_EQ(
      t_.core
          ->ChangeAll(kEpoch,
                      {{keys[0], put}, {keys[1], remove}, {keys[2], fail}})
          .code(),
      absl::StatusCode::kInternal);
  EXPECT_EQ(t_.Lookup(1), std::nullopt);
  EXPECT_THAT(t_.Lookup(2), Optional(t_.Row(2, 2)));
  EXPECT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
  EXPECT_THAT(t_.core->ChangeAll(kEpoch, {{keys[0], put}, {keys[1], remove}}),
              IsOk());
  EXPECT_THAT(t_.Lookup(1), Optional(one));
  EXPECT_EQ(t_.Lookup(2), std::nullopt);
  EXPECT_EQ(t_.core->reader().Size(), 1);
}

TEST_P(HashBatchTest, ALaterChangeOfABatchSeesTheEarlierOnes) {
  const TestKey key(1);
  std::vector<RowBuffer> rows;
  for (uint64_t i = 0; i < 40; ++i) rows.push_back(t_.Row(1, i));
  size_t next = 0;
  const auto put =
      [&](const HashCurrent& current) -> absl::StatusOr<HashAction> {
    EXPECT_FALSE(current.found_before());
    EXPECT_EQ(current.found(), next > 0);
    if (next > 0) {
      EXPECT_EQ(current.Row(), rows[next - 1]);
    }
    return HashAction::Put(rows[next++]);
  };
  EXPECT_THAT(t_.core->ChangeAll(
                  kEpoch, std::vector<HashCore::KeyedChange>(40, {key, put})),
              IsOk());
  EXPECT_THAT(t_.Lookup(1), Optional(rows.back()));
  EXPECT_EQ(t_.core->reader().Size(), 1);
}

TEST_P(HashBatchTest, ARowThatABatchTakesAwayAndPutsBackIsThere) {
  EXPECT_THAT(Insert(1, 1), IsOk());
  EXPECT_THAT(Perform(*t_.core, {{1, std::nullopt},
                                 {2, t_.Row(2, 2)},
                                 {1, t_.Row(1, 3)},
                                 {2, std::nullopt}}),
              IsOk());
  EXPECT_THAT(t_.Lookup(1), Optional(t_.Row(1, 3)));
  EXPECT_EQ(t_.Lookup(2), std::nullopt);
  EXPECT_EQ(t_.core->reader().Size(), 1);
}

TEST_P(HashBatchTest, ALargeBatchMakesATableGrowAndShrink) {
  std::vector<Wish> wishes;
  for (uint64_t key = 0; key < 5000; ++key) {
    wishes.push_back({key, t_.Row(key, key)});
  }
  EXPECT_THAT(Perform(*t_.core, wishes), IsOk());
  EXPECT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
  EXPECT_EQ(t_.core->reader().Size(), 5000);
  EXPECT_GT(t_.Buckets(), 500);
  for (Wish& wish : wishes) {
    ASSERT_THAT(t_.Lookup(wish.key), Optional(*wish.row));
    wish.row.reset();
  }
  EXPECT_THAT(Perform(*t_.core, wishes), IsOk());
  EXPECT_EQ(t_.core->reader().Size(), 0);
  EXPECT_TRUE(t_.Rows().empty());
}

// Two rows in the last cell of a chain: one goes, the other moves.
TEST_P(HashBatchTest, ARowMayMoveOutOfACellThatTheSameBatchHasEmptied) {
  const std::vector<uint64_t> keys = KeysOfOneBucket(30);
  for (const uint64_t key : keys) ASSERT_THAT(Insert(key, 1), IsOk());
  for (size_t gone = 0; gone + 1 < keys.size(); ++gone) {
    TestTable t({.fixed_words = GetParam()});
    for (const uint64_t key : keys) {
      ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), t.Row(key, 1)), IsOk());
    }
    const uint64_t stays = keys[gone + 1];
    ASSERT_THAT(Perform(*t.core,
                        {{keys[gone], std::nullopt}, {stays, t.Row(stays, 2)}}),
                IsOk());
    ASSERT_THAT(CheckHashTable(t.core->geometry()), IsOk()) << gone;
    EXPECT_EQ(t.Lookup(keys[gone]), std::nullopt);
    EXPECT_THAT(t.Lookup(stays), Optional(t.Row(stays, 2)));
  }
}

// Most of the keys share one bucket and its chain.
TEST_P(HashBatchTest, RandomBatchesAgreeWithAModel) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::vector<uint64_t> keys = KeysOfOneBucket(60);
  for (uint64_t key = 0; key < 10; ++key) keys.push_back(key);
  std::map<uint64_t, RowBuffer> model;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Wish> wishes;
    const bool comes = round / 100 % 2 == 0;  // mostly
    for (uint64_t i = 0; i < 1 + random() % 8; ++i) {
      Wish& wish = wishes.emplace_back();
      wish.key = keys[random() % keys.size()];
      if (random() % 4 < (comes ? 3 : 1)) {
        wish.row = t_.Row(wish.key, random() % 3);
        if (GetParam() == 0) wish.row->resize(1 + random() % 9);
        model[wish.key] = *wish.row;
      } else {
        model.erase(wish.key);
      }
    }
    ASSERT_THAT(Perform(*t_.core, wishes), IsOk());
    ASSERT_THAT(CheckHashTable(t_.core->geometry()), IsOk()) << round;
    ASSERT_EQ(t_.Rows(), model);
    ASSERT_EQ(t_.core->reader().Size(), model.size());
  }
}

TEST_P(HashBatchTest, ABatchForWhichThereIsNoRoomChangesNothing) {
  TestTable t({.fixed_words = GetParam(), .bytes = Arena::kMinBytes});
  std::vector<Wish> wishes;
  for (uint64_t key = 0; key < 20'000; ++key) {
    wishes.push_back({key, t.Row(key, key)});
  }
  EXPECT_EQ(CauseOf(Perform(*t.core, wishes)), Cause::kNoMemory);
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  // With a log for the batch there may still be none for the rows.
  uint64_t most = 0;
  for (uint64_t size = 1; size < 200; ++size) {
    wishes.clear();
    for (uint64_t key = 0; key < size; ++key) {
      wishes.push_back({most + key, t.Row(most + key, key)});
    }
    const absl::Status status = Perform(*t.core, wishes);
    ASSERT_THAT(CheckHashTable(t.core->geometry()), IsOk());
    ASSERT_EQ(t.core->reader().Size(), most + (status.ok() ? size : 0));
    if (!status.ok()) {
      EXPECT_EQ(CauseOf(status), Cause::kNoMemory);
      break;
    }
    most += size;
  }
  EXPECT_GT(most, 100);
  for (uint64_t key = 0; key < most; ++key) {
    EXPECT_TRUE(t.Lookup(key).has_value());
  }
}

}  // namespace
}  // namespace ets_keeper
