// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_operations.h
// -----------------------------------------------------------------------------
//
// The operations that maps are measured with, for any `Peer`.
//
//   find_hit        a row that is there; its value is copied out
//   find_batch32    the same for 32 rows in one call, if the map has one
//   find_miss       a row that is not there
//   mix90           90 % find, 5 % insert, 5 % erase; the size stays
//   update_counter  adds one to a row
//   insert          all rows into an empty map, which grows
//   erase           all rows from a full map, in another order
//   put_acked       replaces a row; it would survive a kill when that returns
//
//   auto run = MakeOperation<TbbPeer<WordRow>>(
//       {.operation = Operation::kFindHit, .peer = "tbb", .rows = 1000,
//        .distribution = Distribution::kUniform, .threads = 2});
//   benchmark::RegisterBenchmark("find", run)->Threads(2);
//
// The time of an iteration is wall time by the operations of all threads.
// Keys are made, maps made, filled and dropped outside of it. A run whose
// operations had not their effect reports an error. Counters: find_hit with one
// thread, and insert, have `p50_ns`, `p99_ns`, `p999_ns` and `max_ns` of single
// operations, those of all threads together, in a pass of their own; insert
// also has `repeating_max_ns`, the longest that is as long in every pass, of
// three at least, and with one thread `bytes_per_entry`.
//
// Thread safety: as Google Benchmark calls what it registers.

#ifndef BENCHMARKS_HASH_OPERATIONS_H_
#define BENCHMARKS_HASH_OPERATIONS_H_

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmark/benchmark.h"
#include "benchmarks/latency.h"
#include "benchmarks/peer.h"
#include "benchmarks/peer_cache.h"
#include "benchmarks/spin_barrier.h"
#include "benchmarks/streams.h"

namespace ets_keeper::benchmarks {

enum class Operation {
  kFindHit,
  kFindBatch32,
  kFindMiss,
  kMix90,
  kUpdateCounter,
  kInsert,
  kErase,
  kPutAcked,
};

// Run
//
// What is measured.
struct Run {
  Operation operation = Operation::kFindHit;
  std::string peer;
  uint64_t rows = 0;
  Distribution distribution = Distribution::kUniform;
  int threads = 1;
};

// FilledMap()
//
// The name in `TheCache()` of the map that a run on such rows finds filled;
// empty if it wants an empty one, or one of its own. Maps that only their
// counts change in are shared among operations; others age.
[[nodiscard]] inline std::string FilledMap(const Run& run,
                                           absl::string_view row) {
  const char* use = "read";
  switch (run.operation) {
    case Operation::kFindHit:
    case Operation::kFindBatch32:
    case Operation::kFindMiss:
    case Operation::kUpdateCounter:
      break;
    case Operation::kMix90:
    case Operation::kPutAcked:
      use = "write";
      break;
    case Operation::kInsert:
    case Operation::kErase:
      return "";
  }
  return absl::StrCat(run.peer, " ", row, " ", run.rows, " ", use);
}

// Workload
//
// One run of one peer: what its threads share.
template <Peer P>
class Workload {
 public:
  explicit Workload(Run run) : run_(std::move(run)), barrier_(run_.threads) {}

  void operator()(benchmark::State& state) {
    good_ = true;
    switch (run_.operation) {
      case Operation::kFindHit:
        FindHit(state);
        break;
      case Operation::kFindBatch32:
        FindBatch32(state);
        break;
      case Operation::kFindMiss:
        FindMiss(state);
        break;
      case Operation::kMix90:
        Mix90(state);
        break;
      case Operation::kUpdateCounter:
        UpdateCounter(state);
        break;
      case Operation::kInsert:
        Insert(state);
        break;
      case Operation::kErase:
        Erase(state);
        break;
      case Operation::kPutAcked:
        PutAcked(state);
        break;
    }
    barrier_.Wait();
    if (!good_) state.SkipWithError("the operations had not their effect");
    if (state.thread_index() == 0) peer_.reset();
  }

 private:
  using Row = typename P::Row;
  using KeyArg = typename Row::KeyArg;
  using Value = typename Row::Value;
  using Packed = typename Row::Packed;

