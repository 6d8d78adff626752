// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/runtime.h"

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
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Strings = std::vector<std::string>;

// Waits for ever.
Task<> Idle(Self& self) {
  for (;;) (void)co_await self.Receive<int>([](int) { return false; });
}

struct Stop {};
struct Crash {
  std::string text;
};

// Ends as it is told.
Task<> Obey(Self& self) {
  absl::StatusOr<Message> order = co_await self.Receive<Message>();
  if (const Crash* crash = order->As<Crash>()) {
    throw std::runtime_error(crash->text);
  }
}

class RuntimeTest : public testing::Test {
 protected:
  void Log(std::string text) { log_.push_back(std::move(text)); }
  Strings TakeLog() { return std::exchange(log_, {}); }
  void Run() { runtime_.RunUntilIdle(); }

  // A process that logs every signal it gets, for ever.
  Pid SpawnWatcher(bool trap_exit = false) {
    const Pid pid = runtime_.Spawn([this, trap_exit](Self& self) -> Task<> {
      self.TrapExit(trap_exit);
      for (;;) {
        absl::StatusOr<Message> message = co_await self.Receive<Message>();
        if (const Down* down = message->As<Down>()) {
          Log(absl::StrCat("down ", down->reason));
        } else if (const ExitSignal* exit = message->As<ExitSignal>()) {
          Log(absl::StrCat("exit ", exit->reason));
        }
      }
    });
    Run();
    return pid;
  }
  // Logs how `pid` ends, when it does.
  void LogDeathOf(Pid pid, std::string name) {
    hooks_.push_back(runtime_.AddExitHook(
        ExitPhase::kTables,
        [this, pid, name](Pid dead, const ExitReason& reason) {
          if (dead == pid) Log(absl::StrCat(name, " ", reason));
        }));
  }

  ManualClock clock_;
  Strings log_;
  Runtime runtime_{{.threads = 0, .clock = &clock_}};
  std::vector<ExitHook> hooks_;
};

// ---- Life and death.

TEST_F(RuntimeTest, AProcessDiesNormallyWhenItReturns) {
  const Pid pid = runtime_.Spawn(Obey);
  LogDeathOf(pid, "it");
  Run();
  EXPECT_TRUE(runtime_.IsAlive(pid));
  runtime_.Send(pid, Stop{});
  Run();
  EXPECT_FALSE(runtime_.IsAlive(pid));
  EXPECT_EQ(log_, Strings({"it normal"}));
  EXPECT_EQ(runtime_.process_count(), 0);
}

TEST_F(RuntimeTest, AnEscapingExceptionKillsWithItsText) {
  const Pid pid = runtime_.Spawn(Obey);
  LogDeathOf(pid, "it");
  runtime_.Send(pid, Crash{"out of cheese"});
  Run();
  EXPECT_EQ(log_, Strings({"it error: out of cheese"}));
}

TEST_F(RuntimeTest, ABodyThatThrowsBeforeItIsACoroutineCrashesToo) {
  const Pid pid = runtime_.Spawn(
      [](Self&) -> Task<> { throw std::runtime_error("at once"); });
  LogDeathOf(pid, "it");
  Run();
  EXPECT_EQ(log_, Strings({"it error: at once"}));
}

TEST_F(RuntimeTest, ASendToTheDeadVanishesAndIsDestroyed) {
  const Pid pid = runtime_.Spawn(Obey);
  runtime_.Send(pid, Stop{});
  Run();
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = value;
  runtime_.Send(pid, std::move(value));
  runtime_.Send(kNoPid, 1);
  EXPECT_TRUE(seen.expired());
}

TEST_F(RuntimeTest, TheMailboxOfADeadProcessIsDestroyed) {
  const Pid pid = runtime_.Spawn(Idle);
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = value;
  runtime_.Send(pid, value);
  Run();
  runtime_.Send(pid, std::move(value));
  runtime_.Exit(pid, ExitReason::Killed());
  Run();
  EXPECT_TRUE(seen.expired());
}

