// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/process_record.h"

#include <memory>

#include "absl/time/time.h"
#include "common/process/body.h"
#include "common/process/exit_reason.h"
#include "common/process/receive.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace internal {
namespace {

// A host that is never asked.
class NoHost final : public SelfHost {
 public:
  absl::Time DeadlineAfter(absl::Duration) const override { return {}; }
  void TrapExit(Process&, bool) override {}
  void Wait(Process&, PendingReceive&, PromiseBase&) override {}
  void LeaveForGood(Process&, ExitReason) override {}
};

Task<> Nothing(Self&) { co_return; }

// The record only hands the reference on, so any storage will do.
Runtime& NoRuntime() {
  alignas(16) static char storage[16];
  return reinterpret_cast<Runtime&>(storage);
}

TEST(ProcessRecordTest, AProcessWithABodyIsReadyAndOneWithoutIsAdopted) {
  NoHost host;
  const Process spawned(NoRuntime(), host,
                        std::make_unique<BodyOf<decltype(&Nothing)>>(&Nothing));
  EXPECT_FALSE(spawned.adopted);
  EXPECT_EQ(spawned.state, Process::State::kReady);
  EXPECT_TRUE(spawned.alive);
  EXPECT_EQ(spawned.self.pid(), spawned.pid);

  const Process adopted(NoRuntime(), host, nullptr);
  EXPECT_TRUE(adopted.adopted);
  EXPECT_EQ(adopted.state, Process::State::kRunning);
  EXPECT_NE(adopted.pid, spawned.pid);
}

TEST(ProcessRecordTest, IsSmallEnoughForOnePerTable) {
  EXPECT_LE(sizeof(Process), 768u);
}

}  // namespace
}  // namespace internal
}  // namespace ets_keeper
