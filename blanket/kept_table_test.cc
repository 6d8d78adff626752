// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "blanket/kept_table.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ets_keeper::blanket {
namespace {

TEST(KeptTableTest, ATableIsKeptForEverUnlessItIsSaidOtherwise) {
  const TableDefinition definition;
  EXPECT_FALSE(definition.transient);
  EXPECT_EQ(definition.give_up_after, absl::InfiniteDuration());
  EXPECT_FALSE(definition.report_heir_death);
}

}  // namespace
}  // namespace ets_keeper::blanket
