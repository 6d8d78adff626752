// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/body.h"

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(BodyTest, CapturesLiveUntilTheCoroutineIsDestroyed) {
  Runtime runtime({.threads = 0});
  auto captured = std::make_shared<int>(7);
  const std::weak_ptr<int> seen = captured;
  int received = 0;
  // The lambda is a temporary; the coroutine outlives it by far.
  const Pid pid = runtime.Spawn(
      [&received, captured = std::move(captured)](Self& self) -> Task<> {
        for (;;) {
          received += *captured * *co_await self.Receive<int>();
        }
      });
  for (int i = 0; i < 3; ++i) {
    runtime.Send(pid, 1);
    runtime.RunUntilIdle();
  }
  EXPECT_EQ(received, 21);
  EXPECT_EQ(seen.use_count(), 1);
  runtime.Exit(pid, ExitReason::Killed());
  runtime.RunUntilIdle();
  EXPECT_TRUE(seen.expired());
}

TEST(BodyTest, LocalsAreDestroyedBeforeCaptures) {
  Runtime runtime({.threads = 0});
  bool checked = false;
  // Reads the capture when the frame is destroyed.
  struct ReadsAtTheEnd {
    const std::weak_ptr<int> capture;
    bool& checked;
    ~ReadsAtTheEnd() { checked = !capture.expired(); }
  };
  runtime.Spawn(
      [capture = std::make_shared<int>(7), &checked](Self& self) -> Task<> {
        ReadsAtTheEnd local{capture, checked};
        (void)co_await self.Receive<int>(absl::ZeroDuration());
      });
  runtime.RunUntilIdle();
  EXPECT_TRUE(checked);
}

TEST(BodyTest, ACallableMayBeMoveOnly) {
  Runtime runtime({.threads = 0});
  int seen = 0;
  runtime.Spawn([&seen, n = std::make_unique<int>(7)](Self&) -> Task<> {
    seen = *n;
    co_return;
  });
  runtime.RunUntilIdle();
  EXPECT_EQ(seen, 7);
}

Task<> SetToSeven(int& n) {
  n = 7;
  co_return;
}

TEST(BodyTest, ACallableMayHandOnACoroutineMadeByAFunction) {
  Runtime runtime({.threads = 0});
  int seen = 0;
  runtime.Spawn([&seen](Self&) { return SetToSeven(seen); });
  runtime.RunUntilIdle();
  EXPECT_EQ(seen, 7);
}

}  // namespace
}  // namespace ets_keeper
