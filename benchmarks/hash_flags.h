// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_flags.h
// -----------------------------------------------------------------------------
//
// The flags of hash_core_benchmark beside those of Google Benchmark: lists,
// separated by commas, of what is wanted. Those that are not given mean all.
//
//   --sizes=1000,100000 --threads=1 --ops=find_hit,insert --rows=u64
//   --distributions=uniform --peers=table_private,boost_flat
//
// Thread safety: pure functions.

#ifndef BENCHMARKS_HASH_FLAGS_H_
#define BENCHMARKS_HASH_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "benchmarks/hash_benchmarks.h"

namespace ets_keeper::benchmarks {

// ParseHashFlags()
//
// An error is one line that names the flag, the value and what is allowed; also
// a peer that is known but not built in is one.
[[nodiscard]] absl::StatusOr<HashBenchmarkOptions> ParseHashFlags(
    absl::Span<const std::string> flags);

// HashFlagsHelp()
//
// A few lines that name the flags and their values.
[[nodiscard]] std::string HashFlagsHelp();

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_HASH_FLAGS_H_
