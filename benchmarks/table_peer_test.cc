// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/table_peer.h"

#include <sched.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "benchmarks/peer.h"
#include "benchmarks/peer_testing.h"
#include "benchmarks/rows.h"
#include "benchmarks/streams.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using Peers = testing::Types<TablePeer<WordRow, Memory::kPrivate>,
                             TablePeer<WordRow, Memory::kPrivate4k>,
                             TablePeer<WordRow, Memory::kMemfd>,
                             TablePeer<WordRow, Memory::kMemfd4k>,
                             TablePeer<StringRow, Memory::kPrivate>,
                             TablePeer<StringRow, Memory::kMemfd>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Table, PeerTest, Peers);

// Whether any memory of this process was asked to have huge pages.
bool AnyHugePages() {
  std::ifstream maps("/proc/self/smaps");
  for (std::string line; std::getline(maps, line);) {
    if (absl::StartsWith(line, "VmFlags:") && absl::StrContains(line, " hg")) {
      return true;
    }
  }
  return false;
}

TEST(TablePeerTest, OnlyMemoryThatMayHasHugePages) {
  constexpr uint64_t kRows = 1'000'000;  // enough to want some
  const auto& keys = Streams<WordRow>::Order(kRows, /*turn=*/1);
  TablePeer<WordRow, Memory::kPrivate4k> small_pages;
  Fill(small_pages, keys);
  TablePeer<WordRow, Memory::kMemfd4k> memfd;
  Fill(memfd, keys);
  EXPECT_FALSE(AnyHugePages());
  TablePeer<WordRow, Memory::kPrivate> huge_pages;
  Fill(huge_pages, keys);
  while (!AnyHugePages()) sched_yield();  // they come ahead, from a thread
}

}  // namespace
}  // namespace ets_keeper::benchmarks
