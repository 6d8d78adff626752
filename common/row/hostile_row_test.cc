// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Rows that may hold anything: whoever can map a table's memory for writing can
// put any words there, and no reader may be hurt by them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/row/codec.h"
#include "common/row/fields.h"
#include "common/row/format_row.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"
#include "common/row/rows_testing.h"
#include "common/row/schema.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Random = std::mt19937_64;

template <typename Row>
std::vector<uint64_t> Words(const Row& row) {
  RowBuffer words;
  EXPECT_TRUE(RowCodec<Row>::Encode(row, words).ok());
  return std::vector<uint64_t>(words.begin(), words.end());
}

// The typed codec and the schema agree about `words`, which end where memory
// that may be read ends; what is accepted is the encoding of what was decoded.
// Returns whether it was accepted.
template <typename Row>
bool ExpectConsistent(const std::vector<uint64_t>& words) {
  using Codec = RowCodec<Row>;
  Row row;
  const absl::Status decoded = Codec::Decode(words, row);
  EXPECT_EQ(Codec::schema().Check(words), decoded);
  const absl::StatusOr<std::string> text = FormatRow(Codec::schema(), words);
  EXPECT_EQ(text.ok(), decoded.ok());
  if (!decoded.ok()) {
    EXPECT_EQ(CauseOf(decoded), Cause::kCorrupt);
    EXPECT_EQ(text.status(), decoded);
    return false;
  }
  EXPECT_EQ(Words(row), words);
  EXPECT_TRUE(std::all_of(text->begin(), text->end(), absl::ascii_isprint))
      << *text;
  return true;
}

// A word that is likely to pass some checks and fail others.
uint64_t NastyWord(Random& random, size_t size) {
  switch (random() % 6) {
    case 0:
      return random() % 3;
    case 1:
      return random();
    case 2:
      return UINT64_MAX - random() % 3;
    case 3:
      return uint64_t{1} << random() % 64;
    default:
      return MakeDescriptor(static_cast<uint32_t>(random() % (size + 3)),
                            static_cast<uint32_t>(random() % 64));
  }
}

void Mutate(Random& random, std::vector<uint64_t>& words) {
  const uint64_t changes = random() % 4;
  for (uint64_t i = 0; i < changes && !words.empty(); ++i) {
    uint64_t& word = words[random() % words.size()];
    switch (random() % 4) {
      case 0:
        word = NastyWord(random, words.size());
        break;
      case 1:
        word ^= uint64_t{1} << random() % 64;
        break;
      case 2:
        word += random() % 5 - 2;
        break;
      default:
        word = words[random() % words.size()];
    }
  }
  if (random() % 8 == 0) words.resize(random() % (words.size() + 3));
}

// Runs `cases` mutations of each seed row.
template <typename Row>
void RunMutations(const std::vector<Row>& rows, int cases) {
  const uint64_t seed = 1 + GTEST_FLAG_GET(random_seed);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  testing::Test::RecordProperty("seed", absl::StrCat(seed));
  Random random(seed);
  int accepted = 0;
  for (const Row& row : rows) {
    const std::vector<uint64_t> words = Words(row);
    for (int i = 0; i < cases && !testing::Test::HasFailure(); ++i) {
      std::vector<uint64_t> mutated = words;
      Mutate(random, mutated);
      mutated.shrink_to_fit();
      accepted += ExpectConsistent<Row>(mutated) ? 1 : 0;
    }
  }
  EXPECT_GT(accepted, cases / 10) << "mutations are too wild to mean much";
  EXPECT_LT(accepted, static_cast<int>(rows.size()) * cases * 9 / 10)
      << "mutations are too tame to mean much";
}

TEST(HostileRowTest, MutatedUsersAreRefusedOrCanonical) {
  RunMutations<User>({{7, "Ada", -3}, {1, "", 0}, {2, "longer than 8", 1}},
                     15000);
}

TEST(HostileRowTest, MutatedScalarsAreRefusedOrCanonical) {
  RunMutations<Scalars>({{}, {.flag = true, .i8 = -1, .level = kHigh}}, 15000);
}

TEST(HostileRowTest, MutatedRowsOfEveryShapeAreRefusedOrCanonical) {
  RunMutations<Everything>({{}, FullRow()}, 15000);
}

// Few words and many small numbers: most paths of the vector of strings.
struct Tags {
  std::vector<std::string> tags;
  std::optional<std::vector<std::string>> more;

  static constexpr auto Fields() {
    return FieldList(Field("tags", &Tags::tags), Field("more", &Tags::more));
  }
};

TEST(HostileRowTest, MutatedVectorsOfStringsAreRefusedOrCanonical) {
  RunMutations<Tags>({{}, {{"a", "bc", ""}, {{"d"}}}, {{"", ""}, {}}}, 15000);
}

template <typename Row>
void ExpectTruncationsAreRefused(const Row& row) {
  const std::vector<uint64_t> words = Words(row);
  for (size_t size = 0; size < words.size(); ++size) {
    const std::vector<uint64_t> cut(words.begin(), words.begin() + size);
    EXPECT_FALSE(ExpectConsistent<Row>(cut)) << size;
  }
  EXPECT_TRUE(ExpectConsistent<Row>(words));
}

TEST(HostileRowTest, EveryTruncationIsRefused) {
  ExpectTruncationsAreRefused(User{7, "a name of several words", -3});
  ExpectTruncationsAreRefused(Scalars{});
  ExpectTruncationsAreRefused(FullRow());
  ExpectTruncationsAreRefused(Everything{});
}

// Every single bit of a row, flipped.
TEST(HostileRowTest, EveryBitFlipIsRefusedOrCanonical) {
  const std::vector<uint64_t> words = Words(FullRow());
  for (size_t bit = 0; bit < words.size() * 64; ++bit) {
    std::vector<uint64_t> flipped = words;
    flipped[bit / 64] ^= uint64_t{1} << bit % 64;
    ExpectConsistent<Everything>(flipped);
  }
}

TEST(HostileRowTest, AHugeCountAllocatesNothing) {
  std::vector<uint64_t> words = Words(Tags{{"a"}, {}});
  ASSERT_EQ(words.size(), 5);
  words[3] |= UINT32_MAX;  // the count of strings
  EXPECT_FALSE(ExpectConsistent<Tags>(words));
}

}  // namespace
}  // namespace ets_keeper
