// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: limits_memory.h
// -----------------------------------------------------------------------------
//
// What the limits of the machine are measured with: memory of cache lines, and
// the two ways to walk through it.
//
//   Lines lines(64 << 20, PageSize::kHuge);
//   MakeChase(lines.span(), 7);
//   const Line* at = Chase(lines.span().data(), 1000);   // 1000 misses in turn
//
// Thread safety: several threads may read the lines once they are made.

#ifndef BENCHMARKS_LIMITS_MEMORY_H_
#define BENCHMARKS_LIMITS_MEMORY_H_

#include <cstdint>

#include "absl/types/span.h"

namespace ets_keeper::benchmarks {

// Line
//
// A cache line: of what hardware moves, the smallest piece.
struct alignas(64) Line {
  const Line* next = nullptr;
  uint64_t words[7] = {};
};

// PageSize
//
// `kHuge` is a wish: transparent huge pages, where the system allows them.
enum class PageSize { kSmall, kHuge };

// Lines
//
// Memory of its own, zeroed and present: no page fault is left for whoever
// measures. Ends the program if there is none.
class Lines {
 public:
  // As many whole lines as fit into `bytes`, at least one.
  Lines(uint64_t bytes, PageSize page_size);
  ~Lines();

  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  [[nodiscard]] absl::Span<Line> span() const { return lines_; }

 private:
  void* mapping_ = nullptr;
  uint64_t mapped_bytes_ = 0;
  absl::Span<Line> lines_;
};

// MakeChase()
//
// Links the lines to one cycle through all of them, in random order: whoever
// follows it waits for each line before the address of the next is known.
// (Sattolo's algorithm, 1986.)
void MakeChase(absl::Span<Line> lines, uint64_t seed);

// Chase()
//
// The line that is `steps` after `from`.
[[nodiscard]] inline const Line* Chase(const Line* from, uint64_t steps) {
  for (; steps > 0; --steps) from = from->next;
  return from;
}

// ReadRandom()
//
// Reads a word of `count` lines, each chosen at random and without waiting for
// the one before. `random` goes on. Returns the sum.
[[nodiscard]] uint64_t ReadRandom(absl::Span<const Line> lines, uint64_t count,
                                  uint64_t& random);

// ReadRandomPrefetched()
//
// The same, but of every 32 lines each is prefetched before the first is read.
// `count` is a multiple of 32.
[[nodiscard]] uint64_t ReadRandomPrefetched(absl::Span<const Line> lines,
                                            uint64_t count, uint64_t& random);

inline constexpr uint64_t kPrefetched = 32;

// CacheBytes()
//
// The size of the data cache of that level, 1 to 3; a usual one if the system
// does not say.
[[nodiscard]] uint64_t CacheBytes(int level);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_LIMITS_MEMORY_H_
