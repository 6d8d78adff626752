// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/pid/pid.h"

#include <atomic>
#include <cstdint>

namespace ets_keeper {

Pid NewPid() {
  static std::atomic<uint64_t> last{0};
  return Pid{last.fetch_add(1, std::memory_order_relaxed) + 1};
}

}  // namespace ets_keeper
