// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_check.h"

#include <bit>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "common/arena/heap.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class HashCheckTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  HashCheckTest() : table_({.fixed_words = GetParam()}) {
    for (uint64_t key = 0; key < 200; ++key) {
      EXPECT_THAT(table_.core->Insert(TestTable::epoch, TestKey(key),
                                      table_.Row(key, key)),
                  IsOk());
    }
    for (uint64_t key = 70; key < 200; ++key) {
      EXPECT_THAT(table_.core->Delete(TestTable::epoch, TestKey(key)), IsOk());
    }
    // Chains, and cells of chains that became free.
    for (const uint64_t buckets : {1, 4, 3}) {
      while (table_.Buckets() < buckets) {
        EXPECT_THAT(SplitBuckets(geometry(), 0, 1), IsOk());
      }
      while (table_.Buckets() > buckets) {
        EXPECT_THAT(MergeBuckets(geometry(), 0, 1), IsOk());
      }
    }
    EXPECT_THAT(CheckHashTable(geometry()), IsOk());
  }

  const HashGeometry& geometry() { return table_.core->geometry(); }
  HashLane* lane() { return geometry().LaneAt(0); }
  HashBucket* Bucket(uint64_t number) {
    return geometry().BucketAt(geometry().BucketOffset(number));
  }

  // What the check says when `word` has another value.
  std::string MessageWith(uint64_t* word, uint64_t value) {
    const uint64_t old = LoadWord(word);
    EXPECT_NE(value, old);
    StoreWord(word, value);
    const absl::Status status = CheckHashTable(geometry());
    EXPECT_EQ(CauseOf(status), Cause::kCorrupt);
    StoreWord(word, old);
    EXPECT_THAT(CheckHashTable(geometry()), IsOk());
    return std::string(status.message());
  }

  // The first word of the first item of a bucket.
  uint64_t* Item(uint64_t bucket) {
    const int position = std::countr_zero(LiveOf(Bucket(bucket)->head));
    return &Bucket(bucket)->word[position - 2];
  }

  TestTable table_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashCheckTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

TEST_P(HashCheckTest, FindsWhatIsInFlight) {
  EXPECT_THAT(MessageWith(&lane()->intent.committed, 1), HasSubstr("intent"));
  EXPECT_THAT(MessageWith(&table_.arena->header().batch, 1),
              HasSubstr("batch"));
  EXPECT_THAT(MessageWith(&Bucket(1)->head, Bucket(1)->head | kLockBit),
              HasSubstr("locked"));
}

TEST_P(HashCheckTest, FindsWrongCounts) {
  EXPECT_THAT(MessageWith(&lane()->count, lane()->count + 1),
              HasSubstr("70 rows"));
  EXPECT_THAT(MessageWith(&lane()->heap.waste, lane()->heap.waste + 16),
              HasSubstr("accounted"));
  HashRoot* root = geometry().root();
  EXPECT_THAT(MessageWith(&root->buckets, 2), HasSubstr("level"));
  EXPECT_THAT(MessageWith(&root->buckets, 4), HasSubstr("level"));
  EXPECT_THAT(MessageWith(&root->image, 0), HasSubstr("image"));
  EXPECT_THAT(MessageWith(&root->image, 30), HasSubstr("image"));
}

TEST_P(HashCheckTest, FindsWrongHeads) {
  const uint64_t head = Bucket(1)->head;
  const uint64_t live = LiveOf(head);
  for (const uint64_t level : {0, 1, 4}) {
    EXPECT_THAT(MessageWith(&Bucket(1)->head, WithLevel(head, level)),
                HasSubstr("level"));
  }
  EXPECT_THAT(MessageWith(&Bucket(1)->head, WithLive(head, live & (live - 1))),
              AnyOf(HasSubstr("rows"), HasSubstr("accounted")));
  if (geometry().item_words() > 1) {
    EXPECT_THAT(MessageWith(&Bucket(1)->head, head | 0x80),
                HasSubstr("live bits"));
  }
  // A bucket behind the last.
  EXPECT_THAT(MessageWith(&Bucket(3)->head, WithLevel(0, 3)),
              HasSubstr("exists"));
  EXPECT_THAT(MessageWith(&Bucket(3)->head, 4), HasSubstr("exists"));
  EXPECT_THAT(MessageWith(&Bucket(3)->head, kLevelBits), HasSubstr("exists"));
}

TEST_P(HashCheckTest, FindsWrongChains) {
  uint64_t* chain = &Bucket(0)->chain;
  ASSERT_NE(*chain, 0);
  EXPECT_THAT(MessageWith(chain, 0),
              AnyOf(HasSubstr("rows"), HasSubstr("accounted")));
  EXPECT_THAT(MessageWith(chain, MakeChain(table_.arena->bytes(), 0)),
              HasSubstr("a chain leads"));
  EXPECT_THAT(MessageWith(chain, LinkOf(*chain)),  // without the filter
              HasSubstr("filter"));
  HashBucket* cell = geometry().BucketAt(LinkOf(*chain));
  EXPECT_THAT(MessageWith(&cell->head, 0), HasSubstr("empty"));
}

TEST_P(HashCheckTest, FindsARowInTheWrongPlace) {
  const uint64_t item = *Item(1);
  if (geometry().is_inline()) {
    EXPECT_THAT(MessageWith(Item(1), *Item(0)), HasSubstr("is in bucket"));
    return;
  }
  EXPECT_THAT(MessageWith(Item(1), item ^ (uint64_t{1} << 63)),
              HasSubstr("another key"));
  EXPECT_THAT(MessageWith(Item(1), 0xffff'ffff'ffff), HasSubstr("leads to"));
  EXPECT_THAT(MessageWith(Item(1), *Item(0)), HasSubstr("is in bucket"));
  uint64_t* key = table_.arena->At(RecordOf(item) + sizeof(HashRecord));
  EXPECT_THAT(MessageWith(key, 12345),
              AnyOf(HasSubstr("another key"), HasSubstr("is in bucket")));
}

TEST_P(HashCheckTest, FindsAKeyThatIsThereTwice) {
  const uint64_t live = LiveOf(Bucket(0)->head);
  ASSERT_GE(std::popcount(live), 2);
  uint64_t* second = &Bucket(0)->word[std::countr_zero(live & (live - 1)) - 2];
  EXPECT_THAT(MessageWith(second, *Item(0)), HasSubstr("twice"));
}

TEST_P(HashCheckTest, FindsALeakAndADoubleUse) {
  int lists = 0;
  ASSERT_NE(Bucket(0)->chain, 0);
  const uint64_t cell = LinkOf(Bucket(0)->chain);
  for (uint64_t& list : lane()->heap.free) {
    if (list == 0) continue;
    ++lists;
    EXPECT_THAT(MessageWith(&list, 0), HasSubstr("accounted"));
    // A cell's first word is no link, so the list may go astray first.
    EXPECT_THAT(MessageWith(&list, cell),
                AnyOf(HasSubstr("twice"), HasSubstr("a free list leads")));
    EXPECT_THAT(MessageWith(table_.arena->At(list), FreeLink(list)),
                HasSubstr("a free list leads"));  // a circle
  }
  EXPECT_THAT(MessageWith(&lane()->heap.chunk_next, cell),
              AnyOf(HasSubstr("twice"), HasSubstr("ends before")));
  EXPECT_GT(lists, 0);
}

}  // namespace
}  // namespace ets_keeper
