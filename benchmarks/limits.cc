// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/limits.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "benchmarks/latency.h"
#include "benchmarks/limits_memory.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr uint64_t kBatch = 1024;

// The compiler has to have the value. (Not DoNotOptimize() of a variable: what
// g++ makes of that may change it.)
template <typename T>
void Keep(const T& value) {
  benchmark::DoNotOptimize(value);
}

// The memory of one size, made when first asked for. `Setup` of a benchmark is
// called by one thread, before any that measures.
using LinesKey = std::pair<uint64_t, PageSize>;
std::map<LinesKey, std::unique_ptr<Lines>>& AllLines() {
  static auto* const all = new std::map<LinesKey, std::unique_ptr<Lines>>();
  return *all;
}
const Lines& LinesOf(uint64_t bytes, PageSize page_size) {
  std::unique_ptr<Lines>& lines = AllLines()[{bytes, page_size}];
  if (lines == nullptr) {
    lines = std::make_unique<Lines>(bytes, page_size);
    MakeChase(lines->span(), bytes);
  }
  return *lines;
}

template <PageSize kPageSize>
void SetUpLines(const benchmark::State& state) {
  LinesOf(state.range(0), kPageSize);
}

template <PageSize kPageSize>
void ChaseLines(benchmark::State& state) {
  const Lines& lines = LinesOf(state.range(0), kPageSize);
  const Line* at = lines.span().data();
  // Once through what fits in a cache, to have it there.
  if (lines.span().size() < (1 << 20)) at = Chase(at, lines.span().size());
  while (state.KeepRunningBatch(kBatch)) at = Chase(at, kBatch);
  Keep(at);
}

template <PageSize kPageSize, bool kPrefetch>
void ReadLines(benchmark::State& state) {
  const Lines& lines = LinesOf(state.range(0), kPageSize);
  uint64_t random = state.thread_index() + 1;
  uint64_t sum = 0;
  while (state.KeepRunningBatch(kBatch)) {
    sum += kPrefetch ? ReadRandomPrefetched(lines.span(), kBatch, random)
                     : ReadRandom(lines.span(), kBatch, random);
  }
  Keep(sum);
}

template <size_t kBytes>
void Copy(benchmark::State& state) {
  alignas(64) char from[kBytes] = {};
  alignas(64) char to[kBytes];
  Keep(&from);
  Keep(&to);
  for (auto _ : state) {
    std::memcpy(to, from, kBytes);
    benchmark::ClobberMemory();
  }
}

void StoreRelease(benchmark::State& state) {
  std::atomic<uint64_t> word{0};
  uint64_t value = 0;
  while (state.KeepRunningBatch(kBatch)) {
    for (uint64_t i = 0; i < kBatch; ++i) {
      word.store(++value, std::memory_order_release);
    }
  }
}

void FetchAdd(benchmark::State& state) {
  alignas(64) static std::atomic<uint64_t> word;
  while (state.KeepRunningBatch(kBatch)) {
    for (uint64_t i = 0; i < kBatch; ++i) {
      word.fetch_add(1, std::memory_order_acq_rel);
    }
  }
}

// As long as it lives, the process has a second thread: the C library leaves
// locks out where there is only one.
class Bystander {
 public:
  Bystander() : thread_([this] { leave_.wait(false); }) {}
  ~Bystander() {
    leave_.store(true);
    leave_.notify_one();
    thread_.join();
  }

 private:
  std::atomic<bool> leave_{false};
  std::thread thread_;
};

void LockAndUnlock(benchmark::State& state) {
  const Bystander bystander;
  std::mutex mutex;
  for (auto _ : state) {
    mutex.lock();
    mutex.unlock();
  }
}

void MallocAndFree(benchmark::State& state) {
  const Bystander bystander;
  for (auto _ : state) {
    void* const memory = std::malloc(64);
    Keep(memory);
    std::free(memory);
  }
}

// Two threads, each of which waits for the other's store.
void PingPong(benchmark::State& state) {
  alignas(64) static std::atomic<int> turn;
  const int mine = state.thread_index();
  for (auto _ : state) {
    int spins = 0;
    while (turn.load(std::memory_order_acquire) != mine) {
      if (++spins % 4096 == 0) std::this_thread::yield();
    }
    turn.store(1 - mine, std::memory_order_release);
  }
}

// For how long is a thread that only runs kept from it?
void ReadClock(benchmark::State& state) {
  uint64_t longest = 0;
  uint64_t before = Ticks();
  while (state.KeepRunningBatch(kBatch)) {
    for (uint64_t i = 0; i < kBatch; ++i) {
      const uint64_t now = Ticks();
      longest = std::max(longest, now - before);
      before = now;
    }
  }
  state.counters["max_ns"] =
      static_cast<double>(longest) * NanosecondsPerTick();
}

using Function = void(benchmark::State&);

class Registrar {
 public:
  explicit Registrar(const LimitOptions& options) : options_(options) {}

  auto* Add(const std::string& name, Function* run,
            std::initializer_list<int> threads = {1}) {
    auto* added = benchmark::RegisterBenchmark(name.c_str(), run);
    added->UseRealTime();
    for (const int count : threads) added->Threads(count);
    if (options_.iterations > 0) added->Iterations(options_.iterations);
    return added;
  }

  // As long as it takes to insert some million rows: for their longest.
  void AddClock() {
    auto* added = Add("limit/clock", ReadClock);
    if (options_.iterations == 0) added->MinTime(2);
  }

  template <PageSize kPageSize>
  void AddChase(const std::string& name, uint64_t bytes) {
    Add(absl::StrCat("limit/chase/", name), ChaseLines<kPageSize>)
        ->Setup(SetUpLines<kPageSize>)
        ->Arg(static_cast<int64_t>(bytes));
  }

  template <PageSize kPageSize>
  void AddReads(const std::string& name) {
    Add(absl::StrCat(name, "/independent"), ReadLines<kPageSize, false>, {1, 2})
        ->Setup(SetUpLines<kPageSize>)
        ->Arg(static_cast<int64_t>(options_.dram_bytes));
    Add(absl::StrCat(name, "/prefetched"), ReadLines<kPageSize, true>, {1, 2})
        ->Setup(SetUpLines<kPageSize>)
        ->Arg(static_cast<int64_t>(options_.dram_bytes));
  }

 private:
  const LimitOptions options_;
};

}  // namespace

void RegisterLimitBenchmarks(const LimitOptions& options) {
  Registrar to(options);
  to.AddChase<PageSize::kHuge>("L1", CacheBytes(1) / 2);
  to.AddChase<PageSize::kHuge>("L2", CacheBytes(2) / 2);
  to.AddChase<PageSize::kHuge>("L3", CacheBytes(3) / 2);
  to.AddChase<PageSize::kHuge>("dram", options.dram_bytes);
  to.AddChase<PageSize::kSmall>("dram_4k", options.dram_bytes);
  to.AddReads<PageSize::kHuge>("limit/random_read");
  to.AddReads<PageSize::kSmall>("limit/random_read_4k");
  to.Add("limit/memcpy/16", Copy<16>);
  to.Add("limit/memcpy/64", Copy<64>);
  to.Add("limit/memcpy/256", Copy<256>);
  to.Add("limit/store_release", StoreRelease);
  to.Add("limit/fetch_add", FetchAdd, {1, 2});
  to.Add("limit/mutex", LockAndUnlock);
  to.Add("limit/malloc", MallocAndFree);
  to.Add("limit/ping_pong", PingPong, {2});
  to.AddClock();
}

void ReleaseLimitMemory() { AllLines().clear(); }

}  // namespace ets_keeper::benchmarks
