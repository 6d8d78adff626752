// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/boost_peers.h"
#include "benchmarks/peer_registry.h"

namespace ets_keeper::benchmarks {
namespace {

const bool kAdded[] = {
    AddPeer<ConcurrentBoostPeer>("boost_concurrent_flat_map"),
    AddPeer<FlatBoostPeer>("boost_flat")};

}  // namespace
}  // namespace ets_keeper::benchmarks
