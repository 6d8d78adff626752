// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/map_peer_testing.h"

#include "benchmarks/peer_testing.h"
#include "benchmarks/rows.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using Peers = testing::Types<MapPeer<WordRow>, MapPeer<StringRow>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Map, PeerTest, Peers);

TEST(BrokenTest, EachForgetsWhatItIsToldTo) {
  MapPeer<WordRow, Broken::kFind> find;
  find.Insert(1, 2);
  EXPECT_FALSE(find.Find(1).has_value());
  EXPECT_TRUE((MapPeer<WordRow, Broken::kMiss>().Find(1).has_value()));
  MapPeer<WordRow, Broken::kAdd> add;
  add.Insert(1, 2);
  EXPECT_FALSE(add.Add(1, 1));
  MapPeer<WordRow, Broken::kErase> erase;
  erase.Insert(1, 2);
  erase.Erase(1);
  EXPECT_EQ(erase.size(), 1);
  MapPeer<WordRow, Broken::kInsert> insert;
  for (uint64_t i = 0; i < 1'000; ++i) insert.Insert(i, i);
  EXPECT_LT(insert.size(), 1'000);
}

}  // namespace
}  // namespace ets_keeper::benchmarks
