// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/rows.h"

#include <cstdint>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

template <typename Row>
class RowsTest : public testing::Test {};

using AllRows = testing::Types<WordRow, StringRow>;
TYPED_TEST_SUITE(RowsTest, AllRows);

TYPED_TEST(RowsTest, KeysDiffer) {
  std::set<typename TypeParam::Packed> keys;
  for (uint64_t i = 0; i < 10'000; ++i) keys.insert(TypeParam::KeyAt(i));
  EXPECT_EQ(keys.size(), 10'000);
}

TYPED_TEST(RowsTest, HashesSpreadOverHighAndLowBits) {
  std::set<uint64_t> high;
  std::set<uint64_t> low;
  for (uint64_t i = 0; i < 10'000; ++i) {
    const typename TypeParam::Packed packed = TypeParam::KeyAt(i);
    const uint64_t hash = RowHash<TypeParam>()(TypeParam::Unpack(packed));
    high.insert(hash >> 56);
    low.insert(hash & 255);
  }
  EXPECT_EQ(high.size(), 256);
  EXPECT_EQ(low.size(), 256);
}

TYPED_TEST(RowsTest, CountIsAPartOfTheValue) {
  typename TypeParam::Value value = TypeParam::ValueOf(5);
  EXPECT_EQ(TypeParam::Count(value), 5);
  TypeParam::Count(value) += 2;
  EXPECT_EQ(TypeParam::Count(value), 7);
}

TEST(StringRowTest, KeysHave16BytesAndAreEqualByContent) {
  const StringRow::Packed packed = StringRow::KeyAt(3);
  const std::string key(StringRow::Unpack(packed));
  EXPECT_EQ(key.size(), 16);
  EXPECT_TRUE(RowEqual<StringRow>()(key, StringRow::Unpack(packed)));
  EXPECT_EQ(RowHash<StringRow>()(key),
            RowHash<StringRow>()(StringRow::Unpack(packed)));
  EXPECT_EQ(sizeof(Payload), 64);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
