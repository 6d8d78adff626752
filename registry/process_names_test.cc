// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// What every registry does is proved by the conformance test.

#include "registry/process_names.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper::registry {
namespace {

class ProcessNamesTest : public testing::Test {
 protected:
  Pid Spawn() {
    return runtime_.Spawn(
        [](Self& self) -> Task<> { (void)co_await self.Receive<int>(); });
  }

  Runtime runtime_{{.threads = 0}};
  ProcessNames names_{runtime_};
};

TEST_F(ProcessNamesTest, E105_ADeathReleasesAllNamesOfTheProcessAndNoOthers) {
  const Pid dying = Spawn();
  const Pid staying = Spawn();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(names_.Register(absl::StrCat("d", i), dying).ok());
    ASSERT_TRUE(names_.Register(absl::StrCat("s", i), staying).ok());
  }
  EXPECT_EQ(names_.size(), 20);
  runtime_.Exit(dying, ExitReason::Killed());
  runtime_.RunUntilIdle();
  EXPECT_EQ(names_.size(), 10);
  EXPECT_EQ(names_.WhereIs("s0"), staying);
}

TEST_F(ProcessNamesTest, B53_NamesAreReleasedAfterTheTablesPhase) {
  const Pid dying = Spawn();
  ASSERT_TRUE(names_.Register("name", dying).ok());
  std::vector<int> sizes;
  const auto record = [&](Pid, const ExitReason&) {
    sizes.push_back(names_.size());
  };
  const ExitHook tables = runtime_.AddExitHook(ExitPhase::kTables, record);
  const ExitHook names = runtime_.AddExitHook(ExitPhase::kNames, record);
  runtime_.Exit(dying, ExitReason::Killed());
  runtime_.RunUntilIdle();
  EXPECT_EQ(sizes, std::vector<int>({1, 0}));
}

TEST_F(ProcessNamesTest, E114_AFailedRegistrationLeavesNoRow) {
  const Pid pid = Spawn();
  runtime_.Exit(pid, ExitReason::Killed());
  EXPECT_EQ(CauseOf(names_.Register("name", pid)), Cause::kRecipientDead);
  EXPECT_EQ(CauseOf(names_.Register("", Spawn())), Cause::kBadOption);
  EXPECT_EQ(names_.size(), 0);
}

TEST_F(ProcessNamesTest, AnAdoptedThreadHoldsANameForItsScope) {
  {
    AdoptedThread self(runtime_);
    ASSERT_TRUE(names_.Register("main", self.pid()).ok());
    EXPECT_EQ(names_.WhereIs("main"), self.pid());
  }
  EXPECT_EQ(names_.WhereIs("main"), kNoPid);
  EXPECT_EQ(names_.size(), 0);
}

TEST_F(ProcessNamesTest, MayGoBeforeTheProcessesThatHoldNames) {
  std::optional<ProcessNames> names(std::in_place, runtime_);
  const Pid pid = Spawn();
  ASSERT_TRUE(names->Register("name", pid).ok());
  names.reset();
  runtime_.Exit(pid, ExitReason::Killed());
  runtime_.RunUntilIdle();
  EXPECT_FALSE(runtime_.IsAlive(pid));
}

}  // namespace
}  // namespace ets_keeper::registry
