// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: timer_queue.h
// -----------------------------------------------------------------------------
//
// `TimerQueue<T>` holds values until their deadlines, in order. A timer that is
// cancelled is gone at once: a process that receives a million messages with a
// timeout of an hour leaves nothing behind. Internal to the runtime.
//
// Thread safety: none; the runtime's mutex guards it.

#ifndef COMMON_PROCESS_TIMER_QUEUE_H_
#define COMMON_PROCESS_TIMER_QUEUE_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"

namespace ets_keeper::internal {

// TimerKey
//
// Names one timer. Equal deadlines are due in the order they were added.
struct TimerKey {
  absl::Time deadline;
  uint64_t sequence = 0;

  friend bool operator<(const TimerKey& a, const TimerKey& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline
                                    : a.sequence < b.sequence;
  }
};

// TimerQueue
template <typename T>
class TimerQueue {
 public:
  // O(log timers).
  TimerKey Add(absl::Time deadline, T value) {
    const TimerKey key = {deadline, ++last_sequence_};
    timers_.emplace(key, std::move(value));
    return key;
  }

  // Nothing when it is not there (any more). O(log timers).
  void Cancel(const TimerKey& key) { timers_.erase(key); }

  // The earliest deadline; the infinite future when there is none.
  [[nodiscard]] absl::Time NextDeadline() const {
    return timers_.empty() ? absl::InfiniteFuture()
                           : timers_.begin()->first.deadline;
  }

  // Removes the first timer that is due at `now` and returns its value.
  [[nodiscard]] std::optional<T> PopDue(absl::Time now) {
    if (NextDeadline() > now || timers_.empty()) return std::nullopt;
    std::optional<T> value = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    return value;
  }

  [[nodiscard]] bool empty() const { return timers_.empty(); }

 private:
  uint64_t last_sequence_ = 0;
  absl::btree_map<TimerKey, T> timers_;
};

}  // namespace ets_keeper::internal

#endif  // COMMON_PROCESS_TIMER_QUEUE_H_
