// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/exit_reason.h"

#include <exception>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(ExitReasonTest, PrintsItsNameAndText) {
  EXPECT_EQ(absl::StrCat(ExitReason::Normal()), "normal");
  EXPECT_EQ(absl::StrCat(ExitReason::Killed()), "killed");
  EXPECT_EQ(absl::StrCat(ExitReason::Shutdown()), "shutdown");
  EXPECT_EQ(absl::StrCat(ExitReason::Noproc()), "noproc");
  EXPECT_EQ(absl::StrCat(ExitReason::Error("boom")), "error: boom");
}

TEST(ExitReasonTest, ComparesKindAndText) {
  EXPECT_EQ(ExitReason::Normal(), ExitReason::Normal());
  EXPECT_NE(ExitReason::Normal(), ExitReason::Shutdown());
  EXPECT_EQ(ExitReason::Error("a"), ExitReason::Error("a"));
  EXPECT_NE(ExitReason::Error("a"), ExitReason::Error("b"));
}

TEST(ExitReasonTest, OnlyNormalAndShutdownAreNoCrash) {
  EXPECT_FALSE(ExitReason::Normal().IsCrash());
  EXPECT_FALSE(ExitReason::Shutdown().IsCrash());
  EXPECT_TRUE(ExitReason::Killed().IsCrash());
  EXPECT_TRUE(ExitReason::Noproc().IsCrash());
  EXPECT_TRUE(ExitReason::Error("a").IsCrash());
}

TEST(ExitReasonTest, TakesTheTextOfAnException) {
  EXPECT_EQ(ExitReason::FromException(
                std::make_exception_ptr(std::runtime_error("boom"))),
            ExitReason::Error("boom"));
  EXPECT_EQ(ExitReason::FromException(std::make_exception_ptr(42)),
            ExitReason::Error("unknown exception"));
}

}  // namespace
}  // namespace ets_keeper
