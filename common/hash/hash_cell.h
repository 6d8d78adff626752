// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_cell.h
// -----------------------------------------------------------------------------
//
// The bits of the two words that a cell of the hash core has for itself (see
// hash_layout.h for what they mean and when they change).
//
//   head    0 lock | 2..15 live, bit i: an item begins at word i of the cell
//           16..21 level | 22..63 version
//   chain   0..39 link: offset of the first overflow cell / 64, 0 = none
//           40..63 filter: bit FilterBit(hash) is set for every key in the
//           chain, and for some that were there; 0 if there is no chain
//
// Level L is 0 for a bucket that does not exist; else it answers for the hashes
// whose low L - 1 bits are its number.
//
// Thread safety: pure functions of words.

#ifndef COMMON_HASH_HASH_CELL_H_
#define COMMON_HASH_HASH_CELL_H_

#include <bit>
#include <cstdint>

#include "absl/base/attributes.h"
#include "common/arena/word.h"

namespace ets_keeper {

inline constexpr uint64_t kLockBit = 1;
inline constexpr uint64_t kLiveBits = 0xfffc;
inline constexpr int kLevelShift = 16;
inline constexpr uint64_t kLevelBits = uint64_t{0x3f} << kLevelShift;
inline constexpr uint64_t kVersionOne = uint64_t{1} << 22;
inline constexpr uint64_t kVersionBits = ~(kVersionOne - 1);

[[nodiscard]] inline bool IsLocked(uint64_t head) {
  return (head & kLockBit) != 0;
}
[[nodiscard]] inline uint64_t LiveOf(uint64_t head) { return head & kLiveBits; }
// The word of a cell at which the first of some items, or of places for them,
// begins: the lowest bit of live bits, or of such of places; there is one.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t FirstItem(
    uint64_t items) {
#ifdef ETS_KEEPER_X86_64
  // Compilers clear the register before and extend its sign after.
  uint64_t word;
  asm("tzcntq %[items], %[word]"
      : [word] "=r"(word)
      : [items] "r"(items)
      : "cc");
  return word;
#else
  return static_cast<uint32_t>(std::countr_zero(items));
#endif
}
[[nodiscard]] inline uint64_t LevelOf(uint64_t head) {
  return (head & kLevelBits) >> kLevelShift;
}
// The hash bits for which a bucket of that level, not 0, answers.
[[nodiscard]] inline uint64_t LevelMask(uint64_t level) {
  return (uint64_t{1} << (level - 1)) - 1;
}
// Whether the bucket with that head and number answers for the hash.
[[nodiscard]] inline bool AnswersFor(uint64_t head, uint64_t number,
                                     uint64_t hash) {
  // Of the bits that differ none is among the low ones: without those above
  // nothing is left.
  const auto above = -static_cast<int>(head >> kLevelShift) & 63;  // 64 - level
  return (head & kLevelBits) != 0 && (hash ^ number) << 1 << above == 0;
}
// The head with other live bits and the next version.
[[nodiscard]] inline uint64_t WithLive(uint64_t head, uint64_t live) {
  return ((head & ~kLiveBits) | live) + kVersionOne;
}
// The same with some live bits changed.
[[nodiscard]] inline uint64_t WithFlipped(uint64_t head, uint64_t live) {
  return (head ^ live) + kVersionOne;
}
[[nodiscard]] inline uint64_t WithLevel(uint64_t head, uint64_t level) {
  return (head & ~kLevelBits) | level << kLevelShift;
}
[[nodiscard]] inline bool SameButForLock(uint64_t head, uint64_t other) {
  return ((head ^ other) & ~kLockBit) == 0;
}

inline constexpr uint64_t kLinkBits = (uint64_t{1} << 40) - 1;

[[nodiscard]] inline uint64_t LinkOf(uint64_t chain) {
  return (chain & kLinkBits) * 64;
}
[[nodiscard]] inline uint64_t FilterOf(uint64_t chain) {
  return chain & ~kLinkBits;
}
[[nodiscard]] inline uint64_t FilterBit(uint64_t hash) {
  return uint64_t{1} << (40 + ((hash >> 56) * 24 >> 8));
}
[[nodiscard]] inline uint64_t MakeChain(uint64_t link, uint64_t filter) {
  return link == 0 ? 0 : link / 64 | filter;
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_CELL_H_
