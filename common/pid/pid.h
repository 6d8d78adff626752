// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: pid.h
// -----------------------------------------------------------------------------
//
// `Pid` names one process (a lightweight one: a coroutine or an adopted
// thread) for ever. It is a value: copied, compared, hashed and printed freely,
// and it keeps nothing alive.
//
//   Pid a = NewPid();
//   Pid b = NewPid();          // a != b, and neither is ever given out again
//   LOG(INFO) << absl::StrCat(a);  // "<7>"
//
// Thread safety: a `Pid` is a value; `NewPid()` may be called from any thread.
//
// It is not the operating system's process id, which is re-used.

#ifndef COMMON_PID_PID_H_
#define COMMON_PID_PID_H_

#include <compare>
#include <cstdint>
#include <utility>

#include "absl/strings/str_format.h"

namespace ets_keeper {

// Pid
//
// The default value, `kNoPid`, names nobody.
struct Pid {
  uint64_t id = 0;

  [[nodiscard]] explicit operator bool() const { return id != 0; }

  friend auto operator<=>(const Pid&, const Pid&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Pid& pid) {
    return H::combine(std::move(h), pid.id);
  }

  template <typename Sink>
  friend void AbslStringify(Sink& sink, const Pid& pid) {
    absl::Format(&sink, "<%d>", pid.id);
  }
};

inline constexpr Pid kNoPid = {};

// NewPid()
//
// A pid that was never given out before in this OS process.
[[nodiscard]] Pid NewPid();

}  // namespace ets_keeper

#endif  // COMMON_PID_PID_H_
