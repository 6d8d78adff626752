// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_slow_write.h"

#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "common/arena/heap.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_lock.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

constexpr uint32_t kLane = 1;

// In a table of one bucket, which does not grow: nobody accounts for the rows.
template <typename Words>
class HashSlowWriteTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kWords = Words::value;
  using Slow = HashSlowWrite<kWords>;
  using Edited = typename Slow::Edited;

  HashSlowWriteTest() : t_({.fixed_words = kWords}) {}
  ~HashSlowWriteTest() override {
    EXPECT_FALSE(IsLocked(LoadWord(&Bucket()->head)));
    EXPECT_EQ(CheckHashTable(geometry()), absl::OkStatus());
  }

  const HashGeometry& geometry() const { return t_.core->geometry(); }
  HashLane* lane() const { return geometry().LaneAt(kLane); }
  uint64_t bucket() const { return geometry().BucketOffset(0); }
  HashBucket* Bucket() const { return geometry().BucketAt(bucket()); }

  // With the lock.
  HashPlace Begin(uint64_t key) {
    const HashPlace place = Slow::Begin(geometry(), TestKey(key), kLane);
    EXPECT_EQ(place.bucket, bucket());
    EXPECT_EQ(LoadWord(&lane()->held[0]), bucket());
    EXPECT_TRUE(IsLocked(LoadWord(&Bucket()->head)));
    return place;
  }
  Edited Put(uint64_t key, uint64_t value) {
    const RowBuffer row = t_.Row(key, value);
    const HashPlace place = Begin(key);
    const Edited edited =
        Slow::Put(geometry(), kLane, place, TestKey(key).hash_key.hash, row);
    UnlockBucket(geometry(), bucket());
    return edited;
  }
  // As many rows as the bucket itself holds; returns how many these are.
  uint64_t Fill() {
    uint64_t key = 0;
    while ((~LoadWord(&Bucket()->head) & HashGeometry::PlacesFor(kWords)) !=
           0) {
      EXPECT_THAT(Put(key, 0).status, IsOk());
      ++key;
    }
    return key;
  }

  TestTable t_;
};

template <uint32_t kWords>
using Words = std::integral_constant<uint32_t, kWords>;
using Shapes = ::testing::Types<Words<0>, Words<1>, Words<2>, Words<3>>;
TYPED_TEST_SUITE(HashSlowWriteTest, Shapes);

TYPED_TEST(HashSlowWriteTest, EditsCountWhatTheyAdd) {
  using Slow = typename TestFixture::Slow;
  std::map<uint64_t, RowBuffer> rows;
  for (const uint64_t value : {1, 2}) {
    for (uint64_t key = 0; key < 20; ++key) {
      const auto edited = this->Put(key, value);
      ASSERT_THAT(edited.status, IsOk());
      EXPECT_EQ(edited.added, value == 1 ? 1 : 0);
      rows[key] = this->t_.Row(key, value);
      EXPECT_EQ(this->t_.Rows(), rows);
    }
  }
  for (uint64_t key = 0; key < 20; ++key) {
    const HashPlace place = this->Begin(key);
    ASSERT_TRUE(place.found());
    const auto edited = Slow::Remove(this->geometry(), kLane, place);
    UnlockBucket(this->geometry(), this->bucket());
    EXPECT_THAT(edited.status, IsOk());
    EXPECT_EQ(edited.added, -1);
    rows.erase(key);
    EXPECT_EQ(this->t_.Rows(), rows);
    EXPECT_FALSE(this->Begin(key).found());
    UnlockBucket(this->geometry(), this->bucket());
  }
}

TYPED_TEST(HashSlowWriteTest, AnEditThatFailsAddsNothing) {
  using Slow = typename TestFixture::Slow;
  ASSERT_THAT(this->Put(1, 1).status, IsOk());
  const HashPlace place = this->Begin(1);
  const auto edited = Slow::Edit(this->geometry(), kLane, [&](auto& edit) {
    edit.Remove(place);
    return MakeStatus(Cause::kBadRow, "no");
  });
  UnlockBucket(this->geometry(), this->bucket());
  EXPECT_EQ(CauseOf(edited.status), Cause::kBadRow);
  EXPECT_EQ(edited.added, 0);
  EXPECT_EQ(this->t_.Rows().size(), 1);
}

// A key of one word, with and without a bucket in whose chain it may be.
TYPED_TEST(HashSlowWriteTest, AnInlineKeyIsFoundInTheChain) {
  using Slow = typename TestFixture::Slow;
  if constexpr (TestFixture::kWords != 0) {
    const uint64_t in_chain = this->Fill();
    ASSERT_THAT(this->Put(in_chain, 1).status, IsOk());
    for (const uint64_t key : {uint64_t{0}, in_chain, in_chain + 1}) {
      for (const uint64_t bucket : {uint64_t{0}, this->bucket()}) {
        // Who gives a bucket has looked into it.
        if (bucket != 0 && key == 0) continue;
        const HashPlace place = Slow::BeginInline(
            this->geometry(), TestKey(key).hash_key.hash, key, 0, kLane, bucket,
            LoadWord(&this->Bucket()->head));
        EXPECT_EQ(place.bucket, this->bucket());
        EXPECT_EQ(place.found(), key <= in_chain) << key;
        EXPECT_EQ(place.predecessor != 0, key == in_chain) << key;
        EXPECT_TRUE(IsLocked(LoadWord(&this->Bucket()->head)));
        UnlockBucket(this->geometry(), this->bucket());
      }
    }
  }
}

