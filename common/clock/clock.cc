// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/clock/clock.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/mutex/mutex.h"

namespace ets_keeper {
namespace {

class SteadyClock final : public Clock {
 public:
  absl::Time Now() const override {
    return start_ +
           absl::FromChrono(std::chrono::steady_clock::now() - steady_start_);
  }

  bool AwaitWithDeadline(absl::Mutex& mu, const absl::Condition& condition,
                         absl::Time deadline) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    while (!condition.Eval()) {
      const absl::Duration left = deadline - Now();
      if (left <= absl::ZeroDuration()) return false;
      mu.AwaitWithTimeout(condition, left);
    }
    return true;
  }

 private:
  const absl::Time start_ = absl::Now();
  const std::chrono::steady_clock::time_point steady_start_ =
      std::chrono::steady_clock::now();
};

}  // namespace

Clock& RealClock() {
  static SteadyClock* const clock = new SteadyClock;
  return *clock;
}

// One thread in `AwaitWithDeadline()`.
struct ManualClock::Waiter {
  absl::Mutex& mu;
  const absl::Condition& condition;
  const absl::Time deadline;
  bool expired = false;  // guarded by `mu`
  bool pinned =
      false;  // guarded by the clock's mutex: `Advance()` will wake it

  static bool MayGoOn(Waiter* self) {
    return self->expired || self->condition.Eval();
  }
};

ManualClock::~ManualClock() {
  Lock lock(mu_);
  CHECK(waiters_.empty())
      << "a ManualClock was destroyed under a waiting thread";
}

absl::Time ManualClock::Now() const {
  Lock lock(mu_);
  return now_;
}

void ManualClock::Advance(absl::Duration duration) {
  CHECK_GE(duration, absl::ZeroDuration());
  for (Waiter* waiter : PinDue(duration)) Wake(*waiter);
}

void ManualClock::AwaitWaiters(int count) {
  Lock lock(mu_);
  const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return waiters_.size() >= static_cast<size_t>(count);
  };
  mu_.Await(absl::Condition(&enough));
}

void ManualClock::AwaitDeadline(absl::Time deadline) {
  Lock lock(mu_);
  const auto awaited = [this, deadline]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return std::any_of(
        waiters_.begin(), waiters_.end(),
        [deadline](Waiter* waiter) { return waiter->deadline <= deadline; });
  };
  mu_.Await(absl::Condition(&awaited));
}

bool ManualClock::AwaitWithDeadline(absl::Mutex& mu,
                                    const absl::Condition& condition,
                                    absl::Time deadline) {
  while (!condition.Eval()) {
    Waiter waiter{.mu = mu, .condition = condition, .deadline = deadline};
    if (!Enter(waiter)) return false;
    mu.Await(absl::Condition(&Waiter::MayGoOn, &waiter));
    // `Advance()` takes `mu` to wake a pinned waiter, which must stay until
    // then.
    ReleaseMutex(mu);
    Leave(waiter);
    AcquireMutex(mu);
  }
  return true;
}

bool ManualClock::Enter(Waiter& waiter) {
  Lock lock(mu_);
  if (waiter.deadline <= now_) return false;
  waiters_.push_back(&waiter);
  return true;
}

void ManualClock::Leave(Waiter& waiter) {
  Lock lock(mu_);
  const auto unpinned = [&waiter] { return !waiter.pinned; };
  mu_.Await(absl::Condition(&unpinned));
  std::erase(waiters_, &waiter);
}

std::vector<ManualClock::Waiter*> ManualClock::PinDue(absl::Duration duration) {
  Lock lock(mu_);
  now_ += duration;
  std::vector<Waiter*> due;
  for (Waiter* waiter : waiters_) {
    if (waiter->deadline > now_ || waiter->pinned) continue;
    waiter->pinned = true;
    due.push_back(waiter);
  }
  return due;
}

void ManualClock::Wake(Waiter& waiter) {
  {
    Lock lock(waiter.mu);
    waiter.expired = true;
  }
  Lock lock(mu_);
  waiter.pinned = false;
}

}  // namespace ets_keeper
