// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/seeded_bug.h"

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(SeededBugTest, ThereIsNoneUnlessAskedFor) {
  EXPECT_EQ(kSeededBug, SeededBug::kNone);
}

}  // namespace
}  // namespace ets_keeper
