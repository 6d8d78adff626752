// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/pid/pid.h"

#include "absl/hash/hash_testing.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(PidTest, NoPidNamesNobody) {
  EXPECT_FALSE(kNoPid);
  EXPECT_EQ(Pid{}, kNoPid);
}

TEST(PidTest, NewPidsAreTrueAndDistinct) {
  const Pid a = NewPid();
  const Pid b = NewPid();
  EXPECT_TRUE(a);
  EXPECT_NE(a, b);
  EXPECT_LT(a, b);
}

TEST(PidTest, PrintsAndHashes) {
  EXPECT_EQ(absl::StrCat(Pid{.id = 7}), "<7>");
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {kNoPid, Pid{.id = 1}, Pid{.id = 2}}));
}

}  // namespace
}  // namespace ets_keeper
