// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/status/status.h"

#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace ets_keeper {
namespace {

constexpr absl::string_view kCauseUrl = "ets_keeper/cause";

struct CauseEntry {
  Cause cause;
  std::string_view name;
  absl::StatusCode code;
};

// One row per cause, in the order of the enumeration.
constexpr CauseEntry kCauses[] = {
    {Cause::kTableNotFound, "table_not_found", absl::StatusCode::kNotFound},
    {Cause::kAlreadyExists, "already_exists", absl::StatusCode::kAlreadyExists},
    {Cause::kNotOwner, "not_owner", absl::StatusCode::kFailedPrecondition},
    {Cause::kReadProtected, "read_protected",
     absl::StatusCode::kPermissionDenied},
    {Cause::kWriteProtected, "write_protected",
     absl::StatusCode::kPermissionDenied},
    {Cause::kKeyNotFound, "key_not_found", absl::StatusCode::kNotFound},
    {Cause::kKeyExists, "key_exists", absl::StatusCode::kAlreadyExists},
    {Cause::kBadRow, "bad_row", absl::StatusCode::kInvalidArgument},
    {Cause::kBadOption, "bad_option", absl::StatusCode::kInvalidArgument},
    {Cause::kOutOfRange, "out_of_range", absl::StatusCode::kOutOfRange},
    {Cause::kRecipientDead, "recipient_dead",
     absl::StatusCode::kFailedPrecondition},
    {Cause::kAlreadyOwned, "already_owned",
     absl::StatusCode::kFailedPrecondition},
    {Cause::kTimeout, "timeout", absl::StatusCode::kDeadlineExceeded},
    {Cause::kNoMemory, "no_memory", absl::StatusCode::kResourceExhausted},
    {Cause::kSchemaMismatch, "schema_mismatch",
     absl::StatusCode::kFailedPrecondition},
    {Cause::kCorrupt, "corrupt", absl::StatusCode::kDataLoss},
    {Cause::kNoKeeper, "no_keeper", absl::StatusCode::kUnavailable},
    {Cause::kProtocol, "protocol", absl::StatusCode::kInternal},
    {Cause::kInitFailed, "init_failed", absl::StatusCode::kAborted},
    {Cause::kUnavailable, "unavailable", absl::StatusCode::kUnavailable},
    {Cause::kDenied, "denied", absl::StatusCode::kPermissionDenied},
};

constexpr bool CausesAreInOrder() {
  for (int i = 0; i < static_cast<int>(std::size(kCauses)); ++i) {
    if (static_cast<int>(kCauses[i].cause) != i) return false;
  }
  return std::size(kCauses) == static_cast<size_t>(Cause::kDenied) + 1;
}
static_assert(CausesAreInOrder());

const CauseEntry& EntryOf(Cause cause) {
  return kCauses[static_cast<int>(cause)];
}

}  // namespace

std::string_view CauseName(Cause cause) { return EntryOf(cause).name; }

absl::Status MakeStatus(Cause cause, absl::string_view message) {
  absl::Status status(EntryOf(cause).code, message);
  status.SetPayload(kCauseUrl, absl::Cord(EntryOf(cause).name));
  return status;
}

std::optional<Cause> CauseOf(const absl::Status& status) {
  const auto name = status.GetPayload(kCauseUrl);
  if (!name.has_value()) return std::nullopt;
  for (const CauseEntry& entry : kCauses) {
    if (*name == entry.name) return entry.cause;
  }
  return std::nullopt;
}

}  // namespace ets_keeper
