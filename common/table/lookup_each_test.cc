// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/lookup_each.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/arena/word.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

// A row of two words lies in its bucket.
struct Small {
  uint64_t key = 0;
  uint64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Small::key), Field("value", &Small::value));
  }
  friend bool operator==(const Small&, const Small&) = default;
};

// One of eight is a record, though of a fixed length.
struct Large {
  uint64_t key = 0;
  uint64_t value = 0;
  std::array<uint64_t, 6> rest = {};
  static constexpr auto Fields() {
    return FieldList(Field("key", &Large::key), Field("value", &Large::value),
                     Field("rest", &Large::rest));
  }
  friend bool operator==(const Large&, const Large&) = default;
};

struct Text {
  std::string key;
  uint64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Text::key), Field("value", &Text::value));
  }
  friend bool operator==(const Text&, const Text&) = default;
};

// Not every word is a row of it.
struct Flag {
  uint64_t key = 0;
  bool set = false;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Flag::key), Field("set", &Flag::set));
  }
};

template <typename Row>
auto KeyOf(uint64_t i) {
  if constexpr (std::is_same_v<Row, Text>) {
    // Of all lengths from 1 to 40, and some longer than is usual.
    return absl::StrCat(i, std::string(i % 50 == 7 ? 500 : i % 40, 'x'));
  } else {
    return i;
  }
}

template <typename Row>
class LookupEachTest : public ::testing::Test {
 protected:
  using Rows = Table<Row, &Row::key>;
  using Keys = std::vector<decltype(KeyOf<Row>(0))>;

  LookupEachTest() : table_(*Rows::New(tables_, NewPid(), {})) {}

  // Every third key is missing.
  void Fill(uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) {
      if (i % 3 == 2) continue;
      Row row;
      row.key = KeyOf<Row>(i);
      row.value = i * 10;
      ASSERT_THAT(table_.Insert(row), IsOk());
    }
  }

  static Keys KeysOf(uint64_t begin, uint64_t end) {
    Keys keys;
    for (uint64_t i = begin; i < end; ++i) keys.push_back(KeyOf<Row>(i));
    return keys;
  }

  // That each key is visited once, in order, with what a lookup finds.
  void ExpectAsOneByOne(const Keys& keys) {
    size_t next = 0;
    uint64_t found = 0;
    const auto visit = [&](size_t i, const Row* row) {
      ASSERT_EQ(i, next++);
      const auto alone = table_.Lookup(keys[i]);
      ASSERT_THAT(alone, IsOk());
      ASSERT_EQ(row != nullptr, alone->has_value()) << i;
      if (row == nullptr) return;
      ASSERT_EQ(*row, **alone);
      ++found;
    };
    const absl::Status status =
        LookupEachIn<Row, &Row::key>(core(), absl::MakeConstSpan(keys), visit);
    EXPECT_THAT(status, IsOk());
    EXPECT_EQ(next, keys.size());
    if (keys.size() > 2) {
      EXPECT_GT(found, 0);
      EXPECT_LT(found, keys.size());
    }
  }

  HashCore& core() { return table_.handle().state().core(); }

  Tables tables_;
  Rows table_;
};

using RowTypes = ::testing::Types<Small, Large, Text>;
TYPED_TEST_SUITE(LookupEachTest, RowTypes);

TYPED_TEST(LookupEachTest, KeysOfAnyNumberAreVisitedInOrder) {
  this->Fill(0, 1000);  // some of them are in chains
  for (const size_t count :
       {size_t{0}, size_t{1}, size_t{3}, kRecordsAhead - 1, kRecordsAhead,
        kRecordsAhead + 1, kLookupWindow - kRecordsAhead, kLookupWindow - 1,
        kLookupWindow, kLookupWindow + 1, kLookupWindow + kRecordsAhead,
        kLookupWindow * 2 - 1, kLookupWindow * 2, kLookupWindow * 2 + 1,
        size_t{1000}}) {
    SCOPED_TRACE(count);
    this->ExpectAsOneByOne(this->KeysOf(0, count));
  }
}

TYPED_TEST(LookupEachTest, AnEmptyTableHasNone) {
  size_t visited = 0;
  const auto keys = this->KeysOf(0, 100);
  const auto visit = [&](size_t i, const TypeParam* row) {
    EXPECT_EQ(i, visited++);
    EXPECT_EQ(row, nullptr);
  };
  EXPECT_THAT((LookupEachIn<TypeParam, &TypeParam::key>(
                  this->core(), absl::MakeConstSpan(keys), visit)),
              IsOk());
  EXPECT_EQ(visited, 100);
}