  static constexpr size_t kBatch = 32;
  static constexpr uint64_t kMaxLag = uint64_t{1} << 16;
  // At least so many operations are timed at once, and one by one.
  static constexpr uint64_t kMinRound = 10'000;
  static constexpr uint64_t kLatencies = 100'000;
  // At least so many maps are filled with the same rows, to see what repeats,
  // and so many rows a thread inserts from one meeting of all threads to the
  // next. Of 10M inserts some thousand are interrupted where the machine has
  // much else to do: two runs often have such a window in common, four do not.
  static constexpr int kRuns = 3;  // and one more in each repetition
  static constexpr size_t kWindow = 32;

  // In all threads: the full map and this thread's part of the keys.
  Parts<Row> Begin(benchmark::State& state) {
    if (state.thread_index() == 0) {
      peer_ = TheCache().Get<P>(FilledMap(run_, Row::kName), [&] {
        auto peer = std::make_shared<P>();
        Fill(*peer, Order(/*turn=*/1));
        return peer;
      });
      keys_ = run_.operation == Operation::kFindMiss
                  ? Streams<Row>::Misses(run_.rows)
                  : Streams<Row>::Hits(run_.rows, run_.distribution);
    }
    barrier_.Wait();
    return Parts<Row>(keys_, state.thread_index(), run_.threads);
  }

  absl::Span<const Packed> Order(uint64_t turn) const {
    return Streams<Row>::Order(run_.rows, turn);
  }
  void Expect(bool good) {
    if (!good) good_ = false;
  }

  // Performs `operation`, which returns whether it had its effect, with keys
  // as long as the benchmark runs.
  template <typename Each>
  void Loop(benchmark::State& state, Parts<Row> parts, const Each& operation) {
    uint64_t effects = 0;
    while (state.KeepRunningBatch(kChunk)) {
      for (const Packed& key : parts.Next()) {
        effects += operation(Row::Unpack(key));
      }
    }
    Expect(effects == static_cast<uint64_t>(state.iterations()));
  }

  // Whether there is such a row, whose value the caller then has: in a
  // register, if it fits. (g++ would keep a const one in memory, or one that
  // DoNotOptimize() refers to.)
  ABSL_ATTRIBUTE_ALWAYS_INLINE static bool Finds(const P& peer, KeyArg key) {
    std::optional<Value> value = peer.Find(key);
    if (!value.has_value()) return false;
    if constexpr (sizeof(Value) <= sizeof(void*)) {
      const Value copy = *value;
      benchmark::DoNotOptimize(copy);
    } else {
      benchmark::DoNotOptimize(*value);
    }
    return true;
  }

  void FindHit(benchmark::State& state) {
    Parts<Row> parts = Begin(state);
    const P& peer = *peer_;
    Loop(state, parts, [&](KeyArg key) { return Finds(peer, key); });
    if (run_.threads > 1) return;
    Latencies latencies;
    latencies.Reserve(kLatencies + kChunk);
    for (uint64_t i = 0; i < kLatencies; i += kChunk) {
      for (const Packed& key : parts.Next()) {
        latencies.Time(
            [&] { benchmark::DoNotOptimize(peer.Find(Row::Unpack(key))); });
      }
    }
    Report(state, latencies.Summarize());
  }

  void FindMiss(benchmark::State& state) {
    Parts<Row> parts = Begin(state);
    const P& peer = *peer_;
    Loop(state, parts, [&](KeyArg key) { return !Finds(peer, key); });
  }

  void FindBatch32(benchmark::State& state) {
    static_assert(kChunk % kBatch == 0);
    Parts<Row> parts = Begin(state);
    const P& peer = *peer_;
    uint64_t found = 0;
    while (state.KeepRunningBatch(kChunk)) {
      const absl::Span<const Packed> chunk = parts.Next();
      for (size_t begin = 0; begin < kChunk; begin += kBatch) {
        KeyArg keys[kBatch];
        Value values[kBatch];
        for (size_t i = 0; i < kBatch; ++i) {
          keys[i] = Row::Unpack(chunk[begin + i]);
        }
        found += FindBatch<P>(peer, keys, values);
        benchmark::DoNotOptimize(values);
      }
    }
    Expect(found == static_cast<uint64_t>(state.iterations()));
  }

