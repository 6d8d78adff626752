// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: registry.h
// -----------------------------------------------------------------------------
//
// `Registry` answers one question: who is it now? A process holds a name, dies,
// and its successor holds it; whoever asks by name finds the living one.
//
//   absl::Status status = registry.Register("accounts", self.pid());
//   ...
//   Pid accounts = registry.WhereIs("accounts");
//   if (accounts) runtime.Send(accounts, Deposit{100});
//
// `ProcessNames` (process_names.h) is the backend for one OS process. One of
// your own takes three functions:
//
//   class MyNames final : public Registry {
//    public:
//     absl::Status Register(std::string_view name, Pid pid) override {
//       ... refuse, or remember that `pid` holds `name` ...
//       Announce(name, pid);
//       return absl::OkStatus();
//     }
//     absl::Status Unregister(std::string_view name, Pid pid) override { ... }
//     Pid WhereIs(std::string_view name) const override { ... }
//   };
//
// and is proved by one line of a BUILD file: registry_conformance_test.bzl.
//
// Thread safety: all of it may be called from any thread, and a backend must
// see to that.
//
// It is not a way to hand over what a process owned. Between two calls the
// holder may die, so an answer is a hint for whom to ask, never a proof that
// somebody else has gone.

#ifndef REGISTRY_REGISTRY_H_
#define REGISTRY_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "common/pid/pid.h"

namespace ets_keeper::registry {

// Registry
//
// A name is any sequence of bytes but the empty one. A process may hold many
// names; a name has one holder at most, and never a dead one.
class Registry {
 public:
  Registry();
  virtual ~Registry();

  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Registry::Register()
  //
  // Makes `pid` the holder of `name`, until it dies or `Unregister()`. Fails,
  // and leaves nothing behind, with
  //
  //   * `kAlreadyExists` when a living process holds it, be it `pid` itself:
  //     the message names the holder;
  //   * `kRecipientDead` when `pid` has died;
  //   * `kBadOption` when `name` is empty.
  //
  // A dead holder is no hindrance, not even while its names are being released.
  [[nodiscard]] virtual absl::Status Register(std::string_view name,
                                              Pid pid) = 0;

  // Registry::Unregister()
  //
  // `pid` no longer holds `name`. `kKeyNotFound` when it did not.
  [[nodiscard]] virtual absl::Status Unregister(std::string_view name,
                                                Pid pid) = 0;

  // Registry::WhereIs()
  //
  // The holder of `name`; `kNoPid` when there is none. Never a process that
  // was dead when the call began.
  [[nodiscard]] virtual Pid WhereIs(std::string_view name) const = 0;

  // Registry::OnRegistered()
  //
  // Calls `watcher(name, pid)` after each registration, on the thread that made
  // it and one call at a time, until the returned `Watch` is destroyed. By then
  // `WhereIs(name)` says `pid`, or already what came after it. A watcher must
  // not register names, nor begin or end watches.
  using Watcher = std::function<void(std::string_view name, Pid pid)>;
  class Watch;
  [[nodiscard]] Watch OnRegistered(Watcher watcher);

 protected:
  // Registry::Announce()
  //
  // Runs the watchers. A backend calls it after each registration, before
  // `Register()` returns, holding no lock.
  void Announce(std::string_view name, Pid pid);

 private:
  class Watchers;
  const std::shared_ptr<Watchers> watchers_;
};

// Registry::Watch
//
// A watcher for as long as this lives. Destroying it waits for a call that is
// in progress; afterwards there is none. It may outlive the registry.
class [[nodiscard]] Registry::Watch {
 public:
  // No watcher.
  Watch() = default;
  Watch(Watch&& other) noexcept = default;
  Watch& operator=(Watch&& other) noexcept;
  ~Watch();

 private:
  friend class Registry;
  Watch(std::shared_ptr<Watchers> watchers, uint64_t id);

  std::shared_ptr<Watchers> watchers_;
  uint64_t id_ = 0;
};

}  // namespace ets_keeper::registry

#endif  // REGISTRY_REGISTRY_H_
