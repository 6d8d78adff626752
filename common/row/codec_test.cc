// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/codec.h"

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"
#include "common/row/rows_testing.h"
#include "common/row/schema.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the expected words below are little-endian");

template <typename Row>
RowBuffer Words(const Row& row) {
  RowBuffer words(100, UINT64_MAX);  // garbage, to be replaced
  EXPECT_TRUE(RowCodec<Row>::Encode(row, words).ok());
  return words;
}

template <typename Row>
void ExpectRoundTrip(const Row& row) {
  const RowBuffer words = Words(row);
  for (Row out : {Row{}, row}) {
    EXPECT_EQ(RowCodec<Row>::Decode(words, out), absl::OkStatus());
    EXPECT_TRUE(out == row);
  }
  EXPECT_EQ(RowCodec<Row>::Check(words), absl::OkStatus());
  EXPECT_EQ(RowCodec<Row>::schema().Check(words), absl::OkStatus());
}

template <typename T>
using Limits = std::numeric_limits<T>;

template <typename T>
T Extreme(bool max) {
  return max ? Limits<T>::max() : Limits<T>::lowest();
}

Scalars ExtremeRow(bool max) {
  return {.flag = max,
          .letter = Extreme<char>(max),
          .i8 = Extreme<int8_t>(max),
          .i16 = Extreme<int16_t>(max),
          .i32 = Extreme<int32_t>(max),
          .i64 = Extreme<int64_t>(max),
          .u8 = Extreme<uint8_t>(max),
          .u16 = Extreme<uint16_t>(max),
          .u32 = Extreme<uint32_t>(max),
          .u64 = Extreme<uint64_t>(max),
          .f32 = Extreme<float>(max),
          .f64 = Extreme<double>(max),
          .color = max ? Color::kMax : Color::kRed,
          .level = max ? kHigh : kLow,
          .grade = static_cast<Grade>(Extreme<char>(max))};
}

TEST(RowCodecTest, RowsOfEveryKindRoundTrip) {
  ExpectRoundTrip(User{});
  ExpectRoundTrip(User{7, "Ada", -3});
  ExpectRoundTrip(User{7, std::string(1000, '\0'), -3});
  ExpectRoundTrip(Scalars{});
  ExpectRoundTrip(ExtremeRow(false));
  ExpectRoundTrip(ExtremeRow(true));
  ExpectRoundTrip(Everything{});
  ExpectRoundTrip(FullRow());
}

TEST(RowCodecTest, FloatsKeepTheirBits) {
  const Scalars row = {.f32 = -0.0f, .f64 = Limits<double>::quiet_NaN()};
  Scalars out;
  ASSERT_TRUE(RowCodec<Scalars>::Decode(Words(row), out).ok());
  EXPECT_EQ(std::bit_cast<uint32_t>(out.f32), 0x80000000);
  EXPECT_EQ(std::bit_cast<uint64_t>(out.f64), std::bit_cast<uint64_t>(row.f64));
}

// The words below are the format: they change only together with
// kRowFormatVersion.
TEST(RowCodecTest, TheWordsOfAUserAreFixed) {
  EXPECT_EQ(Words(User{7, "Ada", -3}),
            (RowBuffer{7, 0x0000000300000003, 0xfffffffffffffffd, 0x616441}));
  EXPECT_EQ(Words(User{1, "", 2}), (RowBuffer{1, 0, 2}));
}

TEST(RowCodecTest, TheWordsOfScalarsAreFixed) {
  const Scalars row = {true, '\xe9', -1, -2, -3,          -4,   5,        6,
                       7,    8,      1,  -2, Color::kMax, kLow, Grade::kA};
  EXPECT_EQ(Words(row),
            (RowBuffer{1, 0xe9, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 2,
                       UINT64_MAX - 3, 5, 6, 7, 8, 0x3f800000,
                       0xc000000000000000, 255, UINT64_MAX - 299, 'a'}));
  RowBuffer fixed(RowCodec<Scalars>::kFixedWords, 0);
  RowCodec<Scalars>::EncodeFixed(row, fixed.data());
  EXPECT_EQ(fixed, Words(row));
}

// The word of eight characters.
constexpr uint64_t Word(const char (&text)[9]) {
  uint64_t word = 0;
  for (int i = 7; i >= 0; --i) {
    word = word << 8 | static_cast<unsigned char>(text[i]);
  }
  return word;
}

