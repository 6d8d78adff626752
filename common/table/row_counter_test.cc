// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/row_counter.h"

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "common/hash/hash_core.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/counter.h"
#include "common/table/encoded.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

// In its bucket; a record of a fixed length; one whose tail is its key.
struct Small {
  uint64_t key = 0;
  int64_t count = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Small::key), Field("count", &Small::count));
  }
};
struct Large {
  uint64_t key = 0;
  int64_t count = 0;
  std::array<uint64_t, 6> rest = {};
  static constexpr auto Fields() {
    return FieldList(Field("key", &Large::key), Field("count", &Large::count),
                     Field("rest", &Large::rest));
  }
};
struct Text {
  std::string key;
  int64_t count = 0;
  int8_t few = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Text::key), Field("count", &Text::count),
                     Field("few", &Text::few));
  }
};

template <typename Row>
auto KeyOf(uint64_t i) {
  if constexpr (std::is_same_v<Row, Text>) {
    return absl::StrCat(i, std::string(i % 20, 'x'));
  } else {
    return i;
  }
}

template <typename Row>
class RowCounterTest : public ::testing::Test {
 protected:
  using Rows = Table<Row, &Row::key>;
  using Counter = RowCounter<RowCodec<Row>, &Row::key, &Row::count>;
  using Wanted = LookupKey<RowCodec<Row>, &Row::key>;

  RowCounterTest() : table_(*Rows::New(tables_, NewPid(), {})) {
    for (uint64_t i = 0; i < kRows; ++i) {  // some of them in chains
      Row row;
      row.key = KeyOf<Row>(i);
      row.count = static_cast<int64_t>(i);
      EXPECT_THAT(table_.Insert(row), IsOk());
    }
  }

  bool TryCount(uint64_t i, const Increment& increment, uint64_t* word,
                int epochs_ago = 0) {
    const auto key = KeyOf<Row>(i);
    const Wanted wanted(key);
    return Counter::TryCount(core(), epoch() - epochs_ago,
                             wanted.view(core().seed()), increment, word);
  }
  absl::StatusOr<uint64_t> Count(uint64_t i, const Increment& increment) {
    return Counter::Count(core(), epoch(), KeyOf<Row>(i), increment);
  }
  int64_t CountOf(uint64_t i) {
    return *table_.template LookupElement<&Row::count>(KeyOf<Row>(i));
  }

  HashCore& core() { return table_.handle().state().core(); }
  uint64_t epoch() const { return table_.handle().epoch(); }

  static constexpr uint64_t kRows = 500;
  static constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  Tables tables_;
  Rows table_;
};

using RowTypes = ::testing::Types<Small, Large, Text>;
TYPED_TEST_SUITE(RowCounterTest, RowTypes);

TYPED_TEST(RowCounterTest, NearlyEveryRowIsCountedAtTheFirstTry) {
  uint64_t tried = 0;
  for (uint64_t i = 0; i < this->kRows; ++i) {
    uint64_t word = 99;
    const bool counted = this->TryCount(i, 7, &word);
    if (counted) {
      EXPECT_EQ(word, i + 7);
      ++tried;
    }
    EXPECT_EQ(this->CountOf(i), static_cast<int64_t>(counted ? i + 7 : i));
    ASSERT_THAT(this->Count(i, -7), IsOkAndHolds(counted ? i : i - 7));
  }
  EXPECT_GT(tried, this->kRows * 9 / 10);
}

TYPED_TEST(RowCounterTest, WhatIsUnusualIsNotTriedAndChangesNothing) {
  uint64_t word = 99;
  EXPECT_FALSE(this->TryCount(this->kRows, 1, &word));
  EXPECT_FALSE(this->TryCount(5, Increment(1, 3, 0), &word));
  EXPECT_FALSE(this->TryCount(5, this->kMost, &word));
  EXPECT_FALSE(this->TryCount(5, 1, &word, /*epochs_ago=*/1));
  EXPECT_EQ(word, 99);
  EXPECT_EQ(this->CountOf(5), 5);
  // It has left no lock.
  EXPECT_THAT(this->Count(5, 1), IsOkAndHolds(6));
}

TYPED_TEST(RowCounterTest, CountsOrSaysWhyNot) {
  EXPECT_EQ(CauseOf(this->Count(this->kRows, 1).status()), Cause::kKeyNotFound);
  EXPECT_EQ(CauseOf(this->Count(5, this->kMost).status()), Cause::kOutOfRange);
  EXPECT_THAT(this->Count(5, Increment(this->kMost, 3, 2)), IsOkAndHolds(2));
  EXPECT_EQ(this->CountOf(5), 2);
  EXPECT_THAT(this->Count(5, -2), IsOkAndHolds(0));
}

TYPED_TEST(RowCounterTest, ARowThatIsToBeStoredIsCountedInFirst) {
  TypeParam row;
  row.count = 5;
  EXPECT_THAT(TestFixture::Counter::CountFirst(KeyOf<TypeParam>(7), -7, &row),
              IsOk());
  EXPECT_EQ(row.key, KeyOf<TypeParam>(7));
  EXPECT_EQ(row.count, -2);
  EXPECT_THAT(TestFixture::Counter::CountFirst(KeyOf<TypeParam>(8),
                                               Increment(1, -5, 3), &row),
              IsOk());
  EXPECT_EQ(row.count, 3);
  EXPECT_EQ(CauseOf(TestFixture::Counter::CountFirst(KeyOf<TypeParam>(9),
                                                     this->kMost, &row)),
            Cause::kOutOfRange);
  EXPECT_EQ(row.key, KeyOf<TypeParam>(8));
  EXPECT_EQ(row.count, 3);
}

// Of a table that is public, which anybody's handle may write to.
TYPED_TEST(RowCounterTest, EveryEpochIsAsGoodToWhomItIsAll) {
  uint64_t word;
  const auto key = KeyOf<TypeParam>(5);
  const typename TestFixture::Wanted wanted(key);
  EXPECT_TRUE(TestFixture::Counter::TryCount(
      this->core(), kAnyEpoch, wanted.view(this->core().seed()), 1, &word));
  EXPECT_EQ(word, 6);
}

TEST(NarrowCounterTest, AreCountedInANewRow) {
  using Counter = RowCounter<RowCodec<Text>, &Text::key, &Text::few>;
  Tables tables;
  const auto table = Table<Text, &Text::key>::New(tables, NewPid(), {});
  ASSERT_THAT(table, IsOk());
  ASSERT_THAT(table->Insert({"a key of words", 5, 100}), IsOk());
  HashCore& core = table->handle().state().core();
  const uint64_t epoch = table->handle().epoch();
  const LookupKey<RowCodec<Text>, &Text::key> wanted("a key of words");
  uint64_t word;
  EXPECT_FALSE(
      Counter::TryCount(core, epoch, wanted.view(core.seed()), 1, &word));
  EXPECT_THAT(Counter::Count(core, epoch, "a key of words", 27),
              IsOkAndHolds(127));
  EXPECT_EQ(CauseOf(Counter::Count(core, epoch, "a key of words", 1).status()),
            Cause::kOutOfRange);
}

}  // namespace
}  // namespace ets_keeper
