// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/libcuckoo_peer.h"

#include "benchmarks/peer_testing.h"
#include "benchmarks/rows.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using Peers = testing::Types<LibcuckooPeer<WordRow>, LibcuckooPeer<StringRow>,
                             SizedLibcuckooPeer<WordRow>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Libcuckoo, PeerTest, Peers);

}  // namespace
}  // namespace ets_keeper::benchmarks