TEST(RowCodecTest, TheWordsOfEveryShapeAreFixed) {
  const RowBuffer expected = {
      UINT64_MAX,              // scalar
      0xfffc0003fffe0001,      // array
      5,                       //
      Word("ab\0cdefg"),       // c_array
      0,                       //
      0x010001,                // flags
      MakeDescriptor(22, 10),  // string
      MakeDescriptor(24, 12),  // vector
      MakeDescriptor(26, 9),   // bits
      MakeDescriptor(28, 2),   // colors
      MakeDescriptor(29, 39),  // strings
      1,                       // maybe_scalar
      0xbfe0000000000000,      //
      1,                       // maybe_array
      0x0203040506070809,      //
      1,                       //
      1,                       // maybe_string
      MakeDescriptor(34, 5),   //
      1,                       // maybe_vector
      MakeDescriptor(35, 16),  //
      1,                       // maybe_strings
      MakeDescriptor(37, 13),  //
      Word("nul\0insi"),       // string
      Word("de\0\0\0\0\0\0"),  //
      0x0000000200000001,      // vector
      0x00000000ffffffff,      //
      0x0001000001010001,      // bits
      1,                       //
      0xff01,                  // colors
      3,                       // strings: 3, 0
      0x14656e6f00000003,      // 3, "one", 20
      Word("\0\0\0xxxxx"),     //
      Word("xxxxxxxx"),        //
      Word("xxxxxxx\0"),       //
      Word("there\0\0\0"),     // maybe_string
      0x8000000000000000,      // maybe_vector
      0x7fffffffffffffff,      //
      0x0000000100000002,      // maybe_strings: 2, 1
      0x61,                    // "a", 0
  };
  EXPECT_EQ(Words(FullRow()), expected);
}

TEST(RowCodecTest, TheWordsOfAbsentValuesAreZero) {
  RowBuffer zeros(22, 0);
  EXPECT_EQ(Words(Everything{}), zeros);
}

TEST(RowCodecTest, LayoutsAreConstants) {
  using Codec = RowCodec<User>;
  static_assert(Codec::kFixedWords == 3);
  static_assert(!Codec::kIsFixed);
  static_assert(Codec::LayoutOf<&User::id>() ==
                FieldLayout{.index = 0,
                            .word = 0,
                            .words = 1,
                            .kind = FieldKind::kWord,
                            .is_unsigned = true,
                            .width = 8});
  static_assert(
      Codec::LayoutOf<&User::name>() ==
      FieldLayout{
          .index = 1, .word = 1, .words = 1, .kind = FieldKind::kBytes});
  static_assert(Codec::LayoutOf<&User::visits>().is_signed);
  static_assert(Codec::EncodeWord<&User::visits>(-1) == UINT64_MAX);
  static_assert(RowCodec<Scalars>::kIsFixed);
  static_assert(RowCodec<Scalars>::kFixedWords == 15);
  static_assert(RowCodec<Everything>::kFixedWords == 22);
  static_assert(
      RowCodec<Everything>::LayoutOf<&Everything::maybe_array>() ==
      FieldLayout{
          .index = 10, .word = 13, .words = 3, .kind = FieldKind::kOptional});
  for (const SchemaField& field : Codec::schema().fields()) {
    EXPECT_EQ(field.layout, Codec::schema().Find(field.name)->layout);
  }
}

TEST(RowCodecTest, KeyLayoutsTellFixedFromVariable) {
  static_assert(RowCodec<User>::KeyLayoutOf<&User::id>() ==
                KeyLayout{.word = 0, .words = 1, .variable = false});
  static_assert(RowCodec<User>::KeyLayoutOf<&User::name>() ==
                KeyLayout{.word = 1, .words = 1, .variable = true});
  static_assert(RowCodec<Everything>::KeyLayoutOf<&Everything::c_array>() ==
                KeyLayout{.word = 3, .words = 2, .variable = false});
}

// Whether the key's words are those in the row, where the layout says.
template <auto Member, typename Row>
void ExpectKeyIsInRow(const Row& row) {
  constexpr KeyLayout kKey = RowCodec<Row>::template KeyLayoutOf<Member>();
  const RowBuffer words = Words(row);
  EncodedKey key{{1, 2, 3, 4}, 5, false};  // garbage, to be replaced
  key = RowCodec<Row>::template EncodeKey<Member>(row.*Member);
  EXPECT_EQ(key.variable, kKey.variable);
  const uint64_t word = words[kKey.word];
  EXPECT_EQ(key.bytes, kKey.variable ? DescriptorBytes(word) : kKey.words * 8);
  EXPECT_EQ(absl::MakeConstSpan(key.words),
            absl::MakeConstSpan(words).subspan(
                kKey.variable ? DescriptorWord(word) : kKey.word,
                WordsFor(key.bytes)));
}

// A key that is the only field with bytes, among fields that not every word is
// a value of.
struct Flagged {
  bool flag = false;
  std::string key;
  char letters[5] = {};
  std::array<uint64_t, 3> rest = {};

