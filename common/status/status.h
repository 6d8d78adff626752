// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: status.h
// -----------------------------------------------------------------------------
//
// Why a call failed, as one enumerated `Cause` carried by an `absl::Status`.
//
// Erlang answers every misuse of a table with the one word `badarg`. Here each
// reason has a name of its own: the status' message is for people and names the
// table and the values; the cause is for programs and never has to be parsed.
//
//   absl::StatusOr<User> user = users.Lookup(42);
//   if (CauseOf(user.status()) == Cause::kTableNotFound) { ... }
//
// Thread safety: all functions may be called from any thread at any time.
//
// This is not an error hierarchy: a status made elsewhere has no cause, and
// `CauseOf()` says so.

#ifndef COMMON_STATUS_STATUS_H_
#define COMMON_STATUS_STATUS_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ets_keeper {

// Cause
//
// Every reason for which an operation of this library is refused. A refused
// operation has changed nothing.
enum class Cause {
  kTableNotFound,   // no such table, or a handle of a deleted one
  kAlreadyExists,   // the name is taken
  kNotOwner,        // the handle was fenced: the table has another owner now
  kReadProtected,   // the table is private to another owner
  kWriteProtected,  // the handle may read only
  kKeyNotFound,     // the operation needs an existing key
  kKeyExists,       // the operation needs an absent key
  kBadRow,          // the row cannot be stored (for example too large)
  kBadOption,       // an option or an argument that makes no sense
  kOutOfRange,      // a counter would overflow, a position does not exist
  kRecipientDead,   // the process that was to get the table has died
  kAlreadyOwned,    // the table has a living owner
  kTimeout,         // the deadline came first
  kNoMemory,        // the arena, the quota or the machine is full
  kSchemaMismatch,  // the rows in the arena have another layout
  kCorrupt,         // the bytes do not form an arena
  kNoKeeper,        // nobody listens at the keeper's address
  kProtocol,        // the other side broke the keeper's protocol
  kInitFailed,      // the init function did not return ok
  kUnavailable,     // the operating system refused a resource
  kDenied,          // policy: this caller may not do this
};

// CauseName()
//
// The name of `cause` in lower_snake_case, for example "table_not_found".
[[nodiscard]] std::string_view CauseName(Cause cause);

// MakeStatus()
//
// A status with the given cause and a message made for people. Its
// `absl::StatusCode` follows from the cause (kTableNotFound gives kNotFound).
[[nodiscard]] absl::Status MakeStatus(Cause cause, absl::string_view message);

// CauseOf()
//
// The cause that `status` was made with; nullopt when it is ok or was not made
// by `MakeStatus()`.
[[nodiscard]] std::optional<Cause> CauseOf(const absl::Status& status);

}  // namespace ets_keeper

#endif  // COMMON_STATUS_STATUS_H_
