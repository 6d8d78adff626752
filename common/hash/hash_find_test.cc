// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_find.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/status/status_matchers.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_record.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

#ifdef ETS_KEEPER_X86_64

// Flattened, so that the comparison becomes part of them although only they
// may use those instructions.
ETS_KEEPER_AVX2 __attribute__((flatten)) void FindKeyAvx2(
    const HashGeometry& geometry, const HashKey& key, HashPlace* place) {
  FindKey<MatchAvx2>(geometry, key, place);
}

#endif

void FindKeyWith(InstructionSet instructions, const HashGeometry& geometry,
                 const HashKey& key, HashPlace* place) {
#ifdef ETS_KEEPER_X86_64
  if (instructions == InstructionSet::kAvx512) {
    return FindKey<MatchAvx512>(geometry, key, place);
  }
  if (instructions == InstructionSet::kAvx2) {
    return FindKeyAvx2(geometry, key, place);
  }
#endif
  (void)instructions;
  FindKey<MatchScalar>(geometry, key, place);
}

using ::absl_testing::IsOk;

constexpr uint64_t kEpoch = TestTable::epoch;

std::vector<InstructionSet> InstructionSets() {
  std::vector<InstructionSet> sets;
  for (const InstructionSet set :
       {InstructionSet::kScalar, InstructionSet::kAvx2,
        InstructionSet::kAvx512}) {
    if (set <= DetectInstructionSet()) sets.push_back(set);
  }
  return sets;
}

class HashFindTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  HashFindTest() : t_({.fixed_words = GetParam()}) {}

  const HashGeometry& geometry() const { return t_.core->geometry(); }
  uint64_t* Head(uint64_t bucket) {
    return &geometry().BucketAt(geometry().BucketOffset(bucket))->head;
  }

  void Fill(uint64_t keys) {
    for (uint64_t key = 0; key < keys; ++key) {
      ASSERT_THAT(t_.core->Insert(kEpoch, TestKey(key), t_.Row(key, key)),
                  IsOk());
    }
  }
  void SplitTo(uint64_t buckets) {
    while (t_.Buckets() < buckets) {
      ASSERT_THAT(SplitBuckets(geometry(), 0, 1), IsOk());
    }
  }
  void MergeTo(uint64_t buckets) {
    while (t_.Buckets() > buckets) {
      ASSERT_THAT(MergeBuckets(geometry(), 0, 1), IsOk());
    }
  }

  void ExpectFindsExactly(uint64_t keys, uint64_t image) {
    StoreWord(&geometry().root()->image, image);
    for (uint64_t key = 0; key < 2 * keys; ++key) {
      const TestKey test_key(key);
      const uint64_t home =
          HashGeometry::Home(test_key.hash_key.hash, t_.Buckets());
      uint64_t head;
      ASSERT_EQ(FindBucket(geometry(), test_key.hash_key.hash, &head),
                geometry().BucketOffset(home))
          << "image " << image << " of " << t_.Buckets();
      ASSERT_EQ(head, LoadWord(Head(home)));
      for (const InstructionSet set : InstructionSets()) {
        HashPlace place;
        FindKeyWith(set, geometry(), test_key, &place);
        ASSERT_EQ(place.found(), key < keys)
            << key << ", image " << image << " of " << t_.Buckets();
        ASSERT_EQ(place.bucket, geometry().BucketOffset(home));
        ASSERT_EQ(place.head, head);
        if (!place.found()) continue;
        RowBuffer row;
        CopyWords(geometry().arena->At(place.row()),
                  place.row_words(geometry()), &row);
        ASSERT_EQ(row, t_.Row(key, key));
      }
    }
  }

  TestTable t_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashFindTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

TEST_P(HashFindTest, AnImageSeveralDoublingsOldLeadsToEveryKey) {
  Fill(200);
  for (const uint64_t buckets : {200, 256, 257, 1500}) {
    SplitTo(buckets);
    for (const uint64_t image : {1, 2, 3, 7, 8, 31, 100, 199, 200}) {
      ExpectFindsExactly(200, image);
    }
  }
}

TEST_P(HashFindTest, AnImageOfBucketsThatWereMergedLeadsToEveryKey) {
  Fill(200);
  SplitTo(1500);
  for (const uint64_t buckets : {600, 257, 256, 13}) {
    MergeTo(buckets);
    for (const uint64_t image : {1, 3, 255, 256, 600, 1024, 1025, 1500}) {
      ExpectFindsExactly(200, image);
    }
  }
}

