// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/adopted_thread.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/process/exit_reason.h"
#include "common/process/kernel.h"
#include "common/process/receive.h"
#include "common/process/runtime.h"
#include "common/status/status.h"

namespace ets_keeper {

AdoptedThread::AdoptedThread(Runtime& runtime)
    : runtime_(runtime),
      process_(&runtime.kernel_->Adopt()),
      pid_(process_->pid),
      exceptions_at_entry_(std::uncaught_exceptions()) {}

AdoptedThread::~AdoptedThread() {
  Fail(std::uncaught_exceptions() > exceptions_at_entry_
           ? ExitReason::Error("an exception left the scope")
           : ExitReason::Normal());
}

void AdoptedThread::TrapExit(bool on) {
  if (process_ != nullptr) runtime_.kernel_->TrapExit(*process_, on);
}

void AdoptedThread::Fail(ExitReason reason) {
  internal::Process* const process = std::exchange(process_, nullptr);
  if (process != nullptr) runtime_.kernel_->Die(*process, reason);
}

absl::Time AdoptedThread::DeadlineAfter(absl::Duration timeout) const {
  return runtime_.kernel_->DeadlineAfter(timeout);
}

void AdoptedThread::Wait(internal::PendingReceive& receive) {
  if (process_ == nullptr) {
    receive.Fail(MakeStatus(Cause::kRecipientDead,
                            absl::StrCat("process ", pid_, " has died")));
  } else if (!runtime_.kernel_->Block(*process_, receive)) {
    process_ = nullptr;
  }
}

}  // namespace ets_keeper
