// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Kills every mutating operation of the hash core before each of its stores,
// and checks what is left:
//
//   - readers, with no recovery having run, see the table wholly as before the
//     operation or wholly as after it, and never go back;
//   - recovery, itself killed before each of its stores and started again,
//     gives a table that passes `CheckHashTable()` (no row lost, none twice, no
//     byte leaked) and is in the state that readers had seen;
//   - the recovered table works;
//   - an operation that returned is there.
//
// With a bug put into the code (seeded_bug.h) the same test must find it.
//
// ETS_KEEPER_CRASH_POINTS=N in the environment asks for N points, and
// ETS_KEEPER_SEED=N repeats a run.

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/crash_point/crash_points.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_check.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_growth.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using Model = std::map<uint64_t, RowBuffer>;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  uint64_t value;
  const char* text = std::getenv(name);
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

// What was found wrong, and how much was looked at.
struct Report {
  uint64_t points = 0;  // at which a process died
  uint64_t nested = 0;  // of which in a recovery
  uint64_t lookups = 0;
  uint64_t violations = 0;
  std::string first;  // violation

  void Violation(absl::string_view where, absl::string_view what) {
    if (violations++ == 0) first = absl::StrCat(where, ": ", what);
  }
};

// Which of the two states an arena is in, as far as was seen. (The two may be
// the same.)
struct Verdict {
  bool before = true;
  bool after = true;

  void And(bool as_before, bool as_after) {
    before = before && as_before;
    after = after && as_after;
  }
};

// Undoes, when it goes, all stores made to an arena since it was made.
class Journal {
 public:
  explicit Journal(
      Arena& arena, std::function<void()> at_store = [] {})
      : hook_(std::in_place, arena.At(0), arena.bytes(),
              [this, at_store = std::move(at_store)](uint64_t* word, uint64_t) {
                at_store();
                stores_.emplace_back(word, *word);
              }) {}
  ~Journal() {
    hook_.reset();
    for (; !stores_.empty(); stores_.pop_back()) {
      StoreWord(stores_.back().first, stores_.back().second);
    }
  }

 private:
  std::optional<StoreHook> hook_;
  std::vector<std::pair<uint64_t*, uint64_t>> stores_;
};

// One table, mapped twice: `live` is the process that dies, `crashed` the one
// that looks at what it left.
class Table {
 public:
  Table(uint32_t fixed_words, Report* report, std::mt19937_64* random)
      : fixed_words_(fixed_words), report_(*report), random_(*random) {
    const int fd = memfd_create("hash_crash_test", MFD_CLOEXEC);
    CHECK_GE(fd, 0);
    CHECK_EQ(ftruncate(fd, kBytes), 0);
    live_arena_ = *Arena::Map(UniqueFd(dup(fd)), ArenaAccess::kReadWrite);
    crashed_arena_ = *Arena::Map(UniqueFd(fd), ArenaAccess::kReadWrite);
    CHECK_OK(TestTable::FormatTestTable(live_arena_.get(),
                                        {.fixed_words = fixed_words}));
    live_ = *HashCore::Attach(live_arena_.get());
    live_->RaiseEpoch(kEpoch);
    recovering_ = *HashCore::Attach(crashed_arena_.get());
    recovering_again_ = *HashCore::Attach(crashed_arena_.get());
    // Half of the keys meet in one bucket for a long time: chains.
    for (uint64_t key = 0; keys_.size() < kKeys; ++key) {
      const uint64_t hash = TestKey(key).hash_key.hash;
      if (keys_.size() < kKeys / 2 || hash % 8 == 0) keys_.push_back(key);
    }
  }

  // Performs a random operation and kills it at each of its stores.
  void Step(absl::string_view name) {
    name_ = name;
    // Mostly rows come for a while, then they mostly go.
    grows_ = ++steps_ / 60 % 2 == 0;
    after_ = before_;
    seen_after_ = false;
    store_ = 0;
    touched_.clear();
    absl::Status status;
    {
      StoreHook hook(live_arena_->At(0), live_arena_->bytes(),
                     [this](uint64_t*, uint64_t) { Point(); });
      status = RandomOperation();
    }
    if (!status.ok()) Violation(status.message());
    const Verdict verdict = Read(live_->reader(), /*at_rest=*/true);
    if (!verdict.after) Violation("an acknowledged operation is not there");
    if (absl::Status s = CheckHashTable(live_->geometry()); !s.ok()) {
      Violation(absl::StrCat("after the operation: ", s.message()));
    }
    before_ = after_;
  }

 private:
  static constexpr uint64_t kBytes = 256 << 10;
  static constexpr size_t kKeys = 64;
  static constexpr uint64_t kEpoch = 1;

  void Violation(absl::string_view what) {
    report_.Violation(absl::StrCat(name_, " ", operation_, " store ", store_),
                      what);
  }

