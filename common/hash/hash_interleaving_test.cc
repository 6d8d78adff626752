// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// A reader beside a writer, in every interleaving with one switch of each. The
// writer performs some operations and is held before its j-th store, the reader
// looks two keys up and is held before its i-th load; either may come first.
// For all i and j the two answers must be those of two moments within the
// calls, the second not before the first: so no lookup sees a part of a batch,
// a row that never was, or an older row after a newer one. In some scenarios
// the reader scans a region instead: its rows must be those of one moment.
//
// The compiler's -fsanitize=thread calls tell of the loads and stores (see
// crash_points.h), and contexts of one thread stand for the two threads: on
// x86-64 and with LoadWord() and StoreWord() nothing is lost by that.
//
// ETS_KEEPER_SEED=N in the environment repeats a run.

#include <cstdint>
#include <cstring>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/crash_point/crash_points.h"
#include "common/crash_point/strand.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/hash/hash_testing.h"
#include "common/hash/interleaving_testing.h"
#include "common/row/row_buffer.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Model = std::map<uint64_t, RowBuffer>;
constexpr uint64_t kEpoch = TestTable::epoch;
// One change of one key: the row, or none.
struct Change {
  uint64_t key;
  std::optional<RowBuffer> row;
};
// Changes that happen together.
using Operation = std::vector<Change>;

class Scenario {
 public:
  Scenario(uint32_t fixed_words, std::mt19937_64& random)
      : random_(random),
        fixed_words_(fixed_words),
        looks_up_typed_(random_() % 2 == 0),
        scans_(random_() % 4 == 0),
        table_({.fixed_words = fixed_words, .bytes = Arena::kMinBytes}) {
    for (uint64_t i = 0; i < 24 + random_() % 24; ++i) {
      Perform({{CrowdedKeyAt(random_()), RandomRow()}});
    }
    // An odd number of buckets, so that the first change of it is a merge.
    if (random_() % 2 == 0) {
      while (table_.Buckets() < 4 || table_.Buckets() % 2 == 0) {
        EXPECT_EQ(SplitBuckets(table_.core->geometry(), 0, 1),
                  absl::OkStatus());
      }
    }
    states_ = {Rows()};
    for (uint64_t i = 0; i < 1 + random_() % 3; ++i) {
      operations_.push_back(RandomOperation());
    }
    for (const Operation& operation : operations_) {
      Model state = states_.back();
      for (const Change& change : operation) {
        if (change.row) {
          state[change.key] = RowWithKey(change);
        } else {
          state.erase(change.key);
        }
      }
      states_.push_back(std::move(state));
    }
    for (const Operation& operation : operations_) {
      if (operation.empty()) continue;
      keys_[0] = operation[0].key;
      keys_[1] = operation.back().key;
      break;
    }
    const HashRoot* root = table_.core->geometry().root();
    regions_ = LoadWord(&root->image);
    // Half of the scans are of the bucket that a merge takes away.
    region_ = random_() % 2 == 0 ? regions_ - 1 : random_() % regions_;
    Save();
  }

  // All schedules; returns what was wrong with the first bad one.
  std::string Explore(uint64_t* schedules) {
    for (const bool reader_first : {false, true}) {
      Schedule schedule = {.reader_first = reader_first};
      do {
        schedule.load = 0;
        do {
          Restore();
          schedule.writer_was_held = schedule.reader_was_held = false;
          const std::string wrong = Run(schedule);
          ++*schedules;
          if (!wrong.empty()) {
            return absl::StrCat(wrong, ": ", reader_first ? "reader" : "writer",
                                " first, held at store ", schedule.store,
                                " and load ", schedule.load);
          }
          ++schedule.load;
        } while (schedule.reader_was_held);
        ++schedule.store;
      } while (schedule.writer_was_held);
    }
    return "";
  }

 private:
  struct Schedule {
    bool reader_first = false;
    uint64_t store = 0;  // before which the writer is held
    uint64_t load = 0;   // before which the reader is held
    bool writer_was_held = false;
    bool reader_was_held = false;
  };

