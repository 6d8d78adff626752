// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: runtime.h
// -----------------------------------------------------------------------------
//
// `Runtime` runs lightweight processes: coroutines with a `Pid`, a mailbox and
// a death that others can watch.
//
//   Runtime runtime;
//   Pid counter = runtime.Spawn([](Self& self) -> Task<> {
//     int sum = 0;
//     for (;;) {
//       absl::StatusOr<int> n = co_await self.Receive<int>();
//       sum += *n;
//     }
//   });
//   runtime.Send(counter, 42);
//   runtime.Exit(counter, ExitReason::Shutdown());
//
// HOW A PROCESS DIES. By returning (`normal`), by an exception that leaves its
// body (`error`), or by an exit signal. Then, in this order, each finished
// before the next begins, all on the thread that ran it:
//
//   0. The body's locals are destroyed, then its captures, as at the end of any
//      scope. They come first because an exception has unwound them already
//      when anybody can know of it, and a death must look the same whatever its
//      cause. So a local must not own what an heir is to get: a table handle is
//      a value, and its destructor deletes no table.
//   1. `IsAlive()` is false, messages to it vanish, its mailbox is destroyed.
//   2. The `ExitPhase::kTables` hooks run: tables are handed over or destroyed.
//   3. The `ExitPhase::kNames` hooks run: names are released.
//   4. Links fire: each linked process gets an exit signal.
//   5. Monitors fire: each watcher gets a `Down`.
//
// A link or a monitor that is made while 1 to 3 last still fires in its turn,
// with the true reason.
//
// MEMORY ORDERING. What a thread did before `Send()` happens before the receive
// that returns the message. What a process and its hooks did happens before the
// receive of its `ExitSignal` or `Down`. `IsAlive()` turns false before the
// first hook runs: whoever hands something to a process while holding the lock
// that its hook takes, and asks `IsAlive()` under that lock, either is told
// false or is found by the hook.
//
// Messages from one process to another arrive in the order they were sent. To a
// process that is dead they vanish without a trace.
//
// Thread safety: everything may be called from any thread, also from bodies and
// hooks. Predicates, bodies, hooks and destructors run outside of any lock.
//
// Lifetime: the runtime outlives its adopted threads. `Pid`s outlive
// everything.
//
// It is not preemptive: a body that computes without a `co_await` keeps its
// thread, and no signal reaches it until it awaits.

#ifndef COMMON_PROCESS_RUNTIME_H_
#define COMMON_PROCESS_RUNTIME_H_

#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/clock/clock.h"
#include "common/pid/pid.h"
#include "common/process/body.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/message.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"

namespace ets_keeper {

class AdoptedThread;

namespace internal {
class Kernel;
}  // namespace internal

// Runtime
class Runtime {
 public:
  // Runtime::Options
  struct Options {
    // How many threads run processes. With 0 the runtime is MANUAL: nothing
    // runs but in `Step()`, `RunUntilIdle()`, and in an adopted thread that
    // waits in a receive; always in the same order.
    int threads = 1;

    // The time for timeouts; null means `RealClock()`. Outlives the runtime.
    Clock* clock = nullptr;
  };

  Runtime() : Runtime(Options{}) {}
  explicit Runtime(const Options& options);

  // Ends every process by an exit signal `shutdown` that cannot be trapped,
  // runs its hooks, and joins the threads. No adopted thread may be left.
  ~Runtime();

  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Runtime::Spawn()
  //
  // Starts a process that runs `body(self)`. The callable is kept, with its
  // captures, until the coroutine is destroyed: a lambda with captures is as
  // good a body as a function. O(1); costs about a kilobyte until it dies.
  //
  // Never fails. Once the runtime is being destroyed the body is not run: the
  // pid returned is that of a process that has died already.
  template <typename F>
  requires std::is_invocable_r_v < Task<>, std::decay_t<F>
  &, Self& > Pid Spawn(F&& body) {
    return SpawnBody(std::make_unique<internal::BodyOf<std::decay_t<F>>>(
        std::forward<F>(body)));
  }

  // Runtime::Send()
  //
  // Puts `value` at the end of `to`'s mailbox: received there as its decayed
  // type. When `to` is dead, nothing happens. O(1).
  template <typename T>
  void Send(Pid to, T&& value) {
    if constexpr (std::is_same_v<std::decay_t<T>, Message>) {
      SendMessage(to, std::forward<T>(value));
    } else {
      SendMessage(to, Message::Of(std::forward<T>(value)));
    }
  }

  // Runtime::IsAlive()
  //
  // False from before the first exit hook runs; for ever.
  [[nodiscard]] bool IsAlive(Pid pid) const;

  // Runtime::Exit()
  //
  // Sends the exit signal `reason` to `target`, as if from `from`.
  //
  //   * `killed` kills, trapping exits or not.
  //   * A process that traps exits gets an `ExitSignal` message.
  //   * `normal` does nothing to a process that does not.
  //   * Any other reason is what the process dies of.
  //
  // A process that is not running at the moment is dead at once (`IsAlive()` is
  // false when this returns) and its hooks run as soon as a thread is free; one
  // that is running dies at its next `co_await` of a receive. A process that
  // ends by itself before that dies of its own reason. The first signal wins.
  void Exit(Pid target, ExitReason reason, Pid from = kNoPid);

  // Runtime::Link()
  //
  // Ties `a` and `b`: the death of one sends the other an exit signal, once.
  // Linked already, or to itself: nothing happens. When one has died, the other
  // gets an exit signal `noproc` from it now.
  void Link(Pid a, Pid b);

  // Runtime::Unlink()
  //
  // Afterwards neither's death sends the other a signal. One that was sent
  // before stays sent.
  void Unlink(Pid a, Pid b);

  // Runtime::Monitor()
  //
  // `watcher` will get one `Down` when `target` has died; now, with the reason
  // `noproc`, when it has died already. Each call makes a monitor of its own.
  MonitorRef Monitor(Pid watcher, Pid target);

  // Runtime::Demonitor()
  //
  // Ends a monitor: no receive of the watcher that begins afterwards returns
  // its `Down`, not even when it was in the mailbox already. An ended monitor
  // is left alone. O(messages in the watcher's mailbox) when it has fired.
  void Demonitor(const MonitorRef& ref);

  // Runtime::AddExitHook()
  //
  // `hook(pid, reason)` will run at the death of every process, in its phase,
  // after the hooks added before it, until the returned handle is destroyed. It
  // runs on the dying process' thread with no lock held, and may call
  // everything here. Its exceptions are logged and dropped.
  [[nodiscard]] ExitHook AddExitHook(ExitPhase phase, ExitHookFunction hook);

  // Runtime::Step()
  //
  // Only on a manual runtime: lets the process that has been ready for longest
  // run until it waits (or for a bounded number of messages), or completes one
  // death. False when none is ready. Processes whose timeout has come are
  // ready.
  bool Step();

  // Runtime::RunUntilIdle()
  //
  // Only on a manual runtime: steps until none is ready.
  void RunUntilIdle();

  // Runtime::process_count()
  //
  // The processes that have not finished dying, adopted threads included.
  [[nodiscard]] int process_count() const;

  [[nodiscard]] Clock& clock() const;

 private:
  friend class AdoptedThread;
  friend class Self;

  Pid SpawnBody(std::unique_ptr<internal::Body> body);
  void SendMessage(Pid to, Message message);

  const std::unique_ptr<internal::Kernel> kernel_;
  std::vector<std::thread> threads_;
};

}  // namespace ets_keeper

#endif  // COMMON_PROCESS_RUNTIME_H_
