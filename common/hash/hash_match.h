// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_match.h
// -----------------------------------------------------------------------------
//
// Which items of a cell may have a key: all of its words are compared at once,
// without a branch, with whatever instructions the processor has.
//
//   const HashProbe probe = HashProbe::OfInlineKey(geometry, key);
//   uint64_t found = MatchScalar::MatchKey<2>(*cell, probe, LiveOf(head));
//
// `MatchAvx2` and `MatchAvx512` give the same answers and may be called only
// where `DetectInstructionSet()` says so, `MatchAvx2` only in functions with
// the attribute ETS_KEEPER_AVX2. Code that should run with each of them is a
// template on the class (hash_find.h). `MatchInline` asks which it may use at
// each call, for code that is made for the type of the rows where it is called.
//
// Memory ordering: a vector load is as many loads of a word, in no order. On
// x86-64 they stay behind the loads before and ahead of the loads after them as
// far as the processor is concerned; `MatchFence()` tells the compiler.
//
// Under a sanitizer or with crash points, which watch loads of words, there is
// only the scalar one.

#ifndef COMMON_HASH_HASH_MATCH_H_
#define COMMON_HASH_HASH_MATCH_H_

#include <atomic>
#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"

#ifdef ETS_KEEPER_X86_64
#include <immintrin.h>
#define ETS_KEEPER_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))
#ifdef __AVX512F__
#define ETS_KEEPER_AVX512_CLOBBERS "xmm16", "xmm17", "xmm18", "k1", "k2"
#else
#define ETS_KEEPER_AVX512_CLOBBERS
#endif
#endif

namespace ets_keeper {

// HashProbe
//
// What to compare items with.
struct HashProbe {
  // Of a key of a table of inline rows.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static HashProbe OfInlineKey(
      const HashGeometry& geometry, const HashKey& key) {
    HashProbe probe = {.want = key.words[0],
                       .shift = geometry.key.word,
                       .two_words = geometry.key.words == 2};
    if (ABSL_PREDICT_FALSE(probe.two_words)) probe.second = key.words[1];
    return probe;
  }

  // Of a key of a table of records.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static HashProbe OfTag(uint64_t hash) {
    return {.want = hash & kTagBits};
  }

  uint64_t want = 0;    // the key's first word, or a tag
  uint64_t second = 0;  // the key's second word, if
  uint32_t shift = 0;   // from the first word of an item to the one compared
  bool two_words = false;
};

