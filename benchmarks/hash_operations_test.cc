// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hash_operations.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
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

TEST(HashOperationsTest, OneThreadAloneHasLatenciesAndBytes) {
  const Collector one = RunAll<MapPeer<WordRow>>("words", /*threads=*/1);
  for (const char* name : {"find_hit", "insert"}) {
    const benchmark::UserCounters& counters = one.counters.at(name);
    EXPECT_GT(counters.at("p50_ns").value, 0) << name;
    EXPECT_GE(counters.at("p99_ns").value, counters.at("p50_ns").value);
    EXPECT_GE(counters.at("p999_ns").value, counters.at("p99_ns").value);
    EXPECT_GE(counters.at("max_ns").value, counters.at("p999_ns").value);
  }
  EXPECT_EQ(one.counters.size(), 2);
  EXPECT_NEAR(one.counters.at("insert").at("bytes_per_entry").value,
              MapPeer<WordRow>::kBytesPerRow, 1e-9);
  EXPECT_THAT(RunAll<MapPeer<WordRow>>("words", /*threads=*/2).counters,
              IsEmpty());
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
