// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_write.h"

#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Found = HashReader::Found;

using ::absl_testing::IsOk;
using ::testing::Optional;

// A write made for rows of kWords words and for wherever their key is, in a
// table whose key is their first word.
// `kPortable`: with what any processor has.
template <uint32_t kWords, KeyPlace kKey, bool kPortable = false>
struct Shape {
  static constexpr uint32_t kFixedWords = kWords;
  static InstructionSet Instructions() {
    return kPortable ? InstructionSet::kScalar : DetectInstructionSet();
  }
  using Write = HashWrite<InlineWords(kWords, KeyLayout()), kKey>;
};

template <typename Shape>
class HashWriteTest : public ::testing::Test {
 protected:
  using Write = typename Shape::Write;

  HashWriteTest()
      : t_({.fixed_words = Shape::kFixedWords}),
        reader_(t_.core->geometry(), Shape::Instructions()) {}
  ~HashWriteTest() override {
    EXPECT_EQ(LoadWord(&lane()->changing), 0);
    EXPECT_FALSE(IsLocked(LoadWord(&Bucket()->head)));
  }

  const HashGeometry& geometry() const { return t_.core->geometry(); }
  HashLane* lane() const { return geometry().LaneAt(1); }
  HashBucket* Bucket() const {
    return geometry().BucketAt(geometry().BucketOffset(0));
  }
  uint64_t Count() const { return LoadWord(&lane()->count); }

  absl::Status Put(uint64_t key, uint64_t value) {
    const TestKey test_key(key);
    Write write(reader_, test_key, lane());
    EXPECT_TRUE(write.template Begin<true>());
    EXPECT_TRUE(IsLocked(LoadWord(&Bucket()->head)));
    absl::Status status = write.Put(t_.Row(key, value));
    rows_ += write.End();
    return status;
  }
  bool Remove(uint64_t key) {
    const TestKey test_key(key);
    Write write(reader_, test_key, lane());
    EXPECT_TRUE(write.template Begin<true>());
    const bool found = write.place().found();
    if (found) {
      EXPECT_THAT(write.Remove(), IsOk());
    }
    rows_ += write.End();
    return found;
  }
  absl::Status Add(uint64_t key, HashNumber number, int64_t amount,
                   uint64_t* sum) {
    const TestKey test_key(key);
    Write write(reader_, test_key, lane());
    EXPECT_TRUE(write.template Begin<false>());
    absl::Status status = write.Add(number, amount, sum);
    EXPECT_EQ(write.End(), 0);
    return status;
  }

  TestTable t_;
  const HashReader reader_;
  int64_t rows_ = 0;
};

using Shapes = ::testing::Types<Shape<1, kAnyKey>, Shape<2, KeyLayout{}>,
                                Shape<2, kAnyKey>, Shape<3, KeyLayout{}>,
                                Shape<4, KeyLayout{}>, Shape<0, kAnyKey>,
                                Shape<2, KeyLayout{}, /*kPortable=*/true>,
                                Shape<0, kAnyKey, /*kPortable=*/true>>;
TYPED_TEST_SUITE(HashWriteTest, Shapes);

// More than a bucket and its first cell hold: the table does not grow.
TYPED_TEST(HashWriteTest, RowsComeAndGoInTheBucketAndItsChain) {
  constexpr uint64_t kRows = 40;
  for (uint64_t key = 0; key < kRows; ++key) {
    ASSERT_THAT(this->Put(key, key), IsOk());
    EXPECT_EQ(this->Count(), key + 1);
    EXPECT_EQ(this->rows_, static_cast<int64_t>(key) + 1);
  }
  for (uint64_t key = 0; key < kRows; ++key) {
    ASSERT_THAT(this->Put(key, key + 1), IsOk());
    EXPECT_THAT(this->t_.Lookup(key), Optional(this->t_.Row(key, key + 1)));
  }
  EXPECT_EQ(this->Count(), kRows);
  for (uint64_t key = 0; key < kRows; ++key) {
    EXPECT_TRUE(this->Remove(key));
    EXPECT_FALSE(this->Remove(key));
    EXPECT_EQ(this->t_.Lookup(key), std::nullopt);
    EXPECT_EQ(this->Count(), kRows - key - 1);
  }
  EXPECT_EQ(this->rows_, 0);
}

TYPED_TEST(HashWriteTest, EveryChangeOfTheRowsIsANewVersion) {
  const auto version = [&] {
    return LoadWord(&this->Bucket()->head) & kVersionBits;
  };
  uint64_t last = version();
  for (uint64_t key = 0; key < 20; ++key) {
    ASSERT_THAT(this->Put(key, 0), IsOk());
    EXPECT_GT(version(), last) << key;
    last = version();
  }
  for (uint64_t key = 20; key-- > 0;) {
    EXPECT_TRUE(this->Remove(key));
    EXPECT_GT(version(), last) << key;
    last = version();
  }
}

