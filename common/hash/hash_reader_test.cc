// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_reader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_homes.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_testing.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"
#include "common/unique_fd/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

constexpr uint64_t kEpoch = TestTable::epoch;

class HashReaderTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  HashReaderTest() : t_({.fixed_words = GetParam()}) {}

  const HashReader& reader() const { return t_.core->reader(); }
  void Insert(uint64_t begin, uint64_t end) {
    for (uint64_t key = begin; key < end; ++key) {
      ASSERT_THAT(t_.core->Insert(kEpoch, TestKey(key), t_.Row(key, key)),
                  IsOk());
    }
  }
  void Delete(uint64_t begin, uint64_t end) {
    for (uint64_t key = begin; key < end; ++key) {
      ASSERT_THAT(t_.core->Delete(kEpoch, TestKey(key)), IsOk());
    }
  }

  // LookupTyped() of the key from that bucket on.
  bool LookupAt(const HashBucket* home, uint64_t key, RowBuffer* row) const {
    row->resize(8);
    const TestKey test_key(key);
    const KeyView view = test_key.hash_key;
    const auto fixed = [&](auto words) {
      row->resize(words);
      return reader().LookupFixed<words, KeyLayout{}>(home, view, row->data());
    };
    switch (GetParam()) {
      case 1:
        return fixed(std::integral_constant<uint32_t, 1>());
      case 2:
        return fixed(std::integral_constant<uint32_t, 2>());
      case 3:
        return fixed(std::integral_constant<uint32_t, 3>());
      default:
        return LookupRecord<KeyLayout{}>(reader(), home, view, row,
                                         [](uint64_t) { return true; });
    }
  }

  // Delivers the rows one call after the other, with `between` in between, and
  // checks that each of the keys [0, stable) comes once and no key twice.
  template <typename Between>
  void ExpectScanSees(uint64_t stable, Between between) {
    std::map<uint64_t, RowBuffer> seen;
    HashCursor cursor;
    std::vector<RowBuffer> rows;
    while (reader().Scan(&cursor, &rows)) {
      for (const RowBuffer& row : rows) {
        ASSERT_TRUE(seen.emplace(row[0], row).second) << row[0];
        ASSERT_EQ(row, t_.Row(row[0], row[0]));
      }
      between();
    }
    for (uint64_t key = 0; key < stable; ++key) {
      ASSERT_TRUE(seen.contains(key)) << key;
    }
    EXPECT_FALSE(reader().Scan(&cursor, &rows));  // it stays at the end
  }

  TestTable t_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashReaderTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

TEST_P(HashReaderTest, AnEmptyTableHasNothing) {
  RowBuffer row = {9};
  EXPECT_FALSE(reader().Lookup(TestKey(1), &row));
  EXPECT_FALSE(reader().Lookup(TestKey(1), nullptr));
  EXPECT_FALSE(reader().Member(TestKey(1)));
  EXPECT_EQ(reader().Size(), 0);
  EXPECT_TRUE(t_.Rows().empty());
}

TEST_P(HashReaderTest, AllInstructionsFindTheSame) {
  Insert(0, 2000);
  for (const InstructionSet set :
       {InstructionSet::kScalar, InstructionSet::kAvx2,
        InstructionSet::kAvx512}) {
    if (set > DetectInstructionSet()) break;
    const HashReader by_set(t_.core->geometry(), set);
    for (uint64_t key = 0; key < 4000; ++key) {
      const bool there = key < 2000;
      RowBuffer row;
      ASSERT_EQ(by_set.Lookup(TestKey(key), &row), there) << key;
      ASSERT_EQ(by_set.Lookup(TestKey(key), nullptr), there) << key;
      ASSERT_EQ(by_set.Member(TestKey(key)), there) << key;
      const RowBuffer expected = t_.Row(key, key);
      if (there) {
        ASSERT_EQ(row, expected);
      }
      RowBuffer words;
      ASSERT_EQ(LookupTyped(by_set, GetParam(), TestKey(key), &words), there);
      if (GetParam() == 0) {
        ASSERT_EQ(
            by_set.MemberRecord<KeyLayout{}>(KeyView(TestKey(key).hash_key)),
            there);
      }
      if (!there) continue;
      ASSERT_EQ(absl::MakeConstSpan(words), absl::MakeConstSpan(expected));
    }
  }
}

TEST_P(HashReaderTest, ARecordOfAnotherLengthIsAsNone) {
  if (GetParam() != 0) return;  // rows in buckets have the length they must
  Insert(0, 100);
  for (uint64_t key = 0; key < 100; ++key) {
    const size_t length = t_.Row(key, key).size();
    for (size_t words = 4; words < 8; ++words) {
      std::vector<uint64_t> row(words, 7);
      EXPECT_EQ(LookupFixed(reader(), TestKey(key), absl::MakeSpan(row)),
                words == length);
      if (words != length) {
        EXPECT_EQ(row, std::vector<uint64_t>(words, 7));
      }
    }
  }
}

// Wherever lookups begin, and however the table was cut when that was said.
TEST_P(HashReaderTest, HomesOfBeforeAreStillRight) {
  const HashHomes empty(t_.core->geometry());
  Insert(0, 3000);
  const HashHomes full(t_.core->geometry());
  const uint64_t buckets = t_.Buckets();
  EXPECT_GT(buckets, 300);
  const auto expect = [&](const HashHomes& homes, uint64_t rows) {
    for (uint64_t key = 0; key < 4000; ++key) {
      RowBuffer row;
      ASSERT_EQ(LookupAt(homes.Of(TestKey(key).hash_key.hash), key, &row),
                key < rows)
          << key;
      if (key >= rows) continue;
      ASSERT_EQ(absl::MakeConstSpan(row), absl::MakeConstSpan(t_.Row(key, key)))
          << key;
    }
  };
  expect(empty, 3000);
  expect(full, 3000);
  for (uint64_t key = 0; key < 4000; ++key) {
    const uint64_t hash = TestKey(key).hash_key.hash;
    ASSERT_EQ(full.Of(hash), reader().homes().Of(hash));
  }
  Delete(100, 3000);
  EXPECT_LT(t_.Buckets(), buckets / 2);
  expect(full, 100);
}

