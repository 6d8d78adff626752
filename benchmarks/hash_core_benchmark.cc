// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// What does an operation of a table cost, beside maps that survive nothing?
//
//   ./bazelw run --config=opt //benchmarks:hash_core_benchmark --
//       --ops=find_hit,insert --sizes=100000
//
// With the flags of hash_flags.h, and those of Google Benchmark. If they are
// not given, benchmarks are repeated five times, in random order, and the
// medians and how far the repetitions spread are printed. All of them take more
// than an hour and 16 GiB. GLIBC_TUNABLES=glibc.malloc.hugetlb=1 gives the
// peers huge pages.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "benchmarks/hash_benchmarks.h"
#include "benchmarks/hash_flags.h"
#include "benchmarks/machine.h"

namespace ets_keeper::benchmarks {
namespace {

// The caller's come later, and the last one counts.
constexpr const char* kDefaults[] = {
    "--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true",
    "--benchmark_report_aggregates_only=true", "--benchmark_min_time=0.1"};

void PrintHelp() {
  std::printf("%s", HashFlagsHelp().c_str());
  std::printf("and the flags of Google Benchmark, among them\n");
  for (const char* flag : kDefaults) std::printf("  %s (default)\n", flag);
}

// Takes what Google Benchmark knows out of the arguments; the rest is returned.
std::vector<std::string> Initialize(int argc, char** argv) {
  std::vector<char*> args = {argv[0]};
  for (const char* flag : kDefaults) args.push_back(const_cast<char*>(flag));
  args.insert(args.end(), argv + 1, argv + argc);
  int count = static_cast<int>(args.size());
  args.push_back(nullptr);
  benchmark::Initialize(&count, args.data());
  return std::vector<std::string>(args.begin() + 1, args.begin() + count);
}

int Main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) != "--help") continue;
    PrintHelp();
    return 0;
  }
  const absl::StatusOr<HashBenchmarkOptions> options =
      ParseHashFlags(Initialize(argc, argv));
  if (!options.ok()) {
    std::fprintf(stderr, "%s\n",
                 std::string(options.status().message()).c_str());
    return 1;
  }
  benchmark::AddCustomContext("machine", DescribeMachine());
  for (const MissingPeer& missing : MissingPeers()) {
    benchmark::AddCustomContext(absl::StrCat("without ", missing.peer),
                                missing.how);
  }
  RegisterHashBenchmarks(*options);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace ets_keeper::benchmarks

int main(int argc, char** argv) {
  return ets_keeper::benchmarks::Main(argc, argv);
}