TYPED_TEST(HashWriteTest, CountersAreAddedTo) {
  uint64_t sum = 99;
  EXPECT_EQ(CauseOf(this->Add(7, {.word = 1}, 1, &sum)), Cause::kKeyNotFound);
  for (uint64_t key = 0; key < 10; ++key) {
    ASSERT_THAT(this->Put(key, key), IsOk());
  }
  const uint64_t words = this->t_.Row(7, 7).size();
  EXPECT_EQ(
      CauseOf(this->Add(7, {.word = static_cast<uint32_t>(words)}, 1, &sum)),
      Cause::kOutOfRange);
  EXPECT_EQ(sum, 99);
  if (words == 1) return;
  for (uint64_t key = 0; key < 10; ++key) {
    ASSERT_THAT(this->Add(key, {.word = 1}, 5, &sum), IsOk());
    EXPECT_EQ(sum, key + 5);
    EXPECT_EQ((*this->t_.Lookup(key))[1], key + 5);
    EXPECT_EQ(CauseOf(this->Add(key, {.word = 1}, -100, &sum)),
              Cause::kOutOfRange);
    EXPECT_EQ((*this->t_.Lookup(key))[1], key + 5);
  }
}

// It is an Add(), or nothing.
TYPED_TEST(HashWriteTest, ATriedAddAddsOrChangesNothing) {
  constexpr uint64_t kRows = 40;  // most of them in the chain
  const auto try_add = [&](uint64_t key, HashNumber number, int64_t amount,
                           uint64_t* sum) {
    const TestKey test_key(key);
    typename TestFixture::Write write(this->t_.core->reader(), test_key,
                                      this->lane());
    return write.TryBegin() &&
           (write.TryAdd(number, amount, sum) || write.GiveUp());
  };
  uint64_t sum = 99, tried = 0;
  EXPECT_FALSE(try_add(7, {.word = 1}, 1, &sum));
  for (uint64_t key = 0; key < kRows; ++key) {
    ASSERT_THAT(this->Put(key, key), IsOk());
  }
  EXPECT_FALSE(try_add(kRows, {.word = 1}, 1, &sum));
  const uint32_t words = static_cast<uint32_t>(this->t_.Row(7, 7).size());
  EXPECT_FALSE(try_add(7, {.word = words}, 1, &sum));
  EXPECT_EQ(sum, 99);
  if (words == 1) return;
  for (uint64_t key = 0; key < kRows; ++key) {
    if (try_add(key, {.word = 1}, 5, &sum)) {
      ++tried;
    } else {
      ASSERT_THAT(this->Add(key, {.word = 1}, 5, &sum), IsOk());
    }
    EXPECT_EQ(sum, key + 5);
    EXPECT_EQ((*this->t_.Lookup(key))[1], key + 5);
    EXPECT_FALSE(try_add(key, {.word = 1}, -100, &sum));
    EXPECT_EQ(sum, key + 5);
    EXPECT_EQ((*this->t_.Lookup(key))[1], key + 5);
  }
  // Records may be anywhere, other rows are in the bucket.
  const uint64_t places = std::popcount(this->geometry().places());
  EXPECT_EQ(tried, this->geometry().is_inline() ? places : kRows);
}

TYPED_TEST(HashWriteTest, ATriedSetReplacesOneWordOrChangesNothing) {
  constexpr uint64_t kRows = 40;  // most of them in the chain
  const auto try_set = [&](uint64_t key, uint32_t word, uint64_t value) {
    const TestKey test_key(key);
    typename TestFixture::Write write(this->t_.core->reader(), test_key,
                                      this->lane());
    return write.TryBegin() && (write.TrySet(word, value) || write.GiveUp());
  };
  EXPECT_FALSE(try_set(7, 1, 1));
  for (uint64_t key = 0; key < kRows; ++key) {
    ASSERT_THAT(this->Put(key, key), IsOk());
  }
  EXPECT_FALSE(try_set(kRows, 1, 1));
  const uint32_t words = static_cast<uint32_t>(this->t_.Row(7, 7).size());
  EXPECT_FALSE(try_set(7, words, 1));
  if (words == 1) return;
  uint64_t tried = 0;
  for (uint64_t key = 0; key < kRows; ++key) {
    RowBuffer row = this->t_.Row(key, key);
    if (try_set(key, 1, ~key)) {
      ++tried;
      row[1] = ~key;
    }
    EXPECT_THAT(this->t_.Lookup(key), Optional(row)) << key;
  }
  const uint64_t places = std::popcount(this->geometry().places());
  EXPECT_EQ(tried, this->geometry().is_inline() ? places : kRows);
}

