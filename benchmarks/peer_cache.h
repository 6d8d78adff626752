// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: peer_cache.h
// -----------------------------------------------------------------------------
//
// `PeerCache` keeps filled maps from one benchmark to the next: to fill one
// takes longer than to measure it. When the process has more than half of the
// machine's memory, those that were not used for the longest time go first; and
// those that nobody will ask for any more go when somebody says which these
// are.
//
//   auto peer = TheCache().Get<MyMap>("my map, 1000 rows", [] {
//     return std::make_shared<MyMap>();
//   });
//   TheCache().KeepOnly({"my map, 1000 rows"});
//
// Thread safety: one thread at a time.

#ifndef BENCHMARKS_PEER_CACHE_H_
#define BENCHMARKS_PEER_CACHE_H_

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace ets_keeper::benchmarks {

// ResidentBytes(), MachineBytes()
//
// The memory that this process has, and that there is.
[[nodiscard]] inline uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

[[nodiscard]] inline uint64_t MachineBytes() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// PeerCache
class PeerCache {
 public:
  // `is_full` says whether something must go before more is made.
  explicit PeerCache(std::function<bool()> is_full)
      : is_full_(std::move(is_full)) {}

  // PeerCache::Get()
  //
  // The map of that name, which is made and filled by `make` if it is not there
  // any more. A name stands for one type.
  template <typename P, typename Make>
  [[nodiscard]] std::shared_ptr<P> Get(const std::string& name,
                                       const Make& make) {
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->first != name) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return std::static_pointer_cast<P>(it->second);
    }
    while (!entries_.empty() && is_full_()) entries_.pop_back();
    std::shared_ptr<P> made = make();
    entries_.emplace_front(name, made);
    return made;
  }

  // PeerCache::KeepOnly()
  //
  // All others go, unless they are in use: then they go after that.
  void KeepOnly(const std::set<std::string>& names) {
    entries_.remove_if(
        [&](const auto& entry) { return !names.contains(entry.first); });
  }

  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  const std::function<bool()> is_full_;
  // The one that was used last comes first.
  std::list<std::pair<std::string, std::shared_ptr<void>>> entries_;
};

// TheCache()
//
// That of all benchmarks. It is never destroyed: at the end of the program
// there is nothing to be gained by it, and peers may use what is gone then.
inline PeerCache& TheCache() {
  static auto& cache =
      *new PeerCache([] { return ResidentBytes() > MachineBytes() / 2; });
  return cache;
}

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PEER_CACHE_H_
