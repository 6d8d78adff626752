// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Counts the words of a text into a table that is kept, while the counter is
// being killed, and shows that nothing is lost and nothing counted twice.
//
//   wordcount [--input=FILE] [--kills=N] [--keeper=PATH|embedded]
//             [--output=FILE] [--seed=N]
//
// It starts a counting process, sends it SIGKILL at N random moments, and
// starts it again; each new one gets the table from the keeper and goes on. At
// the end it counts the text once more without all this, and compares.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/unique_fd/unique_fd.h"
#include "examples/input_file.h"
#include "examples/wordcount_counter.h"
#include "examples/wordcount_run.h"
#include "protets/keeper_process.h"

ABSL_FLAG(std::string, input, "",
          "the text to count; default: /var/lib/dpkg/status where there is "
          "one, else the README");
ABSL_FLAG(int, kills, 20, "how often to kill the counter");
ABSL_FLAG(std::string, keeper, "",
          "the socket of a keeper; or \"embedded\", to keep the table in this "
          "process, and make the counter throw instead of killing it; default: "
          "start a keeper");
ABSL_FLAG(std::string, output, "",
          "where to write the counts: COUNT<TAB>WORD, highest count first");
ABSL_FLAG(uint64_t, seed, 0,
          "of the moments of the kills; 0: another one each time");

namespace ets_keeper::examples {
namespace {

constexpr char kEmbedded[] = "embedded";
constexpr int kStopped = 130;  // what a shell makes of SIGINT

// `bazel run` runs programs in a folder of its own.
std::string FromCallersFolder(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || path.empty()) return path;
  return (std::filesystem::path(folder) / path).string();
}

std::string InputPath() {
  const std::string path = absl::GetFlag(FLAGS_input);
  if (!path.empty()) return FromCallersFolder(path);
  constexpr char kUsualText[] = "/var/lib/dpkg/status";
  if (access(kUsualText, R_OK) == 0) return kUsualText;
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  return root == nullptr ? "README.md" : absl::StrCat(root, "/README.md");
}

absl::Status CheckFlags() {
  if (absl::GetFlag(FLAGS_kills) < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--kills=", absl::GetFlag(FLAGS_kills), " is not 0 or more"));
  }
  std::error_code ignored;
  const std::string output = FromCallersFolder(absl::GetFlag(FLAGS_output));
  if (!output.empty() &&
      std::filesystem::equivalent(InputPath(), output, ignored)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--output=", output, " is the input"));
  }
  return absl::OkStatus();
}

// Beside this program's folder, as built; through runfiles or not.
std::string KeeperBinary(const char* argv0) {
  std::error_code ignored;
  for (const std::filesystem::path& self :
       {std::filesystem::path(argv0),
        std::filesystem::read_symlink("/proc/self/exe", ignored)}) {
    const std::filesystem::path keeper =
        self.parent_path() / ".." / "protets" / "keeper";
    if (access(keeper.c_str(), X_OK) == 0) return keeper.string();
  }
  return "protets/keeper";
}

// A keeper whose log, which tells of every kill, does not go to our stderr.
absl::StatusOr<protets::KeeperProcess> StartQuietKeeper(const char* argv0) {
  const UniqueFd ours(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (ours && null) dup2(null.get(), STDERR_FILENO);
  absl::StatusOr<protets::KeeperProcess> keeper =
      protets::KeeperProcess::Start({.binary = KeeperBinary(argv0)});
  if (ours && null) dup2(ours.get(), STDERR_FILENO);
  return keeper;
}

// A line that shows how far counting has come, on a terminal.
class ProgressBar {
 public:
  explicit ProgressBar(uint64_t total)
      : total_(total), shown_(isatty(STDERR_FILENO) == 1) {}
  ~ProgressBar() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(uint64_t position, int kills) {
    if (!shown_) return;
    const int percent =
        total_ == 0 ? 100 : static_cast<int>(100.0 * position / total_);
    if (percent == percent_ && kills == kills_) return;
    percent_ = percent;
    kills_ = kills;
    const int filled = percent * kWidth / 100;
    absl::FPrintF(stderr, "\r[%s%s] %3d%%  %d kills", std::string(filled, '#'),
                  std::string(kWidth - filled, '.'), percent, kills);
    std::fflush(stderr);
  }

 private:
  static constexpr int kWidth = 50;

  const uint64_t total_;
  const bool shown_;
  int percent_ = -1;
  int kills_ = -1;
};

absl::StatusOr<RunResult> Count(const InputFile& input, uint64_t seed,
                                const char* argv0) {
  RunOptions options{.kills = absl::GetFlag(FLAGS_kills),
                     .seed = seed,
                     .keeper = absl::GetFlag(FLAGS_keeper)};
  ProgressBar bar(input.size());
  const auto show = [&](uint64_t position, int kills) {
    bar.Show(position, kills);
  };
  if (options.keeper == kEmbedded) {
    return CountWhileThrowing(input, options, show);
  }
  if (!options.keeper.empty()) {
    options.keeper = FromCallersFolder(options.keeper);
    return CountWhileKilled(input, options, show);
  }
  const absl::StatusOr<protets::KeeperProcess> keeper = StartQuietKeeper(argv0);
  if (!keeper.ok()) return keeper.status();
  options.keeper = keeper->socket();
  return CountWhileKilled(input, options, show);
}

// How many more there are in `a` than in `b`.
int64_t Excess(const Tally& a, const Tally& b) {
  int64_t excess = 0;
  for (const auto& [word, count] : a) {
    const auto it = b.find(word);
    excess += std::max<int64_t>(count - (it == b.end() ? 0 : it->second), 0);
  }
  return excess;
}

std::string HandOvers(std::vector<absl::Duration> times) {
  if (times.empty()) return "none";
  std::sort(times.begin(), times.end());
  const auto ms = [](absl::Duration time) {
    return absl::ToDoubleMilliseconds(time);
  };
  return absl::StrFormat("min %.3f ms, median %.3f ms, max %.3f ms",
                         ms(times.front()), ms(times[times.size() / 2]),
                         ms(times.back()));
}

absl::Status WriteTally(const Tally& tally, const std::string& path) {
  std::vector<std::pair<int64_t, absl::string_view>> lines;
  for (const auto& [word, count] : tally) lines.emplace_back(-count, word);
  std::sort(lines.begin(), lines.end());
  std::FILE* file = std::fopen(path.c_str(), "we");
  bool good = file != nullptr;
  for (const auto& [minus_count, word] : lines) {
    good = good && absl::FPrintF(file, "%d\t%s\n", -minus_count, word) >= 0;
  }
  good = good && std::fflush(file) == 0;
  const int error = errno;
  if (file != nullptr) good = std::fclose(file) == 0 && good;
  if (good) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path, ": ", std::strerror(error)));
}

