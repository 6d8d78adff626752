// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <stdexcept>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "examples/input_file.h"
#include "examples/wordcount_counter.h"
#include "examples/wordcount_run.h"
#include "protets/protets.h"

namespace ets_keeper::examples {
namespace {

// One counter, as the thread that starts it and waits for its end sees it.
struct Counter {
  CountJob job;
  bool throws = false;
  uint64_t target = 0;
  CountMoment moment = CountMoment::kCommitted;  // at the target

  absl::Status status = absl::OkStatus();
  absl::Time ready = absl::InfinitePast();
  absl::Time thrown = absl::InfiniteFuture();
};

// Throws, and takes the owner of the table along.
[[noreturn]] void Throw(protets::Protets& tables, Runtime& runtime,
                        Counter& counter) {
  if (const absl::StatusOr<protets::KeptTable> kept = tables.Info(kWordTable);
      kept.ok()) {
    runtime.Exit(kept->table.owner, ExitReason::Killed());
  }
  counter.thrown = RealClock().Now();
  throw std::runtime_error("the counter is made to fail");
}

Task<> Count(Self& self, protets::Protets& tables, const InputFile& input,
             Counter& counter, OnProgress on_progress, int kills) {
  const absl::StatusOr<WordTable> words =
      tables.Get<WordCount, &WordCount::word>(kWordTable);
  counter.status = words.status();
  if (!words.ok()) co_return;
  counter.status = CountWords(
      input, *words, counter.job, [&](CountMoment moment, uint64_t position) {
        if (moment == CountMoment::kReady) counter.ready = RealClock().Now();
        on_progress(position, kills);
        if (counter.throws && moment == counter.moment &&
            position >= counter.target) {
          Throw(tables, self.runtime(), counter);
        }
      });
  if (counter.status.ok() && counter.throws) {
    Throw(tables, self.runtime(), counter);
  }
}

}  // namespace

absl::StatusOr<RunResult> CountWhileThrowing(const InputFile& input,
                                             const RunOptions& options,
                                             OnProgress on_progress) {
  Runtime runtime;
  protets::Protets tables({.runtime = &runtime});
  AdoptedThread self(runtime);
  KillPlan plan(input.size(), options);
  RunResult result;
  absl::Time thrown = absl::InfiniteFuture();
  for (int i = 0; i <= options.kills; ++i) {
    Counter counter;
    counter.job = plan.Job(i);
    counter.throws = i < options.kills;
    counter.target = plan.Target(i);
    counter.moment = static_cast<CountMoment>(plan.Random(2));
    const Pid pid = runtime.Spawn([&](Self& process) {
      return Count(process, tables, input, counter, on_progress, result.kills);
    });
    runtime.Monitor(self.pid(), pid);
    const absl::StatusOr<Down> down = self.Receive<Down>(
        [pid](const Down& message) { return message.pid == pid; });
    if (!down.ok()) return down.status();
    if (!counter.status.ok()) return counter.status;
    if (counter.thrown != absl::InfiniteFuture()) ++result.kills;
    if (i > 0) result.hand_overs.push_back(counter.ready - thrown);
    thrown = counter.thrown;
  }
  const absl::StatusOr<WordTable> words =
      tables.Get<WordCount, &WordCount::word>(kWordTable);
  if (!words.ok()) return words.status();
  absl::StatusOr<Tally> tally = ReadTally(*words);
  if (!tally.ok()) return tally.status();
  result.tally = *std::move(tally);
  return result;
}

}  // namespace ets_keeper::examples
