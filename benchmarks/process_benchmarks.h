// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: process_benchmarks.h
// -----------------------------------------------------------------------------
//
// What lightweight processes cost, one scheduler thread running all of them:
//
//   process/message_round_trip/ets_keeper  a message there and one back
//   process/spawn_exit/ets_keeper          spawn, monitor, exit, `Down`
//   process/table_with_worker/ets_keeper   the same for a process that makes a
//                                          table, which goes with it
//   process/heir/ets_keeper                from the kill of a table's owner
//                                          until its heir has the table
//
// ets_measure.erl does the same in Erlang, under the same names with `beam`.
//
// Thread safety: as Google Benchmark has it.

#ifndef BENCHMARKS_PROCESS_BENCHMARKS_H_
#define BENCHMARKS_PROCESS_BENCHMARKS_H_

#include <cstdint>

namespace ets_keeper::benchmarks {

// RegisterProcessBenchmarks()
//
// `rounds` operations at a time are timed, within a process.
void RegisterProcessBenchmarks(int64_t rounds = 10'000);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PROCESS_BENCHMARKS_H_
