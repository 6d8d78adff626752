// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// All memories, as in register_table.cc, so that the compiler meets the same
// code here and inlines the same: it would not if one were missing, and that
// costs or saves more than what is to be measured.

#include "benchmarks/not_atomic_peer.h"
#include "benchmarks/peer_registry.h"

namespace ets_keeper::benchmarks {
namespace {

// Not the names in register_table.cc: g++ takes instances for alias templates
// of one name for the same, though they are in two unnamed namespaces.
template <typename Row>
using NotAtomicPrivate = NotAtomicTable<Row, Memory::kPrivate>;
template <typename Row>
using NotAtomicPrivate4k = NotAtomicTable<Row, Memory::kPrivate4k>;
template <typename Row>
using NotAtomicMemfd = NotAtomicTable<Row, Memory::kMemfd>;
template <typename Row>
using NotAtomicMemfd4k = NotAtomicTable<Row, Memory::kMemfd4k>;

const bool kAdded[] = {
    AddPeer<NotAtomicPrivate>("not_atomic_private", DurableOperations()),
    AddPeer<NotAtomicPrivate4k>("not_atomic_private_4k", DurableOperations()),
    AddPeer<NotAtomicMemfd>("not_atomic_memfd", DurableOperations()),
    AddPeer<NotAtomicMemfd4k>("not_atomic_memfd_4k", DurableOperations())};

}  // namespace
}  // namespace ets_keeper::benchmarks
