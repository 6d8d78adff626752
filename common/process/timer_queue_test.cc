// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/timer_queue.h"

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ets_keeper::internal {
namespace {

absl::Time At(int seconds) { return absl::FromUnixSeconds(seconds); }

TEST(TimerQueueTest, GivesWhatIsDueInTheOrderOfDeadlinesThenOfAdding) {
  TimerQueue<std::string> timers;
  timers.Add(At(3), "late");
  timers.Add(At(1), "first");
  timers.Add(At(1), "second");
  EXPECT_EQ(timers.NextDeadline(), At(1));
  EXPECT_EQ(timers.PopDue(At(0)), std::nullopt);
  EXPECT_EQ(timers.PopDue(At(2)), "first");
  EXPECT_EQ(timers.PopDue(At(2)), "second");
  EXPECT_EQ(timers.PopDue(At(2)), std::nullopt);
  EXPECT_EQ(timers.PopDue(At(3)), "late");
  EXPECT_TRUE(timers.empty());
}

TEST(TimerQueueTest, ACancelledTimerIsGoneAtOnce) {
  TimerQueue<int> timers;
  const TimerKey key = timers.Add(At(1), 1);
  timers.Cancel(key);
  EXPECT_TRUE(timers.empty());
  timers.Cancel(key);
  EXPECT_EQ(timers.NextDeadline(), absl::InfiniteFuture());
  EXPECT_EQ(timers.PopDue(absl::InfiniteFuture()), std::nullopt);
}

}  // namespace
}  // namespace ets_keeper::internal
