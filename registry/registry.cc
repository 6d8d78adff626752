// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "registry/registry.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/synchronization/mutex.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"

namespace ets_keeper::registry {

class Registry::Watchers {
 public:
  uint64_t Add(Watcher watcher) ABSL_LOCKS_EXCLUDED(mu_) {
    Lock lock(mu_);
    watchers_.emplace(++last_id_, std::move(watcher));
    return last_id_;
  }
  void Remove(uint64_t id) ABSL_LOCKS_EXCLUDED(mu_) {
    Lock lock(mu_);
    watchers_.erase(id);
  }
  void Run(std::string_view name, Pid pid) ABSL_LOCKS_EXCLUDED(mu_) {
    Lock lock(mu_);
    for (const auto& [id, watcher] : watchers_) watcher(name, pid);
  }

 private:
  absl::Mutex mu_;
  uint64_t last_id_ ABSL_GUARDED_BY(mu_) = 0;
  // In the order of their beginnings.
  absl::btree_map<uint64_t, Watcher> watchers_ ABSL_GUARDED_BY(mu_);
};

Registry::Registry() : watchers_(std::make_shared<Watchers>()) {}

Registry::~Registry() = default;

Registry::Watch Registry::OnRegistered(Watcher watcher) {
  const uint64_t id = watchers_->Add(std::move(watcher));
  return Watch(watchers_, id);
}

void Registry::Announce(std::string_view name, Pid pid) {
  watchers_->Run(name, pid);
}

Registry::Watch::Watch(std::shared_ptr<Watchers> watchers, uint64_t id)
    : watchers_(std::move(watchers)), id_(id) {}

Registry::Watch& Registry::Watch::operator=(Watch&& other) noexcept {
  Watch old(std::move(*this));
  watchers_ = std::move(other.watchers_);
  id_ = other.id_;
  return *this;
}

Registry::Watch::~Watch() {
  if (watchers_ != nullptr) watchers_->Remove(id_);
}

}  // namespace ets_keeper::registry
