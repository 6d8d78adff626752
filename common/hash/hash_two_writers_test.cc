// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Two writers, in every interleaving with one switch of each. One is held
// before its i-th load or store, the other one before its j-th store; then they
// go on in turns, each until it ends or waits for the other. For all i and j
// what they were told and what is in the table afterwards must be as if one
// operation had come after the other, none before one that had ended when it
// began; each lane counts the rows that it added, and nobody waits for ever.
// One of the two may split or merge buckets, as the growth mutex has one at a
// time do it, and one may change several rows as one.
//
// How: see hash_interleaving_test.cc. Writers of different lanes share nothing
// but the table, so two strands of one thread can be two writers.
//
// ETS_KEEPER_SEED=N in the environment repeats a run.

#include <cstdint>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/arena/arena.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/crash_point/crash_points.h"
#include "common/crash_point/strand.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "common/hash/hash_write.h"
#include "common/hash/interleaving_testing.h"
#include "common/mutex/mutex.h"
#include "common/row/row_buffer.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Model = std::map<uint64_t, RowBuffer>;

enum class Kind { kPut, kPutNew, kRemove, kAdd, kSplit, kMerge, kBatch };

struct Operation {
  Kind kind;
  uint64_t key = 0;
  RowBuffer row = {};                 // to put
  std::vector<Operation> batch = {};  // puts and removals, as one
};

// What the writer was told: whether the key was there, or the sum; of a batch
// for each change whether its key was there, as a bit.
using Answer = std::optional<uint64_t>;

// What it does to the rows, and what it has to say of that.
Answer Apply(const Operation& operation, Model& rows) {
  const auto it = rows.find(operation.key);
  const bool found = it != rows.end();
  switch (operation.kind) {
    case Kind::kPut:
      rows[operation.key] = operation.row;
      return found;
    case Kind::kPutNew:
      if (!found) rows[operation.key] = operation.row;
      return found;
    case Kind::kRemove:
      if (found) rows.erase(it);
      return found;
    case Kind::kAdd:
      if (!found) return std::nullopt;
      return ++it->second[1];
    case Kind::kBatch: {
      uint64_t answer = 0;
      for (const Operation& change : operation.batch) {
        answer = 2 * answer + *Apply(change, rows);
      }
      return answer;
    }
    case Kind::kSplit:
    case Kind::kMerge:
      break;
  }
  return 0;
}

// One of the two.
struct Writer {
  uint32_t lane;
  std::vector<Operation> operations = {};
  std::vector<Answer> answers = {};  // to those that have ended
  uint64_t accesses = 0;
  uint64_t loads_in_vain = 0;  // since its last store
  Strand* strand = nullptr;

  // Where it is held, and whether it was.
  bool is_held_at_loads = false;
  uint64_t hold_before = 0;
  bool was_held = false;
};

class Scenario {
 public:
  // `has_batch`: the first writer changes several rows as one.
  Scenario(uint32_t fixed_words, std::mt19937_64& random,
           bool has_batch = false)
      : random_(random),
        fixed_words_(fixed_words),
        tries_(random_() % 2 == 0),
        has_batch_(has_batch),
        table_({.fixed_words = fixed_words,
                .bytes = Arena::kMinBytes,
                .writers = 2}) {
    const uint64_t rows = 24 + random_() % 24;
    for (uint64_t i = 0; i < rows; ++i) {
      const Operation put = RandomPut();
      (void)Perform(put, i % 2);
    }
    while (table_.Buckets() < MostBuckets()) {
      EXPECT_EQ(SplitBuckets(geometry(), 0, 1), absl::OkStatus());
    }
    // Few keys, so that the two meet, at one key or in one bucket.
    const uint64_t first = random_();
    for (Writer& writer : writers_) {
      for (uint64_t i = 0; i < 1 + random_() % 2; ++i) {
        writer.operations.push_back(RandomOperation(first + random_() % 3));
      }
    }
    if (has_batch_ ? random_() % 4 != 0 : random_() % 2 == 0) {
      writers_[1].operations[0].kind =
          random_() % 2 == 0 ? Kind::kSplit : Kind::kMerge;
    }
    if (has_batch_) {
      writers_[0].operations = {RandomBatch(first)};
    }
    before_ = table_.Rows();
    image_.resize(table_.arena->bytes());
    std::memcpy(image_.data(), table_.arena->At(0), image_.size());
  }

