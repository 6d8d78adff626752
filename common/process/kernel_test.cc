// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/kernel.h"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/pid/pid.h"
#include "common/process/body.h"
#include "common/process/exit_reason.h"
#include "common/process/message.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "gtest/gtest.h"

namespace ets_keeper::internal {
namespace {

template <typename F>
std::unique_ptr<Body> BodyFrom(F function) {
  return std::make_unique<BodyOf<F>>(std::move(function));
}

// The kernel hands its runtime on to bodies, and asks nothing of it.
class KernelTest : public testing::Test {
 protected:
  ManualClock clock_;
  Runtime runtime_{{.threads = 0, .clock = &clock_}};
};

TEST_F(KernelTest, AReceiveThatIsSatisfiedLeavesNoTimerBehind) {
  Kernel kernel(runtime_, clock_, /*manual=*/true);
  int received = 0;
  const Pid pid = kernel.Spawn(BodyFrom([&](Self& self) -> Task<> {
    while ((co_await self.Receive<int>(absl::Hours(1))).ok()) ++received;
  }));
  while (kernel.Step()) {
  }
  for (int i = 0; i < 3; ++i) {
    kernel.Send(pid, Message::Of(i));
    EXPECT_TRUE(kernel.Step());
    EXPECT_FALSE(kernel.Step());
  }
  EXPECT_EQ(received, 3);
  clock_.Advance(absl::Hours(1));
  EXPECT_TRUE(kernel.Step());  // one timer, for the receive that waits
  EXPECT_FALSE(kernel.Step());
  EXPECT_EQ(kernel.process_count(), 0);
}

TEST_F(KernelTest, SeveralMessagesMakeAProcessReadyOnce) {
  Kernel kernel(runtime_, clock_, /*manual=*/true);
  const Pid pid = kernel.Spawn(BodyFrom([](Self& self) -> Task<> {
    for (;;) (void)co_await self.Receive<int>();
  }));
  EXPECT_TRUE(kernel.Step());
  for (int i = 0; i < 3; ++i) kernel.Send(pid, Message::Of(i));
  EXPECT_TRUE(kernel.Step());
  EXPECT_FALSE(kernel.Step());
  kernel.ShutDown();
  EXPECT_TRUE(kernel.Step());
}

TEST_F(KernelTest, AllThreadsLeaveWorkOnceNobodyIsLeft) {
  Kernel kernel(runtime_, clock_, /*manual=*/false);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { kernel.Work(); });
  for (int i = 0; i < 10; ++i) {
    kernel.Spawn(BodyFrom(
        [](Self& self) -> Task<> { (void)co_await self.Receive<int>(); }));
  }
  kernel.ShutDown();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(kernel.process_count(), 0);
}

TEST_F(KernelTest, TheClockWakesASleepingThreadForATimeout) {
  Kernel kernel(runtime_, clock_, /*manual=*/false);
  std::thread thread([&] { kernel.Work(); });
  kernel.Spawn(BodyFrom([&kernel](Self& self) -> Task<> {
    (void)co_await self.Receive<int>(absl::Seconds(5));
    kernel.ShutDown();
  }));
  clock_.AwaitDeadline(absl::UnixEpoch() + absl::Seconds(5));
  clock_.Advance(absl::Seconds(5));
  thread.join();  // or for ever
  EXPECT_EQ(kernel.process_count(), 0);
}

}  // namespace
}  // namespace ets_keeper::internal
