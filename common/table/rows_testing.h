// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: rows_testing.h
// -----------------------------------------------------------------------------
//
// Row types for the tests of this folder, one for each way in which rows lie in
// a table, and a table full of them. Test code.
//
//   template <typename Row>
//   class MyTest : public RowsTest<Row> {};
//   TYPED_TEST_SUITE(MyTest, RowTypes);

#ifndef COMMON_TABLE_ROWS_TESTING_H_
#define COMMON_TABLE_ROWS_TESTING_H_

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "common/hash/hash_core.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "gtest/gtest.h"

namespace ets_keeper {

// In its bucket.
struct SmallRow {
  uint64_t key = 0;
  int64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &SmallRow::key),
                     Field("value", &SmallRow::value));
  }
  friend bool operator==(const SmallRow&, const SmallRow&) = default;
};

// There too, with words that could be seen torn.
struct TornRow {
  uint64_t key = 0;
  int64_t value = 0;
  double other = 0.5;
  static constexpr auto Fields() {
    return FieldList(Field("key", &TornRow::key),
                     Field("value", &TornRow::value),
                     Field("other", &TornRow::other));
  }
  friend bool operator==(const TornRow&, const TornRow&) = default;
};

// A record of a fixed length.
struct LargeRow {
  uint64_t key = 0;
  int64_t value = 0;
  std::array<uint64_t, 6> rest = {};
  static constexpr auto Fields() {
    return FieldList(Field("key", &LargeRow::key),
                     Field("value", &LargeRow::value),
                     Field("rest", &LargeRow::rest));
  }
  friend bool operator==(const LargeRow&, const LargeRow&) = default;
};

// A record whose tail is its key.
struct TextRow {
  std::string key;
  int64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &TextRow::key),
                     Field("value", &TextRow::value));
  }
  friend bool operator==(const TextRow&, const TextRow&) = default;
};

using RowTypes = ::testing::Types<SmallRow, TornRow, LargeRow, TextRow>;

// KeyOf(), RowOf()
//
// The i-th key, and a row with it.
template <typename Row>
auto KeyOf(uint64_t i) {
  if constexpr (std::is_same_v<decltype(Row::key), std::string>) {
    return absl::StrCat(i, std::string(i % 20, 'x'));
  } else {
    return i;
  }
}

template <typename Row>
Row RowOf(uint64_t i, int64_t value) {
  Row row;
  row.key = KeyOf<Row>(i);
  row.value = value;
  return row;
}

// RowsTest
//
// A table of rows that have their numbers as values; some are in chains.
template <typename RowType>
class RowsTest : public ::testing::Test {
 protected:
  using Row = RowType;
  using Rows = Table<Row, &Row::key>;

  RowsTest() : table_(*Rows::New(tables_, NewPid(), {})) {
    for (uint64_t i = 0; i < kRows; ++i) {
      EXPECT_THAT(table_.Insert(RowOf<Row>(i, static_cast<int64_t>(i))),
                  absl_testing::IsOk());
    }
  }

  HashCore& core() { return table_.handle().state().core(); }
  uint64_t epoch() const { return table_.handle().epoch(); }

  static constexpr uint64_t kRows = 500;
  Tables tables_;
  Rows table_;
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_ROWS_TESTING_H_
