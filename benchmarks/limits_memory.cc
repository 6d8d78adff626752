// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/limits_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <new>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr uint64_t kHugePage = uint64_t{2} << 20;

// A number below `limit`. Cheap enough not to be what is measured: of a linear
// congruential generator the high bits are random.
uint64_t RandomBelow(uint64_t limit, uint64_t& random) {
  random = random * 6364136223846793005 + 1442695040888963407;
  return static_cast<uint64_t>(
      (static_cast<unsigned __int128>(random) * limit) >> 64);
}

const Line& RandomLine(absl::Span<const Line> lines, uint64_t& random) {
  return lines[RandomBelow(lines.size(), random)];
}

// The first word of a file; empty if there is none.
std::string WordIn(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

}  // namespace

Lines::Lines(uint64_t bytes, PageSize page_size) {
  const uint64_t count = std::max<uint64_t>(bytes / sizeof(Line), 1);
  mapped_bytes_ = count * sizeof(Line) + kHugePage;
  mapping_ = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mapping_ != MAP_FAILED) << "no memory for " << bytes << " bytes";
  // Advice: not to follow it is no error.
  madvise(mapping_, mapped_bytes_,
          page_size == PageSize::kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  const uint64_t begin = reinterpret_cast<uint64_t>(mapping_);
  const uint64_t aligned = (begin + kHugePage - 1) / kHugePage * kHugePage;
  Line* const first = reinterpret_cast<Line*>(aligned);
  for (uint64_t i = 0; i < count; ++i) new (first + i) Line();
  lines_ = absl::MakeSpan(first, count);
}

Lines::~Lines() { munmap(mapping_, mapped_bytes_); }

void MakeChase(absl::Span<Line> lines, uint64_t seed) {
  for (Line& line : lines) line.next = &line;
  for (uint64_t i = lines.size() - 1; i > 0; --i) {
    std::swap(lines[i].next, lines[RandomBelow(i, seed)].next);
  }
}

uint64_t ReadRandom(absl::Span<const Line> lines, uint64_t count,
                    uint64_t& random) {
  uint64_t sum = 0;
  for (; count > 0; --count) sum += RandomLine(lines, random).words[0];
  return sum;
}

uint64_t ReadRandomPrefetched(absl::Span<const Line> lines, uint64_t count,
                              uint64_t& random) {
  std::array<const Line*, kPrefetched> batch;
  uint64_t sum = 0;
  for (; count > 0; count -= kPrefetched) {
    for (const Line*& line : batch) {
      line = &RandomLine(lines, random);
      __builtin_prefetch(line);
    }
    for (const Line* line : batch) sum += line->words[0];
  }
  return sum;
}

uint64_t CacheBytes(int level) {
  constexpr uint64_t kUsual[] = {uint64_t{32} << 10, uint64_t{512} << 10,
                                 uint64_t{16} << 20};
  CHECK(level >= 1 && level <= 3) << level;
  // Not sysconf(3), which on a virtual machine may tell of the whole host's.
  for (int index = 0; index < 8; ++index) {
    const std::string folder =
        absl::StrCat("/sys/devices/system/cpu/cpu0/cache/index", index);
    if (WordIn(folder + "/level") != absl::StrCat(level) ||
        WordIn(folder + "/type") == "Instruction") {
      continue;
    }
    // Such as "1024K".
    const std::string size = WordIn(folder + "/size");
    uint64_t kilobytes = 0;
    if (absl::SimpleAtoi(absl::StripSuffix(size, "K"), &kilobytes)) {
      return kilobytes << 10;
    }
  }
  return kUsual[level - 1];
}

}  // namespace ets_keeper::benchmarks
