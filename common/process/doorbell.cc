// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/doorbell.h"

#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/mutex/mutex.h"

namespace ets_keeper::internal {

void Doorbell::Ring() {
  Lock lock(mu_);
  rung_ = true;
}

bool Doorbell::Wait(Clock& clock, absl::Time deadline) {
  Lock lock(mu_);
  clock.AwaitWithDeadline(mu_, absl::Condition(&rung_), deadline);
  return std::exchange(rung_, false);
}

}  // namespace ets_keeper::internal
