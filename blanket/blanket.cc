// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "blanket/blanket.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "blanket/inheritance.h"
#include "blanket/wards.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "common/status/status.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "registry/registry.h"

namespace ets_keeper::blanket {

using internal::ClaimId;

// The hook comes after that of the inheritance: when it runs, the tables of the
// dead process have found their heirs.
Blanket::Blanket(Inheritance& inheritance, registry::Registry& registry)
    : wards_(std::make_shared<internal::Wards>(inheritance, registry)),
      watch_(registry.OnRegistered(
          [wards = wards_.get()](std::string_view name, Pid) {
            wards->NameRegistered(name);
          })),
      hook_(inheritance.runtime().AddExitHook(
          ExitPhase::kTables,
          [wards = wards_.get()](Pid pid, const ExitReason& reason) {
            wards->ProcessDied(pid, reason);
          })) {}

Blanket::~Blanket() {
  hook_ = ExitHook();
  watch_ = registry::Registry::Watch();
  wards_->Close();
}

Task<absl::StatusOr<TableHandle>> Blanket::ReceiveHandle(
    Self& self, const WardKey& key, absl::Duration timeout) {
  const absl::StatusOr<ClaimId> claim = wards_->Claim(key, self.pid());
  if (!claim.ok()) co_return claim.status();
  absl::StatusOr<TableTransfer> got =
      co_await self.Receive<TableTransfer>(*claim, timeout);
  if (!got.ok()) {
    std::optional<absl::Status> missing =
        wards_->Withdraw(key, *claim, timeout);
    if (missing.has_value()) co_return *std::move(missing);
    got = co_await self.Receive<TableTransfer>(*claim, absl::ZeroDuration());
    if (!got.ok()) co_return got.status();
  }
  co_return wards_->tables().Own(got->table, self.pid());
}

absl::StatusOr<TableHandle> Blanket::ReceiveHandle(AdoptedThread& self,
                                                   const WardKey& key,
                                                   absl::Duration timeout) {
  const absl::StatusOr<ClaimId> claim = wards_->Claim(key, self.pid());
  if (!claim.ok()) return claim.status();
  absl::StatusOr<TableTransfer> got =
      self.Receive<TableTransfer>(*claim, timeout);
  if (!got.ok()) {
    if (CauseOf(got.status()) != Cause::kTimeout) return got.status();
    std::optional<absl::Status> missing =
        wards_->Withdraw(key, *claim, timeout);
    if (missing.has_value()) return *std::move(missing);
    got = self.Receive<TableTransfer>(*claim, absl::ZeroDuration());
    if (!got.ok()) return got.status();
  }
  return wards_->tables().Own(got->table, self.pid());
}

}  // namespace ets_keeper::blanket