  void UpdateCounter(benchmark::State& state) {
    Parts<Row> parts = Begin(state);
    P& peer = *peer_;
    Loop(state, parts, [&](KeyArg key) { return peer.Add(key, 1); });
  }

  void PutAcked(benchmark::State& state) {
    Parts<Row> parts = Begin(state);
    const Value value = Row::ValueOf(1);
    Loop(state, parts, [&](KeyArg key) {
      peer_->Insert(key, value);
      return true;
    });
    barrier_.Wait();
    Expect(peer_->size() == run_.rows);
  }

  void Mix90(benchmark::State& state) {
    using Mixed = MixedStream<Row>;
    const Parts<Row> parts = Begin(state);
    Mixed stream(parts.all(), std::min(run_.rows / 16, kMaxLag),
                 /*seed=*/state.thread_index());
    P& peer = *peer_;
    const Value value = Row::ValueOf(1);
    for (const Packed& key : stream.Missing()) peer.Erase(Row::Unpack(key));
    uint64_t found = 0;
    while (state.KeepRunningBatch(kChunk)) {
      for (const typename Mixed::Step& step : stream.Next()) {
        const KeyArg key = Row::Unpack(step.key);
        if (step.kind == Mixed::Kind::kFind) {
          found += Finds(peer, key);
        } else if (step.kind == Mixed::Kind::kErase) {
          peer.Erase(key);
        } else {
          peer.Insert(key, value);
        }
      }
    }
    for (const Packed& key : stream.Missing()) {
      peer.Insert(Row::Unpack(key), value);
    }
    // Most finds find a row; by Zipf's law the hottest rows are gone half of
    // the time, as they are erased the most often.
    Expect(found > static_cast<uint64_t>(state.iterations()) / 4);
    barrier_.Wait();
    Expect(peer.size() == run_.rows);
  }

  void Insert(benchmark::State& state) {
    Rounds(
        state, [](P&) {},
        [&](P& peer) {
          const Value value = Row::ValueOf(1);
          for (const Packed& key : MyShare(state, /*turn=*/1)) {
            peer.Insert(Row::Unpack(key), value);
          }
        },
        run_.rows);
    if (run_.threads == 1) {
      state.counters["bytes_per_entry"] = BytesPerEntry();
    }
    TimeInserts(state);
  }

  // Times the inserts one by one, of all threads into the same maps. The first
  // runs are summarized; what repeats is that of all runs, also of those when
  // this was called before: they were the same inserts.
  void TimeInserts(benchmark::State& state) {
    const bool first = state.thread_index() == 0;
    Latencies all;
    for (uint64_t done = 0; done < kLatencies || repeating_.runs() < kRuns;
         done += run_.rows) {
      if (first) {
        latencies_.assign(run_.threads, {});
        peer_ = std::make_shared<P>();
      }
      barrier_.Wait();
      Latencies mine = InsertAndTime(MyShare(state, /*turn=*/1));
      latencies_[state.thread_index()] = std::move(mine);
      barrier_.Wait();
      if (first) {
        peer_.reset();
        repeating_.AddRun(latencies_);
        for (const Latencies& latencies : latencies_) {
          if (done < kLatencies) all.Add(latencies);
        }
        latencies_.clear();
      }
      barrier_.Wait();
    }
    if (!first) return;
    Report(state, all.Summarize());
    state.counters["repeating_max_ns"] = repeating_.max_ns();
  }

  // All threads begin each window together.
  Latencies InsertAndTime(absl::Span<const Packed> keys) {
    P& peer = *peer_;
    const Value value = Row::ValueOf(1);
    Latencies latencies;
    latencies.Reserve(keys.size());
    const size_t longest_share = (run_.rows + run_.threads - 1) / run_.threads;
    for (size_t begin = 0; begin < longest_share; begin += kWindow) {
      barrier_.Wait();
      if (begin >= keys.size()) continue;
      for (const Packed& key : keys.subspan(begin, kWindow)) {
        latencies.Time([&] { peer.Insert(Row::Unpack(key), value); });
      }
    }
    return latencies;
  }

