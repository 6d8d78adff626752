// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: limits.h
// -----------------------------------------------------------------------------
//
// What the machine itself allows: the figures that no table can get below, to
// be measured in the same run as the tables.
//
//   RegisterLimitBenchmarks();
//   benchmark::RunSpecifiedBenchmarks();
//
//   limit/chase/{L1,L2,L3,dram,dram_4k}      one dependent read
//   limit/random_read/{independent,prefetched}, with threads:1 and threads:2
//   limit/random_read_4k/...                 the same with pages of 4 KiB
//   limit/memcpy/{16,64,256}                 in the first cache
//   limit/store_release, limit/fetch_add     the latter with 1 and 2 threads
//   limit/mutex, limit/malloc                lock and unlock; malloc and free
//   limit/ping_pong                          a cache line to the other core
//   limit/clock                              reading the clock; the longest
//                                            pause between two as `max_ns`
//
// All times are wall time by the operations of all threads.
//
// Thread safety: as Google Benchmark has it.

#ifndef BENCHMARKS_LIMITS_H_
#define BENCHMARKS_LIMITS_H_

#include <cstdint>

namespace ets_keeper::benchmarks {

// LimitOptions
struct LimitOptions {
  // How much memory is random when it is not in a cache.
  uint64_t dram_bytes = uint64_t{1} << 30;
  int64_t iterations = 0;  // of each; 0: as many as fill the time
};

// RegisterLimitBenchmarks()
void RegisterLimitBenchmarks(const LimitOptions& options = {});

// ReleaseLimitMemory()
//
// Frees the memory that benchmarks of this process have used, for whoever goes
// on with something else.
void ReleaseLimitMemory();

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_LIMITS_H_
