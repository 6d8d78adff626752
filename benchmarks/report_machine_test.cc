// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_machine.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

TEST(ReportMachineTest, AllThatCountsIsSaid) {
  std::set<std::string> names;
  for (const auto& [what, is] : MachineFacts()) {
    EXPECT_FALSE(is.empty()) << what;
    EXPECT_EQ(is.find('\n'), std::string::npos) << what;
    names.insert(what);
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"machine", "caches", "memory", "build"}));
}

TEST(ReportMachineTest, BytesHaveAUnit) {
  EXPECT_EQ(BytesText(512), "512 B");
  EXPECT_EQ(BytesText(48 * 1024), "48 KiB");
  EXPECT_EQ(BytesText(1 << 20), "1 MiB");
  EXPECT_EQ(BytesText(23.5 * (1 << 30)), "23.5 GiB");
}

}  // namespace
}  // namespace ets_keeper::benchmarks
