// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: process_record.h
// -----------------------------------------------------------------------------
//
// `Process` is what the runtime keeps of one process. Internal to the runtime.
//
// Thread safety: one part belongs to the thread that runs the process, the
// other is guarded by the mutex of the kernel. See each part.

#ifndef COMMON_PROCESS_PROCESS_RECORD_H_
#define COMMON_PROCESS_PROCESS_RECORD_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "common/pid/pid.h"
#include "common/process/body.h"
#include "common/process/doorbell.h"
#include "common/process/exit_reason.h"
#include "common/process/mailbox.h"
#include "common/process/receive.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "common/process/timer_queue.h"

namespace ets_keeper::internal {

struct Process {
  enum class State {
    kReady,    // in the queue of those that want a thread
    kRunning,  // on a thread
    kWaiting,  // in a receive; the next message or signal makes it ready
  };

  // An adopted thread has no body and is running already.
  Process(Runtime& runtime, SelfHost& host, std::unique_ptr<Body> body)
      : pid(NewPid()),
        adopted(body == nullptr),
        self(runtime, host, *this, pid),
        body(std::move(body)),
        state(adopted ? State::kRunning : State::kReady) {}

  const Pid pid;
  const bool adopted;

  // ---- Belongs to the thread that runs the process; passed from one to the
  // ---- next through the kernel's mutex.

  Self self;
  std::unique_ptr<Body> body;  // destroyed after `task`, which refers to it
  Task<> task;                 // empty until the first run
  PromiseBase* innermost = nullptr;   // the coroutine to resume
  PendingReceive* receive = nullptr;  // what it waits for; lives in its frame
  std::optional<ExitReason> leaving;  // it has called `Self::Exit()`
  Mailbox mailbox;

  // ---- Guarded by the kernel's mutex.

  State state;
  bool alive = true;
  bool traps_exits = false;
  bool links_fired = false;
  std::optional<ExitReason> signal;  // what it will die of when next it waits
  MessageList inbox;                 // sent, and not yet in `mailbox`
  std::vector<MonitorRef> flushed;   // demonitored; may be in `mailbox` still
  // Ordered, so that a manual runtime does the same each time.
  absl::btree_set<Pid> links;
  absl::btree_set<MonitorRef> watching;    // monitors of this process on others
  absl::btree_set<MonitorRef> watched_by;  // monitors of others on this process
  std::optional<TimerKey> timer;           // of the receive of a coroutine
  Doorbell* bell = nullptr;                // where an adopted thread sleeps
};

}  // namespace ets_keeper::internal

#endif  // COMMON_PROCESS_PROCESS_RECORD_H_
