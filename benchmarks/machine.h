// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: machine.h
// -----------------------------------------------------------------------------
//
// What a figure depends on beside the code: without it nobody can say what a
// figure means.
//
//   std::cout << DescribeMachine() << "\n";
//   // AMD EPYC 9R14, 2 CPUs; Linux 6.1; g++ 12.2.0, -c opt, AVX-512; ...
//
// Thread safety: pure functions.

#ifndef BENCHMARKS_MACHINE_H_
#define BENCHMARKS_MACHINE_H_

#include <string>

namespace ets_keeper::benchmarks {

// DescribeMachine()
//
// One line: processor and kernel; compiler, compilation mode and instruction
// sets; huge pages of private and of shared memory, and what malloc() is told.
[[nodiscard]] std::string DescribeMachine();

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_MACHINE_H_
