// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/encoded.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/string_view.h"
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

struct Vectors {
  std::vector<uint16_t> numbers;
  std::vector<bool> flags;
  static constexpr auto Fields() {
    return FieldList(Field("numbers", &Vectors::numbers),
                     Field("flags", &Vectors::flags));
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

// In place or not, it is the key that is stored.
template <auto Key, typename Row, typename KeyArg>
void ExpectSameKey(KeyArg key) {
  const TableKey<RowCodec<Row>, Key> stored(key);
  const HashKey hash_key = stored.hash_key(kSeed);
  const LookupKey<RowCodec<Row>, Key> wanted(key);
  const KeyView view = wanted.view(kSeed);
  EXPECT_EQ(view.hash, hash_key.hash);
  EXPECT_EQ(view.bytes, hash_key.bytes);
  EXPECT_EQ(view.words(), hash_key.words.size());
  if (!hash_key.words.empty()) {
    EXPECT_EQ(view.LastWord(), hash_key.words.back());
    EXPECT_EQ(view.words() == 1 ? view.LastWord() : view.Word(0),
              hash_key.words.front());
  }
  const KeyView again = wanted.view_of_hash(view.hash);
  EXPECT_EQ(again.hash, view.hash);
  EXPECT_EQ(again.bytes, view.bytes);
  EXPECT_EQ(again.data, view.data);
}

TEST(LookupKeyTest, IsTheKeyThatIsStored) {
  ExpectSameKey<&Fixed::id, Fixed>(7u);
  for (const size_t length : {0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 100}) {
    const std::string name(length, 'x');
    ExpectSameKey<&Variable::name, Variable>(absl::string_view(name));
    const std::vector<uint16_t> numbers(length, 0x1234);
    ExpectSameKey<&Vectors::numbers, Vectors>(absl::MakeConstSpan(numbers));
    const std::vector<bool> flags(length, true);
    ExpectSameKey<&Vectors::flags, Vectors, const std::vector<bool>&>(flags);
  }
}

TEST(LookupKeyTest, AStringStaysWhereItIs) {
  const std::string name = "abcdefghi";
  const LookupKey<RowCodec<Variable>, &Variable::name> key(name);
  EXPECT_EQ(key.view(kSeed).data, name.data());
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
