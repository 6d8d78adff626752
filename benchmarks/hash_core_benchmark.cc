// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// What does an operation of a table cost, beside maps that survive nothing?
// See docs/benchmarks.md for how to run this and what came out.

#include "benchmarks/peers.h"
#include "benchmarks/workload.h"

namespace ets_keeper::benchmarks {
namespace {

using PrivateTable = TablePeer<Memory::kPrivate>;
using MemfdTable = TablePeer<Memory::kMemfd>;

BENCHMARK(Loop)->Name("loop")->ArgName("rows")->Arg(1000)->UseRealTime();

const bool kRegistered[] = {
    RegisterWorkloads<PrivateTable>("table"),
    RegisterWorkloads<MemfdTable>("table_memfd"),
    RegisterWorkloads<ShardedPeer<>>("absl_sharded"),
    RegisterMemory<PrivateTable>("table"),
    RegisterMemory<MemfdTable>("table_memfd"),
    RegisterMemory<ShardedPeer<Counting>>("absl_sharded"),
};

}  // namespace
}  // namespace ets_keeper::benchmarks
