// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: word.h
// -----------------------------------------------------------------------------
//
// The only ways in which this library touches the bytes of an arena: one
// aligned 8-byte load and one aligned 8-byte store, the latter also under the
// condition that the word is as expected. Where an operation counts each of its
// instructions, a load goes together with what is done with the word.
//
//   StoreWord(&slot, word);         // publishes everything stored before
//   uint64_t word = LoadWord(&slot);  // sees everything published with it
//
// Why so little: on x86-64 and ARM64 a killed process leaves a prefix of its
// program-order stores, and an aligned word is never torn. So what the bytes of
// an arena mean after a crash can be argued, and is tested, store by store.
// Nothing else (memcpy, non-atomic assignment, the kernel) writes to an arena.
//
// Memory ordering: loads acquire and stores release. A reader that copies words
// and then loads a version word therefore sees a changed version if it saw any
// word stored after that change.

#ifndef COMMON_ARENA_WORD_H_
#define COMMON_ARENA_WORD_H_

#include <atomic>
#include <cstdint>

#include "absl/base/attributes.h"

// ETS_KEEPER_X86_64
//
// Defined where words may be loaded by instructions of x86-64 that no compiler
// knows to be loads: not under a sanitizer or with crash points, which watch
// them.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if !__has_feature(thread_sanitizer) && !__has_feature(address_sanitizer)
#define ETS_KEEPER_X86_64 1
#endif
#else
#define ETS_KEEPER_X86_64 1
#endif
#endif

namespace ets_keeper {

static_assert(std::atomic_ref<uint64_t>::is_always_lock_free);

// LoadWord()
//
// `word` may lie in a mapping that this process can only read.
inline uint64_t LoadWord(const uint64_t* word) {
  return std::atomic_ref<uint64_t>(*const_cast<uint64_t*>(word))
      .load(std::memory_order_acquire);
}

// IsWord()
//
// `LoadWord(word) == value` in one instruction: compilers make two of it, as
// they leave an atomic load alone.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool IsWord(
    const uint64_t* word, uint64_t value) {
#ifdef ETS_KEEPER_X86_64
  bool equal;
  asm volatile("cmpq %[value], %[word]"
               : "=@cce"(equal)
               : [word] "m"(*word), [value] "r"(value)
               : "memory");
  return equal;
#else
  return LoadWord(word) == value;
#endif
}

// HasBits()
//
// `(LoadWord(word) & bits) != 0`, in one instruction as well. `bits`: less than
// 2^31.
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool HasBits(
    const uint64_t* word, uint64_t bits) {
#ifdef ETS_KEEPER_X86_64
  bool has;
  asm volatile("testq %[bits], %[word]"
               : "=@ccnz"(has)
               : [word] "m"(*word), [bits] "re"(bits)
               : "memory");
  return has;
#else
  return (LoadWord(word) & bits) != 0;
#endif
}

// StoreWord()
inline void StoreWord(uint64_t* word, uint64_t value) {
  std::atomic_ref<uint64_t>(*word).store(value, std::memory_order_release);
}

// AddToOwnWord()
//
// `StoreWord(word, LoadWord(word) + amount)` in one instruction. Not atomic: of
// a word to which only this thread stores.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void AddToOwnWord(uint64_t* word,
                                                      uint64_t amount) {
#ifdef ETS_KEEPER_X86_64
  asm volatile("addq %[amount], %[word]"
               : [word] "+m"(*word)
               : [amount] "re"(amount)
               : "cc", "memory");
#else
  StoreWord(word, LoadWord(word) + amount);
#endif
}

// CompareAndSwapWord()
//
// Stores `value` if the word is `expected`, and says whether it did. Acquires
// and releases; on x86-64 a full barrier.
[[nodiscard]] inline bool CompareAndSwapWord(uint64_t* word, uint64_t expected,
                                             uint64_t value) {
  return std::atomic_ref<uint64_t>(*word).compare_exchange_strong(
      expected, value, std::memory_order_seq_cst, std::memory_order_relaxed);
}

}  // namespace ets_keeper

#endif  // COMMON_ARENA_WORD_H_
