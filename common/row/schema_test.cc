// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/schema.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/row/value_type.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

constexpr absl::string_view kUser = "{id:u64,name:str,visits:i64}";
constexpr absl::string_view kEveryType =
    "{a:bool,b:char,c:i8,d:i16,e:i32,f:i64,g:u8,h:u16,i:u32,j:u64,k:f32,l:f64,"
    "m:enum:u32,n:[i32;4],o:[enum:bool;1],p:vec<u8>,q:vec<enum:char>,r:str,"
    "s:vec<str>,t:opt<f64>,u:opt<[char;16]>,v:opt<str>,w:opt<vec<i8>>,"
    "x:opt<vec<str>>,y:opt<enum:i8>}";

Schema ParseGood(absl::string_view text) {
  absl::StatusOr<Schema> schema = Schema::Parse(text);
  EXPECT_TRUE(schema.ok()) << schema.status();
  return *std::move(schema);
}

std::string ErrorOf(absl::string_view text) {
  const absl::Status status = Schema::Parse(text).status();
  EXPECT_EQ(CauseOf(status), Cause::kCorrupt) << text;
  return std::string(status.message());
}

TEST(SchemaTest, IsMadeFromFieldsAndFromItsText) {
  const Schema made({{"id", ValueTypeOf<uint64_t>()},
                     {"name", ValueTypeOf<std::string>()},
                     {"visits", ValueTypeOf<int64_t>()}});
  EXPECT_EQ(made.text(), kUser);
  const Schema parsed = ParseGood(kUser);
  EXPECT_EQ(parsed, made);
  EXPECT_EQ(parsed.fingerprint(), made.fingerprint());
  EXPECT_EQ(parsed.fixed_words(), 3);
  ASSERT_EQ(parsed.fields().size(), 3);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(parsed.fields()[i].name, made.fields()[i].name);
    EXPECT_EQ(parsed.fields()[i].type, made.fields()[i].type);
    EXPECT_EQ(parsed.fields()[i].layout, made.fields()[i].layout);
  }
}

TEST(SchemaTest, EveryTypeRoundTripsThroughItsText) {
  EXPECT_EQ(ParseGood(kEveryType).text(), kEveryType);
  EXPECT_EQ(ParseGood(kEveryType).Find("w")->type,
            ValueTypeOf<std::optional<std::vector<int8_t>>>());
}

TEST(SchemaTest, KnowsWhetherRowsHaveATail) {
  EXPECT_TRUE(ParseGood("{a:u8,b:opt<[u8;9]>}").is_fixed());
  EXPECT_FALSE(ParseGood("{a:u8,b:opt<str>,c:u8}").is_fixed());
}

TEST(SchemaTest, FindsAFieldByName) {
  const Schema schema = ParseGood(kUser);
  EXPECT_EQ(schema.Find("visits")->layout.word, 2);
  EXPECT_EQ(schema.Find("visit"), nullptr);
}

TEST(SchemaTest, TheFingerprintIsPinned) {
  EXPECT_EQ(ParseGood(kUser).fingerprint(), 0x656cb67bf6eadaf1);
}

TEST(SchemaTest, TheFingerprintTellsEveryChange) {
  std::set<uint64_t> seen;
  for (const absl::string_view text :
       {"{id:u64,name:str,visits:i64}", "{id:u64,name:str,visit:i64}",
        "{id:u64,name:str,visits:u64}", "{id:u64,visits:i64,name:str}",
        "{id:u64,name:str}", "{id:u64,name:str,visits:opt<i64>}",
        "{id:enum:u64,name:str,visits:i64}", "{a:[u8;8]}", "{a:[u8;9]}",
        "{a:vec<u8>}", "{a:vec<str>}"}) {
    EXPECT_TRUE(seen.insert(ParseGood(text).fingerprint()).second) << text;
  }
}

