// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/tbb_peer.h"

#include "benchmarks/peer_testing.h"
#include "benchmarks/rows.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using Peers = testing::Types<TbbPeer<WordRow>, TbbPeer<StringRow>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Tbb, PeerTest, Peers);

}  // namespace
}  // namespace ets_keeper::benchmarks