  RowBuffer RandomRow() {
    RowBuffer row;
    const uint64_t value = random_();
    row.resize(fixed_words_ != 0 ? fixed_words_ - 1 : 1 + random_() % 3, value);
    return row;
  }
  static RowBuffer RowWithKey(const Change& change) {
    RowBuffer row = {change.key};
    row.insert(row.end(), change.row->begin(), change.row->end());
    return row;
  }

  Operation RandomOperation() {
    Operation operation;
    // Sometimes the table changes and no row does.
    if (random_() % 4 == 0) return operation;
    // Mostly batches; of few keys, so that some change several times.
    const uint64_t first = random_() % kCrowdedKeys;
    for (uint64_t i = 0; i < 1 + random_() % 4; ++i) {
      Change& change = operation.emplace_back();
      change.key = CrowdedKeyAt(first + random_() % 3);
      if (random_() % 3 != 0) change.row = RandomRow();
    }
    return operation;
  }

  void Perform(const Operation& operation) {
    HashCore& core = *table_.core;
    if (operation.empty()) {
      EXPECT_EQ(SplitOrMerge(), absl::OkStatus());
      return;
    }
    if (operation.size() == 1) {
      const TestKey key(operation[0].key);
      if (operation[0].row) {
        EXPECT_TRUE(core.Insert(kEpoch, key, RowWithKey(operation[0])).ok());
      } else {
        EXPECT_TRUE(core.Delete(kEpoch, key).ok());
      }
      return;
    }
    std::vector<TestKey> keys;
    std::vector<RowBuffer> rows;  // empty: to be deleted
    for (const Change& change : operation) {
      keys.emplace_back(change.key);
      rows.push_back(change.row ? RowWithKey(change) : RowBuffer());
    }
    size_t next = 0;
    const auto change = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
      const RowBuffer& row = rows[next++];
      return row.empty() ? HashAction::Remove() : HashAction::Put(row);
    };
    std::vector<HashCore::KeyedChange> changes;
    for (const TestKey& key : keys) changes.push_back({key, change});
    EXPECT_TRUE(core.ChangeAll(kEpoch, changes).ok());
  }

  // In turns, with one of them more the more buckets there are.
  absl::Status SplitOrMerge() {
    const HashGeometry& geometry = table_.core->geometry();
    const uint64_t buckets = LoadWord(&geometry.root()->buckets);
    absl::Status status = buckets % 2 == 0 || buckets < 4
                              ? SplitBuckets(geometry, 0, 1)
                              : MergeBuckets(geometry, 0, 1);
    table_.core->reader().RefreshHomes();
    return status;
  }

  Model Rows() { return table_.Rows(); }

  // Handles that know the type of the rows have a way of their own, which every
  // second scenario takes.
  std::optional<RowBuffer> Lookup(uint64_t key) {
    if (!looks_up_typed_) return table_.Lookup(key);
    RowBuffer row;
    if (!LookupTyped(table_.core->reader(), fixed_words_, TestKey(key), &row)) {
      return std::nullopt;
    }
    return row;
  }

  void Save() {
    image_.resize(table_.arena->bytes());
    std::memcpy(image_.data(), table_.arena->At(0), image_.size());
  }
  void Restore() {
    std::memcpy(table_.arena->At(0), image_.data(), image_.size());
    EXPECT_TRUE(table_.core->Recover().ok());  // which counts the rows again
  }

  std::string Run(Schedule& schedule) {
    Arena& arena = *table_.arena;
    size_t performed = 0;
    Strand writer([&] {
      for (const Operation& operation : operations_) {
        Perform(operation);
        ++performed;
      }
    });
    std::optional<RowBuffer> answers[2];
    std::vector<RowBuffer> rows;
    Strand reader([&] {
      if (scans_) {
        HashCursor cursor = {.region = region_, .regions = regions_};
        (void)table_.core->reader().Scan(&cursor, &rows);
        return;
      }
      for (int i = 0; i < 2; ++i) answers[i] = Lookup(keys_[i]);
    });
    uint64_t stores = 0, loads = 0;
    bool reading = false;
    StoreHook store_hook(arena.At(0), arena.bytes(), [&](uint64_t*, uint64_t) {
      if (stores++ != schedule.store) return;
      schedule.writer_was_held = true;
      writer.Leave();
    });
    LoadHook load_hook(arena.At(0), arena.bytes(), [&](const uint64_t*) {
      if (!reading || loads++ != schedule.load) return;
      schedule.reader_was_held = true;
      reader.Leave();
    });
    size_t first_state = 0;
    for (int turn = 0; turn < 4; ++turn) {
      if ((turn % 2 == 0) == schedule.reader_first) {
        if (turn < 2) first_state = performed;
        reading = true;
        reader.Run();
        reading = false;
      } else {
        writer.Run();
      }
    }
    if (!writer.done() || !reader.done()) return "somebody waits for ever";
    return scans_ ? JudgeScan(first_state, rows) : Judge(first_state, answers);
  }

  // The rows of one call of Scan() were there together.
  std::string JudgeScan(size_t first_state,
                        const std::vector<RowBuffer>& rows) {
    Model scanned;
    for (const RowBuffer& row : rows) {
      if (!scanned.emplace(row[0], row).second) {
        return absl::StrCat("key ", row[0], " is scanned twice");
      }
    }
    for (size_t i = first_state; i < states_.size(); ++i) {
      Model state = states_[i];
      std::erase_if(state, [&](const auto& row) {
        const uint64_t hash = TestKey(row.first).hash_key.hash;
        return HashGeometry::Home(hash, regions_) != region_;
      });
      if (scanned == state) return "";
    }
    return absl::StrCat("the scanned rows of region ", region_, " of ",
                        regions_, " are those of no moment");
  }

  std::string Judge(size_t first_state,
                    const std::optional<RowBuffer> (&answers)[2]) {
    for (size_t first = first_state; first < states_.size(); ++first) {
      if (!Says(states_[first], keys_[0], answers[0])) continue;
      for (size_t second = first; second < states_.size(); ++second) {
        if (Says(states_[second], keys_[1], answers[1])) return "";
      }
    }
    return absl::StrCat("the answers for ", keys_[0], " and ", keys_[1],
                        " are those of no moments");
  }

  static bool Says(const Model& state, uint64_t key,
                   const std::optional<RowBuffer>& answer) {
    const auto it = state.find(key);
    return it == state.end() ? !answer : answer && *answer == it->second;
  }

  std::mt19937_64& random_;
  const uint32_t fixed_words_;
  const bool looks_up_typed_;
  const bool scans_;
  TestTable table_;
  std::vector<Operation> operations_;
  std::vector<Model> states_;  // before the first operation, after each
  uint64_t keys_[2] = {0, 1};
  uint64_t region_ = 0;  // that is scanned
  uint64_t regions_ = 1;
  std::vector<char> image_;
};

TEST(HashInterleavingTest, ALookupBesideAWriterAnswersFromSomeMoment) {
  uint64_t schedules = 0;
  EXPECT_EQ(ExploreScenarios<Scenario>(200'000, &schedules), "");
  std::cout << "seed " << InterleavingSeed() << ": " << schedules
            << " interleavings\n";
}

class SeededBugTest : public ::testing::TestWithParam<SeededBug> {};

TEST_P(SeededBugTest, IsFound) {
  const SeedBug bug(GetParam());
  uint64_t schedules = 0;
  const std::string wrong = ExploreScenarios<Scenario>(2'000'000, &schedules);
  EXPECT_NE(wrong, "");
  std::cout << "found after " << schedules << " interleavings: " << wrong
            << "\n";
}

INSTANTIATE_TEST_SUITE_P(All, SeededBugTest,
                         ::testing::Values(SeededBug::kNoVersionBump,
                                           SeededBug::kBatchNotRechecked));

}  // namespace
}  // namespace ets_keeper
