// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/writer_lanes.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "common/arena/word.h"
#include "common/hash/hash_lock.h"
#include "common/mutex/mutex.h"

namespace ets_keeper {

struct WriterLanes::Pool {
  explicit Pool(uint32_t count)
      : lanes(std::make_unique<Lane[]>(count)), count(count) {
    for (uint32_t i = 0; i < count; ++i) lanes[i].index_ = i;
    lanes[count - 1].uses_ = Lane::kShared;
    for (uint32_t i = count - 1; i-- > 0;) free.push_back(&lanes[i]);
  }

  Lane* Take() {
    Lock lock(mutex);
    if (free.empty()) return &lanes[count - 1];
    Lane* lane = free.back();
    free.pop_back();
    return lane;
  }
  void Return(Lane* lane) {
    if (lane->is_shared()) return;
    Lock lock(mutex);
    free.push_back(lane);
  }

  const std::unique_ptr<Lane[]> lanes;
  const uint32_t count;
  absl::Mutex mutex;
  std::vector<Lane*> free ABSL_GUARDED_BY(mutex);
};

// The lanes that a thread has, of all tables.
class WriterLanes::Claims {
 public:
  ~Claims() {
    thread_ends_ = true;
    last_ = {};
    for (Remembered& remembered : remembered_) remembered = {};
    for (auto& [number, claim] : claims_) {
      if (const auto pool = claim.pool.lock()) pool->Return(claim.lane);
    }
  }

  // Whether the thread has given its lanes back: what it writes from now on, in
  // destructors of other objects of its own, goes through the shared ones.
  static bool thread_ends() { return thread_ends_; }

  Lane* Of(const WriterLanes& lanes) {
    const auto it = claims_.find(lanes.number_);
    if (it != claims_.end()) return it->second.lane;
    // Tables that are gone by now, so that a thread that outlives many of them
    // does not remember all.
    absl::erase_if(
        claims_, [](const auto& claim) { return claim.second.pool.expired(); });
    Lane* lane = lanes.pool_->Take();
    claims_[lanes.number_] = {lanes.pool_, lane};
    return lane;
  }

 private:
  struct Claim {
    std::weak_ptr<Pool> pool;
    Lane* lane;
  };
  absl::flat_hash_map<uint64_t, Claim> claims_;
  static constinit thread_local bool thread_ends_;
};

constinit thread_local bool WriterLanes::Claims::thread_ends_ = false;

constinit thread_local WriterLanes::Remembered WriterLanes::last_ = {};
constinit thread_local WriterLanes::Remembered
    WriterLanes::remembered_[kRemembered] = {};

namespace {

uint64_t NextNumber() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

WriterLanes::WriterLanes(HashLane* words, uint32_t lanes)
    : words_(words),
      number_(NextNumber()),
      pool_(std::make_shared<Pool>(lanes)) {
  CHECK_GE(lanes, 1u);
}

WriterLanes::~WriterLanes() = default;

// The lane stays locked for the lifetime of the use, which the analysis cannot
// follow.
WriterLanes::Lane& WriterLanes::Recall() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Remembered& remembered = remembered_[number_ % kRemembered];
  if (remembered.owner != number_) {
    Lane& lane = Claim();
    HashLane* const words = words_ + lane.index_;
    if (lane.is_shared()) {
      AcquireMutex(lane.mutex_);
      last_ = {.owner = 0, .words = words, .lane = &lane};
      return lane;
    }
    remembered = {.owner = number_, .words = words, .lane = &lane};
  }
  last_ = remembered;
  return *remembered.lane;
}

WriterLanes::Lane& WriterLanes::Claim() {
  if (Claims::thread_ends()) return pool_->lanes[pool_->count - 1];
  static thread_local Claims claims;
  return *claims.Of(*this);
}

void WriterLanes::EndSharing(Lane& lane) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  ReleaseMutex(lane.mutex_);
}

void WriterLanes::WaitForUses() const {
  for (uint32_t i = 0; i < pool_->count; ++i) {
    uint64_t& uses = pool_->lanes[i].uses_;
    const uint64_t begun =
        std::atomic_ref<uint64_t>(uses).load(std::memory_order_seq_cst);
    SpinPause pause;
    while (begun % 2 != 0 && IsWord(&uses, begun)) {
      pause.Wait();
    }
  }
}

}  // namespace ets_keeper
