// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/not_atomic_peer.h"

#include <cstdint>

#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "benchmarks/peer_testing.h"
#include "benchmarks/rows.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

namespace not_atomic = ::ets_keeper_not_atomic;
using ::absl_testing::IsOk;

using Peers = testing::Types<NotAtomicTable<WordRow, Memory::kPrivate>,
                             NotAtomicTable<WordRow, Memory::kPrivate4k>,
                             NotAtomicTable<WordRow, Memory::kMemfd>,
                             NotAtomicTable<WordRow, Memory::kMemfd4k>,
                             NotAtomicTable<StringRow, Memory::kPrivate>,
                             NotAtomicTable<StringRow, Memory::kMemfd>>;
INSTANTIATE_TYPED_TEST_SUITE_P(NotAtomic, PeerTest, Peers);

static_assert(not_atomic::IsSeeded(not_atomic::SeededBug::kNotCrashAtomic));
static_assert(!not_atomic::IsSeeded(not_atomic::SeededBug::kNoVersionBump));

// Splits, merges, chains, replaced rows and single stores, of inline rows and
// of records.
void WriteMuch(not_atomic::HashCore& core, uint32_t words) {
  constexpr uint64_t kEpoch = 1;
  core.RaiseEpoch(kEpoch);
  const auto key_of = [&](const uint64_t& key) {
    return not_atomic::MakeHashKey(core.seed(), absl::MakeConstSpan(&key, 1),
                                   8);
  };
  for (uint64_t key = 0; key < 1'000; ++key) {
    for (uint64_t value : {1, 2}) {
      uint64_t row[4] = {key, value, value, value};
      ASSERT_THAT(core.Insert(kEpoch, key_of(key),
                              absl::MakeConstSpan(row).first(words)),
                  IsOk());
    }
  }
  for (uint64_t key = 0; key < 990; ++key) {
    ASSERT_THAT(core.Delete(kEpoch, key_of(key)).status(), IsOk());
  }
  EXPECT_EQ(core.reader().Size(), 10u);
}

// What is measured is what was to be left out.
TEST(NotAtomicPeerTest, NoLaneHasEverWrittenALogOrNamedALock) {
  for (const uint32_t words : {2, 3, 4}) {
    SCOPED_TRACE(words);
    auto arena = not_atomic::Arena::CreatePrivate(uint64_t{16} << 20);
    ASSERT_THAT(arena.status(), IsOk());
    not_atomic::HashCore::Options options;
    options.fixed_words = words;
    ASSERT_THAT(not_atomic::HashCore::Format(arena->get(), options), IsOk());
    auto core = not_atomic::HashCore::Attach(arena->get());
    ASSERT_THAT(core.status(), IsOk());
    WriteMuch(**core, words);
    const not_atomic::HashGeometry& geometry = (*core)->geometry();
    for (uint32_t lane = 0; lane < geometry.lanes; ++lane) {
      const not_atomic::HashLane& there = *geometry.LaneAt(lane);
      EXPECT_EQ(there.held[0], 0u);
      EXPECT_EQ(there.held[1], 0u);
      EXPECT_EQ(there.intent.committed, 0u);
      EXPECT_EQ(there.intent.entries[0].offset, 0u);
      EXPECT_EQ(there.intent.entries[0].value, 0u);
    }
  }
}

}  // namespace
}  // namespace ets_keeper::benchmarks