  // The process dies here.
  void Point() {
    ++store_;
    ++report_.points;
    if (!ReadersAgree(recovering_->reader(), "readers")) return;
    if (operation_ == "split" || operation_ == "merge") ExpectTwinsAreLocked();
    const bool seen_after = seen_after_;
    {
      Journal journal(*crashed_arena_, [this] { NestedPoint(); });
      Recover(*recovering_);
      if (report_.points % 8 == 0 && report_.violations == 0) {
        Work(*recovering_);
      }
    }
    seen_after_ = seen_after;  // that was one way in which it may go on
  }

  // While a row is in two buckets, of a split or a merge, no writer may come to
  // either: it would change one of the two.
  void ExpectTwinsAreLocked() {
    const HashGeometry& geometry = live_->geometry();
    const auto head_of = [&](uint64_t bucket) {
      return LoadWord(&geometry.BucketAt(geometry.BucketOffset(bucket))->head);
    };
    const uint64_t buckets = LoadWord(&geometry.root()->buckets);
    for (uint64_t last : {buckets - 1, buckets}) {
      if (last == 0 || LevelOf(head_of(last)) == 0) continue;
      const uint64_t half = last - std::bit_floor(last);
      std::set<uint64_t> items = Items(last);
      for (const uint64_t item : Items(half)) {
        if (items.insert(item).second) continue;
        if (!IsLocked(head_of(last)) || !IsLocked(head_of(half))) {
          Violation("a row is in two buckets of which one is not locked");
        }
      }
    }
  }

  // The first words of the live items of a bucket and its chain: keys, or the
  // offsets of records.
  std::set<uint64_t> Items(uint64_t bucket) {
    const HashGeometry& geometry = live_->geometry();
    std::set<uint64_t> items;
    for (uint64_t cell = geometry.BucketOffset(bucket); cell != 0;
         cell = LinkOf(LoadWord(&geometry.BucketAt(cell)->chain))) {
      const uint64_t* words = geometry.At(cell);
      for (uint64_t live = LiveOf(LoadWord(words)) & geometry.places();
           live != 0; live &= live - 1) {
        items.insert(LoadWord(words + std::countr_zero(live)));
      }
    }
    return items;
  }

  // The process that recovers dies, too; another recovers.
  void NestedPoint() {
    if (working_) return;
    ++report_.points;
    ++report_.nested;
    if (!ReadersAgree(recovering_again_->reader(), "readers in recovery")) {
      return;
    }
    const bool seen_after = seen_after_;
    {
      Journal journal(*crashed_arena_);
      Recover(*recovering_again_);
    }
    seen_after_ = seen_after;
  }

  void Recover(HashCore& core) {
    if (absl::Status s = core.Recover(); !s.ok()) {
      return Violation(absl::StrCat("recovery: ", s.message()));
    }
    core.RaiseEpoch(kEpoch + 1);
    if (absl::Status s = CheckHashTable(core.geometry()); !s.ok()) {
      Violation(absl::StrCat("after recovery: ", s.message()));
    }
    ReadersAgree(core.reader(), "readers after recovery");
  }

  // The recovered table is written to.
  void Work(HashCore& core) {
    working_ = true;
    for (int i = 0; i < 4; ++i) {
      const uint64_t key = RandomKey();
      const absl::Status status =
          i % 2 == 0 ? core.Insert(kEpoch + 1, TestKey(key), RandomRow(key))
                     : core.Delete(kEpoch + 1, TestKey(key)).status();
      if (!status.ok()) Violation(absl::StrCat("work: ", status.message()));
    }
    if (absl::Status s = CheckHashTable(core.geometry()); !s.ok()) {
      Violation(
          absl::StrCat("after work on the recovered table: ", s.message()));
    }
    working_ = false;
  }

  bool ReadersAgree(const HashReader& reader, absl::string_view who,
                    bool at_rest = false) {
    const Verdict verdict = Read(reader, at_rest);
    if (!verdict.before && !verdict.after) {
      Violation(absl::StrCat(who, " see neither the state before nor after"));
      return false;
    }
    if (seen_after_ && !verdict.after) {
      Violation(absl::StrCat(who, " see the state before again"));
      return false;
    }
    seen_after_ = seen_after_ || !verdict.before;
    return true;
  }

  static bool Same(const Model& model, uint64_t key, bool found,
                   const RowBuffer& row) {
    const auto it = model.find(key);
    return it == model.end() ? !found : found && it->second == row;
  }

  void ReadKey(const HashReader& reader, uint64_t key, Verdict* verdict) {
    RowBuffer row;
    const bool found =
        report_.lookups % 2 != 0
            ? LookupTyped(reader, fixed_words_, TestKey(key), &row)
            : reader.Lookup(TestKey(key), &row);
    verdict->And(Same(before_, key, found, row), Same(after_, key, found, row));
    ++report_.lookups;
  }