// A TryPut() is a Begin(), Put() and End(), or nothing; a TryRemove() as well.
TYPED_TEST(HashWriteTest, WhatIsTriedIsDoneOrChangesNothing) {
  using Write = typename TestFixture::Write;
  if constexpr (InlineWords(TypeParam::kFixedWords, KeyLayout()) != 0) {
    constexpr uint64_t kEpoch = TestTable::epoch;
    constexpr uint64_t kRows = 40;
    const auto state = [&] {
      std::map<uint64_t, RowBuffer> rows = this->t_.Rows();
      return std::pair(std::move(rows), this->Count());
    };
    uint64_t done = 0;
    const auto attempt = [&](uint64_t key, const auto& try_write) {
      const TestKey test_key(key);
      const auto before = state();
      Write write(this->t_.core->reader(), test_key, this->lane());
      if (try_write(write)) {
        ++done;
        return true;
      }
      EXPECT_EQ(state(), before);
      EXPECT_EQ(LoadWord(&this->lane()->changing), 0);
      EXPECT_FALSE(IsLocked(LoadWord(&this->Bucket()->head)));
      return false;
    };
    for (const uint64_t round : {0, 1}) {
      for (uint64_t key = 0; key < kRows; ++key) {
        const RowBuffer row = this->t_.Row(key, key + round);
        EXPECT_FALSE(attempt(key, [&](Write& write) {
          return write.TryPut(kEpoch + 1, row.data());
        })) << "it is another epoch";
        const uint64_t count = this->Count();
        if (attempt(key, [&](Write& write) {
              const bool tried = write.TryPut(kEpoch, row.data());
              EXPECT_EQ(write.added(), tried && round == 0 ? 1 : 0);
              return tried;
            })) {
          EXPECT_EQ(this->Count(), count + 1 - round);
        } else {
          ASSERT_THAT(this->Put(key, key + round), IsOk());
        }
        EXPECT_THAT(this->t_.Lookup(key), Optional(row));
      }
      // Of three words two may have to change together.
      EXPECT_EQ(done != 0, round == 0 || TypeParam::kFixedWords != 3);
      done = 0;
    }
    for (uint64_t key = 0; key < kRows; ++key) {
      EXPECT_FALSE(attempt(key, [&](Write& write) {
        EXPECT_EQ(write.TryRemove(kEpoch + 1), Found::kRetry);
        return false;
      })) << "it is another epoch";
      const RowBuffer row = *this->t_.Lookup(key);
      RowBuffer taken(row.size());
      if (attempt(key, [&](Write& write) {
            const Found found = key % 2 == 0
                                    ? write.TryRemove(kEpoch)
                                    : write.TryRemove(kEpoch, taken.data());
            EXPECT_NE(found, Found::kNo);
            return found == Found::kYes;
          })) {
        EXPECT_TRUE(key % 2 == 0 || taken == row) << key;
      } else {
        EXPECT_TRUE(this->Remove(key));
      }
      EXPECT_EQ(this->t_.Lookup(key), std::nullopt);
    }
    EXPECT_GT(done, 0);
    EXPECT_EQ(this->Count(), 0);
  }
}

