// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: peer_registry.h
// -----------------------------------------------------------------------------
//
// The maps that are linked into this program, by name. A file that no other
// needs to know brings a map in:
//
//   const bool kAdded = AddPeer<TbbPeer>("tbb_concurrent_hash_map");
//
// Thread safety: peers are added before main(), and constant then.

#ifndef BENCHMARKS_PEER_REGISTRY_H_
#define BENCHMARKS_PEER_REGISTRY_H_

#include <functional>
#include <map>
#include <set>
#include <string>

#include "benchmark/benchmark.h"
#include "benchmarks/hash_operations.h"
#include "benchmarks/rows.h"

namespace ets_keeper::benchmarks {

// RegisteredPeer
struct RegisteredPeer {
  bool is_concurrent = false;
  std::set<Operation> operations;
  // By the kind of rows.
  std::map<std::string,
           std::function<std::function<void(benchmark::State&)>(const Run&)>>
      make;
};

// RegisteredPeers()
inline std::map<std::string, RegisteredPeer>& RegisteredPeers() {
  static std::map<std::string, RegisteredPeer> peers;
  return peers;
}

// MapOperations(), DurableOperations()
//
// What is measured with every map; and with what survives a kill, too.
inline std::set<Operation> MapOperations() {
  return {Operation::kFindHit, Operation::kFindBatch32,   Operation::kFindMiss,
          Operation::kMix90,   Operation::kUpdateCounter, Operation::kInsert,
          Operation::kErase};
}
inline std::set<Operation> DurableOperations() {
  std::set<Operation> operations = MapOperations();
  operations.insert(Operation::kPutAcked);
  return operations;
}

// AddPeer()
//
// Adds a map, for both kinds of rows. Always true.
template <template <typename Row> typename P>
bool AddPeer(const std::string& name,
             const std::set<Operation>& operations = MapOperations()) {
  RegisteredPeers()[name] = {
      .is_concurrent = P<WordRow>::kConcurrent,
      .operations = operations,
      .make = {{WordRow::kName, MakeOperation<P<WordRow>>},
               {StringRow::kName, MakeOperation<P<StringRow>>}}};
  return true;
}

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PEER_REGISTRY_H_