  static constexpr auto Fields() {
    return FieldList(Field("flag", &Flagged::flag), Field("key", &Flagged::key),
                     Field("letters", &Flagged::letters),
                     Field("rest", &Flagged::rest));
  }
};

TEST(RowCodecTest, WhereTheBytesOfAKeyBeginIsKnownIfTheyAreTheFirst) {
  using Users = RowCodec<User>;
  static_assert(
      Users::KeyPlaceOf<&User::name>() ==
      KeyPlace(Users::KeyLayoutOf<&User::name>(), Users::kFixedWords));
  static_assert(Users::KeyPlaceOf<&User::id>().begin == 0);
  using All = RowCodec<Everything>;
  static_assert(All::KeyPlaceOf<&Everything::string>().begin ==
                All::kFixedWords);
  static_assert(All::KeyPlaceOf<&Everything::vector>().begin == 0);
  static_assert(Users::KeyIsTail<&User::name>());
  static_assert(RowCodec<Flagged>::KeyIsTail<&Flagged::key>());
  static_assert(!Users::KeyIsTail<&User::id>());
  static_assert(!All::KeyIsTail<&Everything::string>());
}

TEST(RowCodecTest, ARowIsDecodedAroundItsKey) {
  using Codec = RowCodec<Flagged>;
  for (const size_t length : {1, 7, 8, 9, 15, 16, 17, 100}) {
    const Flagged row = {true, std::string(length, 'k'), "abcd", {1, 2, 3}};
    const RowBuffer words = Words(row);
    // Over a row with another key, with that key, and from its own key.
    for (const std::string& old : {std::string("old"), row.key}) {
      Flagged out = {.key = old};
      const absl::string_view key = old == row.key ? out.key : row.key;
      ASSERT_TRUE(Codec::DecodeAround<&Flagged::key>(words.data(), key, out));
      EXPECT_EQ(out.key, row.key);
      EXPECT_EQ(Words(out), words);
    }
    std::array<uint64_t, 3> rest;
    ASSERT_TRUE((Codec::DecodeFieldAround<&Flagged::key, &Flagged::rest>(
        words.data(), rest)));
    EXPECT_EQ(rest, row.rest);
  }
}

// As far as the key is not concerned, it refuses what Decode() refuses.
TEST(RowCodecTest, AroundTheKeyEveryFieldIsChecked) {
  using Codec = RowCodec<Flagged>;
  const RowBuffer words = Words(Flagged{true, "a key", "abcd", {1, 2, 3}});
  constexpr size_t kKeyWord = Codec::LayoutOf<&Flagged::key>().word;
  for (size_t bit = 0; bit < Codec::kFixedWords * 64; ++bit) {
    if (bit / 64 == kKeyWord) continue;
    RowBuffer flipped = words;
    flipped[bit / 64] ^= uint64_t{1} << bit % 64;
    Flagged whole;
    const bool good = Codec::Decode(flipped, whole).ok();
    Flagged out = {.key = "old"};
    const RowBuffer old = Words(out);
    EXPECT_EQ(Codec::DecodeAround<&Flagged::key>(flipped.data(), "a key", out),
              good);
    EXPECT_EQ(Words(out), good ? flipped : old);
    std::array<uint64_t, 3> rest = {9, 9, 9};
    EXPECT_EQ((Codec::DecodeFieldAround<&Flagged::key, &Flagged::rest>(
                  flipped.data(), rest)),
              good);
    EXPECT_EQ(rest, good ? whole.rest : (std::array<uint64_t, 3>{9, 9, 9}));
  }
}

TEST(RowCodecTest, AKeyHasTheWordsOfItsField) {
  ExpectKeyIsInRow<&User::id>(User{7, "Ada", 0});
  ExpectKeyIsInRow<&User::name>(User{7, "Ada", 0});
  ExpectKeyIsInRow<&User::name>(User{7, "", 0});
  ExpectKeyIsInRow<&User::name>(User{7, std::string(100, 'x'), 0});
  ExpectKeyIsInRow<&Scalars::color>(Scalars{.color = Color::kGreen});
  ExpectKeyIsInRow<&Scalars::i8>(Scalars{.i8 = -1});
  ExpectKeyIsInRow<&Everything::array>(FullRow());
  ExpectKeyIsInRow<&Everything::c_array>(FullRow());
  ExpectKeyIsInRow<&Everything::vector>(FullRow());
  ExpectKeyIsInRow<&Everything::bits>(FullRow());
  ExpectKeyIsInRow<&Everything::colors>(FullRow());
}

TEST(RowCodecTest, AStringKeyNeedsNoString) {
  EncodedKey key;
  key = RowCodec<User>::EncodeKey<&User::name>(absl::string_view("Ada"));
  EXPECT_EQ(key.words, (WordBuffer<8>{0x616441}));
  EXPECT_EQ(key.bytes, 3);
  key = RowCodec<Everything>::EncodeKey<&Everything::vector>({7, 8, 9});
  EXPECT_EQ(key.bytes, 12);
  EXPECT_EQ(key.words, (WordBuffer<8>{0x800000007, 9}));
}

