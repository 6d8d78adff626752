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
//           16..21 level as a shift | 22..63 version
//   chain   3..47 link: offset of the first overflow cell, 0 = none
//           48..63 filter: bit FilterBit(hash) is set for every key in the
//           chain, and for some that were there; 0 if there is no chain
//
// Level L is 0 for a bucket that does not exist; else it answers for the hashes
// whose low L - 1 bits are its number. What stands there is how far a hash that
// is turned (kHashTurn) has to be shifted for the other bits to fall out, so
// that a lookup need not make it of the level; 0 for level 0.
//
// Thread safety: pure functions of words.

#ifndef COMMON_HASH_HASH_CELL_H_
#define COMMON_HASH_HASH_CELL_H_

#include <bit>
#include <cstdint>

#include "absl/base/attributes.h"
#include "common/arena/word.h"
#include "common/hash/hash_key.h"

namespace ets_keeper {

inline constexpr uint64_t kLockBit = 1;
inline constexpr uint64_t kLiveBits = 0xfffc;
inline constexpr int kLevelShift = 16;
inline constexpr uint64_t kLevelBits = uint64_t{0x3f} << kLevelShift;
inline constexpr int kMaxLevel = 64 - kHashTurn;
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
// At most kMaxLevel; 0 also for shifts that no level has, which only a hostile
// process stores, and with which a bucket seems to answer for all hashes.
[[nodiscard]] inline uint64_t LevelOf(uint64_t head) {
  const uint64_t shift = (head & kLevelBits) >> kLevelShift;
  return shift == 0 || shift > kMaxLevel ? 0 : kMaxLevel + 1 - shift;
}
// The hash bits for which a bucket of that level, not 0, answers.
[[nodiscard]] inline uint64_t LevelMask(uint64_t level) {
  return (uint64_t{1} << (level - 1)) - 1;
}
// Whether a bucket with that head answers for the hashes that, turned, differ
// from its number, turned, in these bits; those below a number do not count.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool AnswersForTurned(
    uint64_t head, uint64_t differing) {
  constexpr uint64_t kNumber = ~uint64_t{0} << kHashTurn;
  return (head & kLevelBits) != 0 &&
         (differing & kNumber) << (head >> kLevelShift & 63) == 0;
}
// The same for those that differ from its number in these bits.
[[nodiscard]] inline bool AnswersFor(uint64_t head, uint64_t differing) {
  return AnswersForTurned(head, differing << kHashTurn);
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
  const uint64_t shift = level == 0 ? 0 : kMaxLevel + 1 - level;
  return (head & ~kLevelBits) | shift << kLevelShift;
}
[[nodiscard]] inline bool SameButForLock(uint64_t head, uint64_t other) {
  return ((head ^ other) & ~kLockBit) == 0;
}

inline constexpr uint64_t kLinkBits = (uint64_t{1} << 48) - 8;
inline constexpr uint64_t kFilterBits = uint64_t{0xffff} << 48;

[[nodiscard]] inline uint64_t LinkOf(uint64_t chain) {
  return chain & kLinkBits;
}
[[nodiscard]] inline uint64_t FilterOf(uint64_t chain) {
  return chain & kFilterBits;
}
// By bits of the hash that a lookup has in the lowest places (kHashTurn): an
// `or` and a bit test. A filter half as large again would spare a lookup in
// three hundred the look at a cell, and take twice as many instructions.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t FilterIndex(
    uint64_t hash) {
  return (std::rotl(hash, kHashTurn) | 48) % 64;
}
[[nodiscard]] inline uint64_t FilterBit(uint64_t hash) {
  return uint64_t{1} << FilterIndex(hash);
}
// Whether a key with that hash may be in the chain.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool MayBeInChain(
    uint64_t chain, uint64_t hash) {
  return (chain >> FilterIndex(hash) & 1) != 0;
}
[[nodiscard]] inline uint64_t MakeChain(uint64_t link, uint64_t filter) {
  return link == 0 ? 0 : link | filter;
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_CELL_H_
