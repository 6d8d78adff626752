// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: not_atomic_peer.h
// -----------------------------------------------------------------------------
//
// `NotAtomicTable`: the table of table_peer.h over a copy of the core in which
// crash-atomicity is compiled out, to measure what it costs. The copy stores
// straight to the arena: there are no logs, no commit points, and no words that
// say whose locks a writer has. All else is as it is: the layout, the order of
// the stores, which readers without locks need anyway, and the lanes.
//
//   NotAtomicTable<WordRow, Memory::kPrivate> peer;
//   peer.Insert(1, 10);
//
// The copy is the same sources, compiled into the namespace
// `ets_keeper_not_atomic` (see seeded_bug.h), so it can be linked beside the
// real core and is never taken for it. A kill leaves its tables broken; its
// batches are not isolated, either.
//
// Thread safety: any number of threads may use a peer.
//
// A file that includes this has the headers of the core under the copy's name
// only, so it must not include them before, and cannot use the real one.

#ifndef BENCHMARKS_NOT_ATOMIC_PEER_H_
#define BENCHMARKS_NOT_ATOMIC_PEER_H_

// What the copy shares with all other peers has its usual name.
#include "benchmarks/peer.h"
#include "benchmarks/rows.h"

#ifdef COMMON_ARENA_SEEDED_BUG_H_
#error "the headers of the real core are included already"
#endif

namespace ets_keeper_not_atomic::benchmarks {
using namespace ets_keeper::benchmarks;  // NOLINT: rows, for table_peer.h
}  // namespace ets_keeper_not_atomic::benchmarks

#define ETS_KEEPER_SEEDED_BUG kNotCrashAtomic
#define ets_keeper ets_keeper_not_atomic
#include "benchmarks/table_peer.h"
#undef ets_keeper
#undef ETS_KEEPER_SEEDED_BUG

namespace ets_keeper::benchmarks {

using ets_keeper_not_atomic::benchmarks::Memory;

// NotAtomicTable
template <typename Row, Memory kMemory>
using NotAtomicTable =
    ets_keeper_not_atomic::benchmarks::TablePeer<Row, kMemory>;

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_NOT_ATOMIC_PEER_H_
