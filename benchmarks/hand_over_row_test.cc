// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hand_over_row.h"

#include <optional>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/pid/pid.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::absl_testing::IsOk;

TEST(HandOverRowTest, ItIsFoundByItsKey) {
  Tables tables;
  const auto table =
      Table<HandOverRow, &HandOverRow::key>::New(tables, NewPid(), {});
  ASSERT_THAT(table.status(), IsOk());
  ASSERT_THAT(table->Insert({.key = 7, .value = 8}), IsOk());
  const absl::StatusOr<std::optional<HandOverRow>> row = table->Lookup(7);
  ASSERT_THAT(row.status(), IsOk());
  ASSERT_TRUE(row->has_value());
  EXPECT_EQ((*row)->key, 7u);
  EXPECT_EQ((*row)->value, 8u);
  EXPECT_EQ(table->Lookup(8).value(), std::nullopt);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
