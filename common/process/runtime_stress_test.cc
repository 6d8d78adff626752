// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

//
// The runtime under four threads. Every count is exact; nothing waits for time.

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

constexpr int kThreads = 4;
constexpr int kProcesses = 400;
constexpr int kMessages = 50;

struct Numbered {
  int sender;
  int number;
};

TEST(RuntimeStressTest, MessagesOfEachSenderArriveAllAndInOrder) {
  Runtime runtime({.threads = kThreads});
  AdoptedThread self(runtime);
  const Pid sink = runtime.Spawn([&](Self& sink) -> Task<> {
    std::vector<int> next(kProcesses, 0);
    bool in_order = true;
    for (int i = 0; i < kProcesses * kMessages; ++i) {
      const absl::StatusOr<Numbered> message =
          co_await sink.Receive<Numbered>();
      in_order &= message->number == next[message->sender]++;
    }
    runtime.Send(self.pid(), in_order);
  });
  for (int sender = 0; sender < kProcesses; ++sender) {
    runtime.Spawn([&runtime, sink, sender](Self&) -> Task<> {
      for (int i = 0; i < kMessages; ++i) {
        runtime.Send(sink, Numbered{sender, i});
      }
      co_return;
    });
  }
  EXPECT_TRUE(*self.Receive<bool>());
}

TEST(RuntimeStressTest, EveryDeathRunsItsHooksOnceAndBeforeItsDown) {
  Runtime runtime({.threads = kThreads});
  std::vector<std::atomic<int>> tables(kProcesses);
  std::vector<std::atomic<int>> names(kProcesses);
  std::atomic<int> hooks_out_of_order = 0;
  std::atomic<uint64_t> first = 0;
  const auto index = [&](Pid pid) -> int {
    const uint64_t from = first.load();
    return pid.id < from || pid.id >= from + kProcesses
               ? -1
               : static_cast<int>(pid.id - from);
  };
  AdoptedThread self(runtime);
  std::vector<Pid> pids;
  for (int i = 0; i < kProcesses; ++i) {
    // Some return, some throw, some are killed, each when told or caught.
    pids.push_back(runtime.Spawn([i](Self& victim) -> Task<> {
      (void)co_await victim.Receive<int>();
      if (i % 3 == 1) throw std::runtime_error("crash");
    }));
  }
  first.store(pids.front().id);
  ASSERT_EQ(pids.back().id, pids.front().id + kProcesses - 1);
  const ExitHook tables_hook =
      runtime.AddExitHook(ExitPhase::kTables, [&](Pid pid, const ExitReason&) {
        if (index(pid) < 0) return;
        if (runtime.IsAlive(pid)) ++hooks_out_of_order;
        ++tables[index(pid)];
      });
  const ExitHook names_hook =
      runtime.AddExitHook(ExitPhase::kNames, [&](Pid pid, const ExitReason&) {
        if (index(pid) < 0) return;
        if (tables[index(pid)] != 1) ++hooks_out_of_order;
        ++names[index(pid)];
      });
  for (const Pid pid : pids) runtime.Monitor(self.pid(), pid);
  // Four processes end them all at the same time, in several ways at once.
  for (int k = 0; k < kThreads; ++k) {
    runtime.Spawn([&, k](Self&) -> Task<> {
      for (int i = 0; i < kProcesses; ++i) {
        if (i % 3 == 2) {
          runtime.Exit(pids[i], ExitReason::Killed());
        } else {
          runtime.Send(pids[i], k);
        }
      }
      co_return;
    });
  }
  int of_kind[5] = {};
  for (int i = 0; i < kProcesses; ++i) {
    const absl::StatusOr<Down> down = self.Receive<Down>();
    const int victim = index(down->pid);
    EXPECT_EQ(tables[victim], 1);
    EXPECT_EQ(names[victim], 1);
    EXPECT_FALSE(runtime.IsAlive(down->pid));
    ++of_kind[static_cast<int>(down->reason.kind())];
  }
  EXPECT_EQ(hooks_out_of_order, 0);
  EXPECT_EQ(of_kind[static_cast<int>(ExitReason::Kind::kNormal)], 134);
  EXPECT_EQ(of_kind[static_cast<int>(ExitReason::Kind::kError)], 133);
  EXPECT_EQ(of_kind[static_cast<int>(ExitReason::Kind::kKilled)], 133);
}

TEST(RuntimeStressTest, ARingOfLinksFallsCompletelyFromSeveralSidesAtOnce) {
  Runtime runtime({.threads = kThreads});
  AdoptedThread self(runtime);
  std::vector<Pid> ring;
  for (int i = 0; i < kProcesses; ++i) {
    ring.push_back(runtime.Spawn(
        [](Self& member) -> Task<> { (void)co_await member.Receive<int>(); }));
    runtime.Monitor(self.pid(), ring.back());
  }
  for (int i = 0; i < kProcesses; ++i) {
    runtime.Link(ring[i], ring[(i + 1) % kProcesses]);
  }
  for (int i = 0; i < kProcesses; i += kProcesses / kThreads) {
    runtime.Exit(ring[i], ExitReason::Shutdown());
  }
  for (int i = 0; i < kProcesses; ++i) {
    EXPECT_EQ(self.Receive<Down>()->reason, ExitReason::Shutdown());
  }
  EXPECT_FALSE(self.Receive<Down>(absl::ZeroDuration()).ok());
}

TEST(RuntimeStressTest, DestructionInTheMidstOfThingsLosesNobody) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> spawned = 0;
    std::atomic<int> dead = 0;
    auto token = std::make_shared<int>(0);
    ExitHook hook;
    {
      Runtime runtime({.threads = kThreads});
      hook = runtime.AddExitHook(ExitPhase::kTables,
                                 [&](Pid, const ExitReason&) { ++dead; });
      for (int i = 0; i < kProcesses / 4; ++i) {
        ++spawned;
        runtime.Spawn([token, &runtime](Self& self) -> Task<> {
          for (;;) {
            runtime.Send(self.pid(), 1);
            (void)co_await self.Receive<int>();
          }
        });
      }
    }
    EXPECT_EQ(dead, spawned);
    EXPECT_EQ(token.use_count(), 1);
  }
}

}  // namespace
}  // namespace ets_keeper
