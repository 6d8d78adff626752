// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/exit_hooks.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

class ExitHooksTest : public testing::Test {
 protected:
  ExitHookFunction Log(std::string name) {
    return [this, name](Pid, const ExitReason& reason) {
      log_.push_back(absl::StrCat(name, " ", reason));
    };
  }
  void Run(ExitPhase phase) {
    hooks_.Run(phase, NewPid(), ExitReason::Normal());
  }

  std::vector<std::string> log_;
  ExitHooks hooks_;
};

TEST_F(ExitHooksTest, RunsThePhasesHooksInTheOrderTheyWereAdded) {
  const ExitHook b = hooks_.Add(ExitPhase::kNames, Log("names"));
  const ExitHook a1 = hooks_.Add(ExitPhase::kTables, Log("one"));
  const ExitHook a2 = hooks_.Add(ExitPhase::kTables, Log("two"));
  Run(ExitPhase::kTables);
  EXPECT_EQ(log_, std::vector<std::string>({"one normal", "two normal"}));
  Run(ExitPhase::kNames);
  EXPECT_EQ(log_.back(), "names normal");
}

TEST_F(ExitHooksTest, ARemovedHookIsNotCalledAndItsCapturesAreGone) {
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = captured;
  {
    const ExitHook hook =
        hooks_.Add(ExitPhase::kTables,
                   [this, captured = std::move(captured)](
                       Pid, const ExitReason&) { log_.push_back("called"); });
    Run(ExitPhase::kTables);
  }
  EXPECT_TRUE(seen.expired());
  Run(ExitPhase::kTables);
  EXPECT_EQ(log_.size(), 1u);
}

TEST_F(ExitHooksTest, AssigningToAHandleRemovesTheHookItHeld) {
  ExitHook hook = hooks_.Add(ExitPhase::kTables, Log("old"));
  hook = hooks_.Add(ExitPhase::kTables, Log("new"));
  Run(ExitPhase::kTables);
  EXPECT_EQ(log_, std::vector<std::string>({"new normal"}));
}

TEST_F(ExitHooksTest, AThrowingHookDoesNotKeepTheNextFromRunning) {
  const ExitHook bad = hooks_.Add(
      ExitPhase::kTables,
      [](Pid, const ExitReason&) { throw std::runtime_error("boom"); });
  const ExitHook good = hooks_.Add(ExitPhase::kTables, Log("good"));
  Run(ExitPhase::kTables);
  EXPECT_EQ(log_, std::vector<std::string>({"good normal"}));
}

TEST_F(ExitHooksTest, RemovingWaitsForARunningCall) {
  absl::Notification entered;
  absl::Notification may_leave;
  bool finished = false;
  ExitHook hook = hooks_.Add(ExitPhase::kTables, [&](Pid, const ExitReason&) {
    entered.Notify();
    may_leave.WaitForNotification();
    finished = true;
  });
  std::thread dying([&] { Run(ExitPhase::kTables); });
  entered.WaitForNotification();
  std::thread releasing([&] { may_leave.Notify(); });
  hook = ExitHook();
  EXPECT_TRUE(finished);
  dying.join();
  releasing.join();
}

TEST_F(ExitHooksTest, AHandleMayOutliveTheHooks) {
  auto hooks = std::make_unique<ExitHooks>();
  const ExitHook hook = hooks->Add(ExitPhase::kTables, Log("never"));
  hooks.reset();
  EXPECT_TRUE(log_.empty());
}

}  // namespace
}  // namespace ets_keeper