// It adds the row, says that there is one, or does nothing.
TYPED_TEST(HashWriteTest, ANewRowIsPutOrOneIsThere) {
  using Write = typename TestFixture::Write;
  if constexpr (InlineWords(TypeParam::kFixedWords, KeyLayout()) != 0) {
    constexpr uint64_t kRows = 40;
    const auto try_put = [&](uint64_t key, uint64_t value,
                             uint64_t epoch = TestTable::epoch) {
      const TestKey test_key(key);
      const uint64_t count = this->Count();
      Write write(this->t_.core->reader(), test_key, this->lane());
      const Found found =
          write.TryPutNew(epoch, this->t_.Row(key, value).data());
      EXPECT_EQ(write.added(), found == Found::kNo ? 1 : 0);
      EXPECT_EQ(this->Count(), count + (found == Found::kNo ? 1 : 0));
      EXPECT_EQ(LoadWord(&this->lane()->changing), 0);
      return found;
    };
    uint64_t there = 0;
    for (uint64_t key = 0; key < kRows; ++key) {
      EXPECT_EQ(try_put(key, 1, TestTable::epoch + 1), Found::kRetry);
      EXPECT_EQ(this->t_.Lookup(key), std::nullopt);
      const Found found = try_put(key, 1);
      EXPECT_NE(found, Found::kYes);
      if (found == Found::kRetry) {
        ASSERT_THAT(this->Put(key, 1), IsOk());
      }
      EXPECT_THAT(this->t_.Lookup(key), Optional(this->t_.Row(key, 1)));
    }
    for (uint64_t key = 0; key < kRows; ++key) {
      const Found found = try_put(key, 2);
      EXPECT_NE(found, Found::kNo);
      there += found == Found::kYes ? 1 : 0;
      EXPECT_EQ(try_put(key, 2, TestTable::epoch + 1), Found::kRetry);
      EXPECT_THAT(this->t_.Lookup(key), Optional(this->t_.Row(key, 1)));
    }
    // The others are in the chain.
    EXPECT_EQ(there, std::popcount(this->geometry().places()));
    HashBucket* const bucket = this->Bucket();
    const uint64_t head = LoadWord(&bucket->head);
    StoreWord(&bucket->head, head | kLockBit);
    for (uint64_t key = 0; key < kRows; ++key) {
      EXPECT_EQ(try_put(key, 2), Found::kRetry) << "somebody may remove it";
    }
    StoreWord(&bucket->head, head);
  }
}

// That there is no row is seen without the lock, of which nobody hears, unless
// it may be in the chain, or the bucket is locked.
TYPED_TEST(HashWriteTest, WhatIsNotThereIsRemovedWithoutALock) {
  using Write = typename TestFixture::Write;
  if constexpr (InlineWords(TypeParam::kFixedWords, KeyLayout()) != 0) {
    const auto try_remove = [&](uint64_t key,
                                uint64_t epoch = TestTable::epoch) {
      const TestKey test_key(key);
      Write write(this->t_.core->reader(), test_key, this->lane());
      return write.TryRemove(epoch);
    };
    ASSERT_THAT(this->Put(1, 1), IsOk());
    EXPECT_EQ(try_remove(2), Found::kNo);
    EXPECT_EQ(LoadWord(&this->lane()->changing), 0);
    EXPECT_EQ(try_remove(2, TestTable::epoch + 1), Found::kRetry);
    HashBucket* const bucket = this->Bucket();
    const uint64_t head = LoadWord(&bucket->head);
    StoreWord(&bucket->head, head | kLockBit);
    EXPECT_EQ(try_remove(2), Found::kRetry);
    StoreWord(&bucket->head, WithLevel(head, 0));  // it has gone
    EXPECT_EQ(try_remove(2), Found::kRetry);
    StoreWord(&bucket->head, head);
    for (uint64_t key = 3; bucket->chain == 0; ++key) {
      ASSERT_THAT(this->Put(key, key), IsOk());
    }
    uint64_t maybe = 100;
    while (!MayBeInChain(bucket->chain, TestKey(maybe).hash_key.hash)) ++maybe;
    EXPECT_EQ(try_remove(maybe), Found::kRetry);
  }
}

TYPED_TEST(HashWriteTest, AnEditThatFailsChangesNothing) {
  ASSERT_THAT(this->Put(1, 1), IsOk());
  const uint64_t head = LoadWord(&this->Bucket()->head);
  const TestKey key(1);
  typename TestFixture::Write write(this->t_.core->reader(), key, this->lane());
  ASSERT_TRUE(write.template Begin<true>());
  EXPECT_EQ(CauseOf(write.Edit([&](auto& edit) {
              edit.Remove(write.place());
              return MakeStatus(Cause::kBadRow, "no");
            })),
            Cause::kBadRow);
  EXPECT_EQ(write.End(), 0);
  EXPECT_EQ(LoadWord(&this->Bucket()->head), head);
  EXPECT_EQ(this->Count(), 1);
}

// As a writer that was refused for its epoch leaves it.
TYPED_TEST(HashWriteTest, AWriteThatDoesNothingLeavesNothing) {
  for (const uint64_t key : {1, 2}) {
    for (const uint64_t other : {1, 2}) {
      ASSERT_THAT(this->Put(key, 1), IsOk());
      const uint64_t head = LoadWord(&this->Bucket()->head);
      const TestKey test_key(other);
      typename TestFixture::Write write(this->t_.core->reader(), test_key,
                                        this->lane());
      ASSERT_TRUE(write.template Begin<true>());
      EXPECT_EQ(write.End(), 0);
      EXPECT_EQ(LoadWord(&this->Bucket()->head), head);
    }
  }
}

}  // namespace
}  // namespace ets_keeper
