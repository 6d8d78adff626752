// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Runs all benchmarks, and says which goals are reached:
//
//   ./bazelw run -c opt //benchmarks:report [-- --quick]
//
// The full run takes about an hour and writes docs/benchmarks.md and the
// pictures in docs/benchmarks; a quick one takes three minutes and only prints,
// unless it is given an --output.

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmarks/report_data.h"
#include "benchmarks/report_machine.h"
#include "benchmarks/report_page.h"
#include "benchmarks/report_plots.h"
#include "benchmarks/report_run.h"
#include "benchmarks/report_targets.h"

ABSL_FLAG(bool, quick, false,
          "smaller tables and fewer repetitions: three minutes, and no figures "
          "to publish");
ABSL_FLAG(std::string, output, "",
          "the folder for benchmarks.md and benchmarks/*.svg; default: docs in "
          "the repository, or with --quick none");
ABSL_FLAG(std::string, only, "",
          "measures only what has this in the line that is shown, such as "
          "\"find_hit u64\"");

namespace ets_keeper::benchmarks {
namespace {

namespace fs = std::filesystem;

// Empty: nothing is written.
absl::StatusOr<std::string> OutputFolder() {
  const std::string output = absl::GetFlag(FLAGS_output);
  if (!output.empty()) {
    // `bazel run` runs programs in a folder of its own.
    const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
    return folder == nullptr ? output : (fs::path(folder) / output).string();
  }
  if (absl::GetFlag(FLAGS_quick)) return "";
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (root == nullptr) {
    return absl::InvalidArgumentError(
        "say where to write by --output=DIR, or start it by bazel run");
  }
  return absl::StrCat(root, "/docs");
}

absl::Status WriteFile(const fs::path& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  bool good = file != nullptr;
  good = good && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  good = good && std::fflush(file) == 0;
  const int error = errno;
  if (file != nullptr) good = std::fclose(file) == 0 && good;
  if (good) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path.string(), ": ", std::strerror(error)));
}

// Before anything is measured: whether the results will find a place.
absl::Status Prepare(const std::string& folder) {
  if (folder.empty()) return absl::OkStatus();
  const fs::path pictures = fs::path(folder) / "benchmarks";
  std::error_code error;
  fs::create_directories(pictures, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot make ", pictures.string(), ": ", error.message()));
  }
  for (const fs::path& place : {fs::path(folder), pictures}) {
    const fs::path trial = place / ".writable";
    if (absl::Status s = WriteFile(trial, ""); !s.ok()) return s;
    fs::remove(trial, error);
  }
  return absl::OkStatus();
}

absl::Status Write(const Report& report, const std::string& folder) {
  if (folder.empty()) return absl::OkStatus();
  const std::vector<Picture> pictures = DrawPictures(report);
  for (const Picture& picture : pictures) {
    const fs::path path =
        fs::path(folder) / "benchmarks" / absl::StrCat(picture.name, ".svg");
    if (absl::Status s = WriteFile(path, picture.svg); !s.ok()) return s;
  }
  const fs::path page = fs::path(folder) / "benchmarks.md";
  if (absl::Status s = WriteFile(page, WritePage(report, pictures)); !s.ok()) {
    return s;
  }
  absl::PrintF("written to %s\n", page.string());
  return absl::OkStatus();
}

// A line that is written over and over, on a terminal.
class Progress {
 public:
  ~Progress() { Clear(); }

  void Show(const std::string& text) {
    if (!shown_) return;
    const absl::Duration time = absl::Now() - begin_;
    Clear();
    absl::FPrintF(stderr, "%2d:%02d %s", absl::ToInt64Minutes(time),
                  absl::ToInt64Seconds(time) % 60, text);
    std::fflush(stderr);
  }

 private:
  void Clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

  const absl::Time begin_ = absl::Now();
  const bool shown_ = isatty(STDERR_FILENO) == 1;
};

std::string Command() {
  std::string command = "./bazelw run -c opt //benchmarks:report";
  const char* separator = " -- ";
  if (absl::GetFlag(FLAGS_quick)) {
    absl::StrAppend(&command, separator, "--quick");
    separator = " ";
  }
  const std::string only = absl::GetFlag(FLAGS_only);
  if (!only.empty())
    absl::StrAppend(&command, separator, "--only='", only, "'");
  return command;
}

absl::Status Run() {
  const absl::StatusOr<std::string> folder = OutputFolder();
  if (!folder.ok()) return folder.status();
  if (absl::Status s = Prepare(*folder); !s.ok()) return s;
  const bool quick = absl::GetFlag(FLAGS_quick);
  Report report = {
      .quick = quick,
      .date = absl::FormatTime("%e %B %Y", absl::Now(), absl::UTCTimeZone()),
      .command = Command(),
      .facts = MachineFacts(),
      .sizes = quick ? ReportSizes::Quick() : ReportSizes::Full()};
  report.targets = Targets(report.sizes);
  if (!IsOptimized()) {
    std::fputs("report: this build is not optimized; see -c opt\n", stderr);
  }
  {
    Progress progress;
    absl::Status s =
        Measure({.only = absl::GetFlag(FLAGS_only)}, report,
                [&](const std::string& text) { progress.Show(text); });
    if (!s.ok()) return s;
  }
  report.JudgeAll();
  std::fputs(WriteTable(report).c_str(), stdout);
  return Write(report, *folder);
}

}  // namespace
}  // namespace ets_keeper::benchmarks

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "runs all benchmarks and says which goals are reached");
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  const absl::Status status =
      words.size() > 1 ? absl::InvalidArgumentError(absl::StrCat(
                             "'", words[1], "' is no flag; see --help"))
                       : ets_keeper::benchmarks::Run();
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "report: %s\n", status.message());
  return 1;
}