TEST_F(RuntimeTest, AHundredThousandProcessesComeAndGoAndLeaveNothing) {
  auto token = std::make_shared<int>(0);
  for (int i = 0; i < 100000; ++i) {
    runtime_.Spawn([token](Self& self) -> Task<> {
      ++*token;
      (void)co_await self.Receive<int>(absl::Seconds(1));
    });
  }
  EXPECT_EQ(runtime_.process_count(), 100000);
  Run();
  EXPECT_EQ(*token, 100000);
  clock_.Advance(absl::Seconds(1));
  Run();
  EXPECT_EQ(runtime_.process_count(), 0);
  EXPECT_EQ(token.use_count(), 1);
}

// ---- The order at death.

TEST_F(RuntimeTest, B53_TablesThenNamesThenLinksThenMonitors) {
  const Pid linked = SpawnWatcher(/*trap_exit=*/true);
  const Pid watcher = SpawnWatcher();
  struct Local {
    Strings& log;
    ~Local() { log.push_back("locals"); }
  };
  const Pid pid = runtime_.Spawn([this](Self& self) -> Task<> {
    Local local{log_};
    co_await Idle(self);
  });
  Run();
  runtime_.Monitor(watcher, pid);
  runtime_.Link(pid, linked);
  const auto log = [this, pid](std::string name) {
    return [this, pid, name](Pid dead, const ExitReason&) {
      EXPECT_EQ(dead, pid);
      EXPECT_FALSE(runtime_.IsAlive(pid));
      Log(name);
    };
  };
  const ExitHook names = runtime_.AddExitHook(ExitPhase::kNames, log("names"));
  const ExitHook tables1 =
      runtime_.AddExitHook(ExitPhase::kTables, log("tables 1"));
  const ExitHook tables2 =
      runtime_.AddExitHook(ExitPhase::kTables, log("tables 2"));
  runtime_.Exit(pid, ExitReason::Killed());
  Run();
  EXPECT_EQ(log_, Strings({"locals", "tables 1", "tables 2", "names",
                           "exit killed", "down killed"}));
}

TEST_F(RuntimeTest, B53_WhatTheTableHookSendsIsReceivedBeforeTheDown) {
  struct Transfer {};
  const Pid pid = runtime_.Spawn(Obey);
  const Pid heir = runtime_.Spawn([&](Self& self) -> Task<> {
    runtime_.Monitor(self.pid(), pid);
    for (int i = 0; i < 2; ++i) {
      absl::StatusOr<Message> message = co_await self.Receive<Message>();
      Log(message->As<Transfer>() != nullptr ? "transfer" : "down");
    }
  });
  const ExitHook hook = runtime_.AddExitHook(
      ExitPhase::kTables, [&](Pid dead, const ExitReason&) {
        if (dead == pid) runtime_.Send(heir, Transfer{});
      });
  Run();
  runtime_.Send(pid, Stop{});
  Run();
  EXPECT_EQ(log_, Strings({"transfer", "down"}));
}

TEST_F(RuntimeTest, ALinkOrMonitorMadeByAHookStillFiresWithTheTrueReason) {
  const Pid linked = SpawnWatcher(/*trap_exit=*/true);
  const Pid watcher = SpawnWatcher();
  const Pid pid = runtime_.Spawn(Obey);
  const ExitHook hook =
      runtime_.AddExitHook(ExitPhase::kNames, [&](Pid dead, const ExitReason&) {
        runtime_.Link(linked, dead);
        runtime_.Monitor(watcher, dead);
      });
  runtime_.Send(pid, Crash{"boom"});
  Run();
  EXPECT_EQ(log_, Strings({"exit error: boom", "down error: boom"}));
}

TEST_F(RuntimeTest, AHookMaySpawnSendAndMonitor) {
  const Pid pid = runtime_.Spawn(Obey);
  const ExitHook hook = runtime_.AddExitHook(
      ExitPhase::kTables, [&](Pid dead, const ExitReason&) {
        if (dead != pid) return;
        const Pid successor = runtime_.Spawn(Obey);
        LogDeathOf(successor, "successor");
        runtime_.Send(successor, Stop{});
      });
  runtime_.Send(pid, Stop{});
  Run();
  EXPECT_EQ(log_, Strings({"successor normal"}));
}

