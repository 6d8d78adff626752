// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: kernel.h
// -----------------------------------------------------------------------------
//
// `Kernel` is the inside of a `Runtime`: the table of processes, the signals
// between them, and the queue of those that want to run. What its members do to
// the world is told in runtime.h.
//
// One mutex guards all that processes share; the sections under it are short
// and run no code of the user: no predicate, body, hook or destructor of a
// message. A process belongs to the thread that runs it from the moment it is
// taken off the queue until it is parked or has died, so its coroutine needs no
// lock.
//
// Threads that have nothing to do sleep each on a doorbell of its own, which
// stands in `idle_` meanwhile: new work takes one out and rings it.
//
// Thread safety: everything may be called from any thread, but for `Run()`-like
// members on a `Process`, which only the thread that runs it calls.

#ifndef COMMON_PROCESS_KERNEL_H_
#define COMMON_PROCESS_KERNEL_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/pid/pid.h"
#include "common/process/body.h"
#include "common/process/doorbell.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/mailbox.h"
#include "common/process/message.h"
#include "common/process/process_record.h"
#include "common/process/receive.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "common/process/timer_queue.h"

namespace ets_keeper::internal {

class Kernel final : public SelfHost {
 public:
  // A manual kernel's processes are run by `Step()` and by waiting adopted
  // threads, another's by the threads in `Work()`.
  Kernel(Runtime& runtime, Clock& clock, bool manual)
      : runtime_(runtime), clock_(clock), manual_(manual) {}

  // ---- Processes and signals: runtime.h.

  Pid Spawn(std::unique_ptr<Body> body) ABSL_LOCKS_EXCLUDED(mu_);
  void Send(Pid to, Message message) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsAlive(Pid pid) const ABSL_LOCKS_EXCLUDED(mu_);
  void Exit(Pid target, const ExitReason& reason, Pid from)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Link(Pid a, Pid b) ABSL_LOCKS_EXCLUDED(mu_);
  void Unlink(Pid a, Pid b) ABSL_LOCKS_EXCLUDED(mu_);
  MonitorRef Monitor(Pid watcher, Pid target) ABSL_LOCKS_EXCLUDED(mu_);
  void Demonitor(const MonitorRef& ref) ABSL_LOCKS_EXCLUDED(mu_);
  int process_count() const ABSL_LOCKS_EXCLUDED(mu_);
  ExitHooks& hooks() { return hooks_; }
  Clock& clock() const { return clock_; }
  bool manual() const { return manual_; }

  // ---- Adopted threads.

  Process& Adopt() ABSL_LOCKS_EXCLUDED(mu_);

  // Blocks until `receive` has its result. False when an exit signal came
  // first: then `process` has died here, of the reason in the result, and is
  // gone.
  bool Block(Process& process, PendingReceive& receive)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The whole of a death, in order. `process` is gone when it returns.
  void Die(Process& process, const ExitReason& reason) ABSL_LOCKS_EXCLUDED(mu_);

  // ---- Running.

  bool Step() ABSL_LOCKS_EXCLUDED(mu_);
  // The life of a thread: until `ShutDown()`, and until nobody is left.
  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  // Dooms all processes, and refuses new ones.
  void ShutDown() ABSL_LOCKS_EXCLUDED(mu_);

  // ---- SelfHost.

  absl::Time DeadlineAfter(absl::Duration timeout) const override;
  void TrapExit(Process& process, bool on) override ABSL_LOCKS_EXCLUDED(mu_);
  void Wait(Process& process, PendingReceive& receive,
            PromiseBase& waiter) override;
  void LeaveForGood(Process& process, ExitReason reason) override;

 private:
  enum class Parked { kYes, kNews, kTimedOut };

  // The process; null when it is gone.
  Process* Find(Pid pid) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The process if its links have not fired yet.
  Process* FindLinkable(Pid pid) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Moves `message` to the inbox; leaves it alone when the process is dead.
  void Post(Process& to, Message& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PostDown(const MonitorRef& ref, const ExitReason& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // An exit signal that can be trapped, and one that cannot.
  void Signal(Process& to, Pid from, const ExitReason& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Doom(Process& process, const ExitReason& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // If it waits, it does so no longer.
  void Wake(Process& process) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void MakeReady(Process& process) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeAllThreads() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The process to run next, now running; null when none is ready.
  Process* TakeReady() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Finished() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Runs the process until it waits, has had its turn, or has died.
  void Run(Process& process) ABSL_LOCKS_EXCLUDED(mu_);
  // Resumes the coroutine. Returns the reason when that was its end.
  std::optional<ExitReason> Resume(Process& process);
  // Brings the mailbox up to date. False when there is a signal to die of.
  bool Refill(Process& process) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes what the process waits for from its mailbox. The receive has its
  // result when this returns true.
  static bool TryReceive(Process& process);
  // Makes the process wait, unless there is news or its deadline has come. An
  // adopted thread sleeps on `bell`; a coroutine, whose `bell` is null, may be
  // running elsewhere when this returns kYes.
  Parked Park(Process& process, absl::Time deadline, Doorbell* bell)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Sleeps, or runs others, until there may be news for an adopted thread.
  void Sleep(Process& process, absl::Time deadline, Doorbell& bell)
      ABSL_LOCKS_EXCLUDED(mu_);
  void DieInReceive(Process& process, PendingReceive& receive)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The steps of a death.
  static void DestroyBody(Process& process);
  void Close(Process& process) ABSL_LOCKS_EXCLUDED(mu_);
  // These fire one and return true, or find that none is left. The last monitor
  // fired, the process is forgotten.
  bool FireOneLink(Process& process, const ExitReason& reason)
      ABSL_LOCKS_EXCLUDED(mu_);
  bool FireOneMonitor(Process& process, const ExitReason& reason)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Forget(Process& process) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Runtime& runtime_;
  Clock& clock_;
  const bool manual_;
  ExitHooks hooks_;

  mutable absl::Mutex mu_;
  absl::flat_hash_map<Pid, std::unique_ptr<Process>> processes_
      ABSL_GUARDED_BY(mu_);
  std::deque<Process*> ready_ ABSL_GUARDED_BY(mu_);
  TimerQueue<Process*> timers_ ABSL_GUARDED_BY(mu_);
  std::vector<Doorbell*> idle_ ABSL_GUARDED_BY(mu_);
  uint64_t last_monitor_ ABSL_GUARDED_BY(mu_) = 0;
  int adopted_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ets_keeper::internal

#endif  // COMMON_PROCESS_KERNEL_H_
