// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: exit_reason.h
// -----------------------------------------------------------------------------
//
// `ExitReason` says why a process died.
//
//   if (down.reason == ExitReason::Normal()) return;
//   LOG(WARNING) << absl::StrCat(down.reason);   // "error: out of cheese"
//
// Thread safety: an `ExitReason` is a value.

#ifndef COMMON_PROCESS_EXIT_REASON_H_
#define COMMON_PROCESS_EXIT_REASON_H_

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/attributes.h"

namespace ets_keeper {

// ExitReason
//
// Two reasons are equal when their kinds and their texts are.
class ExitReason {
 public:
  enum class Kind {
    kNormal,    // it returned
    kKilled,    // it was killed, and had no say in it
    kShutdown,  // it was told to stop, and that is no failure
    kError,     // it crashed: `text()` says how
    kNoproc,    // there was no such process, or none any more
  };

  [[nodiscard]] static ExitReason Normal() { return {Kind::kNormal, {}}; }
  [[nodiscard]] static ExitReason Killed() { return {Kind::kKilled, {}}; }
  [[nodiscard]] static ExitReason Shutdown() { return {Kind::kShutdown, {}}; }
  [[nodiscard]] static ExitReason Noproc() { return {Kind::kNoproc, {}}; }
  [[nodiscard]] static ExitReason Error(std::string text) {
    return {Kind::kError, std::move(text)};
  }

  // ExitReason::FromException()
  //
  // `kError` with the exception's `what()`; "unknown exception" for one that is
  // not a `std::exception`. `exception` must not be null.
  [[nodiscard]] static ExitReason FromException(std::exception_ptr exception);

  [[nodiscard]] Kind kind() const { return kind_; }

  // ExitReason::text()
  //
  // What went wrong; empty for every kind but `kError`.
  [[nodiscard]] const std::string& text() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return text_;
  }

  // ExitReason::IsCrash()
  //
  // True unless the process was done (`kNormal`) or was asked to stop
  // (`kShutdown`): what a transient child is restarted for.
  [[nodiscard]] bool IsCrash() const {
    return kind_ != Kind::kNormal && kind_ != Kind::kShutdown;
  }

  friend bool operator==(const ExitReason&, const ExitReason&) = default;

  template <typename Sink>
  friend void AbslStringify(Sink& sink, const ExitReason& reason) {
    sink.Append(reason.name());
    if (reason.kind_ != Kind::kError) return;
    sink.Append(": ");
    sink.Append(reason.text_);
  }

 private:
  ExitReason(Kind kind, std::string text)
      : kind_(kind), text_(std::move(text)) {}

  std::string_view name() const;

  Kind kind_;
  std::string text_;
};

}  // namespace ets_keeper

#endif  // COMMON_PROCESS_EXIT_REASON_H_
