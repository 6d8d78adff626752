// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: mutex.h
// -----------------------------------------------------------------------------
//
// `Lock` holds an `absl::Mutex` for a scope.
//
//   absl::Mutex mu;
//   int hits ABSL_GUARDED_BY(mu) = 0;
//
//   void Hit() {
//     Lock lock(mu);
//     ++hits;
//   }
//
// Abseil renames the members of its mutex: releases up to 2024 have only
// `Lock()` and `Unlock()`, its head has `lock()` and `unlock()` and deprecates
// the former, and `absl::MutexLock` changes with them. Code that says `Lock`
// compiles without a warning at both ends.
//
// Thread safety: clang's thread-safety analysis sees through `Lock` exactly as
// it does through `absl::MutexLock`.
//
// It is not a mutex: conditions and deadlines are `absl::Mutex::Await()`'s, or
// `Clock::AwaitWithDeadline()`'s where the time may be a test's.

#ifndef COMMON_MUTEX_MUTEX_H_
#define COMMON_MUTEX_MUTEX_H_

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace ets_keeper {

// AcquireMutex()
//
// Locks `mu` for longer or shorter than a scope. Prefer `Lock`.
template <typename Mutex>
void AcquireMutex(Mutex& mu)
    ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (requires { mu.lock(); }) {
    mu.lock();
  } else {
    mu.Lock();
  }
}

// TryAcquireMutex()
//
// Locks `mu` if that needs no waiting, and says whether it did.
template <typename Mutex>
[[nodiscard]] bool TryAcquireMutex(Mutex& mu)
    ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true, mu) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (requires { mu.try_lock(); }) {
    return mu.try_lock();
  } else {
    return mu.TryLock();
  }
}

// ReleaseMutex()
//
// Unlocks `mu`, which the calling thread holds.
template <typename Mutex>
void ReleaseMutex(Mutex& mu)
    ABSL_UNLOCK_FUNCTION(mu) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (requires { mu.unlock(); }) {
    mu.unlock();
  } else {
    mu.Unlock();
  }
}

// Lock
//
// Acquires `mu` when made and releases it at the end of the scope. `mu` must
// outlive it.
class ABSL_SCOPED_LOCKABLE [[nodiscard]] Lock {
 public:
  explicit Lock(absl::Mutex& mu ABSL_ATTRIBUTE_LIFETIME_BOUND)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(mu)
      : mu_(mu) {
    AcquireMutex(mu_);
  }
  ~Lock() ABSL_UNLOCK_FUNCTION() { ReleaseMutex(mu_); }

  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  absl::Mutex& mu_;
};

}  // namespace ets_keeper

#endif  // COMMON_MUTEX_MUTEX_H_
