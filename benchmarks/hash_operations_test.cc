// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hash_operations.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "benchmarks/latency.h"
#include "benchmarks/map_peer_testing.h"
#include "benchmarks/rows.h"
#include "benchmarks/streams.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::UnorderedElementsAre;

constexpr uint64_t kRows = 500;
constexpr int kIterations = 20'000;

const std::map<std::string, Operation> kNames = {
    {"find_hit", Operation::kFindHit},
    {"find_batch32", Operation::kFindBatch32},
    {"find_miss", Operation::kFindMiss},
    {"mix90", Operation::kMix90},
    {"update_counter", Operation::kUpdateCounter},
    {"insert", Operation::kInsert},
    {"erase", Operation::kErase},
    {"put_acked", Operation::kPutAcked},
};

// Collects what was run, what of it was in error, and the counters.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const std::string& name = run.run_name.function_name;
      all.insert(name);
      // A run in error took no time.
      if (run.real_accumulated_time == 0) failed.insert(name);
      if (!run.counters.empty()) counters[name] = run.counters;
      iterations[name] = run.iterations;
    }
  }

  std::set<std::string> all;
  std::set<std::string> failed;
  std::map<std::string, benchmark::UserCounters> counters;
  std::map<std::string, int64_t> iterations;
};

template <Peer P>
Collector RunAll(const std::string& peer, int threads) {
  benchmark::ClearRegisteredBenchmarks();
  for (const auto& [name, operation] : kNames) {
    benchmark::RegisterBenchmark(
        name.c_str(), MakeOperation<P>({.operation = operation,
                                        .peer = absl::StrCat(peer, threads),
                                        .rows = kRows,
                                        .distribution = Distribution::kUniform,
                                        .threads = threads}))
        ->Threads(threads)
        ->Iterations(kIterations);
  }
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, nullptr, ".*");
  benchmark::ClearRegisteredBenchmarks();
  EXPECT_EQ(collector.all.size(), kNames.size());
  return collector;
}

template <Broken kBroken>
std::set<std::string> Failures() {
  return RunAll<MapPeer<WordRow, kBroken>>(
             absl::StrCat("broken ", static_cast<int>(kBroken)), /*threads=*/1)
      .failed;
}

TEST(HashOperationsTest, AMapThatWorksPassesAll) {
  for (const int threads : {1, 2, 3}) {
    EXPECT_THAT(RunAll<MapPeer<WordRow>>("words", threads).failed, IsEmpty());
    EXPECT_THAT(RunAll<MapPeer<StringRow>>("strings", threads).failed,
                IsEmpty());
  }
}

TEST(HashOperationsTest, AMapThatDoesNotIsNotMeasured) {
  EXPECT_THAT(Failures<Broken::kFind>(),
              ElementsAre("find_batch32", "find_hit", "mix90"));
  EXPECT_THAT(Failures<Broken::kMiss>(), ElementsAre("find_miss"));
  EXPECT_THAT(Failures<Broken::kAdd>(), ElementsAre("update_counter"));
  EXPECT_THAT(Failures<Broken::kErase>(), ElementsAre("erase"));
  EXPECT_THAT(Failures<Broken::kInsert>(), Contains("insert"));
}

void ExpectLatencies(const benchmark::UserCounters& counters) {
  EXPECT_GT(counters.at("p50_ns").value, 0);
  EXPECT_GE(counters.at("p99_ns").value, counters.at("p50_ns").value);
  EXPECT_GE(counters.at("p999_ns").value, counters.at("p99_ns").value);
  EXPECT_GE(counters.at("max_ns").value, counters.at("p999_ns").value);
}

void ExpectRepeating(const benchmark::UserCounters& counters) {
  EXPECT_GT(counters.at("repeating_max_ns").value, 0);
  EXPECT_LE(counters.at("repeating_max_ns").value, counters.at("max_ns").value);
}

TEST(HashOperationsTest, OneThreadHasLatenciesAndBytes) {
  const Collector one = RunAll<MapPeer<WordRow>>("words", /*threads=*/1);
  EXPECT_THAT(one.counters,
              UnorderedElementsAre(Key("find_hit"), Key("insert")));
  ExpectLatencies(one.counters.at("find_hit"));
  ExpectLatencies(one.counters.at("insert"));
  ExpectRepeating(one.counters.at("insert"));
  EXPECT_EQ(one.counters.at("find_hit").count("repeating_max_ns"), 0u);
  EXPECT_NEAR(one.counters.at("insert").at("bytes_per_entry").value,
              MapPeer<WordRow>::kBytesPerRow, 1e-9);
}

