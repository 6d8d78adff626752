// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "registry/registry.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/pid/pid.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "gtest/gtest.h"
#include "registry/map_names_testing.h"

namespace ets_keeper::registry {
namespace {

class RegistryTest : public testing::Test {
 protected:
  void Register(std::string_view name) {
    const Pid pid = runtime_.Spawn(
        [](Self& self) -> Task<> { (void)co_await self.Receive<int>(); });
    ASSERT_TRUE(names_->Register(name, pid).ok());
  }
  Registry::Watch Watch(int who) {
    return names_->OnRegistered(
        [this, who](std::string_view, Pid) { heard_.push_back(who); });
  }

  Runtime runtime_{{.threads = 0}};
  std::optional<MapNames> names_{std::in_place, runtime_};
  std::vector<int> heard_;
};

TEST_F(RegistryTest, WatchersAreCalledInTheOrderTheyCame) {
  const Registry::Watch first = Watch(1);
  const Registry::Watch second = Watch(2);
  Register("a");
  EXPECT_EQ(heard_, std::vector<int>({1, 2}));
}

TEST_F(RegistryTest, AWatchEndsWithItsObjectAndMovesWithIt) {
  Registry::Watch outer;
  {
    Registry::Watch inner = Watch(1);
    outer = std::move(inner);
  }
  Register("a");
  EXPECT_EQ(heard_, std::vector<int>({1}));
  outer = Watch(2);
  Register("b");
  EXPECT_EQ(heard_, std::vector<int>({1, 2}));
  outer = Registry::Watch();
  Register("c");
  EXPECT_EQ(heard_, std::vector<int>({1, 2}));
}

TEST_F(RegistryTest, AWatchMayOutliveTheRegistry) {
  Registry::Watch watch = Watch(1);
  names_.reset();
  watch = Registry::Watch();
  EXPECT_TRUE(heard_.empty());
}

}  // namespace
}  // namespace ets_keeper::registry