TEST(RowCodecTest, AKeyIsWrittenToWhereThereIsRoom) {
  uint64_t words[] = {1, 1};
  EXPECT_EQ(RowCodec<User>::KeyBytes<&User::id>(9), 8);
  RowCodec<User>::StoreKey<&User::id>(9, words);
  EXPECT_EQ(words[0], 9);
  EXPECT_EQ(words[1], 1);
  EXPECT_EQ(RowCodec<Everything>::KeyBytes<&Everything::array>({}), 16);
  RowCodec<Everything>::StoreKey<&Everything::array>({1, 2, 3, 4, 5}, words);
  EXPECT_EQ(words[0], 0x0004000300020001);
  EXPECT_EQ(words[1], 5);
  EXPECT_EQ(RowCodec<User>::KeyBytes<&User::name>("abcdefghi"), 9);
  RowCodec<User>::StoreKey<&User::name>("abcdefghi", words);
  EXPECT_EQ(words[0], 0x6867666564636261);
  EXPECT_EQ(words[1], 'i');
}

TEST(RowCodecTest, OneFieldIsDecodedAlone) {
  const RowBuffer words = Words(User{7, "Ada", -3});
  std::string name;
  ASSERT_TRUE(RowCodec<User>::DecodeField<&User::name>(words, name).ok());
  EXPECT_EQ(name, "Ada");
  EXPECT_EQ(CauseOf(RowCodec<User>::DecodeField<&User::name>({}, name)),
            Cause::kCorrupt);
  EXPECT_EQ(name, "Ada");
}

TEST(RowCodecTest, ACounterIsUpdatedInPlace) {
  RowBuffer words = Words(User{7, "Ada", -3});
  words[RowCodec<User>::LayoutOf<&User::visits>().word] += 5;
  EXPECT_EQ(words, Words(User{7, "Ada", 2}));
}

TEST(RowCodecTest, AFailedDecodeNamesTheFieldAndChangesNothing) {
  RowBuffer words = Words(User{7, "Ada", -3});
  words[3] |= uint64_t{1} << 63;  // padding
  User out = {1, "old", 2};
  const absl::Status status = RowCodec<User>::Decode(words, out);
  EXPECT_EQ(CauseOf(status), Cause::kCorrupt);
  EXPECT_EQ(status.message(), "field name has padding that is not zero");
  EXPECT_EQ(out, (User{1, "old", 2}));

  RowBuffer scalars = Words(Scalars{});
  scalars[RowCodec<Scalars>::LayoutOf<&Scalars::i16>().word] = 32768;
  EXPECT_EQ(RowCodec<Scalars>::Check(scalars).message(),
            "field i16 is out of range");
}

TEST(RowCodecTest, WordsAfterTheLastFieldAreRefused) {
  for (RowBuffer words : {Words(User{7, "Ada", 1}), Words(User{7, "", 1})}) {
    words.push_back(0);
    User out;
    EXPECT_EQ(CauseOf(RowCodec<User>::Decode(words, out)), Cause::kCorrupt);
  }
  RowBuffer words = Words(Scalars{});
  words.push_back(0);
  EXPECT_EQ(CauseOf(RowCodec<Scalars>::Check(words)), Cause::kCorrupt);
}

TEST(RowCodecTest, TheSchemaListsTheFields) {
  EXPECT_EQ(RowCodec<User>::schema().text(), "{id:u64,name:str,visits:i64}");
  EXPECT_EQ(RowCodec<Scalars>::schema().text(),
            "{flag:bool,letter:char,i8:i8,i16:i16,i32:i32,i64:i64,u8:u8,"
            "u16:u16,u32:u32,u64:u64,f32:f32,f64:f64,color:enum:u8,"
            "level:enum:i16,grade:enum:char}");
  EXPECT_EQ(RowCodec<Everything>::schema().text(),
            "{scalar:i32,array:[i16;5],c_array:[char;9],flags:[bool;3],"
            "string:str,vector:vec<u32>,bits:vec<bool>,colors:vec<enum:u8>,"
            "strings:vec<str>,maybe_scalar:opt<f64>,maybe_array:opt<[u8;9]>,"
            "maybe_string:opt<str>,maybe_vector:opt<vec<i64>>,"
            "maybe_strings:opt<vec<str>>}");
  EXPECT_EQ(RowCodec<Everything>::schema().fixed_words(),
            RowCodec<Everything>::kFixedWords);
}

}  // namespace
}  // namespace ets_keeper
