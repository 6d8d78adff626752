// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_core.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::Optional;

constexpr uint64_t kEpoch = TestTable::epoch;

absl::StatusOr<HashAction> Removed(const HashCurrent&) {
  return HashAction::Remove();
}

// For all shapes of rows: the number of words, 0 being records.
class HashCoreTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  HashCoreTest() : t_({.fixed_words = GetParam()}) {}
  ~HashCoreTest() override {
    EXPECT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
  }

  absl::Status Insert(uint64_t key, uint64_t value) {
    return t_.core->Insert(kEpoch, TestKey(key), t_.Row(key, value));
  }

  TestTable t_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashCoreTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

TEST_P(HashCoreTest, InsertReplacesTheRowOfTheSameKey_A5) {
  EXPECT_THAT(Insert(7, 1), IsOk());
  EXPECT_THAT(t_.Lookup(7), Optional(t_.Row(7, 1)));
  EXPECT_THAT(Insert(7, 2), IsOk());
  EXPECT_THAT(t_.Lookup(7), Optional(t_.Row(7, 2)));
  EXPECT_EQ(t_.core->reader().Size(), 1);
}

TEST_P(HashCoreTest, InsertNewLeavesAnExistingRowAlone) {
  EXPECT_THAT(t_.core->InsertNew(kEpoch, TestKey(7), t_.Row(7, 1)),
              IsOkAndHolds(true));
  EXPECT_THAT(t_.core->InsertNew(kEpoch, TestKey(7), t_.Row(7, 2)),
              IsOkAndHolds(false));
  EXPECT_THAT(t_.Lookup(7), Optional(t_.Row(7, 1)));
}

TEST_P(HashCoreTest, DeletingAMissingKeyIsNoError_A14) {
  EXPECT_THAT(t_.core->Delete(kEpoch, TestKey(7)), IsOkAndHolds(false));
  EXPECT_THAT(Insert(7, 1), IsOk());
  EXPECT_THAT(t_.core->Delete(kEpoch, TestKey(7)), IsOkAndHolds(true));
  EXPECT_EQ(t_.Lookup(7), std::nullopt);
  EXPECT_EQ(t_.core->reader().Size(), 0);
}

TEST_P(HashCoreTest, TakeReturnsWhatItRemoves_A16) {
  EXPECT_THAT(Insert(7, 5), IsOk());
  RowBuffer row;
  EXPECT_THAT(t_.core->Take(kEpoch, TestKey(7), &row), IsOkAndHolds(true));
  EXPECT_EQ(row, t_.Row(7, 5));
  EXPECT_THAT(t_.core->Take(kEpoch, TestKey(7), &row), IsOkAndHolds(false));
}

TEST_P(HashCoreTest, AddChangesOneWordInPlace) {
  EXPECT_THAT(Insert(7, 5), IsOk());
  RowBuffer row = t_.Row(7, 5);
  for (uint32_t word = 1; word < row.size(); ++word) {
    row[word] = 6;
    EXPECT_THAT(PlusOne(*t_.core, kEpoch, TestKey(7), word), IsOk());
    EXPECT_THAT(t_.Lookup(7), Optional(row));
  }
  const auto words = static_cast<uint32_t>(row.size());
  EXPECT_EQ(CauseOf(PlusOne(*t_.core, kEpoch, TestKey(7), words)),
            Cause::kOutOfRange);
  EXPECT_EQ(CauseOf(PlusOne(*t_.core, kEpoch, TestKey(8), 1)),
            Cause::kKeyNotFound);
  EXPECT_THAT(t_.Lookup(7), Optional(row));
}