// LiveItems()
//
// The live bits, of places at which an item of so many words may begin.
template <uint32_t kWords>
[[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t LiveItems(
    uint64_t head) {
  return head & HashGeometry::PlacesFor(kWords);
}

// The order of a match among the loads around it, for the compiler.
inline void MatchFence() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

// MatchScalar
struct MatchScalar {
  // Bit i is set if the item that begins at word i of the cell, if there is
  // one, has the tag of the probe; bits of no item are arbitrary.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchTag(
      const HashBucket& cell, const HashProbe& probe) {
    return EqualItems<1>([&](uint32_t i) {
      return (LoadWord(&cell.word[i]) ^ probe.want) & kTagBits;
    });
  }

  // Of the live inline rows of kWords words in a cell with that head the first
  // one with the key of the probe is the lowest bit; 0 if there is none. Higher
  // bits are of some other live rows.
  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchKey(const HashBucket& cell,
                                                        const HashProbe& probe,
                                                        uint64_t head) {
    const uint64_t* const words = cell.word + probe.shift;
    if (ABSL_PREDICT_FALSE(probe.two_words)) {
      return EqualItems<kWords>([&](uint32_t i) {
               return (LoadWord(&words[i]) ^ probe.want) |
                      (LoadWord(&words[i + 1]) ^ probe.second);
             }) &
             head;
    }
    return EqualItems<kWords>(
               [&](uint32_t i) { return LoadWord(&words[i]) ^ probe.want; }) &
           head;
  }

 private:
  // Bit i + 2 says that `differs(i)`, of the item at the i-th word, is 0.
  template <uint32_t kWords, typename Differs>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t EqualItems(Differs differs) {
    uint64_t equal = 0;
    ForConstants<kItemWords / kWords>(
        [&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
          equal |= static_cast<uint64_t>(differs(i * kWords) == 0)
                   << (i * kWords + 2);
        });
    return equal;
  }
};

#ifdef ETS_KEEPER_X86_64

// MatchSse2
//
// For code that is compiled for any x86-64: about as many instructions as the
// wider ones take, and fewer that write a general register, of which a lookup
// that waits for memory holds on to all. Keys, behind which may be stores of
// single words, are loaded word by word: the processor does not hand short
// stores on to a wide load. Of a key its low half is compared with all items,
// and the rest with the one that has it: there is no comparison of 64 bits.
// Where another key has the same low half, all are compared one by one.
struct MatchSse2 {
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchTag(
      const HashBucket& cell, const HashProbe& probe) {
    const auto load = [&](int i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      return _mm_castsi128_ps(
          _mm_load_si128(reinterpret_cast<const __m128i*>(&cell.head + i)));
    };
    // The upper quarters of four words, with their signs, as they are packed.
    const auto upper = [&](int i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      return _mm_srai_epi32(_mm_castps_si128(_mm_shuffle_ps(
                                load(i), load(i + 2), _MM_SHUFFLE(3, 1, 3, 1))),
                            16);
    };
    const __m128i tag = _mm_set1_epi16(static_cast<int16_t>(probe.want >> 48));
    MatchFence();
    const __m128i low = _mm_packs_epi32(upper(0), upper(4));
    const __m128i high = _mm_packs_epi32(upper(8), upper(12));
    MatchFence();
    return BitsOf(_mm_cmpeq_epi16(low, tag), _mm_cmpeq_epi16(high, tag));
  }

  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchKey(const HashBucket& cell,
                                                        const HashProbe& probe,
                                                        uint64_t head) {
    if constexpr (kWords > 2) {  // four words are too few to go together
      return MatchScalar::MatchKey<kWords>(cell, probe, head);
    } else {
      const uint64_t* const words = &cell.head + probe.shift;
      MatchFence();
      const uint64_t maybe =
          EqualLowHalves<kWords>(words, probe.want) & LiveItems<kWords>(head);
      MatchFence();
      if (maybe == 0) return 0;
      const uint64_t* const first = words + FirstItem(maybe);
      if (ABSL_PREDICT_TRUE(
              LoadWord(first) == probe.want &&
              (!probe.two_words || LoadWord(first + 1) == probe.second))) {
        return maybe;
      }
      return MatchOneByOne<kWords>(cell, probe, head);
    }
  }

 private:
  // A call that gets a copy, so that the probe itself need not be in memory.
  template <uint32_t kWords>
  ABSL_ATTRIBUTE_NOINLINE static uint64_t MatchOneByOne(const HashBucket& cell,
                                                        HashProbe probe,
                                                        uint64_t head) {
    return MatchScalar::MatchKey<kWords>(cell, probe, head);
  }

  // Bit i says that the i-th word has the low half of the wanted one, and bit
  // i + 1, of items of two words, as well.
  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t EqualLowHalves(
      const uint64_t* words, uint64_t want) {
    const __m128i all = _mm_set1_epi32(static_cast<int>(want));
    // Of four items, from the i-th on.
    const auto equal = [&](uint32_t i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      const uint64_t* const from = words + i * kWords;
      return _mm_cmpeq_epi32(_mm_castps_si128(_mm_shuffle_ps(
                                 Pair(from, from + kWords),
                                 Pair(from + 2 * kWords, from + 3 * kWords),
                                 _MM_SHUFFLE(2, 0, 2, 0))),
                             all);
    };
    const __m128i low = _mm_packs_epi32(equal(0), equal(4));
    if constexpr (kWords == 2) {
      return static_cast<uint32_t>(_mm_movemask_epi8(low));
    } else {
      return BitsOf(low, _mm_packs_epi32(equal(8), equal(12)));
    }
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE static __m128 Pair(const uint64_t* first,
                                                  const uint64_t* second) {
    return _mm_castpd_ps(_mm_loadh_pd(
        _mm_castsi128_pd(
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first))),
        reinterpret_cast<const double*>(second)));
  }
  // One of each quarter of a word, which is all ones or all zeros.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t BitsOf(__m128i low,
                                                      __m128i high) {
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
  }
};

// MatchAvx2
struct MatchAvx2 {
  ETS_KEEPER_AVX2 static inline uint64_t MatchTag(const HashBucket& cell,
                                                  const HashProbe& probe) {
    return Equal(cell, probe.want, kTagBits);
  }

  template <uint32_t kWords>
  ETS_KEEPER_AVX2 static inline uint64_t MatchKey(const HashBucket& cell,
                                                  const HashProbe& probe,
                                                  uint64_t head) {
    uint64_t equal = Equal(cell, probe.want, ~uint64_t{0}) >> probe.shift;
    if (ABSL_PREDICT_FALSE(probe.two_words)) {
      equal &= Equal(cell, probe.second, ~uint64_t{0}) >> (probe.shift + 1);
    }
    return equal & LiveItems<kWords>(head);
  }

 private:
  // Bit i says that word i of the cell is, under the mask, the wanted one.
  ETS_KEEPER_AVX2 static inline uint64_t Equal(const HashBucket& cell,
                                               uint64_t want, uint64_t mask) {
    const __m256i all = _mm256_set1_epi64x(static_cast<int64_t>(want));
    const __m256i masks = _mm256_set1_epi64x(static_cast<int64_t>(mask));
    const auto* quarter = reinterpret_cast<const __m256i*>(&cell);
    uint64_t equal = 0;
    MatchFence();
    for (int i = 4; i-- > 0;) {
      const __m256i words =
          _mm256_and_si256(_mm256_load_si256(quarter + i), masks);
      equal = equal << 4 |
              static_cast<uint32_t>(_mm256_movemask_pd(
                  _mm256_castsi256_pd(_mm256_cmpeq_epi64(words, all))));
    }
    MatchFence();
    return equal;
  }
};

