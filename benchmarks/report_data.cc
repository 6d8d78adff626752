// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_data.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {
namespace {

bool Contains(const std::vector<PeerInfo>& peers, absl::string_view peer) {
  return std::any_of(peers.begin(), peers.end(),
                     [&](const PeerInfo& info) { return peer == info.name; });
}

}  // namespace

const std::vector<PeerInfo>& AllPeers() {
  static const auto* const peers = new std::vector<PeerInfo>{
      {"table_private", "table, private", "ours", 0},
      {"table_memfd", "table, memfd", "ours2", 1},
      {"boost_concurrent_flat_map", "boost concurrent_flat_map", "peer", 2},
      {"phmap_parallel", "phmap parallel", "peer", 3},
      {"libcuckoo", "libcuckoo", "peer", 4},
      {kSizedPeer, "libcuckoo, sized", "peer", 4},
      {"tbb_concurrent_hash_map", "oneTBB concurrent_hash_map", "peer", 5},
      {"sharded_absl", "absl, 64 mutexes", "peer", 6},
      {"ets", "ETS", "peer", 7},
      {"lmdb", "LMDB", "peer", 7},
      {"absl_flat", "absl flat, unsynchronized", "ceiling", 6},
      {"boost_flat", "boost flat, unsynchronized", "ceiling", 6},
  };
  return *peers;
}

const std::vector<PeerInfo>& Variants() {
  static const auto* const peers = new std::vector<PeerInfo>{
      {kSmallPagesPeers[0], "table, private, 4 KiB pages", "ours2", 1},
      {kSmallPagesPeers[1], "table, memfd, 4 KiB pages", "ours2", 1},
      {kNotAtomicPeer, "table, not crash-atomic", "ours2", 1},
  };
  return *peers;
}

std::string LabelOf(absl::string_view peer) {
  for (const auto* peers : {&AllPeers(), &Variants()}) {
    for (const PeerInfo& info : *peers) {
      if (peer == info.name) return info.label;
    }
  }
  if (peer == "beam") return "BEAM";
  return std::string(peer);
}

std::string OpLabel(absl::string_view op) {
  constexpr std::pair<absl::string_view, absl::string_view> kLabels[] = {
      {"find_hit", "find (hit)"},
      {"find_batch32", "find in batches of 32"},
      {"find_miss", "find (miss)"},
      {"mix90", "90 % find, 5 % insert, 5 % erase"},
      {"insert", "insert (growing)"},
      {"put_acked", "acknowledged put"},
  };
  for (const auto& [name, label] : kLabels) {
    if (op == name) return std::string(label);
  }
  return std::string(op);
}

bool IsOurs(absl::string_view peer) {
  return peer == kTablePeers[0] || peer == kTablePeers[1] ||
         Contains(Variants(), peer);
}

bool IsPlotted(absl::string_view peer) {
  return peer != "lmdb" && peer != kSizedPeer && Contains(AllPeers(), peer);
}

bool IsUnsynchronized(absl::string_view peer) {
  return peer == "absl_flat" || peer == "boost_flat";
}

}  // namespace ets_keeper::benchmarks
