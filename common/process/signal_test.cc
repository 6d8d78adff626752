// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/signal.h"

#include "absl/hash/hash_testing.h"
#include "common/pid/pid.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(SignalTest, MonitorRefsAreOrderedByTheirMaking) {
  const Pid watcher = NewPid();
  const Pid target = NewPid();
  const MonitorRef first = {1, watcher, target};
  const MonitorRef second = {2, target, watcher};
  EXPECT_LT(first, second);
  EXPECT_NE(first, second);
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {MonitorRef{}, first, second}));
}

}  // namespace
}  // namespace ets_keeper
