// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/runfile.h"

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

TEST(RunfileTest, AFileThatIsDataIsFound) {
  const absl::StatusOr<std::string> path =
      RunfilePath("benchmarks/ets_measure.erl");
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(path->front(), '/');
  std::ifstream file(*path);
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_THAT(line, testing::HasSubstr("Copyright"));
}

TEST(RunfileTest, OneThatIsNotIsNamed) {
  const absl::StatusOr<std::string> path = RunfilePath("benchmarks/nothing");
  EXPECT_TRUE(absl::IsNotFound(path.status()));
  EXPECT_THAT(std::string(path.status().message()),
              testing::HasSubstr("benchmarks/nothing"));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
