// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/clock/clock.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/mutex/mutex.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(RealClockTest, NeverGoesBack) {
  absl::Time last = RealClock().Now();
  for (int i = 0; i < 10000; ++i) {
    const absl::Time now = RealClock().Now();
    ASSERT_LE(last, now);
    last = now;
  }
}

TEST(RealClockTest, AWaitEndsAtItsDeadlineWhenTheConditionStaysFalse) {
  absl::Mutex mu;
  bool never = false;
  Lock lock(mu);
  const absl::Time deadline = RealClock().Now() + absl::Milliseconds(1);
  EXPECT_FALSE(
      RealClock().AwaitWithDeadline(mu, absl::Condition(&never), deadline));
  EXPECT_GE(RealClock().Now(), deadline);
}

TEST(RealClockTest, ATrueConditionWinsOverAPastDeadline) {
  absl::Mutex mu;
  bool always = true;
  Lock lock(mu);
  EXPECT_TRUE(RealClock().AwaitWithDeadline(mu, absl::Condition(&always),
                                            absl::InfinitePast()));
}

TEST(RealClockTest, AConditionThatTurnsTrueEndsTheWait) {
  absl::Mutex mu;
  bool done = false;
  std::thread other([&] {
    Lock lock(mu);
    done = true;
  });
  {
    Lock lock(mu);
    EXPECT_TRUE(RealClock().AwaitWithDeadline(mu, absl::Condition(&done),
                                              absl::InfiniteFuture()));
  }
  other.join();
}

TEST(ManualClockTest, StandsStillUntilAdvanced) {
  ManualClock clock(absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(105));
}

TEST(ManualClockTest, APastDeadlineDoesNotWait) {
  ManualClock clock;
  absl::Mutex mu;
  bool never = false;
  Lock lock(mu);
  EXPECT_FALSE(
      clock.AwaitWithDeadline(mu, absl::Condition(&never), clock.Now()));
}

// A thread that waits for `done` until `deadline`.
class WaitingThread {
 public:
  WaitingThread(ManualClock& clock, absl::Duration timeout)
      : deadline_(clock.Now() + timeout), thread_([this, &clock] {
          Lock lock(mu_);
          result_ =
              clock.AwaitWithDeadline(mu_, absl::Condition(&done_), deadline_);
        }) {}
  bool Join() {
    thread_.join();
    return result_;
  }
  void SetDone() {
    Lock lock(mu_);
    done_ = true;
  }

 private:
  absl::Mutex mu_;
  bool done_ = false;
  bool result_ = false;
  const absl::Time deadline_;
  std::thread thread_;
};

TEST(ManualClockTest, AdvanceEndsAWaitInAnotherThread) {
  ManualClock clock;
  WaitingThread waiting(clock, absl::Seconds(5));
  clock.AwaitWaiters(1);
  clock.Advance(absl::Seconds(5));
  EXPECT_FALSE(waiting.Join());
}

TEST(ManualClockTest, AdvanceShortOfTheDeadlineLeavesTheWaitAlone) {
  ManualClock clock;
  WaitingThread waiting(clock, absl::Seconds(5));
  clock.AwaitWaiters(1);
  clock.Advance(absl::Seconds(4));
  waiting.SetDone();
  EXPECT_TRUE(waiting.Join());
}

TEST(ManualClockTest, AdvanceEndsExactlyTheWaitsThatAreDue) {
  ManualClock clock;
  std::vector<std::unique_ptr<WaitingThread>> early;
  for (int i = 1; i <= 3; ++i) {
    early.push_back(std::make_unique<WaitingThread>(clock, absl::Seconds(i)));
  }
  WaitingThread late(clock, absl::Seconds(10));
  clock.AwaitWaiters(4);
  clock.Advance(absl::Seconds(3));
  for (auto& waiting : early) EXPECT_FALSE(waiting->Join());
  late.SetDone();
  EXPECT_TRUE(late.Join());
}

TEST(ManualClockTest, AWaitThatIsOverBeforeItsDeadlineMayTakeItsMutexAlong) {
  ManualClock clock;
  std::atomic<bool> stop = false;
  std::thread advancing([&] {
    while (!stop.load()) clock.Advance(absl::Nanoseconds(1));
  });
  for (int i = 0; i < 2000; ++i) {
    absl::Mutex mu;  // gone at once after the wait: nobody may touch it then
    bool never = false;
    Lock lock(mu);
    EXPECT_FALSE(clock.AwaitWithDeadline(mu, absl::Condition(&never),
                                         clock.Now() + absl::Nanoseconds(2)));
  }
  stop.store(true);
  advancing.join();
}

}  // namespace
}  // namespace ets_keeper
