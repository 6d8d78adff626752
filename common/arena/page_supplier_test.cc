// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/page_supplier.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/mutex/mutex.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

class FakeConsumer : public PageConsumer {
 public:
  explicit FakeConsumer(std::function<bool(int)> supply)
      : supply_(std::move(supply)) {}
  ~FakeConsumer() { PageSupplier::OfProcess().Cancel(*this); }

  void Order() { PageSupplier::OfProcess().Order(*this); }

  bool SupplyPages() override {
    const bool more = supply_(steps() + 1);
    Lock lock(mutex_);
    ++steps_;
    return more;
  }

  int steps() {
    Lock lock(mutex_);
    return steps_;
  }
  void AwaitSteps(int steps) {
    Lock lock(mutex_);
    const auto reached = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return steps_ >= steps;
    };
    mutex_.Await(absl::Condition(&reached));
  }

 private:
  const std::function<bool(int)> supply_;
  absl::Mutex mutex_;
  int steps_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(PageSupplierTest, CallsOnAnotherThreadUntilNothingMoreIsWanted) {
  std::thread::id thread;
  FakeConsumer consumer([&](int step) {
    thread = std::this_thread::get_id();
    return step < 3;
  });
  consumer.Order();
  consumer.AwaitSteps(3);
  PageSupplier::OfProcess().Cancel(consumer);
  EXPECT_EQ(consumer.steps(), 3);
  EXPECT_NE(thread, std::this_thread::get_id());
}

// Else an order would stop the very writer that it is to serve.
TEST(PageSupplierTest, ItStopsNoRunningThread) {
  int policy = -1;
  FakeConsumer consumer([&](int) {
    policy = sched_getscheduler(0);
    return false;
  });
  consumer.Order();
  consumer.AwaitSteps(1);
  PageSupplier::OfProcess().Cancel(consumer);
  const int ours = sched_getscheduler(0);
  EXPECT_EQ(policy, ours == SCHED_OTHER ? SCHED_BATCH : ours);
}

TEST(PageSupplierTest, AnOrderDuringAStepIsCarriedOutAfterIt) {
  absl::Notification began, go_on;
  FakeConsumer consumer([&](int step) {
    if (step == 1) {
      began.Notify();
      go_on.WaitForNotification();
    }
    return false;
  });
  consumer.Order();
  began.WaitForNotification();
  consumer.Order();
  consumer.Order();
  go_on.Notify();
  consumer.AwaitSteps(2);
  PageSupplier::OfProcess().Cancel(consumer);
  EXPECT_EQ(consumer.steps(), 2) << "the same order twice is one";
}

TEST(PageSupplierTest, EachHasItsTurn) {
  // The first one would never end by itself.
  FakeConsumer greedy([](int) { return true; });
  greedy.Order();
  FakeConsumer modest([](int step) { return step < 10; });
  modest.Order();
  modest.AwaitSteps(10);
}

TEST(PageSupplierTest, CancelWaitsForTheStepThatIsUnderWay) {
  absl::Notification began, go_on;
  std::atomic<bool> ended{false};
  FakeConsumer consumer([&](int step) {
    if (step == 1) began.Notify();
    go_on.WaitForNotification();
    ended = true;
    return true;
  });
  consumer.Order();
  began.WaitForNotification();
  std::thread canceller([&] {
    PageSupplier::OfProcess().Cancel(consumer);
    EXPECT_TRUE(ended);
  });
  go_on.Notify();
  canceller.join();
  const int steps = consumer.steps();
  FakeConsumer next([](int) { return false; });
  next.Order();
  next.AwaitSteps(1);
  EXPECT_EQ(consumer.steps(), steps) << "although more was wanted";
}

TEST(PageSupplierTest, AnOrderThatIsCancelledBeforeItsTurnIsForgotten) {
  absl::Notification began, go_on;
  FakeConsumer busy([&](int) {
    began.Notify();
    go_on.WaitForNotification();
    return false;
  });
  FakeConsumer cancelled([](int) { return false; });
  FakeConsumer last([](int) { return false; });
  busy.Order();
  began.WaitForNotification();
  cancelled.Order();
  last.Order();
  PageSupplier::OfProcess().Cancel(cancelled);
  go_on.Notify();
  last.AwaitSteps(1);
  EXPECT_EQ(cancelled.steps(), 0);
}

TEST(PageSupplierTest, NoSignalIsHandledOnItsThread) {
  sigset_t blocked;
  sigemptyset(&blocked);
  FakeConsumer consumer([&](int) {
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return false;
  });
  consumer.Order();
  consumer.AwaitSteps(1);
  EXPECT_EQ(sigismember(&blocked, SIGTERM), 1);
  EXPECT_EQ(sigismember(&blocked, SIGCHLD), 1);
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0);
}

TEST(PageSupplierTest, ManyThreadsOrderAndCancelAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 200; ++round) {
        FakeConsumer consumer([](int step) { return step < 3; });
        consumer.Order();
        if (round % 2 == 0) consumer.AwaitSteps(3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ets_keeper
