// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/sequential_peer.h"

#include <cstdint>
#include <map>

#include "benchmarks/peer_testing.h"
#include "benchmarks/rows.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using Peers =
    testing::Types<SequentialPeer<WordRow, std::map<uint64_t, uint64_t>>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Sequential, PeerTest, Peers);

}  // namespace
}  // namespace ets_keeper::benchmarks