TEST_F(RuntimeTest, ARemovedHookIsNotCalled) {
  {
    const ExitHook hook = runtime_.AddExitHook(
        ExitPhase::kTables, [&](Pid, const ExitReason&) { Log("hook"); });
  }
  runtime_.Send(runtime_.Spawn(Obey), Stop{});
  Run();
  EXPECT_TRUE(log_.empty());
}

// ---- Exit signals.

TEST_F(RuntimeTest, AKillTakesEffectAtOnceOnAProcessThatWaits) {
  const Pid pid = runtime_.Spawn(Idle);
  LogDeathOf(pid, "it");
  Run();
  runtime_.Exit(pid, ExitReason::Killed());
  EXPECT_FALSE(runtime_.IsAlive(pid));
  Run();
  EXPECT_EQ(log_, Strings({"it killed"}));
}

TEST_F(RuntimeTest, AKillOfAProcessThatHasNotBegunRunsItsHooksAndNotItsBody) {
  const Pid pid = runtime_.Spawn([&](Self&) -> Task<> {
    Log("body");
    co_return;
  });
  LogDeathOf(pid, "it");
  runtime_.Exit(pid, ExitReason::Killed());
  EXPECT_FALSE(runtime_.IsAlive(pid));
  Run();
  EXPECT_EQ(log_, Strings({"it killed"}));
}

TEST_F(RuntimeTest, AKillOfARunningProcessWaitsForItsNextReceive) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    runtime_.Exit(self.pid(), ExitReason::Killed());
    runtime_.Send(self.pid(), 1);
    Log(runtime_.IsAlive(self.pid()) ? "alive" : "dead");
    (void)co_await self.Receive<int>();
    Log("not reached");
  });
  LogDeathOf(pid, "it");
  Run();
  EXPECT_EQ(log_, Strings({"alive", "it killed"}));
}

TEST_F(RuntimeTest, AProcessThatEndsByItselfDiesOfItsOwnReason) {
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    runtime_.Exit(self.pid(), ExitReason::Killed());
    co_return;
  });
  LogDeathOf(pid, "it");
  Run();
  EXPECT_EQ(log_, Strings({"it normal"}));
}

TEST_F(RuntimeTest, TheFirstSignalWins) {
  const Pid pid = runtime_.Spawn(Idle);
  LogDeathOf(pid, "it");
  runtime_.Exit(pid, ExitReason::Shutdown());
  runtime_.Exit(pid, ExitReason::Killed());
  Run();
  EXPECT_EQ(log_, Strings({"it shutdown"}));
}

TEST_F(RuntimeTest, TheSignalNormalDoesNothingUnlessTrapped) {
  const Pid pid = runtime_.Spawn(Idle);
  const Pid trapping = SpawnWatcher(/*trap_exit=*/true);
  runtime_.Exit(pid, ExitReason::Normal());
  runtime_.Exit(trapping, ExitReason::Normal());
  Run();
  EXPECT_TRUE(runtime_.IsAlive(pid));
  EXPECT_EQ(log_, Strings({"exit normal"}));
}

TEST_F(RuntimeTest, TrappedSignalsNameTheirSender) {
  const Pid sender = NewPid();
  const Pid pid = runtime_.Spawn([&](Self& self) -> Task<> {
    self.TrapExit(true);
    absl::StatusOr<ExitSignal> exit = co_await self.Receive<ExitSignal>();
    EXPECT_EQ(exit->from, sender);
    EXPECT_EQ(exit->reason, ExitReason::Shutdown());
    Log("trapped");
    self.TrapExit(false);
    (void)co_await self.Receive<ExitSignal>();
    Log("not reached");
  });
  Run();
  runtime_.Exit(pid, ExitReason::Shutdown(), sender);
  Run();
  EXPECT_EQ(log_, Strings({"trapped"}));
  runtime_.Exit(pid, ExitReason::Shutdown(), sender);
  EXPECT_FALSE(runtime_.IsAlive(pid));
}

TEST_F(RuntimeTest, KilledCannotBeTrapped) {
  const Pid pid = SpawnWatcher(/*trap_exit=*/true);
  LogDeathOf(pid, "it");
  runtime_.Exit(pid, ExitReason::Killed());
  Run();
  EXPECT_EQ(log_, Strings({"it killed"}));
}

// ---- Links.

