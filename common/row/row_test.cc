// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/row.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace {

struct City {
  std::string name;
  uint32_t people = 0;

  static constexpr auto Fields() {
    return ets_keeper::FieldList(ets_keeper::Field("name", &City::name),
                                 ets_keeper::Field("people", &City::people));
  }
};

TEST(RowTest, OneHeaderIsEnoughToEncodePrintAndDecode) {
  using Codec = ets_keeper::RowCodec<City>;
  ets_keeper::RowBuffer words;
  ASSERT_TRUE(Codec::Encode({"Delft", 106000}, words).ok());
  EXPECT_EQ(*ets_keeper::FormatRow(Codec::schema(), words),
            R"({name: "Delft", people: 106000})");
  City city;
  ASSERT_TRUE(Codec::Decode(words, city).ok());
  EXPECT_EQ(city.name, "Delft");
  EXPECT_EQ(city.people, 106000);
}

}  // namespace
