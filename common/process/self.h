// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: self.h
// -----------------------------------------------------------------------------
//
// `Self` is what the body of a process is given: the process, seen from within.
//
//   Task<> Echo(Self& self) {
//     for (;;) {
//       absl::StatusOr<Ping> ping =
//           co_await self.Receive<Ping>(absl::Seconds(60));
//       if (!ping.ok()) co_return;                 // nobody came: die normally
//       self.runtime().Send(ping->from, Pong{self.pid()});
//     }
//   }
//
// A receive is SELECTIVE: it takes the first message of the mailbox that
// matches and leaves all others where they are, in their order.
//
// Every `co_await` of a receive is a suspension point, even when a message is
// there already: an exit signal takes effect at it, and a process that never
// runs out of messages lets others run.
//
// Thread safety: a `Self` may be used only by the process it belongs to.
//
// Lifetime: it lives until the process' body and its captures are destroyed.

#ifndef COMMON_PROCESS_SELF_H_
#define COMMON_PROCESS_SELF_H_

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/receive.h"
#include "common/process/task.h"

namespace ets_keeper {

class Runtime;
class Self;

namespace internal {

struct Process;

// What a process asks of the runtime that runs it.
class SelfHost {
 public:
  virtual absl::Time DeadlineAfter(absl::Duration timeout) const = 0;
  virtual void TrapExit(Process& process, bool on) = 0;
  // These leave word with the runtime, which has control next: what is waited
  // for, or that nothing is any more.
  virtual void Wait(Process& process, PendingReceive& receive,
                    PromiseBase& waiter) = 0;
  virtual void LeaveForGood(Process& process, ExitReason reason) = 0;

 protected:
  ~SelfHost() = default;
};

template <typename T, typename Predicate>
class ReceiveAwaiter;
class ExitAwaiter;

// What `Self::Receive()` returns: to be awaited, at once.
template <typename T, typename Predicate>
struct [[nodiscard]] ReceiveRequest {
  Self& self;
  Predicate predicate;
  absl::Duration timeout;

  ReceiveAwaiter<T, Predicate> AwaiterOfTheRuntime() &&;
};

// What `Self::Exit()` returns.
struct [[nodiscard]] ExitRequest {
  Self& self;
  ExitReason reason;

  inline ExitAwaiter AwaiterOfTheRuntime() &&;
};

}  // namespace internal

// Self
class Self {
 public:
  Self(Runtime& runtime, internal::SelfHost& host, internal::Process& process,
       Pid pid)
      : runtime_(runtime), host_(host), process_(process), pid_(pid) {}

  Self(const Self&) = delete;
  Self& operator=(const Self&) = delete;

  [[nodiscard]] Pid pid() const { return pid_; }
  [[nodiscard]] Runtime& runtime() const { return runtime_; }

  // Self::Receive()
  //
  //   co_await self.Receive<T>()
  //   co_await self.Receive<T>(timeout)
  //   co_await self.Receive<T>(predicate)
  //   co_await self.Receive<T>(predicate, timeout)
  //
  // Gives, as an `absl::StatusOr<T>`, the first message in the mailbox that is
  // a `T` (`T = Message`: any message) and for which `predicate(const T&)` is
  // true, waiting for it for at most `timeout`; then `kTimeout`. A timeout of
  // zero or less looks only at what is there. A message that is there when the
  // timeout fires is received.
  //
  // An exception of the predicate comes out of the `co_await`, the mailbox
  // unchanged. O(messages passed over), each looked at once per receive.
  //
  // A predicate that owns something (a lambda that captures a string by value)
  // must be a variable with a name, which is copied; `std::ref(predicate)` when
  // it cannot be. Anything else does not compile: g++ 12 destroys such a
  // temporary of a `co_await` twice.
  template <typename T>
  [[nodiscard]] auto Receive(
      absl::Duration timeout = absl::InfiniteDuration()) {
    return Receive<T>(internal::MatchAll{}, timeout);
  }
  template <typename T, typename P>
  requires std::predicate < std::decay_t<P>
  &, const T& >
         [[nodiscard]] auto Receive(
             P&& predicate, absl::Duration timeout = absl::InfiniteDuration()) {
    static_assert(
        std::is_lvalue_reference_v<P> || std::is_trivially_destructible_v<P>,
        "a predicate that owns something must be a named variable");
    return internal::ReceiveRequest<T, std::decay_t<P>>{
        *this, std::forward<P>(predicate), timeout};
  }

  // Self::Exit()
  //
  // `co_await self.Exit(reason)` ends the process here, of `reason`, trapping
  // exits or not. It does not return.
  [[nodiscard]] auto Exit(ExitReason reason) {
    return internal::ExitRequest{*this, std::move(reason)};
  }

  // Self::TrapExit()
  //
  // While on, exit signals arrive as `ExitSignal` messages instead of killing
  // this process; all but `Runtime::Exit(pid, Killed())`. Off at first.
  void TrapExit(bool on) { host_.TrapExit(process_, on); }

 private:
  template <typename T, typename Predicate>
  friend class internal::ReceiveAwaiter;
  friend class internal::ExitAwaiter;

  Runtime& runtime_;
  internal::SelfHost& host_;
  internal::Process& process_;
  const Pid pid_;
};

namespace internal {

template <typename T, typename Predicate>
class ReceiveAwaiter final : public TypedReceive<T, Predicate> {
 public:
  ReceiveAwaiter(Self& self, Predicate predicate, absl::Duration timeout)
      : TypedReceive<T, Predicate>(self.pid(), std::move(predicate), timeout,
                                   self.host_.DeadlineAfter(timeout)),
        self_(self) {}

  bool await_ready() const noexcept { return false; }
  template <typename P>
  void await_suspend(std::coroutine_handle<P> handle) {
    self_.host_.Wait(self_.process_, *this, handle.promise());
  }
  absl::StatusOr<T> await_resume() { return this->Result(); }

 private:
  Self& self_;
};

class ExitAwaiter final {
 public:
  ExitAwaiter(Self& self, ExitReason reason)
      : self_(self), reason_(std::move(reason)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) {
    self_.host_.LeaveForGood(self_.process_, std::move(reason_));
  }
  void await_resume() const noexcept {}

 private:
  Self& self_;
  ExitReason reason_;
};

template <typename T, typename Predicate>
ReceiveAwaiter<T, Predicate>
ReceiveRequest<T, Predicate>::AwaiterOfTheRuntime() && {
  return ReceiveAwaiter<T, Predicate>(self, std::move(predicate), timeout);
}

ExitAwaiter ExitRequest::AwaiterOfTheRuntime() && {
  return ExitAwaiter(self, std::move(reason));
}

}  // namespace internal
}  // namespace ets_keeper

#endif  // COMMON_PROCESS_SELF_H_
