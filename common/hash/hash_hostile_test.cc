// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Tables in arenas whose bytes somebody changed: attaching, reading, checking
// and recovering may say anything, but stay inside the arena and come to an
// end.

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

class HashHostileTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  static constexpr uint64_t kKeys = 300;

  HashHostileTest()
      : t_({.fixed_words = GetParam(), .bytes = Arena::kMinBytes}) {
    for (uint64_t key = 0; key < kKeys; ++key) {
      EXPECT_THAT(
          t_.core->Insert(TestTable::epoch, TestKey(key), t_.Row(key, key)),
          IsOk());
    }
    // A batch, so that there is a log of one.
    const TestKey key(0);
    const auto keep = [](const HashCurrent&) -> absl::StatusOr<HashAction> {
      return HashAction::Remove();
    };
    EXPECT_THAT(t_.core->ChangeAll(TestTable::epoch, {{key, keep}}), IsOk());
    image_.resize(t_.arena->bytes() / 8);
    std::memcpy(image_.data(), t_.arena->At(0), t_.arena->bytes());
  }

  void Restore() {
    std::memcpy(t_.arena->At(0), image_.data(), t_.arena->bytes());
  }

  void ReadAll(const HashReader& reader) {
    for (uint64_t key = 0; key < kKeys; key += 7) {
      RowBuffer row;
      (void)reader.Lookup(TestKey(key), &row);
      (void)LookupTyped(reader, GetParam(), TestKey(key), &row);
      (void)reader.Member(TestKey(key));
      reader.PrefetchBucket(TestKey(key).hash_key.hash);
      reader.PrefetchRecord(TestKey(key).hash_key.hash);
    }
    HashCursor cursor;
    std::vector<RowBuffer> rows;
    while (reader.Scan(&cursor, &rows)) {
    }
    (void)reader.Size();
  }

  void AttachAndRead() {
    const auto core = HashCore::Attach(t_.arena.get());
    if (!core.ok()) {
      EXPECT_EQ(CauseOf(core.status()), Cause::kCorrupt);
      return;
    }
    ReadAll((*core)->reader());
    (void)CheckHashTable((*core)->geometry());
    if ((*core)->Recover().ok()) ReadAll((*core)->reader());
  }

  TestTable t_;
  std::vector<uint64_t> image_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashHostileTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

TEST_P(HashHostileTest, AttachTakesNoWordOnTrust) {
  EXPECT_THAT(HashCore::Attach(t_.arena.get()), IsOk());
  HashRoot* root = t_.core->geometry().root();
  ArenaHeader& header = t_.arena->header();
  for (uint64_t* word :
       {&root->lanes, &root->key_word, &root->key_words, &root->key_variable,
        &root->inline_words, &root->buckets, &root->image, &header.magic,
        &header.format, &header.bytes, &header.kind, &header.front_committed,
        &header.back_committed, &header.heap_top}) {
    const uint64_t old = LoadWord(word);
    StoreWord(word, ~uint64_t{0});
    EXPECT_EQ(CauseOf(HashCore::Attach(t_.arena.get()).status()),
              Cause::kCorrupt)
        << "the word at "
        << reinterpret_cast<char*>(word) -
               reinterpret_cast<char*>(t_.arena->At(0));
    StoreWord(word, old);
  }
  EXPECT_THAT(HashCore::Attach(t_.arena.get()), IsOk());
}

TEST_P(HashHostileTest, AttachRefusesWordsThatDoNotFitTogether) {
  HashRoot* root = t_.core->geometry().root();
  const auto expect_refused = [&](uint64_t* word, uint64_t value) {
    const uint64_t old = LoadWord(word);
    StoreWord(word, value);
    EXPECT_EQ(CauseOf(HashCore::Attach(t_.arena.get()).status()),
              Cause::kCorrupt)
        << value;
    StoreWord(word, old);
  };
  expect_refused(&root->lanes, 0);
  expect_refused(&root->lanes, 1000);  // more than there is room for
  expect_refused(&root->buckets, 0);
  expect_refused(&root->image, 0);
  expect_refused(&root->buckets, t_.arena->bytes() / 64);
  expect_refused(&root->image, t_.arena->bytes() / 64);
  expect_refused(&root->inline_words, 4);
  if (GetParam() != 0) {
    expect_refused(&root->key_word, GetParam());
    expect_refused(&root->key_words, GetParam() + 1);
    expect_refused(&root->key_words, 0);
    expect_refused(&root->key_variable, 1);
  }
}

// Into a full bucket whose filter says that its chain need not be searched for
// the key: the place for the row is then looked for there.
TEST_P(HashHostileTest, AWriteIntoAChainThatLeadsNowhereIsRefused) {
  const HashGeometry& geometry = t_.core->geometry();
  const TestKey key(5000);
  uint64_t head;
  const uint64_t offset = FindBucket(geometry, key.hash_key.hash, &head);
  HashBucket* bucket = geometry.BucketAt(offset);
  for (const uint64_t link : {t_.arena->bytes(), uint64_t{64}, offset}) {
    StoreWord(&bucket->head, head | geometry.places());
    StoreWord(&bucket->chain, MakeChain(link, 0));
    EXPECT_EQ(CauseOf(t_.core->Insert(TestTable::epoch, key, t_.Row(5000, 1))),
              Cause::kCorrupt)
        << link;
    EXPECT_FALSE(IsLocked(LoadWord(&bucket->head)));
    Restore();
  }
  EXPECT_THAT(t_.core->Insert(TestTable::epoch, key, t_.Row(5000, 1)), IsOk());
}

TEST_P(HashHostileTest, AnyWordMayBeAnything) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const uint64_t words = t_.arena->bytes() / 8;
  // Half of them where all the structure is: the root, lanes and first buckets.
  const uint64_t low = t_.core->geometry().BucketOffset(40) / 8;
  for (int i = 0; i < 1000; ++i) {
    for (uint64_t j = 0; j < 1 + random() % 3; ++j) {
      const uint64_t word = random() % (random() % 2 == 0 ? low : words);
      uint64_t value = random();
      switch (random() % 4) {
        case 0:
          value %= t_.arena->bytes();
          break;
        case 1:  // some bits of it
          value = LoadWord(t_.arena->At(word * 8)) ^ (1 << value % 31);
          break;
        case 2:  // another word of the arena
          value = image_[value % words];
          break;
      }
      StoreWord(t_.arena->At(word * 8), value);
    }
    AttachAndRead();
    Restore();
  }
  EXPECT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
}

TEST_P(HashHostileTest, AnyBatchMayBeInFlight) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const uint64_t log = LoadWord(&t_.core->geometry().root()->batch_log);
  const uint64_t bytes = LoadWord(&t_.core->geometry().root()->batch_log_bytes);
  ASSERT_NE(log, 0);
  for (int i = 0; i < 1000; ++i) {
    StoreWord(&t_.arena->header().batch, 1);
    for (uint64_t j = 0; j < random() % 20; ++j) {
      StoreWord(
          t_.arena->At(log + random() % (bytes / 8) * 8),
          random() % 2 == 0 ? random() % 16 : random() % t_.arena->bytes());
    }
    AttachAndRead();
    Restore();
  }
}

}  // namespace
}  // namespace ets_keeper
