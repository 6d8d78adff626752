// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: report_machine.h
// -----------------------------------------------------------------------------
//
// Where figures come from: the machine, the system, the compiler.
//
//   for (const auto& [what, is] : MachineFacts()) Print(what, is);
//
// Thread safety: none is needed.

#ifndef BENCHMARKS_REPORT_MACHINE_H_
#define BENCHMARKS_REPORT_MACHINE_H_

#include <string>
#include <utility>
#include <vector>

namespace ets_keeper::benchmarks {

// Facts
//
// What, and what it is; in the order in which they are shown.
using Facts = std::vector<std::pair<std::string, std::string>>;

// MachineFacts()
//
// Of this machine and this program. What the system does not say is "unknown".
[[nodiscard]] Facts MachineFacts();

// IsOptimized()
//
// Whether this program is, as one that is measured has to be.
[[nodiscard]] bool IsOptimized();

// BytesText()
//
// "48 KiB", "1 MiB", "23.4 GiB".
[[nodiscard]] std::string BytesText(double bytes);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_REPORT_MACHINE_H_
