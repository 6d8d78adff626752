// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/receive.h"

#include <exception>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/process/message.h"
#include "common/status/status.h"

namespace ets_keeper::internal {

void PendingReceive::FailByTimeout() {
  Fail(MakeStatus(Cause::kTimeout,
                  absl::StrCat("process ", receiver_,
                               " received no matching message within ",
                               absl::FormatDuration(timeout_))));
}

absl::StatusOr<Message> PendingReceive::TakeResult() {
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  if (!failure_.ok()) return failure_;
  return std::move(message_);
}

}  // namespace ets_keeper::internal