absl::Status Run(const char* argv0) {
  if (absl::Status s = CheckFlags(); !s.ok()) return s;
  const std::string path = InputPath();
  const absl::StatusOr<InputFile> input = InputFile::Open(path);
  if (!input.ok()) return input.status();
  uint64_t seed = absl::GetFlag(FLAGS_seed);
  if (seed == 0) seed = std::random_device()();
  const absl::StatusOr<RunResult> result = Count(*input, seed, argv0);
  if (!result.ok()) return result.status();
  const absl::StatusOr<Tally> plain = CountPlainly(*input);
  if (!plain.ok()) return plain.status();
  const std::string output = FromCallersFolder(absl::GetFlag(FLAGS_output));
  if (!output.empty()) {
    if (absl::Status s = WriteTally(result->tally, output); !s.ok()) return s;
  }
  int64_t words = 0;
  for (const auto& [word, count] : result->tally) words += count;
  const int64_t lost = Excess(*plain, result->tally);
  const int64_t twice = Excess(result->tally, *plain);
  const bool thrown = absl::GetFlag(FLAGS_keeper) == kEmbedded;
  absl::PrintF("input      %s\n", path);
  absl::PrintF("words      %d\n", words);
  absl::PrintF("distinct   %d\n", result->tally.size());
  absl::PrintF("kills      %d (%s, seed %d)\n", result->kills,
               thrown ? "exceptions" : "SIGKILL", seed);
  absl::PrintF("hand-over  %s\n", HandOvers(result->hand_overs));
  absl::PrintF("lost %d, double %d\n", lost, twice);
  if (std::fflush(stdout) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot write the result: ", std::strerror(errno)));
  }
  if (lost != 0 || twice != 0) {
    return absl::DataLossError("the counts are wrong");
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace ets_keeper::examples

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "counts the words of a text while the counter is being killed");
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  absl::Status status = words.size() > 1
                            ? absl::InvalidArgumentError(absl::StrCat(
                                  "'", words[1], "' is no flag; see --help"))
                            : ets_keeper::examples::Run(argv[0]);
  if (status.ok()) return 0;
  if (absl::IsCancelled(status)) return ets_keeper::examples::kStopped;
  absl::FPrintF(stderr, "wordcount: %s\n", status.message());
  return 1;
}
