// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: runfile.h
// -----------------------------------------------------------------------------
//
// Where a file is that Bazel has put beside this program (`data` of its rule):
//
//   absl::StatusOr<std::string> keeper = RunfilePath("protets/keeper");
//
// It is found under `bazel run`, under `bazel test`, and when the program is
// started from bazel-bin.
//
// Thread safety: none is needed.

#ifndef BENCHMARKS_RUNFILE_H_
#define BENCHMARKS_RUNFILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {

// RunfilePath()
//
// An absolute path. `path` begins at the root of this repository. NotFound: it
// is no data of this program.
[[nodiscard]] absl::StatusOr<std::string> RunfilePath(absl::string_view path);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_RUNFILE_H_