TEST(SchemaTest, BadTextIsRefusedWithThePosition) {
  EXPECT_EQ(ErrorOf(""), "schema text at byte 0: no {");
  EXPECT_EQ(ErrorOf("{"), "schema text at byte 1: no }");
  EXPECT_EQ(ErrorOf("{}"), "schema text at byte 1: no field name");
  EXPECT_EQ(ErrorOf("{a}"), "schema text at byte 2: no type");
  EXPECT_EQ(ErrorOf("{a:}"), "schema text at byte 3: unknown type");
  EXPECT_EQ(ErrorOf("{a:u64,}"), "schema text at byte 7: no field name");
  EXPECT_EQ(ErrorOf("{a:u64,b:u65}"), "schema text at byte 9: unknown type");
  EXPECT_EQ(ErrorOf("{a:u8,a:u8}"),
            "schema text at byte 6: two fields of one name");
}

TEST(SchemaTest, OnlyCanonicalTextIsASchema) {
  for (const absl::string_view type : {"U64",
                                       " u64",
                                       "u64 ",
                                       "i128",
                                       "enum:f32",
                                       "enum:",
                                       "enum:enum:u8",
                                       "enum:str",
                                       "[u8]",
                                       "[u8;]",
                                       "[u8;0]",
                                       "[u8;04]",
                                       "[u8;+4]",
                                       "[u8; 4]",
                                       "[u8;-1]",
                                       "[u8;4",
                                       "[str;4]",
                                       "[[u8;4];4]",
                                       "[u8;4294967296]",
                                       "[u8;536870912]",
                                       "vec<>",
                                       "vec<u8",
                                       "vec<vec<u8>>",
                                       "vec<[u8;4]>",
                                       "vec<opt<u8>>",
                                       "opt<>",
                                       "opt<opt<u8>>",
                                       "opt<u8",
                                       "opt",
                                       "vec",
                                       "str:"}) {
    ErrorOf(absl::StrCat("{a:", type, "}"));
  }
  ErrorOf(absl::StrCat("x", kUser));
  ErrorOf(absl::StrCat(kUser, "x"));
  ErrorOf(absl::string_view("{a\0:u8}", 7));
}

TEST(SchemaTest, RowsThatNoDescriptorCanExpressAreRefused) {
  std::string text = "{f:u8";
  for (int i = 0; i < 8; ++i)
    absl::StrAppend(&text, ",f", i, ":[u64;500000000]");
  EXPECT_EQ(ErrorOf(absl::StrCat(text, ",g:[u64;500000000]}")),
            "schema text at byte 158: rows too large");
}

// Whatever is accepted is its own canonical text.
void ExpectCanonicalOrRefused(absl::string_view text) {
  const absl::StatusOr<Schema> schema = Schema::Parse(text);
  if (schema.ok()) {
    EXPECT_EQ(schema->text(), text);
  } else {
    EXPECT_EQ(CauseOf(schema.status()), Cause::kCorrupt);
  }
}

TEST(SchemaTest, EveryTruncationIsRefused) {
  for (size_t size = 0; size < kEveryType.size(); ++size) {
    EXPECT_FALSE(Schema::Parse(kEveryType.substr(0, size)).ok()) << size;
  }
}

TEST(SchemaTest, MutatedTextIsCanonicalOrRefused) {
  const uint64_t seed = 1 + GTEST_FLAG_GET(random_seed);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  RecordProperty("seed", absl::StrCat(seed));
  std::mt19937_64 random(seed);
  constexpr absl::string_view kAlphabet = "{}[]<>;:,01au8str_ \n\xff";
  for (int i = 0; i < 20000; ++i) {
    std::string text(kEveryType);
    for (uint64_t n = random() % 3; n < 3; ++n) {
      const size_t at = random() % text.size();
      const char c = kAlphabet[random() % kAlphabet.size()];
      switch (random() % 3) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        default:
          text.erase(at, 1 + random() % 4);
      }
    }
    ExpectCanonicalOrRefused(text);
  }
}

}  // namespace
}  // namespace ets_keeper