TEST_P(HashFindTest, APlaceSaysWhereTheItemIs) {
  Fill(60);
  MergeTo(1);  // a chain
  const uint64_t bucket = geometry().BucketOffset(0);
  int in_bucket = 0, behind_bucket = 0, behind_cell = 0;
  for (uint64_t key = 0; key < 60; ++key) {
    HashPlace place;
    FindKey<MatchScalar>(geometry(), TestKey(key), &place);
    ASSERT_TRUE(place.found());
    EXPECT_EQ(place.bucket, bucket);
    EXPECT_EQ(place.head_word(geometry()), Head(0));
    EXPECT_NE(geometry().places() >> place.position & 1, 0);
    if (place.cell == bucket) {
      ++in_bucket;
      EXPECT_EQ(place.predecessor, 0);
      continue;
    }
    ++(place.predecessor == bucket ? behind_bucket : behind_cell);
    EXPECT_EQ(LinkOf(geometry().BucketAt(place.predecessor)->chain),
              place.cell);
  }
  EXPECT_EQ(in_bucket, std::popcount(geometry().places()));
  EXPECT_GT(behind_bucket, 0);
  EXPECT_GT(behind_cell, 0);
}

// Whatever the levels are, looking for a key comes to an end inside the arena.
TEST_P(HashFindTest, HostileLevelsAndImagesEnd) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  Fill(100);
  SplitTo(64);
  const auto look = [&] {
    for (uint64_t key = 0; key < 20; ++key) {
      uint64_t head;
      const uint64_t bucket =
          FindBucket(geometry(), TestKey(key).hash_key.hash, &head);
      if (bucket != 0) {
        EXPECT_TRUE(geometry().HoldsCell(bucket));
      }
      for (const InstructionSet set : InstructionSets()) {
        HashPlace place;
        FindKeyWith(set, geometry(), TestKey(key), &place);
      }
    }
  };
  for (int i = 0; i < 300; ++i) {
    for (int j = 0; j < 8; ++j) {
      uint64_t* head = Head(random() % t_.Buckets());
      StoreWord(head, (*head & ~kLevelBits) | random() % 64 << kLevelShift);
    }
    look();
  }
  // No bucket exists: not even the first, to which all others lead.
  for (uint64_t b = 0; b < t_.Buckets(); ++b) StoreWord(Head(b), 0);
  uint64_t head;
  EXPECT_EQ(FindBucket(geometry(), 12345, &head), 0);
  HashPlace place;
  FindKey<MatchScalar>(geometry(), TestKey(1), &place);
  EXPECT_EQ(place.bucket, 0);
  EXPECT_FALSE(place.found());
  for (const uint64_t image : {uint64_t{1} << 40, ~uint64_t{0}, uint64_t{0}}) {
    StoreWord(&geometry().root()->image, image);
    look();
  }
}

TEST_P(HashFindTest, AChainThatIsACircleOrLeadsOutEnds) {
  Fill(60);
  MergeTo(1);
  HashBucket* bucket = geometry().BucketAt(geometry().BucketOffset(0));
  const uint64_t chain = bucket->chain;
  HashBucket* first = geometry().BucketAt(LinkOf(chain));
  StoreWord(&bucket->chain, chain | FilterOf(~uint64_t{0}));
  StoreWord(&first->chain, MakeChain(LinkOf(chain), 0));
  HashPlace place;
  FindKey<MatchScalar>(geometry(), TestKey(1000), &place);
  EXPECT_FALSE(place.found());
  StoreWord(&bucket->chain, ~uint64_t{0});
  FindKey<MatchScalar>(geometry(), TestKey(1000), &place);
  EXPECT_FALSE(place.found());
}

TEST(FollowLevelsTest, GoesToTheBucketThatSplitOnTheLowestMissingBit) {
  // Bucket 1 answers for the three low bits 001.
  EXPECT_EQ(FollowLevels(0b111, 0b001, 4), 0b011);
  EXPECT_EQ(FollowLevels(0b101, 0b001, 4), 0b101);
  EXPECT_EQ(FollowLevels(0b110'0001, 0b001, 8), 0b10'0001);
}

TEST(FollowLevelsTest, GoesFromABucketThatIsGoneToItsParent) {
  EXPECT_EQ(FollowLevels(0b111, 0b111, 0), 0b011);
  EXPECT_EQ(FollowLevels(0b111, 0b011, 0), 0b001);
  EXPECT_EQ(FollowLevels(0b111, 0b001, 0), 0);
  EXPECT_EQ(FollowLevels(0b111, 0, 0), 0);
}

}  // namespace
}  // namespace ets_keeper
