// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/adopted_thread.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Strings = std::vector<std::string>;

class AdoptedThreadTest : public testing::Test {
 protected:
  ManualClock clock_;
  Strings log_;
  Runtime runtime_{{.threads = 0, .clock = &clock_}};
  // Runs on the dying thread, so the log needs no lock when that is the test's.
  ExitHook hook_ = runtime_.AddExitHook(ExitPhase::kTables,
                                        [this](Pid, const ExitReason& reason) {
                                          log_.push_back(absl::StrCat(reason));
                                        });
};

TEST_F(AdoptedThreadTest, IsAProcessForAScopeAndDiesNormally) {
  Pid pid;
  {
    AdoptedThread self(runtime_);
    pid = self.pid();
    EXPECT_TRUE(runtime_.IsAlive(pid));
    EXPECT_TRUE(log_.empty());
  }
  EXPECT_FALSE(runtime_.IsAlive(pid));
  EXPECT_EQ(log_, Strings({"normal"}));
}

TEST_F(AdoptedThreadTest, AnExceptionThatLeavesTheScopeIsACrash) {
  try {
    AdoptedThread self(runtime_);
    throw std::runtime_error("boom");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(log_, Strings({"error: an exception left the scope"}));
}

TEST_F(AdoptedThreadTest, AScopeWithinACleanUpAfterAnExceptionIsNoCrash) {
  struct CleanUp {
    Runtime& runtime;
    ~CleanUp() { AdoptedThread self(runtime); }
  };
  try {
    CleanUp clean_up{runtime_};
    throw std::runtime_error("boom");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(log_, Strings({"normal"}));
}

TEST_F(AdoptedThreadTest, FailDiesNowAndOnce) {
  AdoptedThread self(runtime_);
  self.Fail(ExitReason::Error("had enough"));
  EXPECT_FALSE(runtime_.IsAlive(self.pid()));
  self.Fail(ExitReason::Normal());
  EXPECT_EQ(log_, Strings({"error: had enough"}));
  EXPECT_EQ(CauseOf(self.Receive<int>().status()), Cause::kRecipientDead);
}

TEST_F(AdoptedThreadTest, ReceivesSelectivelyAndKeepsTheOrder) {
  AdoptedThread self(runtime_);
  for (const int n : {1, 10, 2}) runtime_.Send(self.pid(), n);
  EXPECT_EQ(*self.Receive<int>([](int n) { return n >= 10; }), 10);
  EXPECT_EQ(*self.Receive<int>(), 1);
  EXPECT_EQ(*self.Receive<int>(), 2);
  EXPECT_EQ(CauseOf(self.Receive<int>(absl::ZeroDuration()).status()),
            Cause::kTimeout);
}

TEST_F(AdoptedThreadTest, APredicatesExceptionComesOutAndLosesNothing) {
  AdoptedThread self(runtime_);
  runtime_.Send(self.pid(), 1);
  EXPECT_THROW((void)self.Receive<int>(
                   [](int) -> bool { throw std::logic_error("boom"); }),
               std::logic_error);
  EXPECT_EQ(*self.Receive<int>(), 1);
}

TEST_F(AdoptedThreadTest, RunsTheOthersOfAManualRuntimeWhileItWaits) {
  AdoptedThread self(runtime_);
  const Pid echo = runtime_.Spawn([&](Self& echo) -> Task<> {
    const absl::StatusOr<int> n = co_await echo.Receive<int>();
    runtime_.Send(self.pid(), *n + 1);
  });
  runtime_.Send(echo, 1);
  EXPECT_EQ(*self.Receive<int>(), 2);
}

TEST_F(AdoptedThreadTest, ItsTimeoutFiresWhenAnotherThreadMovesTheClock) {
  AdoptedThread self(runtime_);
  std::thread other([&] {
    clock_.AwaitWaiters(1);
    clock_.Advance(absl::Seconds(5));
  });
  EXPECT_EQ(CauseOf(self.Receive<int>(absl::Seconds(5)).status()),
            Cause::kTimeout);
  other.join();
}

TEST_F(AdoptedThreadTest, AMessageFromAnotherThreadEndsItsWait) {
  AdoptedThread self(runtime_);
  std::thread other([&] {
    clock_.AwaitWaiters(1);
    runtime_.Send(self.pid(), 'x');  // does not match
    runtime_.Send(self.pid(), 7);
  });
  EXPECT_EQ(*self.Receive<int>(), 7);
  EXPECT_EQ(*self.Receive<char>(), 'x');
  other.join();
}

TEST_F(AdoptedThreadTest, WorkForAManualRuntimeFromAnotherThreadIsRun) {
  AdoptedThread self(runtime_);
  std::thread other([&] {
    clock_.AwaitWaiters(1);
    runtime_.Spawn([&](Self&) -> Task<> {
      runtime_.Send(self.pid(), 7);
      co_return;
    });
  });
  EXPECT_EQ(*self.Receive<int>(), 7);
  other.join();
}

TEST_F(AdoptedThreadTest, AnExitSignalTakesEffectInTheNextReceive) {
  AdoptedThread self(runtime_);
  runtime_.Exit(self.pid(), ExitReason::Killed());
  EXPECT_TRUE(runtime_.IsAlive(self.pid()));
  const absl::StatusOr<int> result = self.Receive<int>();
  EXPECT_EQ(CauseOf(result.status()), Cause::kRecipientDead);
  EXPECT_TRUE(absl::StrContains(result.status().message(), "killed"));
  EXPECT_FALSE(runtime_.IsAlive(self.pid()));
  EXPECT_EQ(log_, Strings({"killed"}));
}

TEST_F(AdoptedThreadTest, AnExitSignalEndsAReceiveThatWaits) {
  AdoptedThread self(runtime_);
  std::thread other([&] {
    clock_.AwaitWaiters(1);
    runtime_.Exit(self.pid(), ExitReason::Shutdown());
    EXPECT_FALSE(runtime_.IsAlive(self.pid()));
  });
  EXPECT_EQ(CauseOf(self.Receive<int>().status()), Cause::kRecipientDead);
  EXPECT_EQ(log_, Strings({"shutdown"}));
  other.join();
}

TEST_F(AdoptedThreadTest, TrapsExits) {
  AdoptedThread self(runtime_);
  self.TrapExit(true);
  runtime_.Link(self.pid(), runtime_.Spawn([](Self&) -> Task<> {
    throw std::runtime_error("boom");
  }));
  EXPECT_EQ(self.Receive<ExitSignal>()->reason, ExitReason::Error("boom"));
}

TEST_F(AdoptedThreadTest, ItsDeathFiresLinksAndMonitors) {
  auto self = std::make_unique<AdoptedThread>(runtime_);
  AdoptedThread watcher(runtime_);
  const Pid linked = runtime_.Spawn(
      [](Self& linked) -> Task<> { (void)co_await linked.Receive<int>(); });
  runtime_.Link(self->pid(), linked);
  const MonitorRef ref = runtime_.Monitor(watcher.pid(), self->pid());
  self->Fail(ExitReason::Error("boom"));
  EXPECT_FALSE(runtime_.IsAlive(linked));
  const absl::StatusOr<Down> down = watcher.Receive<Down>();
  EXPECT_EQ(down->ref, ref);
  EXPECT_EQ(down->reason, ExitReason::Error("boom"));
}

TEST(AdoptedThreadWithThreadsTest, TalksToProcessesOnOtherThreads) {
  Runtime runtime({.threads = 2});
  AdoptedThread self(runtime);
  const Pid echo = runtime.Spawn([&](Self& echo) -> Task<> {
    for (int i = 0; i < 100; ++i) {
      const absl::StatusOr<int> n = co_await echo.Receive<int>();
      runtime.Send(self.pid(), *n);
    }
  });
  runtime.Monitor(self.pid(), echo);
  for (int i = 0; i < 100; ++i) runtime.Send(echo, i);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(*self.Receive<int>(), i);
  EXPECT_EQ(self.Receive<Down>()->reason, ExitReason::Normal());
}

TEST(AdoptedThreadDeathTest, TheRuntimeMayNotGoFirst) {
  EXPECT_DEATH(
      {
        auto runtime = std::make_unique<Runtime>(Runtime::Options{});
        AdoptedThread self(*runtime);
        runtime.reset();
      },
      "before an AdoptedThread");
}

}  // namespace
}  // namespace ets_keeper
