// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: doorbell.h
// -----------------------------------------------------------------------------
//
// `Doorbell` is where one thread sleeps until another has something for it.
// Internal to the runtime: each waiting thread has one of its own, so that work
// wakes one thread and not all.
//
// Thread safety: `Ring()` may be called from any thread, `Wait()` from one.

#ifndef COMMON_PROCESS_DOORBELL_H_
#define COMMON_PROCESS_DOORBELL_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"

namespace ets_keeper::internal {

// Doorbell
class Doorbell {
 public:
  // Doorbell::Ring()
  //
  // Ends the wait, or the next one. Ringing twice is ringing once.
  void Ring() ABSL_LOCKS_EXCLUDED(mu_);

  // Doorbell::Wait()
  //
  // Blocks until the bell rings, and silences it, or until `deadline` on
  // `clock`. Returns whether it rang.
  bool Wait(Clock& clock, absl::Time deadline) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Mutex mu_;
  bool rung_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ets_keeper::internal

#endif  // COMMON_PROCESS_DOORBELL_H_
