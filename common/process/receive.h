// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: receive.h
// -----------------------------------------------------------------------------
//
// Selective receive, the part that is common to coroutines (`Self::Receive()`)
// and adopted threads (`AdoptedThread::Receive()`): which message is wanted,
// for how long, and what came of it. Internal to the runtime.
//
// Thread safety: a receive belongs to the thread that runs its process.

#ifndef COMMON_PROCESS_RECEIVE_H_
#define COMMON_PROCESS_RECEIVE_H_

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/message.h"

namespace ets_keeper::internal {

// PayloadOf()
//
// What a receive of `T` sees in `message`: null when it is not for it. A
// receive of `Message` sees every message.
template <typename T>
T* PayloadOf(Message& message) {
  if constexpr (std::is_same_v<T, Message>) {
    return &message;
  } else {
    return message.As<T>();
  }
}

// MatchAll
//
// The predicate of a receive without one.
struct MatchAll {
  template <typename T>
  bool operator()(const T&) const {
    return true;
  }
};

// PendingReceive
//
// One receive in progress.
class PendingReceive {
 public:
  PendingReceive(Pid receiver, absl::Duration timeout, absl::Time deadline)
      : receiver_(receiver), timeout_(timeout), deadline_(deadline) {}
  virtual ~PendingReceive() = default;

  PendingReceive(const PendingReceive&) = delete;
  PendingReceive& operator=(const PendingReceive&) = delete;

  // Whether `message` is wanted. Runs the user's predicate, which may throw.
  virtual bool Wants(Message& message) = 0;

  [[nodiscard]] absl::Time deadline() const { return deadline_; }

  // How it ends: with one of these.
  void Deliver(Message message) { message_ = std::move(message); }
  void Fail(absl::Status status) { failure_ = std::move(status); }
  void FailByTimeout();
  void FailByException(std::exception_ptr error) { error_ = std::move(error); }

 protected:
  // The delivered message; the failure; or throws the predicate's exception.
  absl::StatusOr<Message> TakeResult();

 private:
  const Pid receiver_;
  const absl::Duration timeout_;
  const absl::Time deadline_;
  Message message_;
  absl::Status failure_;
  std::exception_ptr error_;
};

// TypedReceive
template <typename T, std::predicate<const T&> Predicate>
class TypedReceive : public PendingReceive {
 public:
  TypedReceive(Pid receiver, Predicate predicate, absl::Duration timeout,
               absl::Time deadline)
      : PendingReceive(receiver, timeout, deadline),
        predicate_(std::move(predicate)) {}

  bool Wants(Message& message) override {
    const T* payload = PayloadOf<T>(message);
    return payload != nullptr && predicate_(*payload);
  }

  absl::StatusOr<T> Result() {
    absl::StatusOr<Message> message = TakeResult();
    if (!message.ok()) return message.status();
    return std::move(*PayloadOf<T>(*message));
  }

 private:
  Predicate predicate_;
};

}  // namespace ets_keeper::internal

#endif  // COMMON_PROCESS_RECEIVE_H_
