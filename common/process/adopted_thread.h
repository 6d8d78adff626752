// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: adopted_thread.h
// -----------------------------------------------------------------------------
//
// `AdoptedThread` makes the current thread a process for a scope: it has a pid,
// receives, links and monitors, may own tables, and dies like any other.
//
//   int main() {
//     Runtime runtime;
//     AdoptedThread self(runtime);
//     Pid worker = runtime.Spawn(Work);
//     runtime.Monitor(self.pid(), worker);
//     absl::StatusOr<Down> down = self.Receive<Down>(absl::Seconds(10));
//     ...
//   }                                    // dies normally; hooks run here
//
// It dies at the end of the scope: of `normal`, or of `error` when an exception
// is leaving the scope. An exit signal cannot stop a thread that computes: it
// takes effect in the next `Receive()`, at once when the thread waits in one.
// The order at death is that of every process (see runtime.h), and all of it
// runs on this thread.
//
// Thread safety: an `AdoptedThread` may be used only by the thread that made
// it. A thread may be several processes at a time, each with an object of its
// own.
//
// Lifetime: it must be destroyed before the runtime.

#ifndef COMMON_PROCESS_ADOPTED_THREAD_H_
#define COMMON_PROCESS_ADOPTED_THREAD_H_

#include <concepts>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/receive.h"
#include "common/process/runtime.h"

namespace ets_keeper {

// AdoptedThread
class AdoptedThread {
 public:
  explicit AdoptedThread(Runtime& runtime);
  ~AdoptedThread();

  AdoptedThread(const AdoptedThread&) = delete;
  AdoptedThread& operator=(const AdoptedThread&) = delete;

  // The same before and after its death.
  [[nodiscard]] Pid pid() const { return pid_; }
  [[nodiscard]] Runtime& runtime() const { return runtime_; }

  // AdoptedThread::Receive()
  //
  //   self.Receive<T>()
  //   self.Receive<T>(timeout)
  //   self.Receive<T>(predicate)
  //   self.Receive<T>(predicate, timeout)
  //
  // `Self::Receive()` for a thread: blocks instead of suspending. `kTimeout`
  // when the time is over. `kRecipientDead` when this process is dead, or dies
  // here of an exit signal, whose reason the message names. An exception of the
  // predicate comes out, the mailbox unchanged.
  //
  // On a manual runtime it runs other processes while it waits.
  template <typename T>
  [[nodiscard]] absl::StatusOr<T> Receive(
      absl::Duration timeout = absl::InfiniteDuration()) {
    return Receive<T>(internal::MatchAll{}, timeout);
  }
  template <typename T, std::predicate<const T&> Predicate>
  [[nodiscard]] absl::StatusOr<T> Receive(
      Predicate predicate, absl::Duration timeout = absl::InfiniteDuration()) {
    internal::TypedReceive<T, Predicate> receive(
        pid_, std::move(predicate), timeout, DeadlineAfter(timeout));
    Wait(receive);
    return receive.Result();
  }

  // AdoptedThread::TrapExit()
  //
  // See `Self::TrapExit()`.
  void TrapExit(bool on);

  // AdoptedThread::Fail()
  //
  // Dies now, of `reason`; the rest of the scope is run by a thread that is no
  // process. When it is dead already nothing happens.
  void Fail(ExitReason reason);

 private:
  absl::Time DeadlineAfter(absl::Duration timeout) const;
  // Blocks until `receive` has its result.
  void Wait(internal::PendingReceive& receive);

  Runtime& runtime_;
  internal::Process* process_;  // null when dead
  const Pid pid_;
  const int exceptions_at_entry_;
};

}  // namespace ets_keeper

#endif  // COMMON_PROCESS_ADOPTED_THREAD_H_