TEST_F(RuntimeTest, ACrashPassesAlongAChainOfLinks) {
  std::vector<Pid> chain;
  for (int i = 0; i < 5; ++i) {
    chain.push_back(runtime_.Spawn(Obey));
    LogDeathOf(chain.back(), absl::StrCat(i));
    if (i > 0) runtime_.Link(chain[i - 1], chain[i]);
  }
  Run();
  runtime_.Send(chain[2], Crash{"x"});
  Run();
  EXPECT_EQ(log_, Strings({"2 error: x", "1 error: x", "3 error: x",
                           "0 error: x", "4 error: x"}));
}

TEST_F(RuntimeTest, ANormalDeathDoesNotKillTheLinked) {
  const Pid a = runtime_.Spawn(Obey);
  const Pid b = runtime_.Spawn(Idle);
  runtime_.Link(a, b);
  runtime_.Send(a, Stop{});
  Run();
  EXPECT_FALSE(runtime_.IsAlive(a));
  EXPECT_TRUE(runtime_.IsAlive(b));
}

TEST_F(RuntimeTest, TheDeathOfAKilledLinkCanBeTrapped) {
  const Pid a = runtime_.Spawn(Idle);
  const Pid b = SpawnWatcher(/*trap_exit=*/true);
  runtime_.Link(a, b);
  runtime_.Link(b, a);  // once is enough
  runtime_.Exit(a, ExitReason::Killed());
  Run();
  EXPECT_EQ(log_, Strings({"exit killed"}));
}

TEST_F(RuntimeTest, UnlinkedProcessesDoNotHearOfEachOther) {
  const Pid a = runtime_.Spawn(Idle);
  const Pid b = SpawnWatcher(/*trap_exit=*/true);
  runtime_.Link(a, b);
  runtime_.Unlink(b, a);
  runtime_.Exit(a, ExitReason::Killed());
  Run();
  EXPECT_TRUE(log_.empty());
}

TEST_F(RuntimeTest, LinkingToTheDeadSendsNoproc) {
  const Pid dead = NewPid();
  const Pid trapping = SpawnWatcher(/*trap_exit=*/true);
  const Pid plain = runtime_.Spawn(Idle);
  LogDeathOf(plain, "plain");
  Run();
  runtime_.Link(trapping, dead);
  runtime_.Link(dead, plain);
  runtime_.Link(trapping, trapping);
  Run();
  EXPECT_EQ(log_, Strings({"exit noproc", "plain noproc"}));
}

// ---- Monitors.

TEST_F(RuntimeTest, EachMonitorSendsOneDown) {
  const Pid watcher = SpawnWatcher();
  const Pid pid = runtime_.Spawn(Obey);
  EXPECT_NE(runtime_.Monitor(watcher, pid), runtime_.Monitor(watcher, pid));
  runtime_.Send(pid, Crash{"x"});
  Run();
  EXPECT_EQ(log_, Strings({"down error: x", "down error: x"}));
}

TEST_F(RuntimeTest, ADownNamesItsMonitorAndProcess) {
  const Pid target = runtime_.Spawn(Obey);
  runtime_.Spawn([&](Self& self) -> Task<> {
    const MonitorRef ref = runtime_.Monitor(self.pid(), target);
    absl::StatusOr<Down> down = co_await self.Receive<Down>();
    EXPECT_EQ(down->ref, ref);
    EXPECT_EQ(down->pid, target);
    Log("seen");
  });
  Run();
  runtime_.Send(target, Stop{});
  Run();
  EXPECT_EQ(log_, Strings({"seen"}));
}

TEST_F(RuntimeTest, MonitoringTheDeadGivesNoprocAtOnce) {
  const Pid watcher = SpawnWatcher();
  runtime_.Monitor(watcher, NewPid());
  Run();
  EXPECT_EQ(log_, Strings({"down noproc"}));
}

TEST_F(RuntimeTest, AMonitorDiesWithItsWatcher) {
  const Pid watcher = SpawnWatcher();
  const Pid target = runtime_.Spawn(Idle);
  const MonitorRef ref = runtime_.Monitor(watcher, target);
  runtime_.Exit(watcher, ExitReason::Killed());
  Run();
  runtime_.Demonitor(ref);
  runtime_.Monitor(watcher, target);
  runtime_.Exit(target, ExitReason::Killed());
  Run();
  EXPECT_TRUE(log_.empty());
}

