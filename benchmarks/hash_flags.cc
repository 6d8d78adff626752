// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hash_flags.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr uint64_t kMaxSize = 1'000'000'000;
constexpr int kMaxThreads = 1'024;

absl::Status Wrong(absl::string_view flag, absl::string_view value,
                   absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--", flag, ": \"", value, "\" is not allowed; allowed: ", allowed));
}

template <typename Number>
absl::Status ParseNumbers(absl::string_view flag, absl::string_view values,
                          Number max, std::vector<Number>& into) {
  for (const absl::string_view value : absl::StrSplit(values, ',')) {
    Number number = 0;
    if (!absl::SimpleAtoi(value, &number) || number < 1 || number > max) {
      return Wrong(flag, value, absl::StrCat("numbers from 1 to ", max));
    }
    into.push_back(number);
  }
  return absl::OkStatus();
}

absl::Status ParseNames(absl::string_view flag, absl::string_view values,
                        const std::vector<std::string>& known,
                        std::vector<std::string>& into) {
  for (const absl::string_view value : absl::StrSplit(values, ',')) {
    if (std::find(known.begin(), known.end(), value) == known.end()) {
      return Wrong(flag, value, absl::StrJoin(known, ", "));
    }
    into.emplace_back(value);
  }
  return absl::OkStatus();
}

absl::Status CheckBuiltIn(const std::vector<std::string>& peers) {
  for (const MissingPeer& missing : MissingPeers()) {
    if (std::find(peers.begin(), peers.end(), missing.peer) != peers.end()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "--peers: ", missing.peer, " is not built in: ", missing.how));
    }
  }
  return absl::OkStatus();
}

absl::Status ParseFlag(absl::string_view flag, absl::string_view values,
                       HashBenchmarkOptions& options) {
  if (flag == "sizes") {
    return ParseNumbers(flag, values, kMaxSize, options.sizes);
  }
  if (flag == "threads") {
    return ParseNumbers(flag, values, kMaxThreads, options.threads);
  }
  if (flag == "ops") return ParseNames(flag, values, KnownOps(), options.ops);
  if (flag == "rows") {
    return ParseNames(flag, values, KnownRows(), options.rows);
  }
  if (flag == "distributions") {
    return ParseNames(flag, values, KnownDistributions(),
                      options.distributions);
  }
  if (flag == "peers") {
    return ParseNames(flag, values, KnownPeers(), options.peers);
  }
  if (absl::StartsWith(flag, "benchmark_")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", flag, "=", values, " is not understood: see --help"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--", flag, " is no flag; allowed: --sizes, --threads, --ops, --rows, ",
      "--distributions, --peers and --benchmark_...: see --help"));
}

}  // namespace

absl::StatusOr<HashBenchmarkOptions> ParseHashFlags(
    absl::Span<const std::string> flags) {
  HashBenchmarkOptions options;
  for (const std::string& text : flags) {
    absl::string_view flag = text;
    while (!flag.empty() && flag[0] == '-') flag.remove_prefix(1);
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(flag, absl::MaxSplits('=', 1));
    if (flag.size() + 2 != text.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", text, "\" is no flag: see --help"));
    }
    if (absl::Status s = ParseFlag(parts.first, parts.second, options);
        !s.ok()) {
      return s;
    }
  }
  if (absl::Status s = CheckBuiltIn(options.peers); !s.ok()) return s;
  return options;
}

std::string HashFlagsHelp() {
  return absl::StrCat(
      "Lists, separated by commas; what is not given means all:\n",
      "  --sizes=N,...          numbers of rows\n",
      "  --threads=N,...        numbers of threads\n",
      "  --ops=...              ", absl::StrJoin(KnownOps(), ","), "\n",
      "  --rows=...             ", absl::StrJoin(KnownRows(), ","), "\n",
      "  --distributions=...    ", absl::StrJoin(KnownDistributions(), ","),
      "\n", "  --peers=...            ", absl::StrJoin(KnownPeers(), ","),
      "\n");
}

}  // namespace ets_keeper::benchmarks
