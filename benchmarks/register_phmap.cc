// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/peer_registry.h"
#include "benchmarks/phmap_peer.h"

namespace ets_keeper::benchmarks {
namespace {

const bool kAdded = AddPeer<PhmapPeer>("phmap_parallel");

}  // namespace
}  // namespace ets_keeper::benchmarks
