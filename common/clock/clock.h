// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: clock.h
// -----------------------------------------------------------------------------
//
// `Clock` is the only way in which this library learns the time or waits for
// it, so that a test can be the one who says what time it is:
//
//   ManualClock clock;
//   Runtime runtime({.threads = 0, .clock = &clock});
//   ...                                 // a process waits for five seconds
//   clock.Advance(absl::Seconds(5));    // five seconds have passed
//   runtime.RunUntilIdle();             // its timeout fires
//
// Thread safety: every member of every clock may be called from any thread.
//
// Lifetime: a clock outlives all that was given a reference to it.
//
// It is not the time of day. `RealClock()` starts from it, and then never goes
// back and never jumps when somebody sets the machine's clock.

#ifndef COMMON_CLOCK_CLOCK_H_
#define COMMON_CLOCK_CLOCK_H_

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace ets_keeper {

// Clock
class Clock {
 public:
  virtual ~Clock() = default;

  // Clock::Now()
  //
  // Never smaller than what any thread was told before.
  [[nodiscard]] virtual absl::Time Now() const = 0;

  // Clock::AwaitWithDeadline()
  //
  // `absl::Mutex::AwaitWithDeadline()` on this clock: releases `mu`, waits
  // until `condition` holds or `Now() >= deadline`, takes `mu` again, and
  // returns whether `condition` holds. A condition that already holds wins over
  // a deadline that is already past.
  virtual bool AwaitWithDeadline(absl::Mutex& mu,
                                 const absl::Condition& condition,
                                 absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) = 0;
};

// RealClock()
//
// The machine's steady clock. Lives for ever.
[[nodiscard]] Clock& RealClock();

// ManualClock
//
// Time stands still until somebody moves it. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start = absl::UnixEpoch()) : now_(start) {}

  ManualClock(const ManualClock&) = delete;
  ManualClock& operator=(const ManualClock&) = delete;

  // Nobody may still wait on it.
  ~ManualClock() override;

  // ManualClock::Advance()
  //
  // Moves the time on by `duration`, which must not be negative, and wakes
  // every wait whose deadline has come. The caller must hold no mutex that such
  // a wait is on.
  void Advance(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mu_);

  // ManualClock::AwaitWaiters()
  //
  // Blocks until at least `count` threads wait on this clock, with a deadline
  // or without: a test calls it before it ends a wait that is to be in
  // progress.
  void AwaitWaiters(int count) ABSL_LOCKS_EXCLUDED(mu_);

  // ManualClock::AwaitDeadline()
  //
  // Blocks until a thread waits on this clock until `deadline` or earlier.
  void AwaitDeadline(absl::Time deadline) ABSL_LOCKS_EXCLUDED(mu_);

  absl::Time Now() const override ABSL_LOCKS_EXCLUDED(mu_);
  bool AwaitWithDeadline(absl::Mutex& mu, const absl::Condition& condition,
                         absl::Time deadline) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Waiter;

  // Registers `waiter` unless its deadline has passed.
  bool Enter(Waiter& waiter) ABSL_LOCKS_EXCLUDED(mu_);
  void Leave(Waiter& waiter) ABSL_LOCKS_EXCLUDED(mu_);
  // The waiters whose time has come; they stay until `Wake()` lets them go.
  std::vector<Waiter*> PinDue(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mu_);
  void Wake(Waiter& waiter) ABSL_LOCKS_EXCLUDED(mu_);

  mutable absl::Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
  std::vector<Waiter*> waiters_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ets_keeper

#endif  // COMMON_CLOCK_CLOCK_H_
