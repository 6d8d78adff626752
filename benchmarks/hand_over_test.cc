// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hand_over.h"

#include <memory>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::absl_testing::IsOk;

// It reads the last row: so none is missing.
TEST(HandOverTest, AKilledOwnersTableIsTakenOverAgainAndAgain) {
  const absl::StatusOr<std::unique_ptr<HandOver>> hand_over = HandOver::Start();
  ASSERT_THAT(hand_over, IsOk());
  for (const uint64_t rows : {10, 10, 1000, 10}) {
    const absl::StatusOr<HandOver::Time> time = (*hand_over)->Once(rows);
    ASSERT_THAT(time, IsOk()) << rows;
    EXPECT_GT(time->time, absl::ZeroDuration());
  }
}

}  // namespace
}  // namespace ets_keeper::benchmarks
