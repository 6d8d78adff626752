// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// A HashCore under threads, for all shapes of rows: more writers than lanes, on
// the same keys, while the table grows and shrinks, and readers beside them.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::Optional;

constexpr uint64_t kEpoch = TestTable::epoch;

class HashThreadsTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  static constexpr uint64_t kStable = 100;     // keys that are always there
  static constexpr uint64_t kOthers = 10'000;  // from here on they come and go

  // Three lanes, the last of which is shared.
  HashThreadsTest() : t_({.fixed_words = GetParam(), .writers = 2}) {
    for (uint64_t key = 0; key < kStable; ++key) {
      EXPECT_THAT(t_.core->Insert(kEpoch, TestKey(key), t_.Row(key, 0)),
                  IsOk());
    }
  }
  ~HashThreadsTest() override {
    EXPECT_THAT(CheckHashTable(t_.core->geometry()), IsOk());
  }

  bool has_values() const { return GetParam() != 1; }

  // Runs the writers, and the readers again and again until those are done.
  static void Run(const std::vector<std::function<void()>>& writers,
                  const std::vector<std::function<void()>>& readers) {
    std::atomic<size_t> writing = writers.size();
    std::vector<std::thread> threads;
    for (const auto& writer : writers) {
      threads.emplace_back([&] {
        writer();
        --writing;
      });
    }
    for (const auto& reader : readers) {
      threads.emplace_back([&] {
        do {
          reader();
        } while (writing > 0);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // Makes the table grow to many times its size, and shrink again.
  void GrowAndShrink(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      for (uint64_t key = kOthers; key < kOthers + 3000; ++key) {
        EXPECT_THAT(t_.core->Insert(kEpoch, TestKey(key), t_.Row(key, key)),
                    IsOk());
      }
      for (uint64_t key = kOthers; key < kOthers + 3000; ++key) {
        EXPECT_THAT(t_.core->Delete(kEpoch, TestKey(key)), IsOk());
      }
    }
  }

  TestTable t_;
};

INSTANTIATE_TEST_SUITE_P(Words, HashThreadsTest, ::testing::Values(0, 1, 2, 3),
                         ::testing::PrintToStringParamName());

// Every word of a row counts; what is lost of any is noticed.
TEST_P(HashThreadsTest, CountersThatManyThreadsCountAreExact) {
  if (!has_values()) return;
  constexpr uint64_t kThreads = 4, kRounds = 40;
  const auto count = [&] {
    for (uint64_t round = 0; round < kRounds; ++round) {
      for (uint64_t key = 0; key < kStable; ++key) {
        if ((key + round) % 3 == 0) {
          // All words by one new row.
          RowBuffer row;
          EXPECT_THAT(t_.core->Change(kEpoch, TestKey(key),
                                      [&](const HashCurrent& current)
                                          -> absl::StatusOr<HashAction> {
                                        row = current.Row();
                                        for (size_t w = 1; w < row.size();
                                             ++w) {
                                          ++row[w];
                                        }
                                        return HashAction::Put(row);
                                      }),
                      IsOk());
          continue;
        }
        const auto words = static_cast<uint32_t>(t_.Row(key, 0).size());
        for (uint32_t word = 1; word < words; ++word) {
          EXPECT_THAT(PlusOne(*t_.core, kEpoch, TestKey(key), word), IsOk());
        }
      }
    }
  };
  std::vector<std::function<void()>> writers(kThreads, count);
  writers.push_back([&] { GrowAndShrink(1); });
  // Words go up, and no reader sees one come down.
  const auto read = [&] {
    static thread_local std::map<uint64_t, RowBuffer> last;
    for (uint64_t key = 0; key < kStable; ++key) {
      const auto row = t_.Lookup(key);
      ASSERT_TRUE(row.has_value()) << key;
      RowBuffer& before = last[key];
      for (size_t w = 1; w < before.size(); ++w) {
        ASSERT_GE((*row)[w], before[w]) << key;
      }
      before = *row;
    }
  };
  Run(writers, {read});
  for (uint64_t key = 0; key < kStable; ++key) {
    EXPECT_THAT(t_.Lookup(key), Optional(t_.Row(key, kThreads * kRounds)));
  }
}

// Of a new row a reader sees all words or none.
TEST_P(HashThreadsTest, ARowIsReadAsItWasPut) {
  std::atomic<uint64_t> thread = 0;
  const auto put = [&] {
    std::mt19937_64 random(++thread);
    for (int i = 0; i < 4000; ++i) {
      const uint64_t key = random() % kStable;
      const RowBuffer row = t_.Row(key, random());
      EXPECT_THAT(t_.core->Insert(kEpoch, TestKey(key), row), IsOk());
    }
  };
  const auto expect_whole = [](absl::Span<const uint64_t> row) {
    for (size_t w = 2; w < row.size(); ++w) ASSERT_EQ(row[w], row[1]);
  };
  const auto look = [&] {
    for (uint64_t key = 0; key < kStable; ++key) {
      const auto row = t_.Lookup(key);
      ASSERT_TRUE(row.has_value());
      expect_whole(*row);
      ASSERT_TRUE(t_.core->reader().Member(TestKey(key)));
      ASSERT_FALSE(t_.core->reader().Member(TestKey(key + kStable)));
      RowBuffer words;
      ASSERT_TRUE(
          LookupTyped(t_.core->reader(), GetParam(), TestKey(key), &words));
      ASSERT_EQ(words[0], key);
      expect_whole(words);
    }
  };
  const auto scan = [&] {
    for (const auto& [key, row] : t_.Rows()) {
      if (key < kStable) expect_whole(row);
    }
  };
  Run({put, put, put, [&] { GrowAndShrink(1); }}, {look, scan});
}

TEST_P(HashThreadsTest, AScanSeesEveryStableKeyOnce) {
  const auto scan = [&] {
    const auto rows = t_.Rows();  // checks that none comes twice
    for (uint64_t key = 0; key < kStable; ++key) {
      ASSERT_TRUE(rows.contains(key)) << key;
    }
  };
  Run({[&] { GrowAndShrink(3); }}, {scan, scan});
}

// Each success of InsertNew() is followed by one of Delete(), whosever.
TEST_P(HashThreadsTest, OfThoseThatInsertOrDeleteAKeyAtOnceOneSucceeds) {
  constexpr uint64_t kKeys = 50;
  std::vector<std::atomic<int>> there(kKeys);
  std::atomic<uint64_t> thread = 0;
  const auto write = [&] {
    std::mt19937_64 random(++thread);
    for (int i = 0; i < 5000; ++i) {
      const uint64_t k = random() % kKeys;
      const TestKey key(kStable + k);
      if (random() % 2 == 0) {
        const auto added =
            t_.core->InsertNew(kEpoch, key, t_.Row(key.word, random()));
        ASSERT_THAT(added, IsOk());
        there[k] += *added ? 1 : 0;
      } else {
        RowBuffer row;
        const auto taken = t_.core->Take(kEpoch, key, &row);
        ASSERT_THAT(taken, IsOk());
        there[k] -= *taken ? 1 : 0;
        if (*taken) {
          ASSERT_EQ(row[0], key.word);
        }
      }
    }
  };
  Run({write, write, write, write, write}, {});
  uint64_t rows = kStable;
  for (uint64_t k = 0; k < kKeys; ++k) {
    ASSERT_TRUE(there[k] == 0 || there[k] == 1) << there[k];
    EXPECT_EQ(t_.Lookup(kStable + k).has_value(), there[k] == 1);
    rows += there[k];
  }
  EXPECT_EQ(t_.core->reader().Size(), rows);
}

// Two batchers and single writers of the same pairs of keys. A reader that has
// seen one row of a batch sees the other.
TEST_P(HashThreadsTest, ABatchIsSeenAsAWhole) {
  constexpr uint64_t kPairs = 20;
  std::atomic<uint64_t> rounds = 0;
  const auto batch = [&] {
    for (int i = 0; i < 1000; ++i) {
      const uint64_t first = 1000 + i % kPairs * 2;
      const TestKey keys[] = {TestKey(first), TestKey(first + 1)};
      const uint64_t round = ++rounds;
      const RowBuffer rows[] = {t_.Row(first, round), t_.Row(first + 1, round)};
      size_t next = 0;
      const bool removes = i / kPairs % 4 == 0;
      const auto change =
          [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
        return removes ? HashAction::Remove() : HashAction::Put(rows[next++]);
      };
      EXPECT_THAT(
          t_.core->ChangeAll(kEpoch, {{keys[0], change}, {keys[1], change}}),
          IsOk());
    }
  };
  const auto scan = [&] {
    // Both rows of a pair are in one region only by chance, so only what is at
    // rest can be compared: the stable keys.
    const auto rows = t_.Rows();
    for (uint64_t key = 0; key < kStable; ++key) {
      ASSERT_TRUE(rows.contains(key));
    }
    ASSERT_LE(t_.core->reader().Size(), kStable + 2 * kPairs + 3000);
  };
  const auto look = [&] {
    // What is read later is not older: with two batchers in turns, their rounds
    // may pass each other, but a batch is never seen half.
    for (uint64_t pair = 0; pair < kPairs; ++pair) {
      const uint64_t first = 1000 + pair * 2;
      const auto a = t_.Lookup(first);
      const auto b = t_.Lookup(first + 1);
      const auto again = t_.Lookup(first);
      if (a != again || !a || !has_values()) continue;
      ASSERT_TRUE(b.has_value()) << first;  // nobody came in between
      ASSERT_EQ((*a)[1], (*b)[1]) << first;
    }
  };
  Run({batch, batch, [&] { GrowAndShrink(1); }}, {look, scan});
  for (uint64_t pair = 0; pair < kPairs; ++pair) {
    const auto a = t_.Lookup(1000 + pair * 2);
    const auto b = t_.Lookup(1001 + pair * 2);
    ASSERT_EQ(a.has_value(), b.has_value());
    if (a && has_values()) {
      EXPECT_EQ((*a)[1], (*b)[1]);
    }
  }
}

// When RaiseEpoch() returns, nobody of an older epoch stores any more.
TEST_P(HashThreadsTest, AfterRaiseEpochNoOlderWriteFollows) {
  std::atomic<uint64_t> thread = 0;
  std::atomic<int> writing = 4;
  const auto write = [&] {
    std::mt19937_64 random(++thread);
    for (bool begun = false;;) {
      const uint64_t key = random() % (2 * kStable);
      const absl::Status status =
          random() % 2 == 0
              ? t_.core->Insert(kEpoch, TestKey(key), t_.Row(key, random()))
              : t_.core->Delete(kEpoch, TestKey(key)).status();
      if (!status.ok()) {
        EXPECT_EQ(CauseOf(status), Cause::kNotOwner);
        return;
      }
      if (!begun) {
        --writing;
        writing.notify_all();
        begun = true;
      }
    }
  };
  const auto raise = [&] {
    for (int left = writing; left != 0; left = writing) writing.wait(left);
    t_.core->RaiseEpoch(kEpoch + 1);
    const auto rows = t_.Rows();
    const uint64_t size = t_.core->reader().Size();
    EXPECT_EQ(rows.size(), size);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(t_.Rows(), rows);
    EXPECT_EQ(t_.core->reader().Size(), size);
  };
  Run({write, write, write, write, raise}, {});
}

}  // namespace
}  // namespace ets_keeper
