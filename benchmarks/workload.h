// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: workload.h
// -----------------------------------------------------------------------------
//
// The workloads that concurrent hash maps are compared under, for rows of a
// `uint64_t` key and a `uint64_t` value. A map takes part as a `Peer`:
//
//   const bool registered = RegisterWorkloads<MyMap>("my_map");
//
// and is then measured with every number of rows and of threads under
//
//   find_hit, find_miss   a key drawn from the rows, or from elsewhere
//   update_counter        adds one to the value of a row
//   mix                   of keys of which half are there: 90 % find, 5 %
//                         insert, 5 % erase
//   insert                `rows` rows into an empty, growing map
//   erase                 rows in random order, at most kErasedRows of them
//
// Keys are random words. What is reported is `time_per_op`, wall time by
// the operations of all threads, and its inverse, `items_per_second`.
// Making and filling maps is not timed. A workload whose operations had not
// their effect reports an error instead of a time.
//
// Thread safety: what is here may be used as Google Benchmark does: `Setup` in
// one thread, before the workload in several.

#ifndef BENCHMARKS_WORKLOAD_H_
#define BENCHMARKS_WORKLOAD_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

namespace ets_keeper::benchmarks {

// Peer
//
// A map that several threads may use at once. `Find()` copies the value out;
// `Insert()` replaces; `Add()` returns whether there is a row; `size()` is
// exact when nobody writes.
template <typename P>
concept Peer = std::default_initializable<P> &&
    requires(P peer, const P& reader, uint64_t word) {
  { reader.Find(word) } -> std::same_as<std::optional<uint64_t>>;
  { peer.Insert(word, word) } -> std::same_as<void>;
  { peer.Add(word, word) } -> std::same_as<bool>;
  { peer.Erase(word) } -> std::same_as<void>;
  { reader.size() } -> std::same_as<uint64_t>;
};

// MeasuredPeer
//
// A peer that knows how many bytes it has. All calls come from one thread.
template <typename P>
concept MeasuredPeer = Peer<P> && requires(const P& reader) {
  { reader.bytes() } -> std::same_as<uint64_t>;
};

// KeyAt()
//
// The key number `index`: a random-looking word, another one for each index.
// (The finalizer of SplitMix64; Steele, Lea and Flood, OOPSLA 2014.)
[[nodiscard]] inline uint64_t KeyAt(uint64_t index) {
  uint64_t word = index + 0x9e3779b97f4a7c15;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

// Random
//
// SplitMix64 itself.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(KeyAt(~seed)) {}

  [[nodiscard]] uint64_t Next() { return KeyAt(state_ += 0x9e3779b97f4a7c15); }

  // A number below `limit`, by the high bits of `word`.
  [[nodiscard]] static uint64_t Below(uint64_t limit, uint64_t word) {
    return static_cast<uint64_t>(
        (static_cast<unsigned __int128>(word) * limit) >> 64);
  }

 private:
  uint64_t state_;
};

// Stride
//
// Visits every number below `size`, a power of ten, once, far from in order;
// `part` of `parts` visits those whose turn is congruent to it.
class Stride {
 public:
  Stride(uint64_t size, uint64_t part, uint64_t parts)
      : size_(size),
        step_(kStride * parts % size),
        at_(kStride * part % size) {}

  [[nodiscard]] uint64_t Next() {
    const uint64_t at = at_;
    at_ += step_;
    if (at_ >= size_) at_ -= size_;
    return at;
  }

 private:
  static constexpr uint64_t kStride = 6180339;  // no common divisor with ten

  const uint64_t size_;
  const uint64_t step_;
  uint64_t at_;
};

// SpinBarrier
//
// Lets nobody on before `threads` have arrived; again and again. It spins, so
// that all go on at the same time.
class SpinBarrier {
 public:
  void Wait(int threads) {
    const uint64_t round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    int spins = 0;
    while (round_.load(std::memory_order_acquire) == round) {
      if (++spins % 4096 == 0) std::this_thread::yield();
    }
  }

