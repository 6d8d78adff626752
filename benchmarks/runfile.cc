// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/runfile.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {

absl::StatusOr<std::string> RunfilePath(absl::string_view path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path runfiles = self.string() + ".runfiles";
  // Bazel calls this repository by its name, or "_main" as a module. It starts
  // programs in that folder.
  const std::vector<fs::path> folders = {
      runfiles / "ets_keeper", runfiles / "_main", fs::current_path(error)};
  for (const fs::path& folder : folders) {
    const fs::path file = folder / std::string(path);
    if (fs::exists(file, error)) return fs::absolute(file, error).string();
  }
  return absl::NotFoundError(
      absl::StrCat(std::string(path), " is not beside ", self.string()));
}

}  // namespace ets_keeper::benchmarks
