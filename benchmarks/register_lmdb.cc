// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/lmdb_peer.h"
#include "benchmarks/peer_registry.h"

namespace ets_keeper::benchmarks {
namespace {

// Everything else that it does ends on a commit, too: one row of that is
// enough.
const bool kAdded =
    AddPeer<LmdbPeer>("lmdb", {Operation::kFindHit, Operation::kFindBatch32,
                               Operation::kFindMiss, Operation::kPutAcked});

}  // namespace
}  // namespace ets_keeper::benchmarks
