// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_check.h"

#include <cstdint>
#include <string>

#include "absl/status/status_matchers.h"
#include "common/arena/word.h"
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

class HashCheckTest : public ::testing::Test {
 protected:
  HashCheckTest() : table_(/*lanes_log2=*/0) {
    for (uint64_t key = 0; key < 40; ++key) {
      EXPECT_THAT(table_.core->Insert(TestTable::epoch, TestKey(key),
                                      TestRow(key, {key})),
                  IsOk());
    }
    for (uint64_t key = 30; key < 40; ++key) {
      EXPECT_THAT(table_.core->Delete(TestTable::epoch, TestKey(key)), IsOk());
    }
    EXPECT_THAT(CheckHashTable(geometry()), IsOk());
  }

  const HashGeometry& geometry() { return table_.core->geometry(); }
  HashLane* lane() { return geometry().LaneAt(0); }

  // What the check says when `word` has another value.
  std::string MessageWith(uint64_t* word, uint64_t value) {
    const uint64_t old = LoadWord(word);
    StoreWord(word, value);
    const absl::Status status = CheckHashTable(geometry());
    EXPECT_EQ(CauseOf(status), Cause::kCorrupt);
    StoreWord(word, old);
    EXPECT_THAT(CheckHashTable(geometry()), IsOk());
    return std::string(status.message());
  }

  // A slot in use.
  uint64_t* Slot() {
    for (uint64_t bucket = 0;; ++bucket) {
      for (uint64_t& slot :
           geometry().BucketAt(geometry().BucketOffset(0, bucket))->slot) {
        if (slot != 0) return &slot;
      }
    }
  }

  TestTable table_;
};

TEST_F(HashCheckTest, FindsWhatIsWrong) {
  EXPECT_THAT(MessageWith(&lane()->count, 31), HasSubstr("30 rows"));
  EXPECT_THAT(MessageWith(&lane()->cleaning, 1), HasSubstr("to clean"));
  EXPECT_THAT(MessageWith(&lane()->intent.committed, 1), HasSubstr("intent"));
  EXPECT_THAT(MessageWith(&table_.arena->header().batch, 1),
              HasSubstr("batch"));
  EXPECT_THAT(MessageWith(Slot(), 0), HasSubstr("rows"));
  EXPECT_THAT(MessageWith(Slot(), *Slot() ^ (uint64_t{1} << 63)),
              HasSubstr("is in bucket"));
  EXPECT_THAT(MessageWith(Slot(), 0xffff'ffff'ffff), HasSubstr("leads to"));
  EXPECT_THAT(MessageWith(&lane()->heap.waste, 16), HasSubstr("accounted"));
}

TEST_F(HashCheckTest, FindsALeakAndADoubleUse) {
  for (uint64_t& list : lane()->heap.free) {
    if (list == 0) continue;
    EXPECT_THAT(MessageWith(&list, 0), HasSubstr("accounted"));
    // The record's first word is no link: the list goes astray at the latest
    // behind it.
    EXPECT_THAT(MessageWith(&list, RecordOf(*Slot())),
                AnyOf(HasSubstr("twice"), HasSubstr("a free list leads")));
  }
}

TEST_F(HashCheckTest, FindsARowWhoseKeyIsNotItsOwn) {
  uint64_t* key = table_.arena->At(RecordOf(*Slot()) + sizeof(HashRecord));
  EXPECT_THAT(MessageWith(key, 12345), HasSubstr("another key"));
}

}  // namespace
}  // namespace ets_keeper
