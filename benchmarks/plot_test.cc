// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/plot.h"

#include <string>

#include "benchmarks/plot_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(PlotTest, WhatXmlMeansByCharactersIsEscaped) {
  EXPECT_EQ(EscapeXml("a<b> & \"c\" 'd'"),
            "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(EscapeXml(std::string("x\x01y\0z", 5)), "xyz");
  EXPECT_EQ(EscapeXml("5 µs"), "5 µs");
}

TEST(PlotTest, APictureIsWellFormedWhateverIsInIt) {
  Svg svg(100, 50, "<title> & co");
  svg.Rect(1, 2, 3, -4, "ours", 2);
  svg.Line(0, 0, 10.04, 10, "grid");
  svg.Path({{0, 0}, {5, 5.55}}, "s0");
  svg.Circle(1, 1, 1, "good");
  svg.Diamond(5, 5, 2, "bad");
  svg.Text(1, 2, "</text><script>&", {.anchor = "end", .bold = true});
  svg.Text(1, 2, "up", {.turn = -90});
  const std::string file = svg.Finish();
  EXPECT_EQ(WhyNotWellFormed(file), "");
  EXPECT_THAT(file, Not(HasSubstr("<script>")));
  EXPECT_THAT(file, HasSubstr("<title>&lt;title&gt; &amp; co</title>"));
  EXPECT_THAT(file, HasSubstr("height=\"0\"")) << "no negative lengths";
  EXPECT_THAT(file, HasSubstr("d=\"M0 0L5 5.6\""));
  EXPECT_THAT(file, HasSubstr("prefers-color-scheme:dark"));
}

TEST(PlotTest, TheTestItselfKnowsWhatIsNotWellFormed) {
  for (const char* xml :
       {"<a>", "<a></b>", "</a>", "<a/><b></b>x<c/>", "<a b=\"></a>",
        "<a>&nbsp;</a>", "<a", "<a></a><b></b>"}) {
    EXPECT_NE(WhyNotWellFormed(xml), "") << xml;
  }
  EXPECT_EQ(WhyNotWellFormed("<a b=\"c\"><d/>text</a>\n"), "");
}

TEST(PlotTest, NumbersHaveThreeDigits) {
  EXPECT_EQ(Rounded(0), "0");
  EXPECT_EQ(Rounded(12.345), "12.3");
  EXPECT_EQ(Rounded(12.0), "12");
  EXPECT_EQ(Rounded(0.12345), "0.123");
  EXPECT_EQ(Rounded(1234.5), "1234");
  EXPECT_EQ(Rounded(100), "100");
  EXPECT_EQ(Rounded(-1.5), "-1.5");
  EXPECT_EQ(Time(0.5), "0.5 ns");
  EXPECT_EQ(Time(1500), "1.5 µs");
  EXPECT_EQ(Time(50'000), "50 µs");
  EXPECT_EQ(Time(999.9), "1 µs");
  EXPECT_EQ(Time(2.5e8), "250 ms");
  EXPECT_EQ(Time(3e9), "3 s");
  EXPECT_EQ(Count(1'000), "1k");
  EXPECT_EQ(Count(2'500'000), "2.5M");
  EXPECT_EQ(Count(7), "7");
}

TEST(PlotTest, ALinearScaleIsEven) {
  const Scale scale = Scale::Linear(0, 200, 10, 110);
  EXPECT_THAT(scale.At(0), DoubleEq(10));
  EXPECT_THAT(scale.At(100), DoubleEq(60));
  EXPECT_THAT(scale.At(1000), DoubleEq(110)) << "beyond is at the end";
  EXPECT_THAT(scale.Ticks(4), ElementsAre(0, 50, 100, 150, 200));
  EXPECT_THAT(Scale::Linear(0, 3, 0, 1).Ticks(5), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Scale::RoundUp(187, 4), DoubleEq(200));
  EXPECT_THAT(Scale::RoundUp(200, 4), DoubleEq(200));
  EXPECT_THAT(Scale::RoundUp(0, 4), DoubleEq(1));
}

TEST(PlotTest, ALogarithmicScaleIsEvenInFactors) {
  const Scale scale = Scale::Log(1, 10'000, 0, 400);
  EXPECT_THAT(scale.At(10), DoubleNear(100, 1e-9));
  EXPECT_THAT(scale.At(1000), DoubleNear(300, 1e-9));
  EXPECT_THAT(scale.At(0.5), DoubleNear(0, 1e-9));
  EXPECT_THAT(scale.Ticks(5),
              ElementsAre(DoubleNear(1, 1e-9), DoubleNear(10, 1e-9),
                          DoubleNear(100, 1e-9), DoubleNear(1000, 1e-9),
                          DoubleNear(10'000, 1e-6)));
  EXPECT_THAT(Scale::Log(10, 60, 0, 1).Ticks(5),
              ElementsAre(DoubleNear(10, 1e-9), DoubleNear(20, 1e-9),
                          DoubleNear(50, 1e-9)));
}

TEST(PlotTest, LongTextIsWide) {
  EXPECT_GT(TextWidth("mmmm", 12), TextWidth("iiii", 12));
  EXPECT_EQ(TextWidth("µ", 12), TextWidth("a", 12)) << "one character";
  EXPECT_EQ(TextWidth("ab", 24), 2 * TextWidth("ab", 12));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
