// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Tables whose key is not just the first word of the row.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"
#include "common/hash/hash_reader.h"
#include "common/hash/hash_record.h"
#include "common/hash/hash_testing.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

constexpr uint64_t kSeed = 42;
constexpr uint64_t kKeys = 2000;

struct Shape {
  KeyLayout key;
  uint32_t fixed_words;

  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    return out << shape.fixed_words << " words, key at " << shape.key.word
               << " of " << shape.key.words
               << (shape.key.variable ? ", variable" : "");
  }
};

class HashRowShapesTest : public ::testing::TestWithParam<Shape> {
 protected:
  HashRowShapesTest() : arena_(*Arena::CreatePrivate(uint64_t{64} << 20)) {
    EXPECT_THAT(
        HashCore::Format(arena_.get(), {.key = GetParam().key,
                                        .fixed_words = GetParam().fixed_words,
                                        .seed = kSeed}),
        IsOk());
    core_ = *HashCore::Attach(arena_.get());
  }

  const KeyLayout& layout() const { return GetParam().key; }

  // The words of the i-th key. Those of several words share all but one of them
  // with others.
  std::vector<uint64_t> Key(uint64_t i) const {
    if (layout().variable) {
      return std::vector<uint64_t>(WordsFor(KeyBytes(i)), i % 8 == 0 ? 0 : i);
    }
    std::vector<uint64_t> words(layout().words, 7);
    if (layout().words == 1) return {i};
    words[0] = i % 64;
    words[layout().words - 1] = i / 64;
    return words;
  }
  uint64_t KeyBytes(uint64_t i) const {
    if (!layout().variable) return layout().words * 8;
    // Keys of zeros differ by their lengths only.
    return i % 8 == 0 ? i / 8 : 1 + i % 40;
  }
  HashKey HashOf(uint64_t i) {
    key_ = Key(i);
    return MakeHashKey(kSeed, key_, KeyBytes(i));
  }

  // A row with that key; its other words are like those of other keys.
  RowBuffer Row(uint64_t i, uint64_t value) const {
    const std::vector<uint64_t> key = Key(i);
    RowBuffer row;
    row.resize(GetParam().fixed_words != 0 ? GetParam().fixed_words : 4, value);
    if (layout().variable) {
      row[layout().word] = MakeDescriptor(static_cast<uint32_t>(row.size()),
                                          static_cast<uint32_t>(KeyBytes(i)));
      row.insert(row.end(), key.begin(), key.end());
    } else {
      for (size_t w = 0; w < key.size(); ++w) row[layout().word + w] = key[w];
    }
    return row;
  }

  // What LookupFixed() finds, if all rows have the same number of words.
  void ExpectFixed(const HashReader& reader, const HashKey& key,
                   const RowBuffer* row) {
    if (GetParam().fixed_words == 0) return;
    std::vector<uint64_t> words(GetParam().fixed_words);
    bool known = false;
    const auto look = [&]<KeyLayout kKey>() {
      if (layout() != kKey) return;
      known = true;
      ASSERT_EQ(LookupFixed<kKey>(reader, key, absl::MakeSpan(words)),
                row != nullptr);
      if (row != nullptr) {
        ASSERT_EQ(absl::MakeConstSpan(words), absl::MakeConstSpan(*row));
      }
    };
    look.operator()<KeyLayout{.word = 1}>();
    look.operator()<KeyLayout{.word = 2}>();
    look.operator()<KeyLayout{.words = 2}>();
    look.operator()<KeyLayout{.words = 3}>();
    look.operator()<KeyLayout{.word = 1, .words = 2}>();
    ASSERT_TRUE(known);
  }

