// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/peers.h"

#include "benchmarks/peer_testing.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

template <typename P>
class PeersTest : public testing::Test {};

using AllPeers =
    testing::Types<TablePeer<Memory::kPrivate>, TablePeer<Memory::kMemfd>,
                   ShardedPeer<>, ShardedPeer<Counting>>;
TYPED_TEST_SUITE(PeersTest, AllPeers);

TYPED_TEST(PeersTest, AgreesWithAModel) { ExpectLikeModel<TypeParam>(); }

TYPED_TEST(PeersTest, LosesNoUpdate) { ExpectNoLostUpdate<TypeParam>(); }

TEST(CountingTest, MemoryGrowsWithTheRows) {
  ExpectCountsBytes<TablePeer<Memory::kPrivate>>();
  ExpectCountsBytes<TablePeer<Memory::kMemfd>>();
  ExpectCountsBytes<ShardedPeer<Counting>>();
}

TEST(CountingTest, NothingIsLeftOfADeadPeer) {
  const int64_t before = counted_bytes;
  {
    ShardedPeer<Counting> peer;
    for (uint64_t i = 0; i < 1'000; ++i) peer.Insert(i, i);
    EXPECT_GT(counted_bytes, before);
  }
  EXPECT_EQ(counted_bytes, before);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
