// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/peer_registry.h"

#include "benchmarks/absl_peers.h"
#include "benchmarks/hash_operations.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

const bool kAdded[] = {
    AddPeer<FlatAbslPeer>("flat", {Operation::kFindHit}),
    AddPeer<ShardedAbslPeer>("sharded", DurableOperations()),
};

TEST(PeerRegistryTest, WhatWasAddedBeforeMainIsThere) {
  EXPECT_TRUE(kAdded[0] && kAdded[1]);
  EXPECT_EQ(RegisteredPeers().size(), 2);
  const RegisteredPeer& flat = RegisteredPeers().at("flat");
  EXPECT_FALSE(flat.is_concurrent);
  EXPECT_EQ(flat.operations.size(), 1);
  EXPECT_TRUE(RegisteredPeers().at("sharded").is_concurrent);
  for (const char* row : {"u64", "str16"}) {
    EXPECT_TRUE(flat.make.at(row)({.peer = "flat", .rows = 1}));
  }
}

TEST(PeerRegistryTest, OnlyDurablePeersAcknowledge) {
  EXPECT_FALSE(MapOperations().contains(Operation::kPutAcked));
  EXPECT_TRUE(DurableOperations().contains(Operation::kPutAcked));
  EXPECT_EQ(DurableOperations().size(), MapOperations().size() + 1);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
