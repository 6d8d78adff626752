// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/peer_registry.h"
#include "benchmarks/tbb_peer.h"

namespace ets_keeper::benchmarks {
namespace {

const bool kAdded = AddPeer<TbbPeer>("tbb_concurrent_hash_map");

}  // namespace
}  // namespace ets_keeper::benchmarks