// For rows in buckets asking for cells pays only in a large table.
TEST_P(HashReaderTest, OverflowCellsAreAskedForWhenTheTableIsLarge) {
  HashRoot* root = t_.core->geometry().root();
  const uint64_t image = LoadWord(&root->image);
  StoreWord(&root->image, (uint64_t{1} << 17) + 1);
  EXPECT_TRUE(reader().prefetches_records());
  StoreWord(&root->image, image);
  EXPECT_EQ(reader().prefetches_records(), GetParam() == 0);
}

// They only warm the cache, whatever the key, and whatever the image is.
TEST_P(HashReaderTest, PrefetchingIsHarmless) {
  EXPECT_EQ(reader().prefetches_records(), GetParam() == 0);
  const auto prefetch = [&] {
    for (uint64_t key = 0; key < 3000; ++key) {
      reader().PrefetchBucket(TestKey(key).hash_key.hash);
      reader().PrefetchRecord(TestKey(key).hash_key.hash);
    }
    reader().PrefetchBucket(~uint64_t{0});
  };
  prefetch();
  Insert(0, 1000);
  const std::map<uint64_t, RowBuffer> rows = t_.Rows();
  prefetch();
  EXPECT_EQ(t_.Rows(), rows);
  uint64_t* image = &t_.core->geometry().root()->image;
  for (const uint64_t hostile :
       {uint64_t{0}, uint64_t{1} << 33, ~uint64_t{0}}) {
    StoreWord(image, hostile);
    reader().RefreshHomes();
    prefetch();
  }
}

TEST_P(HashReaderTest, AScanStandsWhereItWasWhenTheTableGrowsManyTimes) {
  Insert(0, 200);
  uint64_t next = 1000;
  ExpectScanSees(200, [&] {
    Insert(next, next + 100);
    next += 100;
  });
  EXPECT_GT(t_.Buckets(), 300);
}

TEST_P(HashReaderTest, AScanStandsWhereItWasWhenTheTableShrinks) {
  Insert(0, 20'000);
  const uint64_t buckets = t_.Buckets();
  uint64_t left = 20'000;
  ExpectScanSees(50, [&] {
    if (left == 50) return;
    const uint64_t goes = std::min<uint64_t>(20, left - 50);
    Delete(left - goes, left);
    left -= goes;
  });
  EXPECT_EQ(left, 50);
  EXPECT_LT(t_.Buckets(), buckets / 16);
}

// Up and down at random, by many buckets at a time, while rows stay.
TEST_P(HashReaderTest, AScanStandsWhereItWasWhateverTheBucketsDo) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  Insert(0, 300);
  for (int i = 0; i < 20; ++i) {
    ExpectScanSees(300, [&] {
      if (random() % 4 != 0) return;
      const uint64_t wanted = 40 + random() % 1000;
      while (t_.Buckets() < wanted) {
        ASSERT_THAT(SplitBuckets(t_.core->geometry(), 0, 1), IsOk());
      }
      while (t_.Buckets() > wanted) {
        ASSERT_THAT(MergeBuckets(t_.core->geometry(), 0, 1), IsOk());
      }
    });
  }
}

TEST_P(HashReaderTest, ACopiedCursorGoesOnByItself) {
  Insert(0, 100);
  HashCursor cursor;
  std::vector<RowBuffer> rows;
  ASSERT_TRUE(reader().Scan(&cursor, &rows));
  HashCursor copy = cursor;
  std::vector<RowBuffer> first, second;
  while (reader().Scan(&cursor, &rows)) {
    first.insert(first.end(), rows.begin(), rows.end());
  }
  while (reader().Scan(&copy, &rows)) {
    second.insert(second.end(), rows.begin(), rows.end());
  }
  EXPECT_EQ(first, second);
}

TEST_P(HashReaderTest, AReadOnlyMappingIsEnough) {
  UniqueFd fd(memfd_create("hash_reader_test", MFD_CLOEXEC));
  ASSERT_TRUE(fd);
  ASSERT_EQ(ftruncate(fd.get(), 1 << 20), 0);
  auto arena = *Arena::Map(UniqueFd(dup(fd.get())), ArenaAccess::kReadWrite);
  ASSERT_THAT(
      TestTable::FormatTestTable(arena.get(), {.fixed_words = GetParam()}),
      IsOk());
  auto writer = *HashCore::Attach(arena.get());
  UniqueFd read_fd(open(absl::StrCat("/proc/self/fd/", fd.get()).c_str(),
                        O_RDONLY | O_CLOEXEC));
  auto read_arena = *Arena::Map(std::move(read_fd), ArenaAccess::kReadOnly);
  auto core = *HashCore::Attach(read_arena.get());
  for (uint64_t key = 0; key < 1000; ++key) {
    const RowBuffer row = t_.Row(key, key);
    ASSERT_THAT(writer->Insert(0, TestKey(key), row), IsOk());
    RowBuffer read;
    ASSERT_TRUE(core->reader().Lookup(TestKey(key), &read));
    ASSERT_EQ(read, row);
  }
  EXPECT_EQ(core->reader().Size(), 1000);
  EXPECT_EQ(TestTable::RowsOf(core->reader()).size(), 1000);
}

}  // namespace
}  // namespace ets_keeper
