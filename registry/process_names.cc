// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "registry/process_names.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/status/status.h"

namespace ets_keeper::registry {

ProcessNames::ProcessNames(Runtime& runtime)
    : runtime_(runtime),
      hook_(runtime.AddExitHook(
          ExitPhase::kNames,
          [this](Pid pid, const ExitReason&) { ReleaseAll(pid); })) {}

absl::Status ProcessNames::Register(std::string_view name, Pid pid) {
  absl::Status status = TryRegister(name, pid);
  if (status.ok()) Announce(name, pid);
  return status;
}

absl::Status ProcessNames::TryRegister(std::string_view name, Pid pid) {
  if (name.empty()) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat("the name of process ", pid, " is empty"));
  }
  Lock lock(mu_);
  // Under the lock that the hook takes: a process that is alive here and dies
  // later is found by the hook.
  if (!runtime_.IsAlive(pid)) {
    return MakeStatus(Cause::kRecipientDead,
                      absl::StrCat("process ", pid, ", to hold name \"", name,
                                   "\", is dead"));
  }
  const auto it = holders_.find(name);
  if (it != holders_.end()) {
    if (runtime_.IsAlive(it->second)) {
      return MakeStatus(
          Cause::kAlreadyExists,
          absl::StrCat("name \"", name, "\" is held by process ", it->second));
    }
    Release(name);
  }
  holders_.emplace(name, pid);
  names_[pid].emplace(name);
  return absl::OkStatus();
}

absl::Status ProcessNames::Unregister(std::string_view name, Pid pid) {
  Lock lock(mu_);
  const auto it = holders_.find(name);
  if (it == holders_.end() || it->second != pid) {
    return MakeStatus(
        Cause::kKeyNotFound,
        absl::StrCat("process ", pid, " does not hold name \"", name, "\""));
  }
  Release(name);
  return absl::OkStatus();
}

Pid ProcessNames::WhereIs(std::string_view name) const {
  Lock lock(mu_);
  const auto it = holders_.find(name);
  if (it == holders_.end() || !runtime_.IsAlive(it->second)) return kNoPid;
  return it->second;
}

int ProcessNames::size() const {
  Lock lock(mu_);
  return static_cast<int>(holders_.size());
}

void ProcessNames::Release(std::string_view name) {
  const auto holder = holders_.find(name);
  const auto names = names_.find(holder->second);
  names->second.erase(name);
  if (names->second.empty()) names_.erase(names);
  holders_.erase(holder);
}

void ProcessNames::ReleaseAll(Pid pid) {
  Lock lock(mu_);
  const auto names = names_.find(pid);
  if (names == names_.end()) return;
  for (const std::string& name : names->second) holders_.erase(name);
  names_.erase(names);
}

}  // namespace ets_keeper::registry
