// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: pages_testing.h
// -----------------------------------------------------------------------------
//
// What the kernel says of the memory of this process.

#ifndef COMMON_ARENA_PAGES_TESTING_H_
#define COMMON_ARENA_PAGES_TESTING_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace ets_keeper {

// What the kernel says under that name of the mapping that `address` is in.
inline std::string OfMapping(const char* address, absl::string_view name) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    uint64_t begin = 0, end = 0;
    absl::string_view rest = line;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = begin <= wanted && wanted < end;
    } else if (inside && absl::ConsumePrefix(&rest, name) &&
               absl::ConsumePrefix(&rest, ":")) {
      return std::string(rest);
    }
  }
  return "";
}

// Whether it has noted `flag` for that mapping.
inline bool HasFlag(const char* address, absl::string_view flag) {
  return absl::StrContains(OfMapping(address, "VmFlags"),
                           absl::StrCat(" ", flag));
}

// How many bytes of that mapping, one of a memfd, lie in huge pages.
inline uint64_t HugeBytes(const char* address) {
  return std::strtoull(OfMapping(address, "ShmemPmdMapped").c_str(), nullptr,
                       10)
         << 10;
}

// How the machine is set to give memfds huge pages: never, deny, advise, ...;
// empty if it does not know of that.
inline std::string HugePagesOfFiles() {
  std::ifstream setting("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
  std::string text;
  std::getline(setting, text);
  const size_t begin = text.find('[') + 1;
  return text.substr(begin, text.find(']') - begin);
}

// Whether memfds get larger pages than were asked for, so that what is next to
// an allocated page may be there as well.
inline bool FilesGetMoreThanAsked() {
  const std::string setting = HugePagesOfFiles();
  return setting == "always" || setting == "within_size" || setting == "force";
}

// Whether there is a page at `address`, which begins one.
inline bool IsResident(const char* address) {
  unsigned char page = 0;
  CHECK_EQ(mincore(const_cast<char*>(address), 4096, &page), 0);
  return (page & 1) != 0;
}

}  // namespace ets_keeper

#endif  // COMMON_ARENA_PAGES_TESTING_H_