// As large tables are read; of the buckets that the root is made to speak of,
// most do not exist.
TYPED_TEST(LookupEachTest, OverflowCellsAreAskedForAheadOfTheirTurn) {
  this->Fill(0, 1000);
  HashRoot* root = this->core().geometry().root();
  const uint64_t image = LoadWord(&root->image);
  const uint64_t mask = LoadWord(&root->mask);
  for (const uint64_t wrong : {(uint64_t{1} << 17) + 1, uint64_t{0},
                               uint64_t{1} << 40, ~uint64_t{0}}) {
    SCOPED_TRACE(wrong);
    std::vector<std::optional<TypeParam>> found;
    const auto visit = [&](size_t, const TypeParam* row) {
      found.push_back(row == nullptr ? std::nullopt : std::optional(*row));
    };
    const auto keys = this->KeysOf(0, 100);
    StoreWord(&root->image, wrong);
    this->core().reader().RefreshHomes();
    EXPECT_THAT((LookupEachIn<TypeParam, &TypeParam::key>(
                    this->core(), absl::MakeConstSpan(keys), visit)),
                IsOk());
    StoreWord(&root->image, image);
    ASSERT_EQ(LoadWord(&root->mask), mask);
    ASSERT_EQ(found.size(), 100);
    if (wrong != (uint64_t{1} << 17) + 1) continue;  // that can be none
    for (uint64_t i = 0; i < 100; ++i) {
      EXPECT_EQ(found[i].has_value(), i % 3 != 2) << i;
      if (found[i].has_value()) {
        EXPECT_EQ(found[i]->value, i * 10);
      }
    }
  }
}

TYPED_TEST(LookupEachTest, TheTableMayGrowAndShrinkMeanwhile) {
  this->Fill(0, 300);
  const auto keys = this->KeysOf(0, 300);
  uint64_t next = 1000;
  const auto grow = [&](size_t i, const TypeParam* row) {
    ASSERT_EQ(row != nullptr, i % 3 != 2) << i;
    this->Fill(next, next + 50);
    next += 50;
  };
  EXPECT_THAT((LookupEachIn<TypeParam, &TypeParam::key>(
                  this->core(), absl::MakeConstSpan(keys), grow)),
              IsOk());
  const auto shrink = [&](size_t i, const TypeParam* row) {
    ASSERT_EQ(row != nullptr, i % 3 != 2) << i;
    for (uint64_t gone = next - 50; gone < next; ++gone) {
      ASSERT_THAT(this->table_.Delete(KeyOf<TypeParam>(gone)), IsOk());
    }
    next -= 50;
  };
  EXPECT_THAT((LookupEachIn<TypeParam, &TypeParam::key>(
                  this->core(), absl::MakeConstSpan(keys), shrink)),
              IsOk());
  EXPECT_EQ(next, 1000);
}

// Each key is looked up when its turn has come, not when it is asked for.
TYPED_TEST(LookupEachTest, AVisitIsSeenByThoseAfterIt) {
  this->Fill(0, 100);
  const auto keys = this->KeysOf(0, 100);
  const auto visit = [&](size_t i, const TypeParam* row) {
    ASSERT_EQ(row != nullptr, i == 0 || (i % 2 == 0 && i % 3 != 2)) << i;
    if (i % 2 == 0 && i + 1 < keys.size()) {
      ASSERT_THAT(this->table_.Delete(keys[i + 1]), IsOk());
    }
  };
  EXPECT_THAT((LookupEachIn<TypeParam, &TypeParam::key>(
                  this->core(), absl::MakeConstSpan(keys), visit)),
              IsOk());
}

TEST(LookupEachOfFlagsTest, EndsAtARowThatIsNone) {
  Tables tables;
  const Pid me = NewPid();
  const auto flags = Table<Flag, &Flag::key>::New(tables, me, {});
  ASSERT_THAT(flags, IsOk());
  HashCore& core = flags->handle().state().core();
  std::vector<uint64_t> keys;
  for (uint64_t i = 0; i < 50; ++i) {
    ASSERT_THAT(flags->Insert({i, true}), IsOk());
    keys.push_back(i);
  }
  const uint64_t row[] = {40, 2};  // no bool
  ASSERT_THAT(
      core.Insert(flags->handle().epoch(),
                  MakeHashKey(core.seed(), absl::MakeConstSpan(&row[0], 1), 8),
                  row),
      IsOk());
  size_t visited = 0;
  const auto visit = [&](size_t, const Flag*) { ++visited; };
  const absl::Status status =
      LookupEachIn<Flag, &Flag::key>(core, absl::MakeConstSpan(keys), visit);
  EXPECT_EQ(CauseOf(status), Cause::kCorrupt);
  EXPECT_EQ(visited, 40);
}

}  // namespace
}  // namespace ets_keeper
