// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/process.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

struct Question {
  Pid from;
  int n;
};

Task<absl::StatusOr<int>> Ask(Self& self, Pid server, int n) {
  self.runtime().Send(server, Question{self.pid(), n});
  co_return co_await self.Receive<int>(absl::Seconds(60));
}

Task<> Double(Self& self) {
  for (;;) {
    const absl::StatusOr<Question> question = co_await self.Receive<Question>();
    self.runtime().Send(question->from, 2 * question->n);
  }
}

TEST(ProcessTest, OneHeaderIsEnoughForAServerAClientAndAWatcher) {
  Runtime runtime;
  AdoptedThread self(runtime);
  const Pid server = runtime.Spawn(Double);
  const Pid client = runtime.Spawn([&](Self& client) -> Task<> {
    const absl::StatusOr<int> first = co_await Ask(client, server, 1);
    const absl::StatusOr<int> second = co_await Ask(client, server, *first);
    runtime.Send(self.pid(), *second);
  });
  const MonitorRef ref = runtime.Monitor(self.pid(), client);
  EXPECT_EQ(*self.Receive<int>(), 4);
  const absl::StatusOr<Down> death =
      self.Receive<Down>([&](const Down& down) { return down.ref == ref; });
  EXPECT_EQ(death->pid, client);
}

}  // namespace
}  // namespace ets_keeper
