// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/workload.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "common/mutex/mutex.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

// A correct map, but for what it is told to forget to do.
enum class Broken { kNothing, kFind, kInsert, kAdd, kErase };

template <Broken kBroken>
class MapPeer {
 public:
  std::optional<uint64_t> Find(uint64_t key) const {
    Lock lock(mutex_);
    const auto it = map_.find(key);
    if (kBroken == Broken::kFind || it == map_.end()) return std::nullopt;
    return it->second;
  }
  void Insert(uint64_t key, uint64_t value) {
    Lock lock(mutex_);
    // Forgets one key in eight: a growing map that loses rows.
    if (kBroken != Broken::kInsert || key % 8 != 0) map_[key] = value;
  }
  bool Add(uint64_t key, uint64_t amount) {
    Lock lock(mutex_);
    const auto it = map_.find(key);
    if (kBroken == Broken::kAdd || it == map_.end()) return false;
    it->second += amount;
    return true;
  }
  void Erase(uint64_t key) {
    Lock lock(mutex_);
    if (kBroken != Broken::kErase) map_.erase(key);
  }
  uint64_t size() const {
    Lock lock(mutex_);
    return map_.size();
  }
  uint64_t bytes() const { return size() * 16; }

 private:
  mutable absl::Mutex mutex_;
  std::map<uint64_t, uint64_t> map_ ABSL_GUARDED_BY(mutex_);
};

// Collects what was run and which of it had an error.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      all.insert(run.run_name.function_name);
      if (run.counters.contains("bytes_per_row")) {
        bytes_per_row = run.counters.at("bytes_per_row").value;
        continue;
      }
      // An error leaves no counters.
      if (!run.counters.contains("items_per_second")) {
        failed.insert(run.run_name.function_name);
      }
    }
  }

  std::set<std::string> all;
  std::set<std::string> failed;
  double bytes_per_row = 0;
};

// The workloads that report an error, by name.
template <Broken kBroken>
std::set<std::string> Failures() {
  benchmark::ClearRegisteredBenchmarks();
  RegisterWorkloads<MapPeer<kBroken>>(
      "m", {.rows = {100}, .threads = {1, 2}, .iterations = 5'000});
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, nullptr, ".*");
  EXPECT_EQ(collector.all.size(), 6);
  return collector.failed;
}

using Names = std::set<std::string>;

TEST(WorkloadTest, AWorkingMapPassesAllWorkloads) {
  EXPECT_EQ(Failures<Broken::kNothing>(), Names());
}

TEST(WorkloadTest, AMapThatDoesNothingIsNotMeasured) {
  EXPECT_EQ(Failures<Broken::kFind>(), Names({"find_hit/m"}));
  EXPECT_EQ(Failures<Broken::kAdd>(), Names({"update_counter/m"}));
  EXPECT_EQ(Failures<Broken::kErase>(), Names({"erase/m", "mix/m"}));
  EXPECT_TRUE(Failures<Broken::kInsert>().contains("insert/m"));
}

TEST(WorkloadTest, MemoryIsAveragedOverTheSizes) {
  benchmark::ClearRegisteredBenchmarks();
  RegisterMemory<MapPeer<Broken::kNothing>>("m", /*rows=*/1'000);
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, nullptr, ".*");
  EXPECT_EQ(collector.all, Names({"bytes/m"}));
  EXPECT_DOUBLE_EQ(collector.bytes_per_row, 16);
}

TEST(WorkloadTest, KeysDiffer) {
  std::set<uint64_t> keys;
  for (uint64_t i = 0; i < 10'000; ++i) {
    keys.insert(KeyAt(i));
    keys.insert(KeyAt(i | uint64_t{1} << 63));
  }
  EXPECT_EQ(keys.size(), 20'000);
}

TEST(WorkloadTest, DrawnNumbersAreBelowTheLimitAndAllOccur) {
  Random random(/*seed=*/7);
  std::set<uint64_t> drawn;
  for (int i = 0; i < 10'000; ++i) {
    drawn.insert(Random::Below(100, random.Next()));
  }
  EXPECT_EQ(drawn.size(), 100);
  EXPECT_LT(*drawn.rbegin(), 100);
}

TEST(WorkloadTest, StridesVisitEverythingOnce) {
  for (const uint64_t size : {100, 1'000, 100'000}) {
    std::set<uint64_t> visited;
    for (const uint64_t part : {0, 1}) {
      Stride stride(size, part, /*parts=*/2);
      for (uint64_t i = 0; i < size / 2; ++i) visited.insert(stride.Next());
    }
    EXPECT_EQ(visited.size(), size);
    EXPECT_EQ(*visited.rbegin(), size - 1);
  }
}

TEST(WorkloadTest, NobodyPassesABarrierAlone) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 1'000;
  SpinBarrier barrier;
  std::atomic<int> arrived{0};
  std::atomic<bool> good{true};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int round = 1; round <= kRounds; ++round) {
        ++arrived;
        barrier.Wait(kThreads);
        if (arrived < round * kThreads) good = false;
        barrier.Wait(kThreads);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
