// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// One more peer for hash_core_benchmark.cc.

#include "benchmarks/tbb_peer.h"
#include "benchmarks/workload.h"

namespace ets_keeper::benchmarks {
namespace {

const bool kRegistered[] = {
    RegisterWorkloads<TbbPeer<>>("tbb"),
    RegisterMemory<CountingTbbPeer>("tbb"),
};

}  // namespace
}  // namespace ets_keeper::benchmarks
