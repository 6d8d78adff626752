// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/runtime.h"

#include <memory>
#include <thread>
#include <utility>

#include "absl/log/check.h"
#include "common/clock/clock.h"
#include "common/pid/pid.h"
#include "common/process/body.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/kernel.h"
#include "common/process/message.h"
#include "common/process/signal.h"

namespace ets_keeper {

Runtime::Runtime(const Options& options)
    : kernel_(std::make_unique<internal::Kernel>(
          *this, options.clock != nullptr ? *options.clock : RealClock(),
          /*manual=*/options.threads == 0)) {
  CHECK_GE(options.threads, 0);
  for (int i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this] { kernel_->Work(); });
  }
}

Runtime::~Runtime() {
  kernel_->ShutDown();
  if (kernel_->manual()) RunUntilIdle();
  for (std::thread& thread : threads_) thread.join();
  CHECK_EQ(process_count(), 0);
}

bool Runtime::IsAlive(Pid pid) const { return kernel_->IsAlive(pid); }

void Runtime::Exit(Pid target, ExitReason reason, Pid from) {
  kernel_->Exit(target, reason, from);
}

void Runtime::Link(Pid a, Pid b) { kernel_->Link(a, b); }

void Runtime::Unlink(Pid a, Pid b) { kernel_->Unlink(a, b); }

MonitorRef Runtime::Monitor(Pid watcher, Pid target) {
  return kernel_->Monitor(watcher, target);
}

void Runtime::Demonitor(const MonitorRef& ref) { kernel_->Demonitor(ref); }

ExitHook Runtime::AddExitHook(ExitPhase phase, ExitHookFunction hook) {
  return kernel_->hooks().Add(phase, std::move(hook));
}

bool Runtime::Step() {
  CHECK(kernel_->manual()) << "Step() on a runtime with threads";
  return kernel_->Step();
}

void Runtime::RunUntilIdle() {
  while (Step()) {
  }
}

int Runtime::process_count() const { return kernel_->process_count(); }

Clock& Runtime::clock() const { return kernel_->clock(); }

Pid Runtime::SpawnBody(std::unique_ptr<internal::Body> body) {
  return kernel_->Spawn(std::move(body));
}

void Runtime::SendMessage(Pid to, Message message) {
  kernel_->Send(to, std::move(message));
}

}  // namespace ets_keeper