TEST_P(HashCoreTest, AddRefusesASumThatIsNoSuchNumber) {
  if (t_.Row(7, 0).size() < 2) return;
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<int64_t>::min();
  const struct {
    uint64_t old;
    int64_t amount;
    bool good_unsigned, good_signed;
  } cases[] = {
      {0, 0, true, true},
      {5, -5, true, true},
      {5, -6, false, true},
      {~uint64_t{0}, 0, true, true},
      {~uint64_t{0}, 1, false, true},  // -1 + 1
      {~uint64_t{0}, -1, true, true},
      {uint64_t{kMost}, 1, true, false},
      {uint64_t{kMost}, -1, true, true},
      {uint64_t{kMost}, kLeast, false, true},
      {uint64_t{1} << 63, -1, true, false},
      {uint64_t{1} << 63, kLeast, true, false},
      {uint64_t{1} << 63, kMost, true, true},
      {2, kMost, true, false},
      {0, kLeast, false, true},
  };
  for (const auto& c : cases) {
    for (const bool is_signed : {false, true}) {
      EXPECT_THAT(Insert(7, c.old), IsOk());
      uint64_t sum = 0;
      const absl::Status status =
          t_.core->Add(kEpoch, TestKey(7), {.word = 1, .is_signed = is_signed},
                       c.amount, &sum);
      const uint64_t expected = c.old + static_cast<uint64_t>(c.amount);
      if (is_signed ? c.good_signed : c.good_unsigned) {
        EXPECT_THAT(status, IsOk()) << c.old << " " << c.amount;
        EXPECT_EQ(sum, expected);
        EXPECT_EQ((*t_.Lookup(7))[1], expected);
      } else {
        EXPECT_EQ(CauseOf(status), Cause::kOutOfRange)
            << c.old << " " << c.amount;
        EXPECT_EQ((*t_.Lookup(7))[1], c.old);
      }
    }
  }
}

TEST_P(HashCoreTest, AChangeSeesWhatIsThereAndDecides) {
  const RowBuffer one = t_.Row(7, 1), two = t_.Row(7, 2);
  const auto change = [&](HashChange decide) {
    return t_.core->Change(kEpoch, TestKey(7), decide);
  };
  EXPECT_THAT(change([&](const HashCurrent& current) {
                EXPECT_FALSE(current.found());
                return absl::StatusOr<HashAction>(HashAction::Remove());
              }),
              IsOk());
  EXPECT_THAT(change([&](const HashCurrent&) {
                return absl::StatusOr<HashAction>(HashAction::Put(one));
              }),
              IsOk());
  EXPECT_THAT(change([&](const HashCurrent& current) {
                EXPECT_TRUE(current.found() && current.found_before());
                EXPECT_EQ(current.Row(), one);
                return absl::StatusOr<HashAction>(HashAction::Keep());
              }),
              IsOk());
  EXPECT_EQ(change([&](const HashCurrent&) {
              return absl::StatusOr<HashAction>(absl::InternalError("no"));
            }).code(),
            absl::StatusCode::kInternal);
  EXPECT_THAT(t_.Lookup(7), Optional(one));
  EXPECT_THAT(change([&](const HashCurrent&) {
                return absl::StatusOr<HashAction>(HashAction::Put(two));
              }),
              IsOk());
  EXPECT_THAT(t_.Lookup(7), Optional(two));
  EXPECT_THAT(change(Removed), IsOk());
  EXPECT_EQ(t_.Lookup(7), std::nullopt);
}

TEST_P(HashCoreTest, AWriteOfAnotherEpochIsRefusedAndChangesNothing) {
  EXPECT_THAT(Insert(7, 5), IsOk());
  t_.core->RaiseEpoch(kEpoch + 1);
  EXPECT_EQ(t_.core->epoch(), kEpoch + 1);
  EXPECT_EQ(CauseOf(Insert(7, 6)), Cause::kNotOwner);
  EXPECT_EQ(CauseOf(Insert(8, 6)), Cause::kNotOwner);
  EXPECT_EQ(CauseOf(t_.core->Delete(kEpoch, TestKey(7)).status()),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(PlusOne(*t_.core, kEpoch, TestKey(7), 1)),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(t_.core->Change(kEpoch, TestKey(7), Removed)),
            Cause::kNotOwner);
  const TestKey key(7);
  EXPECT_EQ(CauseOf(t_.core->ChangeAll(kEpoch, {{key, Removed}})),
            Cause::kNotOwner);
  EXPECT_EQ(CauseOf(t_.core->ChangeAll(kEpoch, {})), Cause::kNotOwner);
  EXPECT_THAT(t_.Lookup(7), Optional(t_.Row(7, 5)));
  EXPECT_EQ(t_.core->reader().Size(), 1);
  EXPECT_THAT(t_.core->Delete(kAnyEpoch, TestKey(7)), IsOkAndHolds(true));
}

