// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: signal.h
// -----------------------------------------------------------------------------
//
// The messages that the runtime itself sends: `Down` to whoever monitors a
// process that died, `ExitSignal` to a linked process that traps exits.
//
//   MonitorRef ref = runtime.Monitor(self.pid(), worker);
//   absl::StatusOr<Down> death = co_await self.Receive<Down>(
//       [ref](const Down& down) { return down.ref == ref; });
//
// Thread safety: all are values.

#ifndef COMMON_PROCESS_SIGNAL_H_
#define COMMON_PROCESS_SIGNAL_H_

#include <compare>
#include <cstdint>
#include <utility>

#include "common/pid/pid.h"
#include "common/process/exit_reason.h"

namespace ets_keeper {

// MonitorRef
//
// Names one monitor for ever; a process may hold several on one target.
struct MonitorRef {
  uint64_t id = 0;
  Pid watcher;
  Pid target;

  friend auto operator<=>(const MonitorRef&, const MonitorRef&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const MonitorRef& ref) {
    return H::combine(std::move(h), ref.id);
  }
};

// Down
//
// The monitored process `pid` has died of `reason`. Each monitor sends at most
// one. Whoever has received it finds that process's tables handed over or
// destroyed, its names free and its links fired.
struct Down {
  MonitorRef ref;
  Pid pid;
  ExitReason reason;
};

// ExitSignal
//
// The linked process `from` has died of `reason`, or somebody has sent `reason`
// with `Runtime::Exit()`.
struct ExitSignal {
  Pid from;
  ExitReason reason;
};

}  // namespace ets_keeper

#endif  // COMMON_PROCESS_SIGNAL_H_
