// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/machine.h"

#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace ets_keeper::benchmarks {
namespace {

std::string Processor() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || line.rfind("model name", 0) != 0) {
      continue;
    }
    return std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return "unknown processor";
}

std::string Kernel() {
  struct utsname name;
  if (uname(&name) != 0) return "unknown kernel";
  return absl::StrCat(name.sysname, " ", name.release);
}

std::string Compiler() {
#if defined(__clang__)
  return absl::StrCat("clang++ ", __clang_version__);
#elif defined(__GNUC__)
  return absl::StrCat("g++ ", __VERSION__);
#else
  return "unknown compiler";
#endif
}

// What the compiler was allowed to use of those that matter here.
std::string InstructionSets() {
#if defined(__AVX512F__)
  return "AVX-512";
#elif defined(__AVX2__)
  return "AVX2";
#elif defined(__x86_64__)
  return "x86-64 without AVX2";
#elif defined(__aarch64__)
  return "AArch64";
#else
  return "unknown instruction set";
#endif
}

// The word in brackets of a file like "always [madvise] never".
std::string Chosen(const char* file) {
  std::ifstream stream(file);
  std::string word;
  while (stream >> word) {
    absl::string_view chosen = word;
    if (absl::ConsumePrefix(&chosen, "[") &&
        absl::ConsumeSuffix(&chosen, "]")) {
      return std::string(chosen);
    }
  }
  return "unknown";
}

}  // namespace

std::string DescribeMachine() {
  const char* tunables = std::getenv("GLIBC_TUNABLES");
  return absl::StrCat(
      Processor(), ", ", std::thread::hardware_concurrency(), " CPUs; ",
      Kernel(), "; ", Compiler(), ", -c ", BENCHMARKS_COMPILATION_MODE, ", ",
      InstructionSets(), "; huge pages: private memory ",
      Chosen("/sys/kernel/mm/transparent_hugepage/enabled"), ", shared ",
      Chosen("/sys/kernel/mm/transparent_hugepage/shmem_enabled"), ", malloc ",
      tunables == nullptr ? "default" : tunables);
}

}  // namespace ets_keeper::benchmarks