TEST(HashOperationsTest, SeveralThreadsHaveLatenciesOfInserts) {
  const Collector two = RunAll<MapPeer<WordRow>>("words", /*threads=*/2);
  EXPECT_THAT(two.counters, ElementsAre(Key("insert")));
  ExpectLatencies(two.counters.at("insert"));
  ExpectRepeating(two.counters.at("insert"));
  EXPECT_EQ(two.counters.at("insert").count("bytes_per_entry"), 0u);
}

// A map in which single inserts take long, in one of the threads; all of these
// maps have it at the same row.
class SlowOnceMap : public MapPeer<WordRow> {
 public:
  void Insert(KeyArg key, const Value& value) {
    if (key == WordRow::Unpack(WordRow::KeyAt(kSlowRow))) {
      const uint64_t begin = Ticks();
      while (Ticks() - begin < kSlowTicks) {
      }
    }
    MapPeer<WordRow>::Insert(key, value);
  }

  static constexpr uint64_t kSlowTicks = 1'000'000;
  static constexpr uint64_t kSlowRow = 7;
};

TEST(HashOperationsTest, TheLongestInsertIsThatOfAnyThread) {
  for (const int threads : {1, 2, 3}) {
    const Collector collector = RunAll<SlowOnceMap>("slow", threads);
    for (const char* counter : {"max_ns", "repeating_max_ns"}) {
      EXPECT_GE(collector.counters.at("insert").at(counter).value,
                SlowOnceMap::kSlowTicks * NanosecondsPerTick())
          << counter;
    }
  }
}

// A map that counts how many are made.
class CountedMap : public MapPeer<WordRow> {
 public:
  CountedMap() { ++made; }

  inline static std::atomic<int> made = 0;
};

TEST(HashOperationsTest, ThreeMapsAtLeastAreFilledToSeeWhatRepeats) {
  constexpr uint64_t kManyRows = 50'000;
  const auto insert =
      MakeOperation<CountedMap>({.operation = Operation::kInsert,
                                 .peer = "counted",
                                 .rows = kManyRows,
                                 .distribution = Distribution::kUniform,
                                 .threads = 1});
  std::vector<int> made;
  benchmark::ClearRegisteredBenchmarks();
  benchmark::RegisterBenchmark("insert",
                               [&](benchmark::State& state) {
                                 insert(state);
                                 made.push_back(CountedMap::made.exchange(0));
                               })
      ->Iterations(1)
      ->Repetitions(2);
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, nullptr, ".*");
  benchmark::ClearRegisteredBenchmarks();
  // One is measured as a whole, and the first time one is weighed. The second
  // time 100k single inserts are enough, as many as always.
  EXPECT_THAT(made, ElementsAre(1 + 1 + 3, 1 + 2));
}

TEST(HashOperationsTest, MapsAreSharedByWhatLeavesThemAsTheyAre) {
  const auto map = [](Operation operation) {
    return FilledMap({.operation = operation,
                      .peer = "my map",
                      .rows = kRows,
                      .distribution = Distribution::kZipf,
                      .threads = 2},
                     WordRow::kName);
  };
  const std::string shared = map(Operation::kFindHit);
  EXPECT_EQ(shared, "my map u64 500 read");
  EXPECT_EQ(map(Operation::kFindBatch32), shared);
  EXPECT_EQ(map(Operation::kFindMiss), shared);
  EXPECT_EQ(map(Operation::kUpdateCounter), shared);
  EXPECT_EQ(map(Operation::kMix90), "my map u64 500 write");
  EXPECT_EQ(map(Operation::kPutAcked), map(Operation::kMix90));
  EXPECT_EQ(map(Operation::kInsert), "");
  EXPECT_EQ(map(Operation::kErase), "");
}

TEST(HashOperationsTest, AnIterationIsOneOperation) {
  // All threads together perform as many as were asked for, rounded up.
  const Collector collector = RunAll<MapPeer<WordRow>>("words", 2);
  for (const auto& [name, iterations] : collector.iterations) {
    EXPECT_GE(iterations, 2 * kIterations) << name;
    EXPECT_LE(iterations, 2 * kIterations + 30'000) << name;
  }
}

}  // namespace
}  // namespace ets_keeper::benchmarks