// What a killed writer leaves: the lock of a bucket, and its name in a lane.
TEST_P(HashCoreTest, RecoveryFreesTheLocksOfTheDead) {
  EXPECT_THAT(Insert(7, 5), IsOk());
  const HashGeometry& geometry = t_.core->geometry();
  uint64_t* head = &geometry.BucketAt(geometry.BucketOffset(0))->head;
  ASSERT_EQ(t_.Buckets(), 1);
  StoreWord(&geometry.LaneAt(1)->held[1], geometry.BucketOffset(0));
  StoreWord(head, *head | kLockBit);
  EXPECT_THAT(t_.Lookup(7), Optional(t_.Row(7, 5)));  // readers do not wait
  EXPECT_THAT(t_.core->Recover(), IsOk());
  EXPECT_THAT(Insert(7, 6), IsOk());
  // Offsets of no buckets are left alone.
  for (const uint64_t held : {uint64_t{8}, geometry.BucketOffset(0) + 8,
                              t_.arena->bytes(), ~uint64_t{63}}) {
    StoreWord(&geometry.LaneAt(0)->held[0], held);
    EXPECT_THAT(t_.core->Recover(), IsOk());
  }
}

TEST_P(HashCoreTest, AFullArenaIsAnErrorAndTheTableGoesOn) {
  TestTable t({.fixed_words = GetParam(), .bytes = Arena::kMinBytes});
  std::map<uint64_t, RowBuffer> model;
  absl::Status status;
  uint64_t key = 0;
  for (; status.ok(); ++key) {
    const RowBuffer row = t.Row(key, key);
    status = t.core->Insert(kEpoch, TestKey(key), row);
    if (status.ok()) model[key] = row;
  }
  EXPECT_EQ(CauseOf(status), Cause::kNoMemory);
  EXPECT_GT(model.size(), 500);
  EXPECT_EQ(t.core->reader().Size(), model.size());
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  EXPECT_EQ(t.Rows(), model);
  for (const auto& [k, row] : model) ASSERT_THAT(t.Lookup(k), Optional(row));
  // All that goes can come back, and the table shrinks and grows as before.
  for (const auto& [k, row] : model) {
    ASSERT_THAT(t.core->Delete(kEpoch, TestKey(k)), IsOkAndHolds(true));
  }
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
  uint64_t back = 0;
  for (const auto& [k, row] : model) {
    back += t.core->Insert(kEpoch, TestKey(k), row).ok();
  }
  EXPECT_GT(back, model.size() * 9 / 10);
  EXPECT_THAT(CheckHashTable(t.core->geometry()), IsOk());
}

TEST_P(HashCoreTest, ARowThatIsLargerThanTheArenaIsRefused) {
  if (GetParam() != 0) return;  // such rows are all of one length
  const std::vector<uint64_t> words(9 << 20);
  TestTable t({.bytes = uint64_t{32} << 20});
  EXPECT_EQ(CauseOf(t.core->Insert(kEpoch, TestKey(0), words)),
            Cause::kNoMemory);
  EXPECT_EQ(t.Lookup(0), std::nullopt);
  EXPECT_THAT(t.core->Insert(kEpoch, TestKey(0), TestRow(0, {})), IsOk());
}

// Random rows come and go: mostly come, then mostly go, and again.
TEST_P(HashCoreTest, AgreesWithAModelWhileGrowingAndShrinking) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  constexpr uint64_t kKeys = 5000;
  std::map<uint64_t, RowBuffer> model;
  const auto random_row = [&](uint64_t key) {
    RowBuffer row = {key};
    row.resize(GetParam() != 0 ? GetParam() : 1 + random() % 20, random());
    // As often as not only the last word differs from the row before.
    if (const auto it = model.find(key); it != model.end() && random() % 2) {
      row = it->second;
    }
    if (row.size() > 1) row.back() = random();
    return row;
  };
  uint64_t most = 0;
  for (const uint64_t deletes : {2, 14, 2, 15}) {  // of 16
    for (uint64_t i = 0; i < 4 * kKeys; ++i) {
      const uint64_t key = random() % kKeys;
      const RowBuffer row = random_row(key);
      if (random() % 16 < deletes) {
        RowBuffer taken;
        const auto it = model.find(key);
        ASSERT_THAT(t_.core->Take(kEpoch, TestKey(key), &taken),
                    IsOkAndHolds(it != model.end()));
        if (it == model.end()) continue;
        ASSERT_EQ(taken, it->second);
        model.erase(it);
      } else if (random() % 4 == 0) {
        ASSERT_THAT(t_.core->InsertNew(kEpoch, TestKey(key), row),
                    IsOkAndHolds(model.emplace(key, row).second));
      } else {
        ASSERT_THAT(t_.core->Insert(kEpoch, TestKey(key), row), IsOk());
        model[key] = row;
      }
    }
    ASSERT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
    EXPECT_EQ(t_.core->reader().Size(), model.size());
    EXPECT_EQ(t_.Rows(), model);
    for (uint64_t key = 0; key < kKeys; ++key) {
      const auto it = model.find(key);
      const auto row = t_.Lookup(key);
      ASSERT_EQ(row.has_value(), it != model.end());
      if (row) {
        ASSERT_EQ(*row, it->second);
      }
    }
    most = std::max(most, t_.Buckets());
  }
  EXPECT_GT(most, kKeys / 10);
}

