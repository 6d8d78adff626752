// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_data.h"

#include <set>
#include <string>

#include "benchmarks/report_targets.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

TEST(ReportDataTest, OursComeFirst) {
  ASSERT_GE(AllPeers().size(), 2u);
  EXPECT_EQ(AllPeers()[0].name, std::string(kTablePeers[0]));
  EXPECT_EQ(AllPeers()[1].name, std::string(kTablePeers[1]));
  std::set<std::string> labels;
  for (const PeerInfo& peer : AllPeers()) {
    EXPECT_TRUE(labels.insert(peer.label).second) << peer.label;
    EXPECT_EQ(IsOurs(peer.name), peer.series < 2) << peer.name;
    EXPECT_EQ(IsUnsynchronized(peer.name), std::string(peer.look) == "ceiling");
  }
}

TEST(ReportDataTest, AVariantIsOursAndInNoPicture) {
  for (const PeerInfo& peer : Variants()) {
    EXPECT_TRUE(IsOurs(peer.name)) << peer.name;
    EXPECT_FALSE(IsPlotted(peer.name)) << peer.name;
    EXPECT_EQ(LabelOf(peer.name), peer.label);
  }
  EXPECT_TRUE(IsPlotted("table_memfd"));
  EXPECT_TRUE(IsPlotted("absl_flat"));
  EXPECT_FALSE(IsPlotted("lmdb"));
  EXPECT_FALSE(IsPlotted("libcuckoo_sized"));
  EXPECT_FALSE(IsPlotted("not_atomic_memfd"));
}

TEST(ReportDataTest, WhatHasNoLabelKeepsItsName) {
  EXPECT_EQ(LabelOf("boost_flat"), "boost flat, unsynchronized");
  EXPECT_EQ(LabelOf("beam"), "BEAM");
  EXPECT_EQ(LabelOf("not_atomic_private"), "table, not crash-atomic");
  EXPECT_EQ(LabelOf("something"), "something");
  EXPECT_EQ(OpLabel("find_hit"), "find (hit)");
  EXPECT_EQ(OpLabel("erase"), "erase");
}

TEST(ReportDataTest, EachTargetIsJudged) {
  Report report;
  report.targets = Targets(ReportSizes::Full());
  report.JudgeAll();
  report.JudgeAll();
  EXPECT_EQ(report.outcomes.size(), report.targets.size());
}

}  // namespace
}  // namespace ets_keeper::benchmarks