  // What the operation touches and a few other keys; at every sixteenth point,
  // and when no operation is in progress (`at_rest`), all keys and a scan.
  Verdict Read(const HashReader& reader, bool at_rest) {
    Verdict verdict;
    for (const uint64_t key : touched_) ReadKey(reader, key, &verdict);
    for (int i = 0; i < 4; ++i) {
      ReadKey(reader, keys_[other_++ % keys_.size()], &verdict);
    }
    // Of a single row that is neither acknowledged nor recovered, the size may
    // know a store earlier or later than the lookups.
    const uint64_t size = reader.Size();
    if (at_rest || operation_ == "batch") {
      verdict.And(size == before_.size(), size == after_.size());
    } else if (size != before_.size() && size != after_.size()) {
      verdict = {.before = false, .after = false};
    }
    if (!at_rest && report_.points % 16 != 0) return verdict;
    for (const uint64_t key : keys_) ReadKey(reader, key, &verdict);
    HashCursor cursor;
    std::vector<RowBuffer> rows;
    size_t scanned = 0;
    while (reader.Scan(&cursor, &rows)) {
      for (const RowBuffer& r : rows) {
        verdict.And(Same(before_, r[0], true, r), Same(after_, r[0], true, r));
      }
      scanned += rows.size();
    }
    verdict.And(scanned == before_.size(), scanned == after_.size());
    return verdict;
  }

  uint64_t RandomKey() { return keys_[random_() % keys_.size()]; }

  // A key that the operation touches.
  uint64_t OperationKey() {
    touched_.push_back(RandomKey());
    return touched_.back();
  }

  RowBuffer RandomRow(uint64_t key) {
    RowBuffer row = {key};
    const size_t words = fixed_words_ != 0 ? fixed_words_ : 2 + random_() % 10;
    while (row.size() < words) row.push_back(random_());
    return row;
  }

  absl::Status RandomOperation() {
    switch (random_() % 16) {
      case 0:
        return Delete();
      case 1:
        return Take();
      case 2:
        return InsertNew();
      case 3:
      case 4:
        return UpdateCounter();
      case 5:
      case 6:
        return UpdateElement();
      case 7:
      case 8:
        return Batch();
      case 9:
        return Split();
      case 10:
        return Merge();
      default:
        return grows_ ? Insert() : Delete();
    }
  }

  absl::Status Split() {
    operation_ = "split";
    return SplitBuckets(live_->geometry(), 0, 1);
  }

  absl::Status Merge() {
    operation_ = "merge";
    if (LoadWord(&live_->geometry().root()->buckets) == 1) {
      return absl::OkStatus();
    }
    return MergeBuckets(live_->geometry(), 0, 1);
  }

  absl::Status Insert() {
    operation_ = "insert";
    const uint64_t key = OperationKey();
    const RowBuffer row = RandomRow(key);
    after_[key] = row;
    return live_->Insert(kEpoch, TestKey(key), row);
  }

  absl::Status InsertNew() {
    operation_ = "insert_new";
    const uint64_t key = OperationKey();
    const RowBuffer row = RandomRow(key);
    after_.emplace(key, row);
    return live_->InsertNew(kEpoch, TestKey(key), row).status();
  }

  absl::Status Delete() {
    operation_ = "delete";
    const uint64_t key = OperationKey();
    after_.erase(key);
    return live_->Delete(kEpoch, TestKey(key)).status();
  }

  absl::Status Take() {
    operation_ = "take";
    const uint64_t key = OperationKey();
    after_.erase(key);
    RowBuffer row;
    return live_->Take(kEpoch, TestKey(key), &row).status();
  }

  absl::Status UpdateCounter() {
    operation_ = "update_counter";
    const uint64_t key = OperationKey();
    const auto it = after_.find(key);
    if (it == after_.end() || fixed_words_ == 1) return absl::OkStatus();
    ++it->second[1];
    return PlusOne(*live_, kEpoch, TestKey(key), 1);
  }

  absl::Status UpdateElement() {
    operation_ = "update_element";
    const uint64_t key = OperationKey();
    const auto it = after_.find(key);
    if (it == after_.end() || fixed_words_ == 1) return absl::OkStatus();
    const uint64_t value = random_();
    it->second.back() = value;
    RowBuffer row;
    return live_->Change(
        kEpoch, TestKey(key),
        [&](const HashCurrent& current) -> absl::StatusOr<HashAction> {
          row = current.Row();
          row.back() = value;
          return HashAction::Put(row);
        });
  }

