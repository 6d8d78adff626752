// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "ets_keeper.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::Optional;

struct User {
  uint64_t id = 0;
  std::string name;
  static constexpr auto Fields() {
    return FieldList(Field("id", &User::id), Field("name", &User::name));
  }
  friend bool operator==(const User&, const User&) = default;
};

// The parts work together through the one header: a table of Protets outlives
// the process that wrote to it.
TEST(EtsKeeperTest, ATableOutlivesTheProcessThatWroteToIt) {
  Runtime runtime({.threads = 0});
  protets::Protets protets({.runtime = &runtime});
  const Pid writer = runtime.Spawn([&](Self& self) -> Task<> {
    const auto users = protets.Get<User, &User::id>("users");
    EXPECT_THAT(users, IsOk());
    EXPECT_THAT(users->Insert(User{7, "Ada"}), IsOk());
    co_await self.Exit(ExitReason::Killed());
  });
  runtime.RunUntilIdle();
  EXPECT_FALSE(runtime.IsAlive(writer));
  const auto users = protets.Get<User, &User::id>("users");
  ASSERT_THAT(users, IsOk());
  EXPECT_THAT(users->Lookup(7), IsOkAndHolds(Optional(User{7, "Ada"})));
  EXPECT_THAT(protets.Drop("users"), IsOk());
  EXPECT_EQ(CauseOf(users->Lookup(7).status()), Cause::kTableNotFound);
}

}  // namespace
}  // namespace ets_keeper
