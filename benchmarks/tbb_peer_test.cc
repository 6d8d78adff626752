// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/tbb_peer.h"

#include "benchmarks/peer_testing.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

TEST(TbbPeerTest, AgreesWithAModel) { ExpectLikeModel<TbbPeer<>>(); }

TEST(TbbPeerTest, LosesNoUpdate) { ExpectNoLostUpdate<TbbPeer<>>(); }

TEST(TbbPeerTest, MemoryGrowsWithTheRows) {
  ExpectCountsBytes<CountingTbbPeer>();
}

}  // namespace
}  // namespace ets_keeper::benchmarks
