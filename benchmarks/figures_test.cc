// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/figures.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Optional;

TEST(FiguresTest, ANameIsItsParts) {
  const RunName run = {.op = "mix90",
                       .row = "str16",
                       .rows = 2'000'000,
                       .distribution = "zipf",
                       .peer = "table_memfd",
                       .threads = 2};
  const std::string name = "mix90/str16/2000000/zipf/table_memfd/threads:2";
  EXPECT_EQ(run.ToString(), name);
  EXPECT_EQ(ParseRunName(name), run);
}

TEST(FiguresTest, OtherNamesAreNoRunsOfMaps) {
  for (const char* name :
       {"", "limit/chase/L1/threads:1", "a/b/c/d/e/threads:1", "a/b/1/d/e/1",
        "a/b/1/d/e/threads:x", "a/b/1/d/e/threads:1/f"}) {
    EXPECT_EQ(ParseRunName(name), std::nullopt) << name;
  }
}

TEST(FiguresTest, TheMedianIsInTheMiddle) {
  EXPECT_EQ(SampleOf({3}).median, 3);
  EXPECT_EQ(SampleOf({9, 1, 2}).median, 2);
  EXPECT_EQ(SampleOf({9, 1, 2, 4}).median, 3);
  const Sample sample = SampleOf({5, 1, 9});
  EXPECT_EQ(sample.low, 1);
  EXPECT_EQ(sample.high, 9);
  EXPECT_EQ(sample.count, 3);
}

TEST(FiguresTest, RepetitionsAreCollectedByName) {
  Figures figures;
  figures.Add("a", 10, {{"max_ns", 100}});
  figures.Add("b", 1, {});
  figures.Add("a", 30, {{"max_ns", 400}});
  figures.Add("a", 20, {{"max_ns", 300}});
  EXPECT_THAT(figures.Names(), ElementsAre("a", "b"));
  ASSERT_TRUE(figures.Find("a").has_value());
  EXPECT_EQ(figures.Find("a")->time.median, 20);
  EXPECT_EQ(figures.Value("a", "")->median, 20);
  EXPECT_EQ(figures.Value("a", "max_ns")->median, 300);
  EXPECT_EQ(figures.Value("a", "p50_ns"), std::nullopt);
  EXPECT_EQ(figures.Value("c", ""), std::nullopt);
}

// The second repetition had a slow machine, and in the third the other run was
// interrupted: the ratio of the medians would be 30 / 200.
TEST(FiguresTest, ARatioIsOfRepetitionsThatTookTurns) {
  Figures figures;
  for (const double ns : {10, 100, 30}) figures.Add("a", ns, {{"max_ns", ns}});
  for (const double ns : {20, 200, 600}) figures.Add("b", ns, {{"max_ns", 5}});
  EXPECT_THAT(figures.Ratio("a", "b", ""), Optional(DoubleEq(0.5)));
  EXPECT_THAT(figures.Ratio("b", "a", ""), Optional(DoubleEq(2)));
  EXPECT_THAT(figures.Ratio("a", "b", "max_ns"), Optional(DoubleEq(6)));
  EXPECT_EQ(figures.Ratio("a", "b", "p50_ns"), std::nullopt);
  EXPECT_EQ(figures.Ratio("a", "c", ""), std::nullopt);
}

TEST(FiguresTest, WithoutAPartnerARepetitionDoesNotCount) {
  Figures figures;
  for (const double ns : {10, 40}) figures.Add("a", ns, {});
  figures.Add("b", 20, {});
  EXPECT_THAT(figures.Ratio("a", "b", ""), Optional(DoubleEq(0.5)));
  figures.Add("b", 0, {});
  EXPECT_EQ(figures.Ratio("a", "b", ""), std::nullopt);
  figures.AddError("a", "no memory");
  EXPECT_EQ(figures.Ratio("b", "a", ""), std::nullopt);
}

TEST(FiguresTest, WhatFailedOnceIsNoFigure) {
  Figures figures;
  figures.Add("a", 10, {});
  figures.AddError("a", "no memory");
  figures.AddError("a", "later");
  figures.Add("a", 10, {});
  EXPECT_EQ(figures.Find("a"), std::nullopt);
  EXPECT_EQ(figures.Error("a"), "no memory");
  EXPECT_EQ(figures.Error("b"), "");
  EXPECT_THAT(figures.Names(), ElementsAre());
}

}  // namespace
}  // namespace ets_keeper::benchmarks
