// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/machine.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MachineTest, OneLineNamesAllThatFiguresDependOn) {
  const std::string line = DescribeMachine();
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  for (const char* part : {"CPUs", "Linux", "++ ", "-c ", "huge pages"}) {
    EXPECT_THAT(line, HasSubstr(part));
  }
  EXPECT_THAT(line, Not(HasSubstr("unknown compiler")));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
