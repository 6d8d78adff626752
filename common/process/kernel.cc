// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/kernel.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/process/body.h"
#include "common/process/doorbell.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/mailbox.h"
#include "common/process/message.h"
#include "common/process/process_record.h"
#include "common/process/receive.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "common/status/status.h"

namespace ets_keeper::internal {
namespace {

// How many receives a process may complete before others get their turn.
constexpr int kReceivesPerTurn = 64;

}  // namespace

// -----------------------------------------------------------------------------
// Processes and signals
// -----------------------------------------------------------------------------

Pid Kernel::Spawn(std::unique_ptr<Body> body) {
  // A refused process, and its body with it, is destroyed outside the lock.
  auto process = std::make_unique<Process>(runtime_, *this, std::move(body));
  const Pid pid = process->pid;
  Lock lock(mu_);
  if (stopping_) return pid;
  MakeReady(*process);
  processes_.emplace(pid, std::move(process));
  return pid;
}

Process& Kernel::Adopt() {
  auto process = std::make_unique<Process>(runtime_, *this, nullptr);
  Process& adopted = *process;
  Lock lock(mu_);
  CHECK(!stopping_) << "a thread was adopted by a runtime that is destroyed";
  processes_.emplace(adopted.pid, std::move(process));
  ++adopted_;
  return adopted;
}

void Kernel::Send(Pid to, Message message) {
  Lock lock(mu_);
  if (Process* process = Find(to)) Post(*process, message);
}

bool Kernel::IsAlive(Pid pid) const {
  Lock lock(mu_);
  const Process* process = Find(pid);
  return process != nullptr && process->alive;
}

int Kernel::process_count() const {
  Lock lock(mu_);
  return static_cast<int>(processes_.size());
}

void Kernel::Exit(Pid target, const ExitReason& reason, Pid from) {
  Lock lock(mu_);
  Process* process = Find(target);
  if (process == nullptr) return;
  if (reason.kind() == ExitReason::Kind::kKilled) {
    Doom(*process, reason);
  } else {
    Signal(*process, from, reason);
  }
}

void Kernel::TrapExit(Process& process, bool on) {
  Lock lock(mu_);
  process.traps_exits = on;
}

void Kernel::Link(Pid a, Pid b) {
  if (a == b) return;
  Lock lock(mu_);
  Process* const pa = FindLinkable(a);
  Process* const pb = FindLinkable(b);
  if (pa != nullptr && pb != nullptr) {
    pa->links.insert(b);
    pb->links.insert(a);
  } else if (pa != nullptr) {
    Signal(*pa, b, ExitReason::Noproc());
  } else if (pb != nullptr) {
    Signal(*pb, a, ExitReason::Noproc());
  }
}

void Kernel::Unlink(Pid a, Pid b) {
  Lock lock(mu_);
  if (Process* process = Find(a)) process->links.erase(b);
  if (Process* process = Find(b)) process->links.erase(a);
}

MonitorRef Kernel::Monitor(Pid watcher, Pid target) {
  Lock lock(mu_);
  const MonitorRef ref = {++last_monitor_, watcher, target};
  Process* const from = Find(watcher);
  if (from == nullptr || !from->alive) return ref;
  if (Process* process = Find(target)) {
    process->watched_by.insert(ref);
    from->watching.insert(ref);
  } else {
    PostDown(ref, ExitReason::Noproc());
  }
  return ref;
}

void Kernel::Demonitor(const MonitorRef& ref) {
  Lock lock(mu_);
  Process* const watcher = Find(ref.watcher);
  if (watcher == nullptr) return;
  if (watcher->watching.erase(ref) > 0) {
    if (Process* target = Find(ref.target)) target->watched_by.erase(ref);
    return;
  }
  EraseDown(watcher->inbox, ref);
  watcher->flushed.push_back(ref);
}

Process* Kernel::Find(Pid pid) const {
  const auto it = processes_.find(pid);
  return it == processes_.end() ? nullptr : it->second.get();
}

Process* Kernel::FindLinkable(Pid pid) const {
  Process* const process = Find(pid);
  return process == nullptr || process->links_fired ? nullptr : process;
}

void Kernel::Post(Process& to, Message& message) {
  if (!to.alive) return;
  to.inbox.push_back(std::move(message));
  Wake(to);
}

void Kernel::PostDown(const MonitorRef& ref, const ExitReason& reason) {
  Process* const watcher = Find(ref.watcher);
  if (watcher == nullptr) return;
  Message down = Message::Of(Down{ref, ref.target, reason});
  Post(*watcher, down);
}

void Kernel::Signal(Process& to, Pid from, const ExitReason& reason) {
  if (to.traps_exits) {
    Message message = Message::Of(ExitSignal{from, reason});
    Post(to, message);
  } else if (reason.kind() != ExitReason::Kind::kNormal) {
    Doom(to, reason);
  }
}

void Kernel::Doom(Process& process, const ExitReason& reason) {
  if (!process.alive || process.signal.has_value()) return;
  process.signal = reason;
  if (process.state != Process::State::kRunning) process.alive = false;
  Wake(process);
}

// -----------------------------------------------------------------------------
// Who runs when
// -----------------------------------------------------------------------------

void Kernel::Wake(Process& process) {
  if (process.state != Process::State::kWaiting) return;
  if (process.adopted) {
    process.bell->Ring();
    return;
  }
  if (process.timer.has_value()) timers_.Cancel(*process.timer);
  process.timer.reset();
  MakeReady(process);
}

void Kernel::MakeReady(Process& process) {
  process.state = Process::State::kReady;
  ready_.push_back(&process);
  WakeThread();
}

void Kernel::WakeThread() {
  if (idle_.empty()) return;
  idle_.back()->Ring();
  idle_.pop_back();
}

void Kernel::WakeAllThreads() {
  while (!idle_.empty()) WakeThread();
}

void Kernel::WakeDue() {
  if (timers_.empty()) return;
  const absl::Time now = clock_.Now();
  while (std::optional<Process*> due = timers_.PopDue(now)) {
    (*due)->timer.reset();
    Wake(**due);
  }
}

Process* Kernel::TakeReady() {
  WakeDue();
  if (ready_.empty()) return nullptr;
  Process* const process = ready_.front();
  ready_.pop_front();
  process->state = Process::State::kRunning;
  return process;
}

bool Kernel::Finished() const { return stopping_ && processes_.empty(); }

bool Kernel::Step() {
  Process* process;
  {
    Lock lock(mu_);
    process = TakeReady();
  }
  if (process == nullptr) return false;
  Run(*process);
  return true;
}

void Kernel::Work() {
  Doorbell bell;
  for (;;) {
    if (Step()) continue;
    absl::Time deadline;
    {
      Lock lock(mu_);
      if (Finished()) return;
      if (!ready_.empty()) continue;
      idle_.push_back(&bell);
      deadline = timers_.NextDeadline();
    }
    bell.Wait(clock_, deadline);
    Lock lock(mu_);
    std::erase(idle_, &bell);
  }
}

void Kernel::ShutDown() {
  Lock lock(mu_);
  CHECK_EQ(adopted_, 0) << "a runtime was destroyed before an AdoptedThread";
  stopping_ = true;
  std::vector<Pid> pids;
  for (const auto& [pid, process] : processes_) pids.push_back(pid);
  std::sort(pids.begin(), pids.end());
  for (const Pid pid : pids) Doom(*Find(pid), ExitReason::Shutdown());
  WakeAllThreads();
}

// -----------------------------------------------------------------------------
// Running one process
// -----------------------------------------------------------------------------

void Kernel::Run(Process& process) {
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    if (!Refill(process)) return Die(process, *process.signal);
    if (!process.task.empty() && !TryReceive(process)) {
      const absl::Time deadline = process.receive->deadline();
      const Parked parked = Park(process, deadline, nullptr);
      if (parked == Parked::kYes) return;
      if (parked == Parked::kNews) continue;
      process.receive->FailByTimeout();
    }
    if (const auto reason = Resume(process)) return Die(process, *reason);
  }
  Lock lock(mu_);
  MakeReady(process);
}

