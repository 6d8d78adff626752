// A registry backend of this project's own: a map under a mutex.

#ifndef MY_NAMES_H_
#define MY_NAMES_H_

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "ets_keeper.h"

class MyNames final : public ets_keeper::registry::Registry {
 public:
  explicit MyNames(ets_keeper::Runtime& runtime) : runtime_(runtime) {}

  absl::Status Register(std::string_view name, ets_keeper::Pid pid) override {
    using ets_keeper::Cause;
    if (name.empty()) return MakeStatus(Cause::kBadOption, "an empty name");
    {
      std::lock_guard lock(mutex_);
      if (!runtime_.IsAlive(pid)) {
        return MakeStatus(Cause::kRecipientDead, "the process is dead");
      }
      ets_keeper::Pid& holder = holders_[std::string(name)];
      if (runtime_.IsAlive(holder)) {
        return MakeStatus(Cause::kAlreadyExists,
                          absl::StrCat(name, " is held by ", holder));
      }
      holder = pid;
    }
    Announce(name, pid);
    return absl::OkStatus();
  }

  absl::Status Unregister(std::string_view name, ets_keeper::Pid pid) override {
    std::lock_guard lock(mutex_);
    const auto it = holders_.find(std::string(name));
    if (it == holders_.end() || it->second != pid || !runtime_.IsAlive(pid)) {
      return MakeStatus(ets_keeper::Cause::kKeyNotFound, "it is not yours");
    }
    holders_.erase(it);
    return absl::OkStatus();
  }

  ets_keeper::Pid WhereIs(std::string_view name) const override {
    std::lock_guard lock(mutex_);
    const auto it = holders_.find(std::string(name));
    if (it == holders_.end() || !runtime_.IsAlive(it->second)) return {};
    return it->second;
  }

 private:
  ets_keeper::Runtime& runtime_;
  mutable std::mutex mutex_;
  std::map<std::string, ets_keeper::Pid> holders_;
};

#endif  // MY_NAMES_H_