  // All schedules; returns what was wrong with the first bad one.
  std::string Explore(uint64_t* schedules) {
    for (const int first : {0, 1}) {
      Writer& one = writers_[first];
      Writer& other = writers_[1 - first];
      one.hold_before = 0;
      one.is_held_at_loads = true;
      other.is_held_at_loads = false;
      do {
        other.hold_before = 0;
        do {
          const std::string wrong = Run(one, other);
          ++*schedules;
          if (!wrong.empty()) {
            return absl::StrCat(wrong, ": writer ", first, " held at access ",
                                one.hold_before, ", the other at store ",
                                other.hold_before);
          }
          ++other.hold_before;
        } while (other.was_held);
        ++one.hold_before;
      } while (one.was_held);
    }
    return "";
  }

 private:
  // More loads than any operation makes without a store, unless it waits.
  static constexpr uint64_t kWaits = 400;

  const HashGeometry& geometry() const { return table_.core->geometry(); }

  // A batch would make a table grow that has fewer than it should have; and the
  // crowded bucket, or one that came from it, is to be the one that splits, or
  // is merged.
  uint64_t MostBuckets() {
    if (!has_batch_) return 3 + random_() % 3;
    const uint64_t enough = BucketsFor(geometry(), kCrowdedKeys);
    return (enough + 3) / 4 * 4 + random_() % 2;
  }

  Operation RandomPut() {
    const uint64_t key = CrowdedKeyAt(random_());
    return {.kind = Kind::kPut, .key = key, .row = RandomRow(key)};
  }
  RowBuffer RandomRow(uint64_t key) {
    RowBuffer row = {key};
    row.resize(fixed_words_ != 0 ? fixed_words_ : 2 + random_() % 3,
               random_() % 1000);
    return row;
  }
  Operation RandomOperation(uint64_t index) {
    const uint64_t key = CrowdedKeyAt(index);
    // Rows of one word have none to add to.
    const auto kind =
        static_cast<Kind>(random_() % (fixed_words_ == 1 ? 3 : 4));
    return {.kind = kind, .key = key, .row = RandomRow(key)};
  }

  Operation RandomBatch(uint64_t first) {
    Operation batch = {.kind = Kind::kBatch};
    for (uint64_t i = 0; i < 1 + random_() % 3; ++i) {
      Operation change = RandomOperation(first + random_() % 6);
      change.kind = random_() % 2 == 0 ? Kind::kPut : Kind::kRemove;
      batch.batch.push_back(std::move(change));
    }
    return batch;
  }

  Answer Perform(const Operation& operation, uint32_t lane) {
    if (operation.kind == Kind::kBatch) return PerformBatch(operation.batch);
    if (operation.kind == Kind::kSplit) {
      EXPECT_EQ(SplitBuckets(geometry(), lane, 1), absl::OkStatus());
      table_.core->reader().RefreshHomes();
      return 0;
    }
    if (operation.kind == Kind::kMerge) {
      EXPECT_EQ(MergeBuckets(geometry(), lane, 1), absl::OkStatus());
      table_.core->reader().RefreshHomes();
      return 0;
    }
    return WithWords(geometry().inline_words, [&](auto words) {
      Answer answer;
      if (tries_ && Try<words>(operation, lane, &answer)) return answer;
      return Write<words>(operation, lane);
    });
  }

  // In the first lane that the core deals out, which is the first one.
  Answer PerformBatch(const std::vector<Operation>& batch) {
    uint64_t answer = 0;
    std::vector<TestKey> keys;
    for (const Operation& change : batch) keys.emplace_back(change.key);
    size_t next = 0;
    const auto change =
        [&](const HashCurrent& current) -> absl::StatusOr<HashAction> {
      const Operation& operation = batch[next++];
      answer = 2 * answer + (current.found() ? 1 : 0);
      return operation.kind == Kind::kPut ? HashAction::Put(operation.row)
                                          : HashAction::Remove();
    };
    std::vector<HashCore::KeyedChange> changes;
    for (const TestKey& key : keys) changes.push_back({key, change});
    EXPECT_EQ(table_.core->ChangeAll(TestTable::epoch, changes),
              absl::OkStatus());
    return answer;
  }