TYPED_TEST(HashSlowWriteTest, InlineRowsComeAndGoInTheChain) {
  using Slow = typename TestFixture::Slow;
  if constexpr (TestFixture::kWords != 0) {
    const uint64_t first = this->Fill();
    const uint64_t last = first + 2 * first;  // two cells
    // The lane gets room for cells with the first one.
    ASSERT_THAT(this->Put(first, 0).status, IsOk());
    for (uint64_t key = first + 1; key < last; ++key) {
      typename Slow::InlineRow row = {key};
      const HashPlace place = this->Begin(key);
      EXPECT_TRUE(Slow::AddToChain(this->geometry(), kLane, place.bucket,
                                   place.head, TestKey(key).hash_key.hash,
                                   row));
      UnlockBucket(this->geometry(), this->bucket());
      EXPECT_EQ(LoadWord(&this->lane()->count), key + 1);
      EXPECT_NE(this->t_.Lookup(key), std::nullopt);
    }
    for (uint64_t key = first; key < last; ++key) {
      const HashPlace place = this->Begin(key);
      ASSERT_NE(place.predecessor, 0);
      Slow::RemoveFromChain(this->geometry(), kLane, place);
      UnlockBucket(this->geometry(), this->bucket());
      EXPECT_EQ(this->t_.Lookup(key), std::nullopt);
      EXPECT_EQ(this->t_.Rows().size(), first + last - key - 1);
    }
    EXPECT_EQ(LoadWord(&this->Bucket()->chain), 0);
  }
}

TYPED_TEST(HashSlowWriteTest, RecordsAreAddedToTheBucketWhileItHasRoom) {
  using Slow = typename TestFixture::Slow;
  if constexpr (TestFixture::kWords == 0) {
    const auto add = [&](uint64_t key, const RowBuffer& row) {
      const HashPlace place = this->Begin(key);
      const bool added =
          Slow::AddRecord(this->geometry(), kLane, place.bucket, place.head,
                          TestKey(key).hash_key.hash, row);
      UnlockBucket(this->geometry(), this->bucket());
      return added;
    };
    EXPECT_FALSE(add(0, this->t_.Row(0, 1))) << "the lane has no memory yet";
    EXPECT_TRUE(this->t_.Rows().empty());
    ASSERT_THAT(this->Put(0, 1).status, IsOk());
    std::map<uint64_t, RowBuffer> rows = {{0, this->t_.Row(0, 1)}};
    // Longer than what comes from a chunk.
    RowBuffer long_row = {1};
    long_row.resize(HeapChunkBytes(*this->t_.arena) / 8, 7);
    EXPECT_FALSE(add(1, long_row));
    uint64_t key = 1;
    while (add(key, this->t_.Row(key, key))) {
      rows[key] = this->t_.Row(key, key);
      EXPECT_EQ(this->t_.Rows(), rows);
      EXPECT_EQ(LoadWord(&this->lane()->count), rows.size());
      ++key;
    }
    EXPECT_EQ(rows.size(), std::popcount(HashGeometry::PlacesFor(0)));
    EXPECT_EQ(LoadWord(&this->Bucket()->chain), 0);
    // What was removed is used again.
    const HashPlace place = this->Begin(3);
    const uint64_t record = place.record;
    ASSERT_THAT(Slow::Remove(this->geometry(), kLane, place).status, IsOk());
    UnlockBucket(this->geometry(), this->bucket());
    EXPECT_TRUE(add(3, this->t_.Row(3, 9)));
    EXPECT_EQ(this->Begin(3).record, record);
    UnlockBucket(this->geometry(), this->bucket());
    EXPECT_EQ(this->t_.Lookup(3), this->t_.Row(3, 9));
  }
}

// What a hostile process may have stored: nothing is followed, nothing hangs,
// and nothing is added.
TYPED_TEST(HashSlowWriteTest, ImpossibleWordsAreNotFollowed) {
  using Slow = typename TestFixture::Slow;
  HashBucket* const bucket = this->Bucket();
  const uint64_t head = LoadWord(&bucket->head);
  StoreWord(&bucket->head, WithLevel(head, 0));
  EXPECT_EQ(Slow::Begin(this->geometry(), TestKey(7), kLane).bucket, 0);
  StoreWord(&bucket->head, head);

  if constexpr (TestFixture::kWords != 0) {
    const uint64_t key = this->Fill();
    for (const uint64_t link : {this->bucket(), kLinkBits}) {
      StoreWord(&bucket->chain, MakeChain(link, kFilterBits));
      const uint64_t full = LoadWord(&bucket->head);
      EXPECT_FALSE(Slow::AddToChain(this->geometry(), kLane, this->bucket(),
                                    full, TestKey(key).hash_key.hash, {key}));
      EXPECT_EQ(LoadWord(&bucket->head), full);
      EXPECT_EQ(LoadWord(&this->lane()->count), key);
    }
    StoreWord(&bucket->chain, 0);
  }
}

TYPED_TEST(HashSlowWriteTest, ErrorsNameWhatIsWrong) {
  using Slow = typename TestFixture::Slow;
  EXPECT_EQ(CauseOf(Slow::NoRow()), Cause::kKeyNotFound);
  EXPECT_EQ(CauseOf(Slow::NoWord(2, 5)), Cause::kOutOfRange);
  EXPECT_EQ(Slow::NoWord(2, 5).message(),
            "the row has 2 words; word 5 is not one of them");
  EXPECT_EQ(CauseOf(Slow::NoSum(7, -9)), Cause::kOutOfRange);
  EXPECT_EQ(Slow::NoSum(7, -9).message(),
            "the sum of 7 and -9 is out of range");
}

}  // namespace
}  // namespace ets_keeper
