// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/crash_point/strand.h"

#include <vector>

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(StrandTest, TwoGoOnInTurns) {
  std::vector<int> steps;
  Strand* strands[2];
  const auto count = [&](int self) {
    for (int i = 0; i < 3; ++i) {
      steps.push_back(10 * self + i);
      if (i < 2) strands[self]->Leave();
    }
  };
  Strand first([&] { count(0); });
  Strand second([&] { count(1); });
  strands[0] = &first;
  strands[1] = &second;
  EXPECT_FALSE(first.done());
  for (int turn = 0; turn < 3; ++turn) {
    first.Run();
    second.Run();
  }
  EXPECT_TRUE(first.done());
  EXPECT_TRUE(second.done());
  EXPECT_EQ(steps, (std::vector<int>{0, 10, 1, 11, 2, 12}));
}

TEST(StrandTest, OneThatHasEndedDoesNothing) {
  int runs = 0;
  Strand strand([&] { ++runs; });
  strand.Run();
  strand.Run();
  EXPECT_EQ(runs, 1);
}

TEST(StrandTest, OneMayBeLeftForGood) {
  Strand* self = nullptr;
  Strand strand([&] { self->Leave(); });
  self = &strand;
  strand.Run();
  EXPECT_FALSE(strand.done());
}

}  // namespace
}  // namespace ets_keeper