  template <uint32_t kWords>
  using WriteOf =
      HashWrite<kWords, kWords != 0 ? KeyPlace(KeyLayout()) : kAnyKey>;

  // The short way, if the operation has one; false if it came to nothing.
  template <uint32_t kWords>
  bool Try(const Operation& operation, uint32_t lane, Answer* answer) {
    const TestKey key(operation.key);
    WriteOf<kWords> write(table_.core->reader(), key, geometry().LaneAt(lane));
    if (operation.kind == Kind::kAdd) {
      uint64_t sum;
      if (!write.TryBegin() ||
          !(write.TryAdd({.word = 1}, 1, &sum) || write.GiveUp())) {
        return false;
      }
      *answer = sum;
      return true;
    }
    if constexpr (kWords != 0) {
      if (operation.kind == Kind::kPut) {
        if (!write.TryPut(TestTable::epoch, operation.row.data())) return false;
        *answer = write.added() == 0;
        return true;
      }
      if (operation.kind == Kind::kPutNew) {
        const HashReader::Found found =
            write.TryPutNew(TestTable::epoch, operation.row.data());
        *answer = found == HashReader::Found::kYes;
        return found != HashReader::Found::kRetry;
      }
      if (operation.kind == Kind::kRemove) {
        const HashReader::Found found = write.TryRemove(TestTable::epoch);
        *answer = found == HashReader::Found::kYes;
        return found != HashReader::Found::kRetry;
      }
    }
    return false;
  }

  template <uint32_t kWords>
  Answer Write(const Operation& operation, uint32_t lane) {
    const TestKey key(operation.key);
    WriteOf<kWords> write(table_.core->reader(), key, geometry().LaneAt(lane));
    const bool adds = operation.kind == Kind::kAdd;
    EXPECT_TRUE(adds ? write.template Begin<false>()
                     : write.template Begin<true>());
    Answer answer = write.place().found();
    absl::Status status;
    if (adds) {
      uint64_t sum;
      answer = std::nullopt;
      if (write.Add({.word = 1}, 1, &sum).ok()) answer = sum;
    } else if (operation.kind == Kind::kRemove) {
      if (*answer) status = write.Remove();
    } else if (operation.kind == Kind::kPut || !*answer) {
      status = write.Put(operation.row);
    }
    EXPECT_EQ(status, absl::OkStatus());
    write.End();
    return answer;
  }

  // Before an access: whoever makes it is held there, or leaves because it
  // waits. Not while it has the arena's mutex, where the other one would wait
  // without an access.
  void BeforeAccess(bool is_store) {
    Writer& writer = *running_;
    const bool is_here = (is_store || writer.is_held_at_loads) &&
                         writer.accesses++ == writer.hold_before;
    writer.loads_in_vain = is_store ? 0 : writer.loads_in_vain + 1;
    const bool waits = writer.loads_in_vain == kWaits;
    if (!is_here && !waits) return;
    if (is_here) writer.was_held = true;
    if (waits) writer.loads_in_vain = 0;
    if (!TryAcquireMutex(table_.arena->grow_mutex())) return;
    ReleaseMutex(table_.arena->grow_mutex());
    stores_->CallMeanwhile();
    loads_->CallMeanwhile();
    writer.strand->Leave();
  }

  void Go(Writer& writer) {
    running_ = &writer;
    writer.strand->Run();
    running_ = nullptr;
  }

