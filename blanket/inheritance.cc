// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "blanket/inheritance.h"

#include <utility>

#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/table/table_options.h"

namespace ets_keeper::blanket {

Inheritance::Inheritance(Runtime& runtime)
    : processes_(runtime),
      tables_(&processes_),
      hook_(runtime.AddExitHook(
          ExitPhase::kTables,
          [this](Pid pid, const ExitReason&) { tables_.OwnerDied(pid); })) {}

Pid Inheritance::NewKeeper() {
  const Pid keeper = NewPid();
  processes_.AddKeeper(keeper);
  return keeper;
}

void Inheritance::EndKeeper(Pid keeper) {
  processes_.RemoveKeeper(keeper);
  tables_.OwnerDied(keeper);
}

bool Inheritance::Processes::IsAlive(Pid pid) const {
  if (runtime_.IsAlive(pid)) return true;
  Lock lock(mu_);
  return keepers_.contains(pid);
}

void Inheritance::Processes::Deliver(Pid to, TableTransfer transfer) {
  runtime_.Send(to, std::move(transfer));
}

void Inheritance::Processes::AddKeeper(Pid keeper) {
  Lock lock(mu_);
  keepers_.insert(keeper);
}

void Inheritance::Processes::RemoveKeeper(Pid keeper) {
  Lock lock(mu_);
  keepers_.erase(keeper);
}

}  // namespace ets_keeper::blanket