bool Kernel::Refill(Process& process) {
  MessageList news;
  std::vector<MonitorRef> flushed;
  {
    Lock lock(mu_);
    if (process.signal.has_value()) return false;
    news.swap(process.inbox);
    flushed.swap(process.flushed);
  }
  for (const MonitorRef& ref : flushed) process.mailbox.Flush(ref);
  process.mailbox.Append(news);
  return true;
}

bool Kernel::TryReceive(Process& process) {
  try {
    return process.mailbox.Take(*process.receive);
  } catch (...) {
    process.receive->FailByException(std::current_exception());
    return true;
  }
}

Kernel::Parked Kernel::Park(Process& process, absl::Time deadline,
                            Doorbell* bell) {
  Lock lock(mu_);
  if (process.signal.has_value() || !process.inbox.empty()) {
    return Parked::kNews;
  }
  if (deadline != absl::InfiniteFuture()) {
    if (deadline <= clock_.Now()) return Parked::kTimedOut;
    if (!process.adopted) {
      process.timer = timers_.Add(deadline, &process);
      if (timers_.NextDeadline() == deadline) WakeThread();
    }
  }
  process.bell = bell;
  process.state = Process::State::kWaiting;
  return Parked::kYes;
}

std::optional<ExitReason> Kernel::Resume(Process& process) {
  if (process.task.empty()) {
    try {
      process.task = process.body->Start(process.self);
    } catch (...) {
      return ExitReason::FromException(std::current_exception());
    }
    process.innermost = &PromiseOf(process.task);
  }
  if (ResumeTask(process.innermost)) {
    const std::exception_ptr error = PromiseOf(process.task).error;
    return error ? ExitReason::FromException(error) : ExitReason::Normal();
  }
  return std::exchange(process.leaving, std::nullopt);
}

