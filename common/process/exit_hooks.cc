// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/exit_hooks.h"

#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"

namespace ets_keeper {
namespace internal {

struct HookEntry {
  HookEntry(ExitPhase phase, ExitHookFunction function)
      : phase(phase), function(std::move(function)) {}

  // False when it was removed; otherwise it stays until `Leave()`.
  bool Enter() ABSL_LOCKS_EXCLUDED(mu) {
    Lock lock(mu);
    if (removed) return false;
    ++running;
    return true;
  }
  void Leave() ABSL_LOCKS_EXCLUDED(mu) {
    Lock lock(mu);
    --running;
  }
  void Remove() ABSL_LOCKS_EXCLUDED(mu) {
    {
      Lock lock(mu);
      removed = true;
      const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
        return running == 0;
      };
      mu.Await(absl::Condition(&idle));
    }
    function = nullptr;  // its captures go now, not with the last snapshot
  }
  bool IsRemoved() ABSL_LOCKS_EXCLUDED(mu) {
    Lock lock(mu);
    return removed;
  }

  const ExitPhase phase;
  ExitHookFunction function;
  absl::Mutex mu;
  int running ABSL_GUARDED_BY(mu) = 0;
  bool removed ABSL_GUARDED_BY(mu) = false;
};

namespace {

void CallAndLog(const ExitHookFunction& function, Pid pid,
                const ExitReason& reason) {
  try {
    function(pid, reason);
  } catch (...) {
    LOG(ERROR) << "an exit hook of process " << absl::StrCat(pid)
               << " threw, and is passed over: "
               << absl::StrCat(
                      ExitReason::FromException(std::current_exception()));
  }
}

}  // namespace
}  // namespace internal

ExitHook::ExitHook(std::shared_ptr<internal::HookEntry> entry)
    : entry_(std::move(entry)) {}

ExitHook& ExitHook::operator=(ExitHook&& other) noexcept {
  ExitHook old(std::exchange(entry_, std::move(other.entry_)));
  return *this;
}

ExitHook::~ExitHook() {
  if (entry_ != nullptr) entry_->Remove();
}

ExitHook ExitHooks::Add(ExitPhase phase, ExitHookFunction function) {
  auto entry =
      std::make_shared<internal::HookEntry>(phase, std::move(function));
  Lock lock(mu_);
  entries_.push_back(entry);
  return ExitHook(std::move(entry));
}

void ExitHooks::Run(ExitPhase phase, Pid pid, const ExitReason& reason) {
  for (const auto& entry : Snapshot(phase)) {
    if (!entry->Enter()) continue;
    internal::CallAndLog(entry->function, pid, reason);
    entry->Leave();
  }
}

ExitHooks::Entries ExitHooks::Snapshot(ExitPhase phase) {
  Lock lock(mu_);
  std::erase_if(entries_, [](const auto& entry) { return entry->IsRemoved(); });
  Entries of_phase;
  for (const auto& entry : entries_) {
    if (entry->phase == phase) of_phase.push_back(entry);
  }
  return of_phase;
}

}  // namespace ets_keeper
