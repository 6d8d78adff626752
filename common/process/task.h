// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: task.h
// -----------------------------------------------------------------------------
//
// `Task<T>` is the coroutine of a process: the body that `Runtime::Spawn()`
// runs returns a `Task<>`, and a body may wait for parts of itself that are
// written as functions of their own.
//
//   Task<absl::StatusOr<int>> Ask(Self& self, Pid server) {
//     self.runtime().Send(server, Question{self.pid()});
//     co_return co_await self.Receive<int>(absl::Seconds(5));
//   }
//
//   Task<> Client(Self& self, Pid server) {
//     absl::StatusOr<int> answer = co_await Ask(self, server);
//     ...
//   }
//
// A task does nothing until it is awaited. It may await tasks and receives, and
// nothing else: anything else does not compile. An exception that leaves it
// comes out of the `co_await`, and out of the outermost task kills the process.
//
// Thread safety: a task belongs to one process, and only that process' thread
// of the moment touches it.
//
// Lifetime: the one who holds the `Task` owns the frame. A task's arguments
// obey the rule of every coroutine: what it takes by reference must outlive it.
// In `co_await Ask(self, server)` all do.
//
// With g++ 12, write no temporary that owns something and is made by braces, or
// is a lambda, into an expression with `co_await`: that compiler destroys it
// twice. Give it a name first. What a function call returns is safe.
//
// It is not a future: nobody can wait for it from outside its process.

#ifndef COMMON_PROCESS_TASK_H_
#define COMMON_PROCESS_TASK_H_

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace ets_keeper {

template <typename T = void>
class Task;

namespace internal {

struct PromiseBase;
PromiseBase& PromiseOf(Task<void>& task);

// What all promises have in common: who is waiting for whom.
struct PromiseBase {
  std::coroutine_handle<> handle;
  PromiseBase* caller = nullptr;  // null for the body of a process
  std::exception_ptr error;

  std::suspend_always initial_suspend() noexcept { return {}; }
  std::suspend_always final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }

  template <typename T>
  auto await_transform(Task<T>&& task) noexcept;

  // What a process can ask of the runtime makes its awaiter itself. The awaiter
  // is built in the coroutine's frame, and never moves.
  template <typename Request>
  requires requires(Request&& request) {
    std::forward<Request>(request).AwaiterOfTheRuntime();
  }
  auto await_transform(Request&& request) {
    return std::forward<Request>(request).AwaiterOfTheRuntime();
  }
};

// ResumeTask()
//
// Resumes the innermost waiting task, and its callers as far as they come.
// Returns true when the outermost has finished; false when one waits again.
//
// Control comes back here whenever a task finishes, instead of passing from
// frame to frame: no number of tasks awaited in a loop grows the stack, with
// any compiler and any sanitizer.
inline bool ResumeTask(PromiseBase* innermost) {
  while (innermost != nullptr) {
    innermost->handle.resume();
    if (!innermost->handle.done()) return false;
    innermost = innermost->caller;
  }
  return true;
}

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object() noexcept;
  template <std::convertible_to<T> U>
  void return_value(U&& u) {
    value.emplace(std::forward<U>(u));
  }
  T TakeValue() { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
  inline Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void TakeValue() noexcept {}
};

}  // namespace internal

// Task
template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;

  // An empty task, which must not be awaited.
  Task() = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    Task old(std::exchange(handle_, std::exchange(other.handle_, {})));
    return *this;
  }

  // Destroys the frame, wherever it waits, and with it the tasks it awaits.
  ~Task() {
    if (handle_) handle_.destroy();
  }

  [[nodiscard]] bool empty() const { return !handle_; }

 private:
  friend promise_type;
  friend internal::PromiseBase;
  friend internal::PromiseBase& internal::PromiseOf(Task<void>& task);

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {
    if (handle_) handle_.promise().handle = handle_;
  }

  std::coroutine_handle<promise_type> handle_;
};

namespace internal {

// PromiseOf()
//
// For the runtime, which resumes the body of a process from outside of any
// task.
[[nodiscard]] inline PromiseBase& PromiseOf(Task<void>& task) {
  return task.handle_.promise();
}

template <typename T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

template <typename T>
struct TaskAwaiter {
  std::coroutine_handle<Promise<T>> callee;

  bool await_ready() const noexcept { return false; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    callee.promise().caller = &caller.promise();
    callee.resume();
    return !callee.done();
  }
  T await_resume() {
    if (callee.promise().error) std::rethrow_exception(callee.promise().error);
    return callee.promise().TakeValue();
  }
};

// The task itself is a temporary of the full expression, or a variable that was
// moved from by name: either way its owner's frame outlives the await.
template <typename T>
auto PromiseBase::await_transform(Task<T>&& task) noexcept {
  return TaskAwaiter<T>{task.handle_};
}

}  // namespace internal
}  // namespace ets_keeper

#endif  // COMMON_PROCESS_TASK_H_
