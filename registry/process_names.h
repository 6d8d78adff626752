// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: process_names.h
// -----------------------------------------------------------------------------
//
// `ProcessNames` is the registry of the processes of one `Runtime`.
//
//   Runtime runtime;
//   ProcessNames names(runtime);
//   Pid accounts = runtime.Spawn(Accounts);
//   absl::Status status = names.Register("accounts", accounts);
//
// The names of a process are released in `ExitPhase::kNames` of its death:
// whoever has received its `Down`, or an exit signal from it, finds them free.
//
// Thread safety: everything may be called from any thread.
//
// Lifetime: it must be destroyed before the runtime.
//
// It is not shared with other OS processes.

#ifndef REGISTRY_PROCESS_NAMES_H_
#define REGISTRY_PROCESS_NAMES_H_

#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/runtime.h"
#include "registry/registry.h"

namespace ets_keeper::registry {

// ProcessNames
class ProcessNames final : public Registry {
 public:
  explicit ProcessNames(Runtime& runtime);

  // These do what registry.h says. O(1).
  [[nodiscard]] absl::Status Register(std::string_view name, Pid pid) override
      ABSL_LOCKS_EXCLUDED(mu_);
  [[nodiscard]] absl::Status Unregister(std::string_view name, Pid pid) override
      ABSL_LOCKS_EXCLUDED(mu_);
  [[nodiscard]] Pid WhereIs(std::string_view name) const override
      ABSL_LOCKS_EXCLUDED(mu_);

  // ProcessNames::size()
  //
  // How many names are held, those of the dying included.
  [[nodiscard]] int size() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Status TryRegister(std::string_view name, Pid pid)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Takes `name` from its holder.
  void Release(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseAll(Pid pid) ABSL_LOCKS_EXCLUDED(mu_);

  Runtime& runtime_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<std::string, Pid> holders_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Pid, absl::flat_hash_set<std::string>> names_
      ABSL_GUARDED_BY(mu_);
  ExitHook hook_;  // last: gone before what it uses
};

}  // namespace ets_keeper::registry

#endif  // REGISTRY_PROCESS_NAMES_H_
