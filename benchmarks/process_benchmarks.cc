// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/process_benchmarks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "benchmark/benchmark.h"
#include "blanket/inheritance.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"

namespace ets_keeper::benchmarks {
namespace {

using Seconds = std::chrono::duration<double>;
using SteadyClock = std::chrono::steady_clock;

struct Row {
  uint64_t key = 0;
  uint64_t value = 0;

  static constexpr auto Fields() {
    return FieldList(Field("key", &Row::key), Field("value", &Row::value));
  }
};
using Rows = Table<Row, &Row::key>;

// One scheduler thread, and tables that heirs get.
struct World {
  Runtime runtime{{.threads = 1}};
  blanket::Inheritance inheritance{runtime};
};

// What is timed: `rounds` operations, by a process, which returns their time.
using Rounds = Task<Seconds> (*)(Self& self, World& world, int64_t rounds);

struct Ping {
  Pid from;
  int64_t word;
};
struct Pong {
  int64_t word;
};

Task<> Echo(Self& self) {
  for (;;) {
    const absl::StatusOr<Ping> ping = co_await self.Receive<Ping>();
    CHECK_OK(ping.status());
    self.runtime().Send(ping->from, Pong{ping->word});
  }
}

Task<Seconds> MessageRoundTrips(Self& self, World& world, int64_t rounds) {
  const Pid echo = world.runtime.Spawn(Echo);
  const auto begin = SteadyClock::now();
  for (int64_t i = 0; i < rounds; ++i) {
    world.runtime.Send(echo, Ping{self.pid(), i});
    const absl::StatusOr<Pong> pong = co_await self.Receive<Pong>();
    CHECK(pong.ok() && pong->word == i);
  }
  const Seconds time = SteadyClock::now() - begin;
  world.runtime.Exit(echo, ExitReason::Killed());
  co_return time;
}

// The end of that process, when all that it owned is gone.
Task<> AwaitEnd(Self& self, Pid pid) {
  self.runtime().Monitor(self.pid(), pid);
  const absl::StatusOr<Down> down = co_await self.Receive<Down>();
  CHECK(down.ok() && down->pid == pid);
}

Task<Seconds> SpawnsAndExits(Self& self, World& world, int64_t rounds) {
  const auto begin = SteadyClock::now();
  for (int64_t i = 0; i < rounds; ++i) {
    co_await AwaitEnd(self,
                      world.runtime.Spawn([](Self&) -> Task<> { co_return; }));
  }
  co_return SteadyClock::now() - begin;
}

Task<Seconds> TablesWithWorkers(Self& self, World& world, int64_t rounds) {
  Tables& tables = world.inheritance.tables();
  const auto worker = [&tables](Self& self) -> Task<> {
    CHECK_OK(Rows::New(tables, self.pid(), {}).status());
    co_return;
  };
  const auto begin = SteadyClock::now();
  for (int64_t i = 0; i < rounds; ++i) {
    co_await AwaitEnd(self, world.runtime.Spawn(worker));
  }
  const Seconds time = SteadyClock::now() - begin;
  CHECK(tables.All().empty());
  co_return time;
}

Task<Seconds> Inheritances(Self& self, World& world, int64_t rounds) {
  Tables& tables = world.inheritance.tables();
  const auto owner = [&tables, heir = self.pid()](Self& self) -> Task<> {
    TableOptions options;
    options.heirs.chain = {heir};
    const absl::StatusOr<Rows> rows =
        Rows::New(tables, self.pid(), std::move(options));
    CHECK_OK(rows.status());
    CHECK_OK(rows->Insert({1, 1}));
    self.runtime().Send(heir, self.pid());
    (co_await self.Receive<Ping>()).status().IgnoreError();
  };
  Seconds time(0);
  for (int64_t i = 0; i < rounds; ++i) {
    const Pid pid = world.runtime.Spawn(owner);
    CHECK_OK((co_await self.Receive<Pid>()).status());
    const auto begin = SteadyClock::now();
    world.runtime.Exit(pid, ExitReason::Killed());
    const absl::StatusOr<TableTransfer> transfer =
        co_await self.Receive<TableTransfer>();
    time += SteadyClock::now() - begin;
    CHECK(transfer.ok() && transfer->from == pid);
    const absl::StatusOr<TableHandle> handle =
        tables.Own(transfer->table, self.pid());
    CHECK_OK(handle.status());
    CHECK_OK(tables.Delete(*handle));
  }
  co_return time;
}

// In a process of the world's scheduler; the calling thread sleeps.
Seconds InProcess(World& world, Rounds function, int64_t rounds) {
  Seconds time(0);
  absl::Notification done;
  world.runtime.Spawn([&](Self& self) -> Task<> {
    time = co_await function(self, world, rounds);
    done.Notify();
  });
  done.WaitForNotification();
  return time;
}

auto* Register(const char* op, Rounds function, int64_t rounds) {
  return benchmark::RegisterBenchmark(
             absl::StrCat("process/", op, "/ets_keeper").c_str(),
             [=](benchmark::State& state) {
               World world;
               InProcess(world, function, std::min<int64_t>(rounds, 100));
               while (state.KeepRunningBatch(rounds)) {
                 state.SetIterationTime(
                     InProcess(world, function, rounds).count());
               }
             })
      ->Threads(1)
      ->UseManualTime();
}

}  // namespace

void RegisterProcessBenchmarks(int64_t rounds) {
  Register("message_round_trip", MessageRoundTrips, rounds);
  Register("spawn_exit", SpawnsAndExits, rounds);
  // These are made of more than the rest; most of the last is not timed.
  const int64_t fewer = std::max<int64_t>(rounds / 10, 1);
  Register("table_with_worker", TablesWithWorkers, fewer);
  Register("heir", Inheritances, fewer)->Iterations(fewer);
}

}  // namespace ets_keeper::benchmarks
