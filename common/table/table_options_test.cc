// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/table_options.h"

#include "absl/hash/hash_testing.h"
#include "absl/strings/str_cat.h"
#include "common/pid/pid.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(TableOptionsTest, IdsPrintHashAndCompare) {
  EXPECT_EQ(absl::StrCat(TableId{.id = 7}), "#7");
  EXPECT_LT(TableId{.id = 7}, TableId{.id = 8});
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {TableId{}, TableId{.id = 1}, TableId{.id = 2}}));
}

TEST(TableOptionsTest, ATableWithAnHeirIsProtected) {
  EXPECT_FALSE(TableInfo{}.is_protected());
  EXPECT_TRUE(TableInfo{.heirs = {NewPid()}}.is_protected());
}

}  // namespace
}  // namespace ets_keeper
