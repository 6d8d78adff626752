// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/encoded.h"

#include <cstdint>
#include <string>

#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "common/hash/hash_key.h"
#include "common/row/row.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

struct Fixed {
  uint32_t id = 0;
  int64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("id", &Fixed::id), Field("value", &Fixed::value));
  }
};

struct Variable {
  std::string name;
  int64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("name", &Variable::name),
                     Field("value", &Variable::value));
  }
};

constexpr uint64_t kSeed = 99;

TEST(TableKeyTest, AFixedKeyHasTheWordsAndTheHashOfItsRow) {
  const TableKey<RowCodec<Fixed>, &Fixed::id> key(7);
  EXPECT_THAT(key.hash_key(kSeed).words, ElementsAre(7));
  EXPECT_EQ(key.hash_key(kSeed).bytes, 8);
  EXPECT_EQ(key.hash_key(kSeed).hash, HashWords(kSeed, {7}, 8));
}

TEST(TableKeyTest, AVariableKeyHasItsBytesPadded) {
  const TableKey<RowCodec<Variable>, &Variable::name> key("abcdefghi");
  const EncodedKey encoded =
      RowCodec<Variable>::EncodeKey<&Variable::name>("abcdefghi");
  EXPECT_THAT(key.hash_key(kSeed).words, ElementsAreArray(encoded.words));
  EXPECT_EQ(key.hash_key(kSeed).words.size(), 2);
  EXPECT_EQ(key.hash_key(kSeed).bytes, 9);
  EXPECT_EQ(key.hash_key(kSeed).hash, HashWords(kSeed, encoded.words, 9));
}

TEST(RowWordsTest, AreWhatTheCodecMakes) {
  RowWords<RowCodec<Fixed>> fixed;
  EXPECT_THAT(fixed.Encode(Fixed{7, -1}), IsOk());
  EXPECT_THAT(fixed.words(), ElementsAre(7, ~uint64_t{0}));
  RowWords<RowCodec<Variable>> variable;
  const Variable row = {"abcdefghi", 5};
  EXPECT_THAT(variable.Encode(row), IsOk());
  RowBuffer words;
  EXPECT_THAT(RowCodec<Variable>::Encode(row, words), IsOk());
  EXPECT_THAT(variable.words(), ElementsAreArray(words));
}

}  // namespace
}  // namespace ets_keeper
