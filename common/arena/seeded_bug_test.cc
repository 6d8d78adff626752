// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/seeded_bug.h"

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

// What is not compiled for tests of crash points has none, and knows it when it
// is compiled.
static_assert(!IsSeeded(SeededBug::kNoIntent));

TEST(SeededBugTest, ThereIsNoneUnlessAskedFor) {
  EXPECT_FALSE(IsSeeded(SeededBug::kNoVersionBump));
}

}  // namespace
}  // namespace ets_keeper