TEST_P(HashCoreTest, ATableWhoseRowsGoShrinks) {
  constexpr uint64_t kKeys = 20'000;
  for (int round = 0; round < 2; ++round) {
    for (uint64_t key = 0; key < kKeys; ++key) {
      ASSERT_THAT(Insert(key, key), IsOk());
    }
    const uint64_t wanted = BucketsFor(t_.core->geometry(), kKeys);
    EXPECT_NEAR(t_.Buckets(), wanted, wanted / 8.0 + 32);
    ASSERT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
    for (uint64_t key = 0; key < kKeys; ++key) {
      if (key % 100 == 0) continue;
      ASSERT_THAT(t_.core->Delete(kEpoch, TestKey(key)), IsOkAndHolds(true));
    }
    ASSERT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
    EXPECT_LT(t_.Buckets(), wanted / 16);
    const auto rows = t_.Rows();
    EXPECT_EQ(rows.size(), kKeys / 100);
    for (uint64_t key = 0; key < kKeys; key += 100) {
      EXPECT_THAT(t_.Lookup(key), Optional(t_.Row(key, key)));
      EXPECT_TRUE(rows.contains(key));
    }
  }
}

TEST_P(HashCoreTest, ATableCanBeAttachedWhateverItsSize) {
  for (uint64_t key = 0; key < 4000; ++key) {
    ASSERT_THAT(Insert(key, key), IsOk());
    if (key % 8 != 0) continue;
    const auto core = HashCore::Attach(t_.arena.get());
    ASSERT_THAT(core, IsOk()) << key;
    EXPECT_EQ((*core)->reader().Size(), key + 1);
    EXPECT_TRUE((*core)->reader().Lookup(TestKey(key), nullptr));
  }
}

TEST(HashCoreFormatTest, SaysWhatDoesNotFit) {
  auto arena = *Arena::CreatePrivate(Arena::kMinBytes);
  for (const uint32_t writers :
       {100u, kMaxWriters, kMaxWriters + 1, UINT32_MAX}) {
    EXPECT_EQ(CauseOf(HashCore::Format(arena.get(), {.writers = writers})),
              Cause::kBadOption)
        << writers;
  }
  EXPECT_TRUE(arena->blank());
  EXPECT_THAT(HashCore::Format(arena.get(), {.writers = 0}), IsOk());
  EXPECT_EQ(CauseOf(HashCore::Format(arena.get(), {})), Cause::kCorrupt);
  auto core = *HashCore::Attach(arena.get());
  EXPECT_EQ(core->geometry().lanes, 1);
  EXPECT_THAT(core->Insert(0, TestKey(1, core->seed()), TestRow(1, {})),
              IsOk());
}

// Whoever changes how a table lies in its arena, see hash_layout_test.cc, makes
// it another format: tables outlive the programs that wrote them.
TEST(HashEpochTest, TheEpochForAnyIsTheOneThatIsNow) {
  const TestTable t;
  EXPECT_EQ(t.core->EpochFor(kAnyEpoch), t.core->epoch());
  EXPECT_EQ(t.core->EpochFor(t.core->epoch() + 1), t.core->epoch() + 1);
}

TEST(HashFormatTest, TheFormatHasItsVersion) {
  const TestTable t;
  EXPECT_EQ(LoadWord(&t.arena->header().format), 10);
  StoreWord(&t.arena->header().format, 9);  // with levels as they are
  EXPECT_EQ(CauseOf(HashCore::Attach(t.arena.get()).status()), Cause::kCorrupt);
}

}  // namespace
}  // namespace ets_keeper