  std::string Run(Writer& one, Writer& other) {
    std::memcpy(table_.arena->At(0), image_.data(), image_.size());
    if (has_batch_) {  // for which it counts rows of its own
      table_.core.reset();
      absl::StatusOr<std::unique_ptr<HashCore>> core =
          HashCore::Attach(table_.arena.get());
      if (!core.ok()) return std::string(core.status().message());
      table_.core = *std::move(core);
    }
    table_.core->reader().RefreshHomes();
    const auto function = [this](Writer& writer) {
      return [this, &writer] {
        for (const Operation& operation : writer.operations) {
          writer.answers.push_back(Perform(operation, writer.lane));
        }
      };
    };
    Strand first(function(one)), second(function(other));
    one.strand = &first;
    other.strand = &second;
    for (Writer* writer : {&one, &other}) {
      writer->answers.clear();
      writer->accesses = writer->loads_in_vain = 0;
      writer->was_held = false;
    }
    size_t ended_before = 0, ended_between = 0;
    {
      const Arena& arena = *table_.arena;
      StoreHook stores(arena.At(0), arena.bytes(),
                       [&](uint64_t*, uint64_t) { BeforeAccess(true); });
      LoadHook loads(arena.At(0), arena.bytes(),
                     [&](const uint64_t*) { BeforeAccess(false); });
      stores_ = &stores;
      loads_ = &loads;
      Go(one);
      ended_before = one.answers.size();
      Go(other);
      ended_between = other.answers.size();
      // Once it goes on, either can wait for the other at most twice.
      for (int turn = 0; turn < 4; ++turn) {
        Go(one);
        Go(other);
      }
    }
    if (!first.done() || !second.done()) return "somebody waits for ever";
    if (absl::Status s = CheckHashTable(geometry()); !s.ok()) {
      return std::string(s.message());
    }
    const Model after = table_.Rows();
    if (table_.core->reader().Size() != after.size()) {
      return absl::StrCat("there are ", after.size(), " rows, and ",
                          table_.core->reader().Size(), " are counted");
    }
    for (uint64_t i = 0; i < table_.Buckets(); ++i) {
      const uint64_t offset = geometry().BucketOffset(i);
      if (IsLocked(LoadWord(&geometry().BucketAt(offset)->head))) {
        return absl::StrCat("bucket ", i, " is locked");
      }
    }
    const Order order = {.one = one,
                         .other = other,
                         .ended_before = ended_before,
                         .ended_between = ended_between,
                         .after = after};
    return order.Explains(before_, 0, 0) ? "" : "as in no order";
  }

  // Whether there is an order of the operations that explains everything.
  struct Order {
    const Writer& one;
    const Writer& other;
    size_t ended_before;   // of `one`, when the other one began
    size_t ended_between;  // of `other`, when the first one went on
    const Model& after;

    bool Explains(const Model& rows, size_t i, size_t j) const {
      if (i == one.operations.size() && j == other.operations.size()) {
        return rows == after;
      }
      return (i < one.operations.size() &&
              (i <= ended_before || j >= ended_between) &&
              Goes(one, i, rows, i + 1, j)) ||
             (j < other.operations.size() && i >= ended_before &&
              Goes(other, j, rows, i, j + 1));
    }
    bool Goes(const Writer& writer, size_t k, Model rows, size_t i,
              size_t j) const {
      return Apply(writer.operations[k], rows) == writer.answers[k] &&
             Explains(rows, i, j);
    }
  };

  std::mt19937_64& random_;
  const uint32_t fixed_words_;
  const bool tries_;      // the short ways first, as handles do
  const bool has_batch_;  // of the first writer
  TestTable table_;
  Writer writers_[2] = {{.lane = 0}, {.lane = 1}};
  Writer* running_ = nullptr;
  StoreHook* stores_ = nullptr;
  LoadHook* loads_ = nullptr;
  Model before_;
  std::vector<char> image_;
};

TEST(HashTwoWritersTest, TheirOperationsComeOneAfterTheOther) {
  uint64_t schedules = 0;
  EXPECT_EQ(ExploreScenarios<Scenario>(200'000, &schedules), "");
  std::cout << "seed " << InterleavingSeed() << ": " << schedules
            << " interleavings\n";
}

class BatchScenario : public Scenario {
 public:
  BatchScenario(uint32_t fixed_words, std::mt19937_64& random)
      : Scenario(fixed_words, random, /*has_batch=*/true) {}
};

TEST(HashTwoWritersTest, ABatchIsOneOperation) {
  uint64_t schedules = 0;
  EXPECT_EQ(ExploreScenarios<BatchScenario>(200'000, &schedules), "");
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
                         ::testing::Values(SeededBug::kUnlockBeforeVanish,
                                           SeededBug::kLockUnseen));

}  // namespace
}  // namespace ets_keeper
