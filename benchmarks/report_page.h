// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: report_page.h
// -----------------------------------------------------------------------------
//
// The report in words: a page of Markdown, and a table for a terminal.
//
//   std::string page = WritePage(report, pictures);
//
// Why a figure is what it is is not found out here: people write that into
// docs/benchmarks_notes.md, which the page refers to.
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_REPORT_PAGE_H_
#define BENCHMARKS_REPORT_PAGE_H_

#include <string>
#include <vector>

#include "benchmarks/report_data.h"
#include "benchmarks/report_plots.h"

namespace ets_keeper::benchmarks {

// WritePage()
//
// The pictures are taken to be at benchmarks/NAME.svg, from the page.
[[nodiscard]] std::string WritePage(const Report& report,
                                    const std::vector<Picture>& pictures);

// WriteTable()
//
// The goals, their figures and verdicts in lines.
[[nodiscard]] std::string WriteTable(const Report& report);

// Rival
//
// Who was faster than a table in the same group.
struct Rival {
  RunName run = {};       // the rival's
  std::string ours = "";  // the table's peer
  double factor = 1;      // the table's median by the rival's
  bool is_clear = false;  // even the rival's slowest repetition was faster
};

// RivalsThatWin()
//
// All of them, the clearest wins first.
[[nodiscard]] std::vector<Rival> RivalsThatWin(const Figures& figures);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_REPORT_PAGE_H_