  void Erase(benchmark::State& state) {
    Rounds(
        state, [&](P& peer) { Fill(peer, Order(/*turn=*/1)); },
        [&](P& peer) {
          for (const Packed& key : MyShare(state, /*turn=*/2)) {
            peer.Erase(Row::Unpack(key));
          }
        },
        0);
  }

  absl::Span<const Packed> MyShare(const benchmark::State& state,
                                   uint64_t turn) const {
    return Share(Order(turn), state.thread_index(), run_.threads);
  }

  // Times `work` with new, prepared maps, which have `size` rows after: by all
  // threads at once, from when the first begins until the last is ready. Small
  // maps are taken several at a time.
  template <typename Prepare, typename Work>
  void Rounds(benchmark::State& state, const Prepare& prepare, const Work& work,
              uint64_t size) {
    const bool first = state.thread_index() == 0;
    if (first) Order(1), Order(2);  // makes them
    const uint64_t count = (kMinRound + run_.rows - 1) / run_.rows;
    const auto operations = static_cast<benchmark::IterationCount>(
        std::max<uint64_t>(1, count * run_.rows / run_.threads));
    while (state.KeepRunningBatch(operations)) {
      state.PauseTiming();
      for (uint64_t i = 0; first && i < count; ++i) {
        maps_.push_back(std::make_unique<P>());
        prepare(*maps_.back());
      }
      barrier_.Wait();
      state.ResumeTiming();
      for (const std::unique_ptr<P>& map : maps_) work(*map);
      barrier_.Wait();
      state.PauseTiming();
      for (const std::unique_ptr<P>& map : maps_) Expect(map->size() == size);
      barrier_.Wait();
      if (first) maps_.clear();
      state.ResumeTiming();
    }
  }

  // Averaged over sizes from a power of two to the next, so that no map is
  // lucky with its own; found out once for each peer.
  double BytesPerEntry() const {
    constexpr uint64_t kSamples = 16;
    static std::map<std::string, double> known;
    const uint64_t power = std::bit_floor(run_.rows);
    double& result = known[absl::StrCat(run_.peer, " ", power)];
    if (result != 0) return result;
    // Or the many small blocks that maps before this one freed are counted one
    // by one at every sample.
    malloc_trim(0);
    const uint64_t malloc_before = MallocBytes();
    P peer;
    const Value value = Row::ValueOf(1);
    uint64_t size = 0;
    for (uint64_t sample = 0; sample < kSamples; ++sample) {
      const uint64_t until = power + power * sample / kSamples;
      for (; size < until; ++size) {
        const Packed key = Row::KeyAt(size);
        peer.Insert(Row::Unpack(key), value);
      }
      result += static_cast<double>(BytesOf(peer, malloc_before)) /
                static_cast<double>(size) / kSamples;
    }
    return result;
  }

  static void Report(benchmark::State& state, const LatencySummary& summary) {
    state.counters["p50_ns"] = summary.p50_ns;
    state.counters["p99_ns"] = summary.p99_ns;
    state.counters["p999_ns"] = summary.p999_ns;
    state.counters["max_ns"] = summary.max_ns;
  }

  const Run run_;
  SpinBarrier barrier_;
  std::atomic<bool> good_{true};

  // Written by the first thread, read by all between two barriers.
  std::shared_ptr<P> peer_;
  std::vector<std::unique_ptr<P>> maps_;
  std::vector<Latencies> latencies_;  // of each thread, written by it
  RepeatingLatency repeating_{kWindow};
  absl::Span<const Packed> keys_;
};

// MakeOperation()
template <Peer P>
[[nodiscard]] std::function<void(benchmark::State&)> MakeOperation(
    const Run& run) {
  const auto workload = std::make_shared<Workload<P>>(run);
  return [workload](benchmark::State& state) { (*workload)(state); };
}

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_HASH_OPERATIONS_H_