  void ExpectSame(const std::map<uint64_t, RowBuffer>& model) {
    ASSERT_THAT(CheckHashTable(core_->geometry()), IsOk());
    const InstructionSet best = DetectInstructionSet();
    for (const InstructionSet set :
         {InstructionSet::kScalar, InstructionSet::kAvx2,
          InstructionSet::kAvx512}) {
      if (set > best) break;
      const HashReader reader(core_->geometry(), set);
      for (uint64_t i = 0; i < kKeys; ++i) {
        RowBuffer row;
        const auto it = model.find(i);
        ASSERT_EQ(reader.Lookup(HashOf(i), &row), it != model.end()) << i;
        if (it != model.end()) {
          ASSERT_EQ(row, it->second) << i;
        }
        ExpectFixed(reader, HashOf(i), it != model.end() ? &row : nullptr);
      }
    }
    std::vector<RowBuffer> scanned, wanted, rows;
    HashCursor cursor;
    while (core_->reader().Scan(&cursor, &rows)) {
      scanned.insert(scanned.end(), rows.begin(), rows.end());
    }
    for (const auto& [i, row] : model) wanted.push_back(row);
    const auto less = [](const RowBuffer& a, const RowBuffer& b) {
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(),
                                          b.end());
    };
    std::sort(scanned.begin(), scanned.end(), less);
    std::sort(wanted.begin(), wanted.end(), less);
    EXPECT_EQ(scanned, wanted);
  }

  const std::unique_ptr<Arena> arena_;
  std::unique_ptr<HashCore> core_;
  std::vector<uint64_t> key_;
};

INSTANTIATE_TEST_SUITE_P(
    Shapes, HashRowShapesTest,
    ::testing::Values(Shape{{.word = 1}, 2}, Shape{{.word = 1}, 3},
                      Shape{{.word = 2}, 3}, Shape{{.words = 2}, 2},
                      Shape{{.words = 2}, 3}, Shape{{.word = 1, .words = 2}, 3},
                      Shape{{.words = 3}, 3}, Shape{{.word = 2}, 4},
                      Shape{{.word = 2, .words = 2}, 0},
                      Shape{{.word = 1, .variable = true}, 0}));

TEST_P(HashRowShapesTest, SmallRowsOfSmallKeysAreInTheirBuckets) {
  EXPECT_EQ(core_->geometry().is_inline(),
            GetParam().fixed_words >= 1 && GetParam().fixed_words <= 3 &&
                layout().words <= 2 && !layout().variable);
}

TEST_P(HashRowShapesTest, AgreesWithAModel) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::map<uint64_t, RowBuffer> model;
  for (const uint64_t deletes : {1, 7}) {  // of 8
    for (uint64_t step = 0; step < 4 * kKeys; ++step) {
      const uint64_t i = random() % kKeys;
      if (random() % 8 < deletes) {
        ASSERT_THAT(core_->Delete(0, HashOf(i)),
                    IsOkAndHolds(model.erase(i) == 1));
      } else {
        const RowBuffer row = Row(i, random() % kKeys);
        ASSERT_THAT(core_->Insert(0, HashOf(i), row), IsOk());
        model[i] = row;
      }
    }
    ExpectSame(model);
  }
}

TEST_P(HashRowShapesTest, BatchesFindTheirKeys) {
  std::map<uint64_t, RowBuffer> model;
  for (uint64_t i = 0; i < kKeys; i += 2) {
    std::vector<uint64_t> words[] = {Key(i), Key(i + 1)};
    const HashKey keys[] = {MakeHashKey(kSeed, words[0], KeyBytes(i)),
                            MakeHashKey(kSeed, words[1], KeyBytes(i + 1))};
    const RowBuffer rows[] = {Row(i, 1), Row(i + 1, 2)};
    size_t next = 0;
    const auto put = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
      return HashAction::Put(rows[next++]);
    };
    const auto remove =
        [](const HashCurrent& current) -> absl::StatusOr<HashAction> {
      EXPECT_TRUE(current.found());
      return HashAction::Remove();
    };
    ASSERT_THAT(core_->ChangeAll(0, {{keys[0], put}, {keys[1], put}}), IsOk());
    model[i] = rows[0];
    model[i + 1] = rows[1];
    if (i % 3 != 0) continue;
    ASSERT_THAT(core_->ChangeAll(0, {{keys[1], remove}}), IsOk());
    model.erase(i + 1);
  }
  ExpectSame(model);
}

}  // namespace
}  // namespace ets_keeper
