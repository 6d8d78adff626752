// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: process.h
// -----------------------------------------------------------------------------
//
// Processes, all of it in one header:
//
//   pid.h             `Pid`: who
//   runtime.h         `Runtime`: spawn, send, link, monitor, exit; the order at
//                     death. Begin here.
//   self.h            `Self`: receive, within a process
//   task.h            `Task<>`: what the body of a process returns
//   adopted_thread.h  `AdoptedThread`: a thread that is a process for a scope
//   message.h         `Message`: any value, in a mailbox
//   signal.h          `Down`, `ExitSignal`, `MonitorRef`
//   exit_reason.h     `ExitReason`: why it died
//   exit_hooks.h      `ExitHook`, `ExitPhase`: what is done at each death

#ifndef COMMON_PROCESS_PROCESS_H_
#define COMMON_PROCESS_PROCESS_H_

#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/message.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"

#endif  // COMMON_PROCESS_PROCESS_H_
