// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_machine.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "benchmarks/limits_memory.h"
#include "benchmarks/machine.h"
#include "benchmarks/plot.h"

namespace ets_keeper::benchmarks {
namespace {

std::string Caches() {
  const auto size = [](int level) {
    return BytesText(static_cast<double>(CacheBytes(level)));
  };
  return absl::StrCat("L1 ", size(1), " (data), L2 ", size(2), ", L3 ",
                      size(3));
}

std::string Memory() {
  return BytesText(static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                   static_cast<double>(sysconf(_SC_PAGESIZE)));
}

std::string Build() {
  std::string build = IsOptimized() ? "optimized, no assertions"
                                    : "NOT OPTIMIZED: the figures mean nothing";
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  absl::StrAppend(&build, "; WITH A SANITIZER");
#endif
  return build;
}

}  // namespace

Facts MachineFacts() {
  return {
      {"machine", DescribeMachine()},
      {"caches", Caches()},
      {"memory", Memory()},
      {"build", Build()},
  };
}

bool IsOptimized() {
#if defined(__OPTIMIZE__) && defined(NDEBUG)
  return true;
#else
  return false;
#endif
}

std::string BytesText(double bytes) {
  for (const char* unit : {" B", " KiB", " MiB"}) {
    if (bytes < 1024) return absl::StrCat(Rounded(bytes), unit);
    bytes /= 1024;
  }
  return absl::StrCat(Rounded(bytes), " GiB");
}

}  // namespace ets_keeper::benchmarks
