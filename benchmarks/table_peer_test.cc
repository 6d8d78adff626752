// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/table_peer.h"

#include "benchmarks/peer_testing.h"
#include "benchmarks/rows.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using Peers = testing::Types<TablePeer<WordRow, Memory::kPrivate>,
                             TablePeer<WordRow, Memory::kMemfd>,
                             TablePeer<StringRow, Memory::kPrivate>,
                             TablePeer<StringRow, Memory::kMemfd>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Table, PeerTest, Peers);

}  // namespace
}  // namespace ets_keeper::benchmarks