TEST_F(RuntimeTest, E108_ADemonitoredTargetSendsNothing) {
  const Pid watcher = SpawnWatcher();
  const Pid target = runtime_.Spawn(Idle);
  const MonitorRef ended = runtime_.Monitor(watcher, target);
  runtime_.Monitor(watcher, target);
  runtime_.Demonitor(ended);
  runtime_.Exit(target, ExitReason::Killed());
  Run();
  EXPECT_EQ(log_, Strings({"down killed"}));
}

TEST_F(RuntimeTest, E108_DemonitorFlushesADownThatIsInTheMailbox) {
  const Pid target = NewPid();  // dead: each monitor fires at once
  runtime_.Spawn([&](Self& self) -> Task<> {
    // This one is passed over by a receive, and so deep in the mailbox.
    const MonitorRef passed_over = runtime_.Monitor(self.pid(), target);
    (void)co_await self.Receive<int>(absl::ZeroDuration());
    // This one has just arrived.
    const MonitorRef arrived = runtime_.Monitor(self.pid(), target);
    const MonitorRef kept = runtime_.Monitor(self.pid(), target);
    runtime_.Demonitor(passed_over);
    runtime_.Demonitor(arrived);
    absl::StatusOr<Down> down = co_await self.Receive<Down>();
    EXPECT_EQ(down->ref, kept);
    EXPECT_FALSE((co_await self.Receive<Down>(absl::ZeroDuration())).ok());
    Log("checked");
  });
  Run();
  EXPECT_EQ(log_, Strings({"checked"}));
}

// ---- Running and ending.

TEST_F(RuntimeTest, StepRunsTheProcessThatHasWaitedLongest) {
  for (const char* name : {"a", "b"}) {
    runtime_.Spawn([this, name](Self&) -> Task<> {
      Log(name);
      co_return;
    });
  }
  EXPECT_TRUE(runtime_.Step());
  EXPECT_EQ(TakeLog(), Strings({"a"}));
  EXPECT_TRUE(runtime_.Step());
  EXPECT_EQ(TakeLog(), Strings({"b"}));
  EXPECT_FALSE(runtime_.Step());
}

TEST_F(RuntimeTest, AProcessThatNeverRunsOutOfMessagesLetsOthersRun) {
  runtime_.Spawn([&](Self& self) -> Task<> {
    for (int i = 0; log_.empty(); ++i) {
      runtime_.Send(self.pid(), i);
      (void)co_await self.Receive<int>();
    }
  });
  runtime_.Spawn([&](Self&) -> Task<> {
    Log("mine");
    co_return;
  });
  Run();
  EXPECT_EQ(log_, Strings({"mine"}));
}

class RuntimeEndTest : public testing::TestWithParam<int> {};

TEST_P(RuntimeEndTest, DestructionEndsEveryProcessByShutdownAndRunsTheHooks) {
  int dead = 0;
  auto token = std::make_shared<int>(0);
  ExitHook hook;  // goes after the runtime
  {
    Runtime runtime({.threads = GetParam()});
    hook = runtime.AddExitHook(ExitPhase::kTables,
                               [&](Pid, const ExitReason& reason) {
                                 EXPECT_EQ(reason, ExitReason::Shutdown());
                                 ++dead;
                                 // Refused: or else there would be no end.
                                 const Pid refused = runtime.Spawn(Idle);
                                 EXPECT_FALSE(runtime.IsAlive(refused));
                               });
    for (int i = 0; i < 10; ++i) {
      runtime.Spawn([token](Self& self) -> Task<> {
        self.TrapExit(true);
        co_await Idle(self);
      });
    }
  }
  EXPECT_EQ(dead, 10);
  EXPECT_EQ(token.use_count(), 1);
}

INSTANTIATE_TEST_SUITE_P(ManualAndThreaded, RuntimeEndTest,
                         testing::Values(0, 1));

TEST(RuntimeDeathTest, StepIsForManualRuntimes) {
  EXPECT_DEATH(
      {
        Runtime runtime({.threads = 1});
        (void)runtime.Step();
      },
      "with threads");
}

}  // namespace
}  // namespace ets_keeper
