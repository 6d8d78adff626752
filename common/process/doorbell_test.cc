// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/doorbell.h"

#include <thread>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "gtest/gtest.h"

namespace ets_keeper::internal {
namespace {

TEST(DoorbellTest, ARingBeforeTheWaitEndsIt) {
  ManualClock clock;
  Doorbell bell;
  bell.Ring();
  bell.Ring();
  EXPECT_TRUE(bell.Wait(clock, absl::InfiniteFuture()));
  EXPECT_FALSE(bell.Wait(clock, clock.Now()));  // one wait took both
}

TEST(DoorbellTest, ARingWakesAWaitingThread) {
  ManualClock clock;
  Doorbell bell;
  bool rang = false;
  std::thread other([&] { rang = bell.Wait(clock, absl::InfiniteFuture()); });
  clock.AwaitWaiters(1);
  bell.Ring();
  other.join();
  EXPECT_TRUE(rang);
}

TEST(DoorbellTest, TheDeadlineEndsAWait) {
  ManualClock clock;
  Doorbell bell;
  bool rang = true;
  std::thread other(
      [&] { rang = bell.Wait(clock, absl::UnixEpoch() + absl::Seconds(1)); });
  clock.AwaitWaiters(1);
  clock.Advance(absl::Seconds(1));
  other.join();
  EXPECT_FALSE(rang);
}

}  // namespace
}  // namespace ets_keeper::internal