  absl::Status Batch() {
    operation_ = "batch";
    std::vector<TestKey> keys;
    std::vector<std::optional<RowBuffer>> rows;
    const size_t size = 1 + random_() % 6;
    for (size_t i = 0; i < size; ++i) {
      const uint64_t key = OperationKey();
      keys.emplace_back(key);
      if (random_() % 3 == 0 || !grows_) {
        rows.emplace_back(std::nullopt);
        after_.erase(key);
      } else {
        rows.emplace_back(RandomRow(key));
        after_[key] = *rows.back();
      }
    }
    size_t next = 0;
    auto change = [&](const HashCurrent&) -> absl::StatusOr<HashAction> {
      const auto& row = rows[next++];
      return row ? HashAction::Put(*row) : HashAction::Remove();
    };
    std::vector<HashCore::KeyedChange> changes;
    for (const TestKey& key : keys) changes.push_back({key, change});
    return live_->ChangeAll(kEpoch, changes);
  }

  const uint32_t fixed_words_;
  Report& report_;
  std::mt19937_64& random_;
  std::unique_ptr<Arena> live_arena_;
  std::unique_ptr<Arena> crashed_arena_;
  std::unique_ptr<HashCore> live_;
  std::unique_ptr<HashCore> recovering_;
  std::unique_ptr<HashCore> recovering_again_;
  std::vector<uint64_t> keys_;
  Model before_;
  Model after_;
  std::string name_;
  absl::string_view operation_;
  uint64_t steps_ = 0;
  bool grows_ = true;
  uint64_t store_ = 0;
  std::vector<uint64_t> touched_;
  size_t other_ = 0;
  bool seen_after_ = false;
  bool working_ = false;
};

// Until that many points, or until the first violation.
Report Enumerate(uint64_t seed, uint64_t points) {
  std::mt19937_64 random(seed);
  Report report;
  for (int t = 0; report.points < points; ++t) {
    constexpr uint32_t kFixedWords[] = {2, 0, 3, 1};
    Table table(kFixedWords[t % 4], &report, &random);
    for (int step = 0; step < 180 && report.points < points; ++step) {
      table.Step(absl::StrCat("table ", t, " step ", step));
      if (report.violations > 0) return report;
    }
  }
  return report;
}

uint64_t Seed() { return FromEnvironment("ETS_KEEPER_SEED", 20260101); }

TEST(HashCrashTest, EveryStoreOfEveryOperation) {
  const uint64_t points = FromEnvironment("ETS_KEEPER_CRASH_POINTS", 400'000);
  const auto begin = std::chrono::steady_clock::now();
  const Report report = Enumerate(Seed(), points);
  const std::chrono::duration<double> time =
      std::chrono::steady_clock::now() - begin;
  std::cout << "seed " << Seed() << ": " << report.points << " crash points, "
            << report.nested << " of them in a recovery, " << report.lookups
            << " lookups, " << report.violations << " violations, "
            << static_cast<uint64_t>(report.points / time.count())
            << " points/s\n";
  EXPECT_EQ(report.violations, 0) << report.first;
}

class SeededBugTest : public ::testing::TestWithParam<SeededBug> {};

TEST_P(SeededBugTest, IsFound) {
  const SeedBug bug(GetParam());
  const Report report = Enumerate(Seed(), 400'000);
  EXPECT_GT(report.violations, 0) << "with seed " << Seed();
  std::cout << "found after " << report.points << " points: " << report.first
            << "\n";
}

INSTANTIATE_TEST_SUITE_P(
    All, SeededBugTest,
    ::testing::Values(
        SeededBug::kNotCrashAtomic, SeededBug::kNoIntent,
        SeededBug::kCommitBeforeLastEntry, SeededBug::kReplayFromTheStart,
        SeededBug::kPublishBeforeFill, SeededBug::kHeadBeforeCount,
        SeededBug::kReuseWithinTransaction, SeededBug::kSplitBeforeFill,
        SeededBug::kCutBeforeMove, SeededBug::kVanishBeforeMerge,
        SeededBug::kUnlockBeforeVanish, SeededBug::kBatchWithoutDirectory,
        SeededBug::kForgetLocks, SeededBug::kForgetGrowth));

// A half-formatted arena is not taken for a table.
TEST(HashCrashTest, EveryStoreOfFormat) {
  auto arena = *Arena::CreatePrivate(Arena::kMinBytes);
  int points = 0;
  {
    StoreHook hook(arena->At(0), arena->bytes(), [&](uint64_t*, uint64_t) {
      ++points;
      EXPECT_EQ(CauseOf(HashCore::Attach(arena.get()).status()),
                Cause::kCorrupt);
    });
    CHECK_OK(HashCore::Format(arena.get(), {.writers = 2,
                                            .key = {},
                                            .fixed_words = 2,
                                            .seed = 1,
                                            .schema = 7,
                                            .schema_text = "a schema"}));
  }
  EXPECT_GT(points, 10);
  EXPECT_TRUE(HashCore::Attach(arena.get()).ok());
}

}  // namespace
}  // namespace ets_keeper