absl::Time Kernel::DeadlineAfter(absl::Duration timeout) const {
  if (timeout == absl::InfiniteDuration()) return absl::InfiniteFuture();
  return clock_.Now() + timeout;
}

void Kernel::Wait(Process& process, PendingReceive& receive,
                  PromiseBase& waiter) {
  process.receive = &receive;
  process.innermost = &waiter;
  process.mailbox.Rewind();
}

void Kernel::LeaveForGood(Process& process, ExitReason reason) {
  process.leaving = std::move(reason);
}

// -----------------------------------------------------------------------------
// Adopted threads
// -----------------------------------------------------------------------------

bool Kernel::Block(Process& process, PendingReceive& receive) {
  process.mailbox.Rewind();
  for (;;) {
    if (!Refill(process)) {
      DieInReceive(process, receive);
      return false;
    }
    if (process.mailbox.Take(receive)) return true;
    Doorbell bell;
    switch (Park(process, receive.deadline(), &bell)) {
      case Parked::kTimedOut:
        receive.FailByTimeout();
        return true;
      case Parked::kNews:
        continue;
      case Parked::kYes:
        Sleep(process, receive.deadline(), bell);
    }
  }
}

void Kernel::Sleep(Process& process, absl::Time deadline, Doorbell& bell) {
  if (!manual_ || !Step()) {
    if (manual_) {
      Lock lock(mu_);
      if (!ready_.empty()) bell.Ring();
      idle_.push_back(&bell);
      deadline = std::min(deadline, timers_.NextDeadline());
    }
    bell.Wait(clock_, deadline);
  }
  Lock lock(mu_);
  std::erase(idle_, &bell);
  if (!ready_.empty()) WakeThread();  // the ring may have been for those
  process.bell = nullptr;
  process.state = Process::State::kRunning;
}

void Kernel::DieInReceive(Process& process, PendingReceive& receive) {
  const ExitReason reason = *process.signal;
  receive.Fail(
      MakeStatus(Cause::kRecipientDead,
                 absl::StrCat("process ", process.pid, " has died: ", reason)));
  Die(process, reason);
}

// -----------------------------------------------------------------------------
// Death
// -----------------------------------------------------------------------------

void Kernel::Die(Process& process, const ExitReason& reason) {
  const ExitReason why = reason;  // `reason` may be a part of `process`
  DestroyBody(process);
  Close(process);
  hooks_.Run(ExitPhase::kTables, process.pid, why);
  hooks_.Run(ExitPhase::kNames, process.pid, why);
  while (FireOneLink(process, why)) {
  }
  while (FireOneMonitor(process, why)) {
  }
}

void Kernel::DestroyBody(Process& process) {
  process.task = Task<>();
  process.body.reset();
}

void Kernel::Close(Process& process) {
  MessageList inbox;  // destroyed outside the lock
  {
    Lock lock(mu_);
    process.alive = false;
    inbox.swap(process.inbox);
    for (const MonitorRef& ref : process.watching) {
      if (Process* target = Find(ref.target)) target->watched_by.erase(ref);
    }
    process.watching.clear();
  }
  process.mailbox.Clear();
}

bool Kernel::FireOneLink(Process& process, const ExitReason& reason) {
  Lock lock(mu_);
  if (process.links.empty()) {
    process.links_fired = true;
    return false;
  }
  const Pid pid = *process.links.begin();
  process.links.erase(process.links.begin());
  if (Process* linked = Find(pid)) {
    linked->links.erase(process.pid);
    Signal(*linked, process.pid, reason);
  }
  return true;
}

bool Kernel::FireOneMonitor(Process& process, const ExitReason& reason) {
  Lock lock(mu_);
  if (process.watched_by.empty()) {
    Forget(process);
    return false;
  }
  const MonitorRef ref = *process.watched_by.begin();
  process.watched_by.erase(process.watched_by.begin());
  if (Process* watcher = Find(ref.watcher)) watcher->watching.erase(ref);
  PostDown(ref, reason);
  return true;
}

void Kernel::Forget(Process& process) {
  if (process.adopted) --adopted_;
  processes_.erase(process.pid);
  if (Finished()) WakeAllThreads();
}

}  // namespace ets_keeper::internal