// MatchAvx512
//
// Two comparisons, of a line each, with a third of the instructions that SSE2
// takes: a lookup that waits for memory leaves that much more room for those
// behind it. By assembler, because a compiler does not inline what is made for
// such a processor into code that is made for any. Of the vector registers only
// those are used that older instructions do not have, so nobody has to wait for
// their upper parts to be cleared. A compiler that does not know of these
// registers does not use them.
struct MatchAvx512 {
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchTag(
      const HashBucket& cell, const HashProbe& probe) {
    uint64_t equal;
    MatchFence();
    asm volatile(
        "vpbroadcastq %[tag], %%zmm16\n\t"
        "vpsrlq $48, %[low], %%zmm17\n\t"
        "vpsrlq $48, %[high], %%zmm18\n\t"
        "vpcmpeqq %%zmm16, %%zmm17, %%k1\n\t"
        "vpcmpeqq %%zmm16, %%zmm18, %%k2\n\t"
        "kunpckbw %%k1, %%k2, %%k1\n\t"
        "kmovw %%k1, %k[equal]"
        : [equal] "=r"(equal)
        : [tag] "r"(probe.want >> 48), [low] "m"(LineOf(cell, 0)),
          [high] "m"(LineOf(cell, 1))
        : ETS_KEEPER_AVX512_CLOBBERS);
    MatchFence();
    return equal;
  }

  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchKey(const HashBucket& cell,
                                                        const HashProbe& probe,
                                                        uint64_t head) {
    return MatchWords(cell, probe) & LiveItems<kWords>(head);
  }

  // The same of any words, live or not, wherever an item would begin.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchWords(
      const HashBucket& cell, const HashProbe& probe) {
    uint64_t equal = Equal(cell, probe.want) >> probe.shift;
    if (ABSL_PREDICT_FALSE(probe.two_words)) {
      equal &= Equal(cell, probe.second) >> (probe.shift + 1);
    }
    return equal;
  }

 private:
  using Line = uint64_t[8];
  static_assert(sizeof(HashBucket) == 2 * sizeof(Line));

  ABSL_ATTRIBUTE_ALWAYS_INLINE static const Line& LineOf(const HashBucket& cell,
                                                         int line) {
    return reinterpret_cast<const Line*>(&cell)[line];
  }

  // Bit i says that word i of the cell is the wanted one.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t Equal(const HashBucket& cell,
                                                     uint64_t want) {
    uint64_t equal;
    MatchFence();
    asm volatile(
        "vpbroadcastq %[want], %%zmm16\n\t"
        "vpcmpeqq %[low], %%zmm16, %%k1\n\t"
        "vpcmpeqq %[high], %%zmm16, %%k2\n\t"
        "kunpckbw %%k1, %%k2, %%k1\n\t"
        "kmovw %%k1, %k[equal]"
        : [equal] "=r"(equal)
        : [want] "r"(want), [low] "m"(LineOf(cell, 0)),
          [high] "m"(LineOf(cell, 1))
        : ETS_KEEPER_AVX512_CLOBBERS);
    MatchFence();
    return equal;
  }
};

#endif  // ETS_KEEPER_X86_64

// InstructionSet
enum class InstructionSet { kScalar, kAvx2, kAvx512 };

// DetectInstructionSet()
//
// The best that this processor has.
[[nodiscard]] inline InstructionSet DetectInstructionSet() {
#ifdef ETS_KEEPER_X86_64
  __builtin_cpu_init();
  const bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt");
  if (avx2 && __builtin_cpu_supports("avx512f")) {
    return InstructionSet::kAvx512;
  }
  if (avx2) return InstructionSet::kAvx2;
#endif
  return InstructionSet::kScalar;
}

// MatchInline
//
// The best that may be inlined everywhere, on a processor that has `set`.
struct MatchInline {
#ifdef ETS_KEEPER_X86_64
  using Portable = MatchSse2;
#else
  using Portable = MatchScalar;
#endif

  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchTag(
      [[maybe_unused]] InstructionSet set, const HashBucket& cell,
      const HashProbe& probe) {
#ifdef ETS_KEEPER_X86_64
    if (ABSL_PREDICT_TRUE(set == InstructionSet::kAvx512)) {
      return MatchAvx512::MatchTag(cell, probe);
    }
#endif
    return Portable::MatchTag(cell, probe);
  }

  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchKey(InstructionSet set,
                                                        const HashBucket& cell,
                                                        const HashProbe& probe,
                                                        uint64_t head) {
    // Masked last, so that the instruction also says whether there are any.
    return MatchWords<kWords>(set, cell, probe, head) & LiveItems<kWords>(head);
  }

 private:
  // The same, and maybe words that are no live items.
  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchWords(
      [[maybe_unused]] InstructionSet set, const HashBucket& cell,
      const HashProbe& probe, uint64_t head) {
#ifdef ETS_KEEPER_X86_64
    if (ABSL_PREDICT_TRUE(set == InstructionSet::kAvx512)) {
      return MatchAvx512::MatchWords(cell, probe);
    }
#endif
    return Portable::MatchKey<kWords>(cell, probe, head);
  }
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_MATCH_H_
