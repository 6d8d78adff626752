// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/lmdb_peer.h"

#include "benchmarks/peer_testing.h"
#include "benchmarks/rows.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using Peers = testing::Types<LmdbPeer<WordRow>, LmdbPeer<StringRow>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Lmdb, PeerTest, Peers);

}  // namespace
}  // namespace ets_keeper::benchmarks
