// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/encoded.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_reader.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/tables.h"
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
    EXPECT_EQ(view.last, hash_key.words.back());
    EXPECT_EQ(view.words() == 1 ? view.last : view.Word(0),
              hash_key.words.front());
  }
  const typename LookupKey<RowCodec<Row>, Key>::Kept kept(view);
  EXPECT_EQ(kept.hash(), view.hash);
  const KeyView again = wanted.view_of(kept);
  EXPECT_EQ(again.hash, view.hash);
  EXPECT_EQ(again.bytes, view.bytes);
  EXPECT_EQ(again.data, view.data);
  EXPECT_EQ(again.last, view.last);
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

// A row whose tail is its key, with fields that not every word is a value of.
struct Keyed {
  bool flag = false;
  std::string key;
  int32_t count = 0;
  std::array<uint64_t, 2> rest = {};
  static constexpr auto Fields() {
    return FieldList(Field("flag", &Keyed::flag), Field("key", &Keyed::key),
                     Field("count", &Keyed::count),
                     Field("rest", &Keyed::rest));
  }
};

// One with more in its tail, and a fixed one that is a record for its length.
struct Texts {
  std::string key;
  int32_t count = 0;
  std::string text;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Texts::key), Field("count", &Texts::count),
                     Field("text", &Texts::text));
  }
};
struct Large {
  uint64_t key = 0;
  int32_t count = 0;
  std::array<uint64_t, 6> rest = {};
  static constexpr auto Fields() {
    return FieldList(Field("key", &Large::key), Field("count", &Large::count),
                     Field("rest", &Large::rest));
  }
};
struct Small {
  uint64_t key = 0;
  int32_t count = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Small::key), Field("count", &Small::count));
  }
};

template <typename Row>
RowBuffer Words(const Row& row) {
  RowBuffer words;
  EXPECT_THAT(RowCodec<Row>::Encode(row, words), IsOk());
  return words;
}

// A table with the words as a row with the given key.
template <typename Row>
class Planted {
 public:
  using Codec = RowCodec<Row>;
  using KeyArg = typename Codec::template KeyArg<&Row::key>;
  using Found = HashReader::Found;

  Planted(KeyArg key, absl::Span<const uint64_t> words)
      : table_(*Table<Row, &Row::key>::New(tables_, NewPid(), {})), key_(key) {
    const TableKey<Codec, &Row::key> stored(key);
    EXPECT_THAT(core().Insert(table_.handle().epoch(),
                              stored.hash_key(core().seed()), words),
                IsOk());
  }

  // That every way to look the key up finds what is there: the row, none or, of
  // words that are no row, an error. Returns whether it is the row, and sets
  // `plain` to whether a FoundRow sees it.
  bool ExpectFound(bool* plain) {
    const LookupKey<Codec, &Row::key> wanted(key_);
    const KeyView view = wanted.view(core().seed());
    RowBuffer words;
    const bool there = reader().LookupView(view, &words);
    Row row;
    const bool good = there && Codec::Decode(words, row).ok();

    FoundRow<Codec, &Row::key> found;
    const Found plainly = found.Lookup(reader(), view);
    EXPECT_EQ(plainly == Found::kNo, plainly != Found::kRetry && !there);
    Row out;
    out.count = 77;
    const RowBuffer old = Words(out);
    *plain = plainly == Found::kYes && found.Decode(view, out);
    if (*plain) {
      EXPECT_TRUE(good);
    }
    EXPECT_EQ(Words(out), *plain ? words : old);
    int32_t count;
    EXPECT_EQ(plainly == Found::kYes &&
                  found.template DecodeField<&Row::count>(count),
              *plain);
    if (*plain) {
      EXPECT_EQ(count, row.count);
    }

    Row slow;
    slow.count = 77;
    const absl::StatusOr<bool> slowly = Slowly(slow);
    EXPECT_EQ(slowly.ok(), good || !there);
    EXPECT_EQ(slowly.ok() && *slowly, good);
    EXPECT_EQ(Words(slow), good ? words : old);
    if (!slowly.ok()) {
      EXPECT_EQ(CauseOf(slowly.status()), Cause::kCorrupt);
    }

    ExpectHandleFinds(there, good, words);
    return good;
  }

  absl::StatusOr<bool> Slowly(Row& row) {
    return LookupSlowly<Row, &Row::key>(reader(), core().seed(), key_, row);
  }

 private:
  HashCore& core() { return table_.handle().state().core(); }
  const HashReader& reader() { return core().reader(); }

