// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: exit_hooks.h
// -----------------------------------------------------------------------------
//
// What other rooms of the library do when a process dies, before anybody hears
// of it. See `Runtime::AddExitHook()`.
//
//   class TableRegistry {
//     explicit TableRegistry(Runtime& runtime)
//         : hook_(runtime.AddExitHook(ExitPhase::kTables,
//                                     [this](Pid pid, const ExitReason&) {
//                                       HandOverTablesOf(pid);
//                                     })) {}
//     ...
//     ExitHook hook_;   // last member: gone before what it uses
//   };
//
// Thread safety: all may be called from any thread.

#ifndef COMMON_PROCESS_EXIT_HOOKS_H_
#define COMMON_PROCESS_EXIT_HOOKS_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"

namespace ets_keeper {

// ExitPhase
//
// In this order at each death; then links fire, then monitors.
enum class ExitPhase {
  kTables,  // tables are handed over or destroyed
  kNames,   // names are released
};

using ExitHookFunction = std::function<void(Pid, const ExitReason&)>;

namespace internal {
struct HookEntry;
}

// ExitHook
//
// A hook for as long as this lives. Destroying it removes the hook and waits
// for the calls of it that are running in other threads: afterwards it is never
// called again. It must not be destroyed from within its own hook. It may be
// destroyed after the `Runtime`.
class [[nodiscard]] ExitHook {
 public:
  // No hook.
  ExitHook() = default;
  ExitHook(ExitHook&&) noexcept = default;
  ExitHook& operator=(ExitHook&& other) noexcept;
  ~ExitHook();

 private:
  friend class ExitHooks;
  explicit ExitHook(std::shared_ptr<internal::HookEntry> entry);

  std::shared_ptr<internal::HookEntry> entry_;
};

// ExitHooks
//
// The hooks of one runtime. Internal to it.
class ExitHooks {
 public:
  ExitHook Add(ExitPhase phase, ExitHookFunction function)
      ABSL_LOCKS_EXCLUDED(mu_);

  // ExitHooks::Run()
  //
  // Calls the phase's hooks in the order they were added, each returned before
  // the next is called. An exception that leaves a hook is logged and goes no
  // further.
  void Run(ExitPhase phase, Pid pid, const ExitReason& reason)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Entries = std::vector<std::shared_ptr<internal::HookEntry>>;

  // The phase's hooks as of now. Forgets those that were removed.
  Entries Snapshot(ExitPhase phase) ABSL_LOCKS_EXCLUDED(mu_);

  absl::Mutex mu_;
  Entries entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ets_keeper

#endif  // COMMON_PROCESS_EXIT_HOOKS_H_
