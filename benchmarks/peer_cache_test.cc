// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/peer_cache.h"

#include <memory>

#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

class PeerCacheTest : public testing::Test {
 protected:
  // The value made for the name: how many have been made before.
  int Get(const char* name) {
    return *cache_.Get<int>(name,
                            [&] { return std::make_shared<int>(made_++); });
  }

  int made_ = 0;
  int must_go_ = 0;  // so many of those that are there
  PeerCache cache_{[&] { return must_go_-- > 0; }};
};

TEST_F(PeerCacheTest, WhatIsThereIsNotMadeAgain) {
  EXPECT_EQ(Get("a"), 0);
  EXPECT_EQ(Get("b"), 1);
  EXPECT_EQ(Get("a"), 0);
  EXPECT_EQ(Get("b"), 1);
}

TEST_F(PeerCacheTest, NothingIsKeptWhenFull) {
  EXPECT_EQ(Get("a"), 0);
  EXPECT_EQ(Get("b"), 1);
  must_go_ = 2;
  EXPECT_EQ(Get("a"), 0);  // it is there
  EXPECT_EQ(Get("c"), 2);
  EXPECT_EQ(Get("a"), 3);
}

TEST_F(PeerCacheTest, WhatWasNotUsedForTheLongestTimeGoesFirst) {
  EXPECT_EQ(Get("a"), 0);
  EXPECT_EQ(Get("b"), 1);
  EXPECT_EQ(Get("a"), 0);
  must_go_ = 1;
  EXPECT_EQ(Get("c"), 2);  // instead of b
  EXPECT_EQ(Get("a"), 0);
  EXPECT_EQ(Get("b"), 3);
}

TEST_F(PeerCacheTest, WhatIsInUseOutlivesTheCache) {
  const std::shared_ptr<int> used =
      cache_.Get<int>("a", [] { return std::make_shared<int>(7); });
  must_go_ = 2;
  EXPECT_EQ(Get("b"), 0);
  EXPECT_EQ(*used, 7);
}

TEST_F(PeerCacheTest, OnlyWhatIsNamedIsKept) {
  EXPECT_EQ(Get("a"), 0);
  EXPECT_EQ(Get("b"), 1);
  EXPECT_EQ(Get("c"), 2);
  cache_.KeepOnly({"b", "d"});
  EXPECT_EQ(cache_.size(), 1u);
  EXPECT_EQ(Get("b"), 1);
  EXPECT_EQ(Get("a"), 3);
  cache_.KeepOnly({});
  EXPECT_EQ(cache_.size(), 0u);
}

TEST(MemoryTest, AProcessHasLessThanTheMachine) {
  EXPECT_GT(ResidentBytes(), 0);
  EXPECT_LT(ResidentBytes(), MachineBytes());
}

}  // namespace
}  // namespace ets_keeper::benchmarks