  // The same by the handle.
  void ExpectHandleFinds(bool there, bool good, const RowBuffer& words) {
    EXPECT_EQ(*table_.Member(key_), there);
    const auto row = table_.Lookup(key_);
    ASSERT_EQ(row.ok(), good || !there);
    if (!row.ok()) {
      EXPECT_EQ(CauseOf(row.status()), Cause::kCorrupt);
    } else {
      ASSERT_EQ(row->has_value(), there);
    }
    if (good) {
      EXPECT_EQ(Words(**row), words);
    }
    Row out;
    out.count = 77;
    const RowBuffer old = Words(out);
    const auto found = table_.LookupInto(key_, out);
    EXPECT_EQ(found.ok(), row.ok());
    EXPECT_EQ(found.ok() && *found, good);
    EXPECT_EQ(Words(out), good ? words : old);
    const auto count = table_.template LookupElement<&Row::count>(key_);
    EXPECT_EQ(count.ok(), good);
    if (good) {
      EXPECT_EQ(*count, (**row).count);
    }
    const KeyArg keys[] = {key_};
    bool visited = false;
    const auto visit = [&](size_t, const Row* each) {
      visited = true;
      EXPECT_EQ(each != nullptr, good);
    };
    EXPECT_EQ(table_.LookupEach(absl::MakeConstSpan(keys), visit).ok(),
              row.ok());
    EXPECT_EQ(visited, row.ok());
  }

  Tables tables_;
  Table<Row, &Row::key> table_;
  const KeyArg key_;
};

// The row is found plainly; with one bit of it changed, what is found is the
// same however it is looked up.
template <typename Row>
void ExpectPlainAndSafe(const Row& row) {
  const RowBuffer words = Words(row);
  bool plain = false;
  EXPECT_TRUE(Planted<Row>(row.key, words).ExpectFound(&plain));
  EXPECT_TRUE(plain);
  int good = 0;
  const int bits = static_cast<int>(words.size()) * 64;
  for (int bit = 0; bit < bits && !::testing::Test::HasFailure(); ++bit) {
    SCOPED_TRACE(bit);
    RowBuffer flipped = words;
    flipped[bit / 64] ^= uint64_t{1} << bit % 64;
    good += Planted<Row>(row.key, flipped).ExpectFound(&plain) ? 1 : 0;
  }
  EXPECT_GT(good, 0);
  EXPECT_LT(good, bits);
}

TEST(FoundRowTest, RowsOfEveryShapeArePlainAndNoOthersAreRows) {
  ExpectPlainAndSafe(Small{7, -5});
  ExpectPlainAndSafe(Large{7, -5, {1, 2, 3}});
  ExpectPlainAndSafe(Keyed{true, "nine byte", -5, {1, 2}});
  ExpectPlainAndSafe(Texts{"a key", -5, "text"});
}

TEST(FoundRowTest, KeysOfEachLengthAreFound) {
  for (const size_t length : {1, 7, 8, 9, 15, 16, 17, 24, 100, 300}) {
    const std::string key(length, 'k');
    bool plain = false;
    const RowBuffer keyed = Words(Keyed{true, key, -5, {1, 2}});
    EXPECT_TRUE(Planted<Keyed>(key, keyed).ExpectFound(&plain));
    EXPECT_TRUE(plain);
    // Also if the row is longer than there is room for in place.
    const RowBuffer texts = Words(Texts{key, -5, std::string(1000, 't')});
    EXPECT_TRUE(Planted<Texts>(key, texts).ExpectFound(&plain));
    EXPECT_TRUE(plain);
  }
  bool plain = true;  // an empty one has no place
  EXPECT_TRUE(Planted<Keyed>("", Words(Keyed{})).ExpectFound(&plain));
  EXPECT_FALSE(plain);
}

TEST(FoundRowTest, ARowThatIsTooLongOrHasItsKeyElsewhereIsNone) {
  const std::string key = "sixteen bytes ok";
  RowBuffer longer = Words(Keyed{true, key, -5, {1, 2}});
  longer.push_back(0);
  RowBuffer elsewhere = longer;
  constexpr auto kKey = RowCodec<Keyed>::LayoutOf<&Keyed::key>();
  elsewhere[kKey.word] += 1;
  for (size_t i = elsewhere.size() - 1; i > RowCodec<Keyed>::kFixedWords; --i) {
    elsewhere[i] = elsewhere[i - 1];
  }
  for (const RowBuffer& words : {longer, elsewhere}) {
    bool plain = true;
    Planted<Keyed> planted(key, words);
    EXPECT_FALSE(planted.ExpectFound(&plain));
    EXPECT_FALSE(plain);
    Keyed row;
    const auto found = planted.Slowly(row);
    EXPECT_EQ(CauseOf(found.status()), Cause::kCorrupt);
  }
}

}  // namespace
}  // namespace ets_keeper
