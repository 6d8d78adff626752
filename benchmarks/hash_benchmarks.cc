// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hash_benchmarks.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "benchmark/benchmark.h"
#include "benchmarks/hash_operations.h"
#include "benchmarks/peer_cache.h"
#include "benchmarks/peer_registry.h"
#include "benchmarks/rows.h"
#include "benchmarks/streams.h"

namespace ets_keeper::benchmarks {
namespace {

struct OperationInfo {
  const char* name;
  Operation operation;
  bool has_distributions;
};
constexpr OperationInfo kOperations[] = {
    {"find_hit", Operation::kFindHit, true},
    {"find_batch32", Operation::kFindBatch32, true},
    {"find_miss", Operation::kFindMiss, false},
    {"mix90", Operation::kMix90, true},
    {"update_counter", Operation::kUpdateCounter, true},
    {"insert", Operation::kInsert, false},
    {"erase", Operation::kErase, false},
    {"put_acked", Operation::kPutAcked, false},
};

constexpr std::pair<const char*, Distribution> kDistributions[] = {
    {"uniform", Distribution::kUniform}, {"zipf", Distribution::kZipf}};

constexpr const char* kPeers[] = {"table_private",
                                  "table_private_4k",
                                  "table_memfd",
                                  "table_memfd_4k",
                                  "not_atomic_private",
                                  "not_atomic_private_4k",
                                  "not_atomic_memfd",
                                  "not_atomic_memfd_4k",
                                  "boost_concurrent_flat_map",
                                  "tbb_concurrent_hash_map",
                                  "libcuckoo",
                                  "libcuckoo_sized",
                                  "phmap_parallel",
                                  "sharded_absl",
                                  "absl_flat",
                                  "boost_flat",
                                  "lmdb"};

void CheckKnown(const std::vector<std::string>& names,
                const std::vector<std::string>& known) {
  for (const std::string& name : names) {
    CHECK(std::find(known.begin(), known.end(), name) != known.end()) << name;
  }
}

bool IsWanted(const std::string& name, const std::vector<std::string>& wanted) {
  return wanted.empty() ||
         std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

std::vector<uint64_t> SizesOf(const HashBenchmarkOptions& options,
                              const std::string& row) {
  if (!options.sizes.empty()) return options.sizes;
  if (row == StringRow::kName) return {2'000'000};
  return {1'000, 100'000, 10'000'000};
}

std::vector<int> ThreadsOf(const HashBenchmarkOptions& options,
                           const RegisteredPeer& peer) {
  std::vector<int> threads = options.threads;
  if (threads.empty()) threads = {1, 2};
  if (!peer.is_concurrent) std::erase_if(threads, [](int n) { return n > 1; });
  return threads;
}

// A benchmark.
struct Named {
  std::string name;
  std::string row;
  Run run;
};

// Adds all sizes and numbers of threads of a run.
void AddSizes(const HashBenchmarkOptions& options, const OperationInfo& info,
              const std::string& row, const char* distribution, Run run,
              std::vector<Named>& runs) {
  run.operation = info.operation;
  for (const uint64_t size : SizesOf(options, row)) {
    run.rows = size;
    const std::string name = absl::StrCat(info.name, "/", row, "/", size, "/",
                                          distribution, "/", run.peer);
    for (const int threads :
         ThreadsOf(options, RegisteredPeers().at(run.peer))) {
      run.threads = threads;
      runs.push_back({name, row, run});
    }
  }
}

std::vector<Named> RunsOf(const HashBenchmarkOptions& options) {
  std::vector<Named> runs;
  for (const OperationInfo& info : kOperations) {
    if (!IsWanted(info.name, options.ops)) continue;
    for (const std::string& row : KnownRows()) {
      if (!IsWanted(row, options.rows)) continue;
      for (const auto& [name, distribution] : kDistributions) {
        if (!IsWanted(name, options.distributions)) continue;
        if (!info.has_distributions && distribution != Distribution::kUniform) {
          continue;
        }
        for (const char* peer : kPeers) {
          const auto it = RegisteredPeers().find(peer);
          if (it == RegisteredPeers().end() || !IsWanted(peer, options.peers) ||
              !it->second.operations.contains(info.operation)) {
            continue;
          }
          AddSizes(options, info, row, name,
                   {.peer = peer, .distribution = distribution}, runs);
        }
      }
    }
  }
  return runs;
}

}  // namespace

void RegisterHashBenchmarks(const HashBenchmarkOptions& options) {
  CheckKnown(options.ops, KnownOps());
  CheckKnown(options.rows, KnownRows());
  CheckKnown(options.distributions, KnownDistributions());
  CheckKnown(options.peers, KnownPeers());
  for (const Named& named : RunsOf(options)) {
    const RegisteredPeer& peer = RegisteredPeers().at(named.run.peer);
    benchmark::RegisterBenchmark(named.name.c_str(),
                                 peer.make.at(named.row)(named.run))
        ->Threads(named.run.threads);
  }
}

void KeepMapsOf(absl::Span<const HashBenchmarkOptions> wanted) {
  std::set<std::string> maps;
  for (const HashBenchmarkOptions& options : wanted) {
    for (const Named& named : RunsOf(options)) {
      maps.insert(FilledMap(named.run, named.row));
    }
  }
  TheCache().KeepOnly(maps);
}

std::vector<std::string> KnownOps() {
  std::vector<std::string> names;
  for (const OperationInfo& info : kOperations) names.push_back(info.name);
  return names;
}

std::vector<std::string> KnownRows() {
  return {WordRow::kName, StringRow::kName};
}

std::vector<std::string> KnownDistributions() {
  std::vector<std::string> names;
  for (const auto& [name, unused] : kDistributions) names.push_back(name);
  return names;
}

std::vector<std::string> KnownPeers() {
  return {std::begin(kPeers), std::end(kPeers)};
}

std::vector<MissingPeer> MissingPeers() {
  std::vector<MissingPeer> missing;
  for (const char* peer : kPeers) {
    if (RegisteredPeers().contains(peer)) continue;
    missing.push_back({peer, "run benchmarks/install_peers and build again"});
  }
  return missing;
}

}  // namespace ets_keeper::benchmarks
