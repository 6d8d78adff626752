// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/absl_peers.h"
#include "benchmarks/peer_registry.h"

namespace ets_keeper::benchmarks {
namespace {

const bool kAdded[] = {AddPeer<ShardedAbslPeer>("sharded_absl"),
                       AddPeer<FlatAbslPeer>("absl_flat")};

}  // namespace
}  // namespace ets_keeper::benchmarks
