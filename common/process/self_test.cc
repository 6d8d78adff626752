// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/self.h"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/message.h"
#include "common/process/runtime.h"
#include "common/process/task.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Strings = std::vector<std::string>;

class SelfTest : public testing::Test {
 protected:
  void Log(std::string text) { log_.push_back(std::move(text)); }
  void LogResult(const absl::StatusOr<int>& result) {
    Log(result.ok() ? absl::StrCat(*result)
                    : std::string(CauseName(*CauseOf(result.status()))));
  }

  ManualClock clock_;
  Strings log_;
  Runtime runtime_{{.threads = 0, .clock = &clock_}};
};

TEST_F(SelfTest, KnowsItsPidAndRuntime) {
  Pid seen;
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    seen = self.pid();
    EXPECT_EQ(&self.runtime(), &runtime_);
    co_return;
  });
  runtime_.RunUntilIdle();
  EXPECT_EQ(seen, pid);
}

TEST_F(SelfTest, ReceivesInTheOrderSent) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    for (int i = 0; i < 3; ++i) LogResult(co_await self.Receive<int>());
  });
  for (const int n : {1, 2, 3}) runtime_.Send(pid, n);
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"1", "2", "3"}));
}

TEST_F(SelfTest, AReceiveTakesTheFirstMatchAndLeavesTheOthersInOrder) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    LogResult(co_await self.Receive<int>([](int n) { return n >= 10; }));
    absl::StatusOr<std::string> text = co_await self.Receive<std::string>();
    Log(*text);
    for (int i = 0; i < 3; ++i) LogResult(co_await self.Receive<int>());
  });
  runtime_.Send(pid, 1);
  runtime_.Send(pid, 2);
  runtime_.RunUntilIdle();
  EXPECT_TRUE(log_.empty());
  runtime_.Send(pid, std::string("text"));
  runtime_.Send(pid, 10);
  runtime_.Send(pid, 11);
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"10", "text", "1", "2", "11"}));
}

TEST_F(SelfTest, AReceiveOfMessageTakesAnyType) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    absl::StatusOr<Message> first = co_await self.Receive<Message>();
    Log(absl::StrCat(*first->As<int>()));
    absl::StatusOr<Message> picked = co_await self.Receive<Message>(
        [](const Message& message) { return message.As<double>() != nullptr; });
    Log(absl::StrCat(*picked->As<double>()));
  });
  runtime_.Send(pid, 1);
  runtime_.Send(pid, 2);
  runtime_.Send(pid, 0.5);
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"1", "0.5"}));
}

TEST_F(SelfTest, ReceivesMoveOnlyValues) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    absl::StatusOr<std::unique_ptr<int>> n =
        co_await self.Receive<std::unique_ptr<int>>();
    LogResult(**n);
  });
  runtime_.Send(pid, std::make_unique<int>(7));
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"7"}));
}

TEST_F(SelfTest, ATimeoutFiresWhenItsTimeHasComeAndNotBefore) {
  runtime_.Spawn([&](Self& self) -> Task<> {
    LogResult(co_await self.Receive<int>(absl::Seconds(5)));
  });
  runtime_.RunUntilIdle();
  clock_.Advance(absl::Seconds(4));
  runtime_.RunUntilIdle();
  EXPECT_TRUE(log_.empty());
  clock_.Advance(absl::Seconds(1));
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"timeout"}));
}

TEST_F(SelfTest, MessagesThatDoNotMatchDoNotProlongATimeout) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    LogResult(co_await self.Receive<int>(absl::Seconds(5)));
    absl::StatusOr<char> left = co_await self.Receive<char>();
    Log(std::string(1, *left));
  });
  runtime_.RunUntilIdle();
  clock_.Advance(absl::Seconds(4));
  runtime_.Send(pid, 'x');
  runtime_.RunUntilIdle();
  clock_.Advance(absl::Seconds(1));
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"timeout", "x"}));
}

