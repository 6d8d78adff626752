// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/peer_registry.h"
#include "benchmarks/table_peer.h"

namespace ets_keeper::benchmarks {
namespace {

template <typename Row>
using PrivateTable = TablePeer<Row, Memory::kPrivate>;
template <typename Row>
using Private4kTable = TablePeer<Row, Memory::kPrivate4k>;
template <typename Row>
using MemfdTable = TablePeer<Row, Memory::kMemfd>;
template <typename Row>
using Memfd4kTable = TablePeer<Row, Memory::kMemfd4k>;

const bool kAdded[] = {
    AddPeer<PrivateTable>("table_private", DurableOperations()),
    AddPeer<Private4kTable>("table_private_4k", DurableOperations()),
    AddPeer<MemfdTable>("table_memfd", DurableOperations()),
    AddPeer<Memfd4kTable>("table_memfd_4k", DurableOperations())};

}  // namespace
}  // namespace ets_keeper::benchmarks
