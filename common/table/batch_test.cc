// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/batch.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status_matchers.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::Optional;

struct Stock {
  std::string item;
  int32_t count = 0;
  static constexpr auto Fields() {
    return FieldList(Field("item", &Stock::item),
                     Field("count", &Stock::count));
  }
  friend bool operator==(const Stock&, const Stock&) = default;
};
using StockBatch = Batch<Stock, &Stock::item>;
using StockTable = Table<Stock, &Stock::item>;

class BatchTest : public ::testing::Test {
 protected:
  BatchTest() : stock_(*StockTable::New(tables_, NewPid(), {.name = "s"})) {}

  Tables tables_;
  StockTable stock_;
};

TEST_F(BatchTest, AnEmptyBatchDoesNothing) {
  StockBatch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_THAT(stock_.Apply(batch), IsOk());
  EXPECT_THAT(stock_.Size(), IsOkAndHolds(0));
}

TEST_F(BatchTest, RowsAreCopiedWhenTheyAreAdded) {
  StockBatch batch;
  Stock row = {"nut", 1};
  batch.Insert(row);
  row.count = 99;
  EXPECT_THAT(stock_.Apply(batch), IsOk());
  EXPECT_THAT(stock_.Lookup("nut"), IsOkAndHolds(Optional(Stock{"nut", 1})));
}

TEST_F(BatchTest, TheCountedRowGetsTheKeyThatWasAsked_A20) {
  StockBatch batch;
  uint64_t word = 0;
  batch.UpdateCounter<&Stock::count>("bolt", 5, Stock{"other", 10}, &word);
  EXPECT_THAT(stock_.Apply(batch), IsOk());
  EXPECT_EQ(word, 15);
  EXPECT_THAT(stock_.Lookup("bolt"), IsOkAndHolds(Optional(Stock{"bolt", 15})));
  EXPECT_THAT(stock_.Member("other"), IsOkAndHolds(false));
}

TEST_F(BatchTest, OneOperationThatFailsFailsAll) {
  ASSERT_THAT(stock_.Insert(Stock{"nut", std::numeric_limits<int32_t>::max()}),
              IsOk());
  StockBatch batch;
  batch.Insert(Stock{"screw", 1});
  batch.UpdateCounter<&Stock::count>("nut", 1, Stock{});
  EXPECT_EQ(CauseOf(stock_.Apply(batch)), Cause::kOutOfRange);
  EXPECT_THAT(stock_.Member("screw"), IsOkAndHolds(false));
  batch.Clear();
  batch.InsertNew(Stock{"screw", 1});
  batch.InsertNew(Stock{"nut", 1});
  EXPECT_EQ(CauseOf(stock_.Apply(batch)), Cause::kKeyExists);
  EXPECT_THAT(stock_.Size(), IsOkAndHolds(1));
}

TEST_F(BatchTest, InsertNewAsksOnlyWhatWasThereBeforeTheBatch_A11) {
  StockBatch batch;
  batch.InsertNew(Stock{"nut", 1});
  batch.InsertNew(Stock{"nut", 2});
  EXPECT_THAT(stock_.Apply(batch), IsOk());
  EXPECT_THAT(stock_.Lookup("nut"), IsOkAndHolds(Optional(Stock{"nut", 2})));
}

TEST_F(BatchTest, ABatchOfThousandsIsOneBatch) {
  StockBatch batch;
  for (int i = 0; i < 5000; ++i) {
    batch.Insert(Stock{std::to_string(i), i});
    if (i % 2 == 0) batch.Delete(std::to_string(i));
  }
  EXPECT_EQ(batch.size(), 7500);
  EXPECT_THAT(stock_.Apply(batch), IsOk());
  EXPECT_THAT(stock_.Size(), IsOkAndHolds(2500));
  EXPECT_THAT(stock_.Lookup("4999"),
              IsOkAndHolds(Optional(Stock{"4999", 4999})));
  EXPECT_THAT(stock_.Lookup("4998"), IsOkAndHolds(std::nullopt));
}

}  // namespace
}  // namespace ets_keeper
