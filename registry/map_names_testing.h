// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: map_names_testing.h
// -----------------------------------------------------------------------------
//
// `MapNames` is the smallest registry: a map and a look at who is alive. It
// hooks into no death, so it forgets the dead only when their names are wanted
// again. For tests, and as an example of a backend.
//
// `Flaw`s can be built in, so that the conformance tests have something to
// find.
//
// Thread safety: everything may be called from any thread.

#ifndef REGISTRY_MAP_NAMES_TESTING_H_
#define REGISTRY_MAP_NAMES_TESTING_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/process/runtime.h"
#include "common/status/status.h"
#include "registry/registry.h"

namespace ets_keeper::registry {

// Flaw
enum class Flaw {
  kNone,
  kFindsTheDead,
  kDeadAreInTheWay,
  kTakesTheNameAway,
  kHidesTheHolder,
  kLetsHoldersRegisterAgain,
  kTakesTheEmptyName,
  kTakesTheDead,
  kLetsAnybodyUnregister,
  kNeverUnregisters,
  kForgetsAllNamesAtOnce,
  kCutsNamesAtNul,
  kNeverAnnounces,
  kAnnouncesFailures,
};

// MapNames
class MapNames : public Registry {
 public:
  explicit MapNames(Runtime& runtime, Flaw flaw = Flaw::kNone)
      : runtime_(runtime), flaw_(flaw) {}

  [[nodiscard]] absl::Status Register(std::string_view name, Pid pid) override
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::Status status = TryRegister(name, pid);
    const bool announce = Has(Flaw::kAnnouncesFailures) || status.ok();
    if (announce && !Has(Flaw::kNeverAnnounces)) Announce(name, pid);
    return status;
  }

  [[nodiscard]] absl::Status Unregister(std::string_view name, Pid pid) override
      ABSL_LOCKS_EXCLUDED(mu_) {
    Lock lock(mu_);
    const auto it = holders_.find(Key(name));
    if (it == holders_.end() ||
        (it->second != pid && !Has(Flaw::kLetsAnybodyUnregister))) {
      return MakeStatus(Cause::kKeyNotFound,
                        absl::StrCat(pid, " does not hold ", name));
    }
    if (Has(Flaw::kForgetsAllNamesAtOnce)) holders_.clear();
    if (!Has(Flaw::kNeverUnregisters)) holders_.erase(Key(name));
    return absl::OkStatus();
  }

  [[nodiscard]] Pid WhereIs(std::string_view name) const override
      ABSL_LOCKS_EXCLUDED(mu_) {
    Lock lock(mu_);
    const auto it = holders_.find(Key(name));
    if (it == holders_.end()) return kNoPid;
    if (Has(Flaw::kFindsTheDead) || runtime_.IsAlive(it->second)) {
      return it->second;
    }
    return kNoPid;
  }

 private:
  absl::Status TryRegister(std::string_view name, Pid pid)
      ABSL_LOCKS_EXCLUDED(mu_) {
    if (name.empty() && !Has(Flaw::kTakesTheEmptyName)) {
      return MakeStatus(Cause::kBadOption, "the name is empty");
    }
    Lock lock(mu_);
    if (!runtime_.IsAlive(pid) && !Has(Flaw::kTakesTheDead)) {
      return MakeStatus(Cause::kRecipientDead, absl::StrCat(pid, " is dead"));
    }
    Pid& holder = holders_[Key(name)];
    if (Refuses(holder, pid)) {
      return MakeStatus(Cause::kAlreadyExists,
                        Has(Flaw::kHidesTheHolder)
                            ? "the name is taken"
                            : absl::StrCat(name, " is held by ", holder));
    }
    holder = pid;
    return absl::OkStatus();
  }

  bool Refuses(Pid holder, Pid pid) const {
    if (!holder || Has(Flaw::kTakesTheNameAway)) return false;
    if (holder == pid && Has(Flaw::kLetsHoldersRegisterAgain)) return false;
    return Has(Flaw::kDeadAreInTheWay) || runtime_.IsAlive(holder);
  }

  std::string Key(std::string_view name) const {
    return Has(Flaw::kCutsNamesAtNul)
               ? std::string(name.substr(0, name.find('\0')))
               : std::string(name);
  }

  bool Has(Flaw flaw) const { return flaw_ == flaw; }

  Runtime& runtime_;
  const Flaw flaw_;
  mutable absl::Mutex mu_;
  std::map<std::string, Pid> holders_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ets_keeper::registry

#endif  // REGISTRY_MAP_NAMES_TESTING_H_
