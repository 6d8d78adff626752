// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: report_plots.h
// -----------------------------------------------------------------------------
//
// The pictures of the report.
//
//   for (const Picture& picture : DrawPictures(report)) {
//     WriteFile(picture.name + ".svg", picture.svg);
//   }
//
// Thread safety: ordinary values.

#ifndef BENCHMARKS_REPORT_PLOTS_H_
#define BENCHMARKS_REPORT_PLOTS_H_

#include <string>
#include <vector>

#include "benchmarks/report_data.h"

namespace ets_keeper::benchmarks {

// Picture
struct Picture {
  std::string name = "";  // of its file, without folder and ".svg"
  std::string alt = "";   // what is seen, in a sentence
  std::string svg = "";
};

// DrawPictures()
//
// Those that there are figures for.
[[nodiscard]] std::vector<Picture> DrawPictures(const Report& report);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_REPORT_PLOTS_H_
