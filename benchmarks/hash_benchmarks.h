// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_benchmarks.h
// -----------------------------------------------------------------------------
//
// What does an operation of a table cost, beside maps that survive nothing?
// Registers the benchmarks that say so, under names like
//
//   find_hit/u64/10000000/uniform/table_private/threads:1
//
// operation, kind of rows, number of rows, distribution of keys, map, threads.
// The real time of a run is wall time by the operations of all threads.
//
//   RegisterHashBenchmarks({.sizes = {100'000}, .ops = {"find_hit"}});
//   benchmark::RunSpecifiedBenchmarks();
//
// hash_operations.h says what each operation is and which counters it has.
//
// Thread safety: one thread at a time.

#ifndef BENCHMARKS_HASH_BENCHMARKS_H_
#define BENCHMARKS_HASH_BENCHMARKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace ets_keeper::benchmarks {

// HashBenchmarkOptions
//
// Which benchmarks are wanted. Empty: all; of sizes, 1000, 100000 and 10000000
// for u64 and 2000000 for str16; of threads, 1 and 2.
struct HashBenchmarkOptions {
  std::vector<uint64_t> sizes = {};
  std::vector<int> threads = {};
  std::vector<std::string> ops = {};
  std::vector<std::string> rows = {};
  std::vector<std::string> distributions = {};
  std::vector<std::string> peers = {};
};

// RegisterHashBenchmarks()
//
// Registers all combinations that make sense: maps that nothing synchronizes
// have one thread; operations that ask for every row once, or for none, have
// no distribution but uniform; put_acked is for what survives a kill. Names
// must be known ones; peers that are not built in are left out.
void RegisterHashBenchmarks(const HashBenchmarkOptions& options);

// KeepMapsOf()
//
// Frees the filled maps that benchmarks have left for those after them, but for
// those that any of these would use.
void KeepMapsOf(absl::Span<const HashBenchmarkOptions> wanted);

// The names that options may have.
[[nodiscard]] std::vector<std::string> KnownOps();
[[nodiscard]] std::vector<std::string> KnownRows();
[[nodiscard]] std::vector<std::string> KnownDistributions();
[[nodiscard]] std::vector<std::string> KnownPeers();

// MissingPeer
struct MissingPeer {
  std::string peer;
  std::string how;  // what to do to have it
};

// MissingPeers()
//
// The peers that are not built in.
[[nodiscard]] std::vector<MissingPeer> MissingPeers();

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_HASH_BENCHMARKS_H_