 private:
  std::atomic<int> arrived_{0};
  std::atomic<uint64_t> round_{0};
};

// SecondsOf()
template <typename Work>
double SecondsOf(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> time =
      std::chrono::steady_clock::now() - begin;
  return time.count();
}

// FilledPeer()
//
// The map with the rows 0 to `rows` - 1 that `Use` works on, which is filled
// when first asked for and then kept: filling is slower than any workload. It
// is first asked for by `Setup`, so the threads only look it up.
enum class Use { kRead, kMix, kErase };

template <Peer P, Use kUse>
P& FilledPeer(uint64_t rows) {
  static std::map<uint64_t, std::unique_ptr<P>> peers;
  if (const auto it = peers.find(rows); it != peers.end()) return *it->second;
  auto peer = std::make_unique<P>();
  for (uint64_t i = 0; i < rows; ++i) peer->Insert(KeyAt(i), i);
  return *(peers[rows] = std::move(peer));
}

template <Peer P, Use kUse>
void Setup(const benchmark::State& state) {
  FilledPeer<P, kUse>(state.range(0));
}

// Report()
//
// Tells how many operations this thread has performed, and whether they did
// what they should.
inline void Report(benchmark::State& state, uint64_t operations, bool good) {
  state.SetItemsProcessed(static_cast<int64_t>(operations));
  state.counters["time_per_op"] = benchmark::Counter(
      static_cast<double>(operations),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  if (!good) state.SkipWithError("the operations had not their effect");
}

// Loop()
//
// Nothing but the drawing of a key, which is in the time of the workloads too.
inline void Loop(benchmark::State& state) {
  const uint64_t rows = state.range(0);
  Random random(state.thread_index());
  for (auto _ : state) {
    benchmark::DoNotOptimize(KeyAt(Random::Below(rows, random.Next())));
  }
  Report(state, state.iterations(), true);
}

template <Peer P, bool kHit>
void Find(benchmark::State& state) {
  constexpr uint64_t kElsewhere = uint64_t{1} << 63;
  const uint64_t rows = state.range(0);
  const P& peer = FilledPeer<P, Use::kRead>(rows);
  Random random(state.thread_index());
  uint64_t hits = 0;
  for (auto _ : state) {
    const uint64_t index = Random::Below(rows, random.Next());
    const std::optional<uint64_t> value =
        peer.Find(KeyAt(kHit ? index : index | kElsewhere));
    benchmark::DoNotOptimize(value);
    hits += value.has_value();
  }
  const uint64_t operations = state.iterations();
  Report(state, operations, hits == (kHit ? operations : 0));
}

template <Peer P>
void UpdateCounter(benchmark::State& state) {
  const uint64_t rows = state.range(0);
  P& peer = FilledPeer<P, Use::kRead>(rows);
  Random random(state.thread_index());
  uint64_t hits = 0;
  for (auto _ : state) {
    hits += peer.Add(KeyAt(Random::Below(rows, random.Next())), 1);
  }
  const uint64_t operations = state.iterations();
  Report(state, operations, hits == operations);
}

template <Peer P>
void Mix(benchmark::State& state) {
  constexpr uint64_t kInserts = 51;  // of 1024
  constexpr uint64_t kErases = 51;
  const uint64_t rows = state.range(0);
  P& peer = FilledPeer<P, Use::kMix>(rows);
  Random random(state.thread_index());
  uint64_t hits = 0;
  for (auto _ : state) {
    const uint64_t word = random.Next();
    const uint64_t key = KeyAt(Random::Below(2 * rows, word));
    const uint64_t dice = word % 1024;
    if (dice < kInserts) {
      peer.Insert(key, word);
    } else if (dice < kInserts + kErases) {
      peer.Erase(key);
    } else {
      hits += peer.Find(key).has_value();
    }
  }
  benchmark::DoNotOptimize(hits);
  const uint64_t size = peer.size();
  Report(state, state.iterations(), size > rows / 2 && size < rows * 3 / 2);
}

template <Peer P>
void Insert(benchmark::State& state) {
  static SpinBarrier barrier;
  static std::unique_ptr<P> peer;
  const uint64_t rows = state.range(0);
  const uint64_t threads = state.threads();
  const uint64_t thread = state.thread_index();
  bool good = true;
  for (auto _ : state) {
    if (thread == 0) peer = std::make_unique<P>();
    barrier.Wait(state.threads());
    state.SetIterationTime(SecondsOf([&] {
      for (uint64_t i = thread; i < rows; i += threads) {
        peer->Insert(KeyAt(i), i);
      }
      barrier.Wait(state.threads());  // the time until all are ready
    }));
    if (thread != 0) continue;
    good = good && peer->size() == rows;
    peer.reset();
  }
  Report(state, state.iterations() * (rows / threads), good);
}

inline constexpr uint64_t kErasedRows = 1'000'000;

template <Peer P>
void Erase(benchmark::State& state) {
  static SpinBarrier barrier;
  const uint64_t rows = state.range(0);
  const uint64_t threads = state.threads();
  const uint64_t thread = state.thread_index();
  const uint64_t share = std::min(rows, kErasedRows) / threads;
  P& peer = FilledPeer<P, Use::kErase>(rows);
  bool good = true;
  for (auto _ : state) {
    barrier.Wait(state.threads());
    state.SetIterationTime(SecondsOf([&] {
      Stride stride(rows, thread, threads);
      for (uint64_t i = 0; i < share; ++i) peer.Erase(KeyAt(stride.Next()));
      barrier.Wait(state.threads());
    }));
    if (thread == 0) good = good && peer.size() == rows - share * threads;
    barrier.Wait(state.threads());
    Stride stride(rows, thread, threads);
    for (uint64_t i = 0; i < share; ++i) {
      const uint64_t index = stride.Next();
      peer.Insert(KeyAt(index), index);
    }
  }
  Report(state, state.iterations() * share, good);
}

// BytesPerRow()
//
// Not a time: the memory of a map that grows from `rows` to twice as many rows,
// by row, on average, so that no map is lucky with its powers of two.
template <MeasuredPeer P>
void BytesPerRow(benchmark::State& state) {
  constexpr uint64_t kSamples = 16;
  const uint64_t rows = state.range(0);
  for (auto _ : state) {
    P peer;
    uint64_t size = 0;
    double sum = 0;
    for (uint64_t sample = 0; sample < kSamples; ++sample) {
      const uint64_t until = rows + rows * sample / kSamples;
      for (; size < until; ++size) peer.Insert(KeyAt(size), size);
      sum += static_cast<double>(peer.bytes()) / static_cast<double>(size);
    }
    state.counters["bytes_per_row"] = sum / kSamples;
  }
}

// WorkloadSizes
struct WorkloadSizes {
  std::vector<int64_t> rows = {1'000, 100'000, 10'000'000};
  std::vector<int64_t> threads = {1, 2};
  int64_t iterations = 0;  // of each; 0: as many as fill the time
};

// RegisterWorkloads()
//
// Registers every workload for a peer, as "workload/name/rows:n". Always true.
template <Peer P>
bool RegisterWorkloads(const std::string& name,
                       const WorkloadSizes& sizes = {}) {
  const auto add = [&](const char* workload, void (*run)(benchmark::State&)) {
    const std::string full = std::string(workload) + "/" + name;
    auto* added = benchmark::RegisterBenchmark(full.c_str(), run);
    added->ArgName("rows");
    for (const int64_t rows : sizes.rows) added->Arg(rows);
    for (const int64_t threads : sizes.threads) {
      added->Threads(static_cast<int>(threads));
    }
    if (sizes.iterations > 0) added->Iterations(sizes.iterations);
    return added;
  };
  add("find_hit", Find<P, true>)->Setup(Setup<P, Use::kRead>)->UseRealTime();
  add("find_miss", Find<P, false>)->Setup(Setup<P, Use::kRead>)->UseRealTime();
  add("update_counter", UpdateCounter<P>)
      ->Setup(Setup<P, Use::kRead>)
      ->UseRealTime();
  add("mix", Mix<P>)->Setup(Setup<P, Use::kMix>)->UseRealTime();
  add("insert", Insert<P>)->UseManualTime();
  add("erase", Erase<P>)->Setup(Setup<P, Use::kErase>)->UseManualTime();
  return true;
}

// RegisterMemory()
//
// Registers "bytes/name". Always true.
template <MeasuredPeer P>
bool RegisterMemory(const std::string& name, int64_t rows = 1 << 20) {
  benchmark::RegisterBenchmark(("bytes/" + name).c_str(), BytesPerRow<P>)
      ->ArgName("rows")
      ->Arg(rows)
      ->Iterations(1);
  return true;
}

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_WORKLOAD_H_
