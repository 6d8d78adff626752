// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/row_counter.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status_matchers.h"
#include "common/hash/hash_core.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/counter.h"
#include "common/table/encoded.h"
#include "common/table/rows_testing.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

// With a counter that does not fill a word.
struct Narrow {
  std::string key;
  int8_t few = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Narrow::key), Field("few", &Narrow::few));
  }
};

template <typename Row>
class RowCounterTest : public RowsTest<Row> {
 protected:
  using Counter = RowCounter<RowCodec<Row>, &Row::key, &Row::value>;
  using Wanted = LookupKey<RowCodec<Row>, &Row::key>;

  bool TryCount(uint64_t i, const Increment& increment, uint64_t* word,
                int epochs_ago = 0) {
    const auto key = KeyOf<Row>(i);
    const Wanted wanted(key);
    return Counter::TryCount(this->core(), this->epoch() - epochs_ago,
                             wanted.view(this->core().seed()), increment, word);
  }
  absl::StatusOr<uint64_t> Count(uint64_t i, const Increment& increment) {
    return Counter::Count(this->core(), this->epoch(), KeyOf<Row>(i),
                          increment);
  }
  int64_t CountOf(uint64_t i) {
    return *this->table_.template LookupElement<&Row::value>(KeyOf<Row>(i));
  }

  static constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
};
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
  EXPECT_GT(tried, this->kRows / 2);  // those that are in no chain
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
  row.value = 5;
  EXPECT_THAT(TestFixture::Counter::CountFirst(KeyOf<TypeParam>(7), -7, &row),
              IsOk());
  EXPECT_EQ(row.key, KeyOf<TypeParam>(7));
  EXPECT_EQ(row.value, -2);
  EXPECT_THAT(TestFixture::Counter::CountFirst(KeyOf<TypeParam>(8),
                                               Increment(1, -5, 3), &row),
              IsOk());
  EXPECT_EQ(row.value, 3);
  EXPECT_EQ(CauseOf(TestFixture::Counter::CountFirst(KeyOf<TypeParam>(9),
                                                     this->kMost, &row)),
            Cause::kOutOfRange);
  EXPECT_EQ(row.key, KeyOf<TypeParam>(8));
  EXPECT_EQ(row.value, 3);
}

// Of a table that is public, which anybody's handle may write to.
TYPED_TEST(RowCounterTest, EveryEpochIsAsGoodToWhomItIsAll) {
  HashCore& core = this->core();
  uint64_t tried = 0;
  for (uint64_t i = 0; i < this->kRows; ++i) {
    const auto key = KeyOf<TypeParam>(i);
    const typename TestFixture::Wanted wanted(key);
    uint64_t word = i;
    tried += TestFixture::Counter::TryCount(core, kAnyEpoch,
                                            wanted.view(core.seed()), 1, &word);
    const auto counted = TestFixture::Counter::Count(core, kAnyEpoch, key, 1);
    EXPECT_THAT(counted, IsOkAndHolds(word + 1));
  }
  EXPECT_GT(tried, this->kRows / 2);
}

TEST(NarrowCounterTest, AreCountedInANewRow) {
  using Counter = RowCounter<RowCodec<Narrow>, &Narrow::key, &Narrow::few>;
  Tables tables;
  const auto table = Table<Narrow, &Narrow::key>::New(tables, NewPid(), {});
  ASSERT_THAT(table, IsOk());
  ASSERT_THAT(table->Insert({"a key of words", 100}), IsOk());
  HashCore& core = table->handle().state().core();
  const uint64_t epoch = table->handle().epoch();
  const LookupKey<RowCodec<Narrow>, &Narrow::key> wanted("a key of words");
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
