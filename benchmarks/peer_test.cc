// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/peer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/map_peer_testing.h"
#include "benchmarks/rows.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

static_assert(Peer<MapPeer<WordRow>>);
static_assert(Peer<MapPeer<StringRow>>);
static_assert(!Peer<std::string>);

// Has all that a peer may have, and tells what was called.
class CallsPeer : public MapPeer<WordRow> {
 public:
  size_t FindBatch(absl::Span<const uint64_t> keys, uint64_t* values) const {
    values[0] = keys.size();
    return 1;
  }
  void BeginFill() { calls += "begin "; }
  void EndFill() { calls += "end"; }

  std::string calls;
};

TEST(PeerTest, AnOwnCallForManyKeysIsUsed) {
  const std::vector<uint64_t> keys = {1, 2, 3};
  uint64_t values[3] = {};
  EXPECT_EQ(FindBatch(CallsPeer(), absl::MakeConstSpan(keys), values), 1);
  EXPECT_EQ(values[0], 3);
}

TEST(PeerTest, WithoutOneKeysAreLookedUpOneByOne) {
  MapPeer<WordRow> peer;
  peer.Insert(1, 10);
  peer.Insert(3, 30);
  const std::vector<uint64_t> keys = {1, 2, 3};
  uint64_t values[3] = {};
  EXPECT_EQ(FindBatch(peer, absl::MakeConstSpan(keys), values), 2);
  EXPECT_EQ(values[0], 10);
  EXPECT_EQ(values[1], 30);
}

TEST(PeerTest, AFillIsOneTransactionIfThereAreAny) {
  CallsPeer peer;
  const std::vector<uint64_t> keys = {1, 2};
  Fill(peer, absl::MakeConstSpan(keys));
  EXPECT_EQ(peer.calls, "begin end");
  EXPECT_EQ(peer.size(), 2);
}

TEST(PeerTest, ItsOwnFigureOfItsMemoryCounts) {
  MapPeer<WordRow> peer;
  peer.Insert(1, 10);
  EXPECT_EQ(BytesOf(peer, /*malloc_before=*/0), peer.bytes());
}

}  // namespace
}  // namespace ets_keeper::benchmarks