TEST_F(SelfTest, AMessageThatIsThereWhenTheTimeoutFiresIsReceived) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    LogResult(co_await self.Receive<int>(absl::Seconds(5)));
  });
  runtime_.RunUntilIdle();
  clock_.Advance(absl::Seconds(6));
  runtime_.Send(pid, 1);
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"1"}));
}

TEST_F(SelfTest, AZeroTimeoutLooksOnlyAtWhatIsThere) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    LogResult(co_await self.Receive<int>(absl::ZeroDuration()));
    LogResult(co_await self.Receive<int>(absl::ZeroDuration()));
    LogResult(co_await self.Receive<int>(-absl::InfiniteDuration()));
  });
  runtime_.Send(pid, 1);
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"1", "timeout", "timeout"}));
}

TEST_F(SelfTest, TimeoutsFireInTheOrderOfTheirDeadlines) {
  for (const int seconds : {3, 1, 2}) {
    runtime_.Spawn([this, seconds](Self& self) -> Task<> {
      (void)co_await self.Receive<int>(absl::Seconds(seconds));
      Log(absl::StrCat(seconds));
    });
  }
  runtime_.RunUntilIdle();
  clock_.Advance(absl::Seconds(10));
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"1", "2", "3"}));
}

TEST_F(SelfTest, APredicatesExceptionComesOutOfTheAwaitAndLosesNothing) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    try {
      (void)co_await self.Receive<int>(
          [](int) -> bool { throw std::runtime_error("boom"); });
    } catch (const std::runtime_error& e) {
      Log(e.what());
    }
    LogResult(co_await self.Receive<int>());
  });
  runtime_.Send(pid, 1);
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"boom", "1"}));
}

TEST_F(SelfTest, APredicatesCopyLivesAsLongAsTheReceiveAndNoLonger) {
  auto wanted = std::make_shared<int>(3);
  const std::weak_ptr<int> seen = wanted;
  const auto is_wanted = [wanted = std::move(wanted)](int n) {
    return n == *wanted;
  };
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    LogResult(co_await self.Receive<int>(is_wanted));
    LogResult(static_cast<int>(seen.use_count()));
    LogResult(co_await self.Receive<int>(std::ref(is_wanted)));
  });
  runtime_.RunUntilIdle();
  EXPECT_EQ(seen.use_count(), 2);
  runtime_.Send(pid, 3);
  runtime_.RunUntilIdle();
  EXPECT_EQ(seen.use_count(), 1);
  runtime_.Send(pid, 3);
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"3", "1", "3"}));
}

TEST_F(SelfTest, APredicateMayCallTheRuntime) {
  const Pid sink = runtime_.Spawn(
      [&](Self& self) -> Task<> { LogResult(co_await self.Receive<int>()); });
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    (void)co_await self.Receive<int>([&](int n) {
      runtime_.Send(sink, n + 1);
      return runtime_.IsAlive(self.pid());
    });
  });
  runtime_.Send(pid, 1);
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"2"}));
}

TEST_F(SelfTest, AReceiveMayBeAwaitedInATaskOfItsOwn) {
  auto ask = [](Self& self) -> Task<absl::StatusOr<int>> {
    co_return co_await self.Receive<int>(absl::Seconds(1));
  };
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    LogResult(co_await ask(self));
    LogResult(co_await ask(self));
  });
  runtime_.Send(pid, 1);
  runtime_.RunUntilIdle();
  clock_.Advance(absl::Seconds(1));
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"1", "timeout"}));
}

TEST_F(SelfTest, ExitEndsTheProcessWhereItIsAndIsNotTrapped) {
  const ExitHook hook = runtime_.AddExitHook(
      ExitPhase::kTables,
      [&](Pid, const ExitReason& reason) { Log(absl::StrCat(reason)); });
  auto leave = [](Self& self) -> Task<> {
    co_await self.Exit(ExitReason::Shutdown());
  };
  runtime_.Spawn([&](Self& self) -> Task<> {
    self.TrapExit(true);
    co_await leave(self);
    Log("not reached");
  });
  runtime_.RunUntilIdle();
  EXPECT_EQ(log_, Strings({"shutdown"}));
}

}  // namespace
}  // namespace ets_keeper
