// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_match.h
// -----------------------------------------------------------------------------
//
// Which items of a cell may have a key: all six words of the line are compared
// at once, without a branch, with whatever instructions the processor has.
//
//   const HashProbe probe = HashProbe::OfInlineKey(geometry, key);
//   uint64_t found = MatchScalar::MatchKey(*cell, probe) & LiveOf(head);
//
// `MatchAvx2` and `MatchAvx512` give the same answers and may be called only
// where `DetectInstructionSet()` says so. Code that should run with each of
// them is a template on the class, instantiated in functions with the
// attributes ETS_KEEPER_AVX2 and ETS_KEEPER_AVX512 (hash_find.h).
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
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if !__has_feature(thread_sanitizer) && !__has_feature(address_sanitizer)
#define ETS_KEEPER_VECTORS 1
#endif
#else
#define ETS_KEEPER_VECTORS 1
#endif
#endif

#ifdef ETS_KEEPER_VECTORS
#include <immintrin.h>
#define ETS_KEEPER_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))
#define ETS_KEEPER_AVX512 \
  __attribute__((target("avx512f,avx512vl,avx512dq,avx2,bmi,bmi2,lzcnt")))
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

// The order of a match among the loads around it, for the compiler.
inline void MatchFence() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

// MatchScalar
struct MatchScalar {
  // Bit i is set if the item that begins at word i of the line, if there is
  // one, has the tag of the probe; bits of no item are arbitrary.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchTag(
      const HashBucket& cell, const HashProbe& probe) {
    return EqualItems<1>([&](uint32_t i) {
      return (LoadWord(&cell.word[i]) ^ probe.want) & kTagBits;
    });
  }

  // The same for the key of inline rows of kWords words.
  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchKey(
      const HashBucket& cell, const HashProbe& probe) {
    const uint64_t* const words = cell.word + probe.shift;
    if (ABSL_PREDICT_FALSE(probe.two_words)) {
      return EqualItems<kWords>([&](uint32_t i) {
        return (LoadWord(&words[i]) ^ probe.want) |
               (LoadWord(&words[i + 1]) ^ probe.second);
      });
    }
    return EqualItems<kWords>(
        [&](uint32_t i) { return LoadWord(&words[i]) ^ probe.want; });
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

#ifdef ETS_KEEPER_VECTORS

// MatchSse2
//
// For code that is compiled for any x86-64. It takes about as many instructions
// as the wider ones do, which hardly wait in the same queues as the rest of a
// lookup. Keys, behind which may be stores of single words, are loaded word by
// word: the processor does not hand short stores on to a wide load.
struct MatchSse2 {
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchTag(
      const HashBucket& cell, const HashProbe& probe) {
    const auto load = [&](int i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      return _mm_castsi128_ps(_mm_load_si128(At(&cell.word[i])));
    };
    const __m128i tag = _mm_set1_epi32(static_cast<int>(probe.want >> 48));
    // The upper quarters of two words each.
    const auto equal = [&](__m128 first,
                           __m128 second) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      const __m128 upper =
          _mm_shuffle_ps(first, second, _MM_SHUFFLE(3, 1, 3, 1));
      return _mm_cmpeq_epi32(_mm_srli_epi32(_mm_castps_si128(upper), 16), tag);
    };
    MatchFence();
    const __m128 last = load(4);
    const __m128i words =
        _mm_packs_epi32(equal(load(0), load(2)), equal(last, last));
    MatchFence();
    return static_cast<uint32_t>(
               _mm_movemask_epi8(_mm_packs_epi16(words, words)) & 0b111111)
           << 2;
  }

  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t MatchKey(
      const HashBucket& cell, const HashProbe& probe) {
    const uint64_t* const words = cell.word + probe.shift;
    MatchFence();
    uint64_t equal = Equal<kWords>(words, probe.want);
    if (ABSL_PREDICT_FALSE(probe.two_words)) {
      equal &= Equal<kWords>(words + 1, probe.second);
    }
    MatchFence();
    return equal;
  }

 private:
  // Bit i + 2 says that the i-th word, with which an item's would begin, is the
  // wanted one.
  template <uint32_t kWords>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t Equal(const uint64_t* words,
                                                     uint64_t want) {
    [[maybe_unused]] const __m128i all =
        _mm_set1_epi64x(static_cast<int64_t>(want));
    if constexpr (kWords == 1) {
      return Both(words, words + 1, all) << 2 |
             Both(words + 2, words + 3, all) << 4 |
             Both(words + 4, words + 5, all) << 6;
    } else if constexpr (kWords == 2) {
      // Three words are too few to go together.
      const auto equal = [&](int i) ABSL_ATTRIBUTE_ALWAYS_INLINE {
        return static_cast<uint64_t>(words[i] == want);
      };
      return (equal(0) + (equal(2) + equal(4) * 4) * 4) * 4;
    } else {
      const uint64_t both = Both(words, words + 3, all);
      return (both & 1) << 2 | (both & 2) << 4;
    }
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE static const __m128i* At(const uint64_t* word) {
    return reinterpret_cast<const __m128i*>(word);
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE static __m128i Pair(const uint64_t* first,
                                                   const uint64_t* second) {
    return _mm_castpd_si128(
        _mm_loadh_pd(_mm_castsi128_pd(_mm_loadl_epi64(At(first))),
                     reinterpret_cast<const double*>(second)));
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t Both(const uint64_t* first,
                                                    const uint64_t* second,
                                                    __m128i all) {
    const __m128i halves = _mm_cmpeq_epi32(Pair(first, second), all);
    const __m128i swapped = _mm_shuffle_epi32(halves, _MM_SHUFFLE(2, 3, 0, 1));
    return static_cast<uint64_t>(
        _mm_movemask_pd(_mm_castsi128_pd(_mm_and_si128(halves, swapped))));
  }
};

// MatchAvx2
struct MatchAvx2 {
  ETS_KEEPER_AVX2 static inline uint64_t MatchTag(const HashBucket& cell,
                                                  const HashProbe& probe) {
    const Line line(cell);
    const __m256i mask = _mm256_set1_epi64x(static_cast<int64_t>(kTagBits));
    return Line{_mm256_and_si256(line.low, mask),
                _mm256_and_si256(line.high, mask)}
        .Equal(probe.want);
  }

  template <uint32_t kWords>
  ETS_KEEPER_AVX2 static inline uint64_t MatchKey(const HashBucket& cell,
                                                  const HashProbe& probe) {
    const Line line(cell);
    uint64_t equal = line.Equal(probe.want) >> probe.shift;
    if (ABSL_PREDICT_FALSE(probe.two_words)) {
      equal &= line.Equal(probe.second) >> (probe.shift + 1);
    }
    return equal;
  }

 private:
  struct Line {
    ETS_KEEPER_AVX2 explicit inline Line(const HashBucket& cell) {
      const auto* half = reinterpret_cast<const __m256i*>(&cell);
      MatchFence();
      low = _mm256_load_si256(half);
      high = _mm256_load_si256(half + 1);
      MatchFence();
    }
    ETS_KEEPER_AVX2 inline Line(__m256i l, __m256i h) : low(l), high(h) {}

    ETS_KEEPER_AVX2 inline uint64_t Equal(uint64_t want) const {
      const __m256i all = _mm256_set1_epi64x(static_cast<int64_t>(want));
      const auto bits = [](__m256i equal) ETS_KEEPER_AVX2 {
        return static_cast<uint32_t>(
            _mm256_movemask_pd(_mm256_castsi256_pd(equal)));
      };
      return bits(_mm256_cmpeq_epi64(low, all)) |
             bits(_mm256_cmpeq_epi64(high, all)) << 4;
    }

    __m256i low;
    __m256i high;
  };
};

// MatchAvx512
struct MatchAvx512 {
  ETS_KEEPER_AVX512 static inline uint64_t MatchTag(const HashBucket& cell,
                                                    const HashProbe& probe) {
    const __m512i want = _mm512_set1_epi64(static_cast<int64_t>(probe.want));
    const __m512i mask = _mm512_set1_epi64(static_cast<int64_t>(kTagBits));
    return _mm512_testn_epi64_mask(_mm512_xor_si512(Load(cell), want), mask);
  }

  template <uint32_t kWords>
  ETS_KEEPER_AVX512 static inline uint64_t MatchKey(const HashBucket& cell,
                                                    const HashProbe& probe) {
    const __m512i line = Load(cell);
    uint64_t equal = Equal(line, probe.want) >> probe.shift;
    if (ABSL_PREDICT_FALSE(probe.two_words)) {
      equal &= Equal(line, probe.second) >> (probe.shift + 1);
    }
    return equal;
  }

 private:
  ETS_KEEPER_AVX512 static inline __m512i Load(const HashBucket& cell) {
    MatchFence();
    const __m512i line = _mm512_load_si512(&cell);
    MatchFence();
    return line;
  }
  ETS_KEEPER_AVX512 static inline uint64_t Equal(__m512i line, uint64_t want) {
    return _mm512_cmpeq_epi64_mask(
        line, _mm512_set1_epi64(static_cast<int64_t>(want)));
  }
};

// MatchInline
//
// The one that may be inlined everywhere.
using MatchInline = MatchSse2;

#else

using MatchInline = MatchScalar;

#endif  // ETS_KEEPER_VECTORS

// InstructionSet
enum class InstructionSet { kScalar, kAvx2, kAvx512 };

// DetectInstructionSet()
//
// The best that this processor has.
[[nodiscard]] inline InstructionSet DetectInstructionSet() {
#ifdef ETS_KEEPER_VECTORS
  __builtin_cpu_init();
  const bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt");
  if (avx2 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq")) {
    return InstructionSet::kAvx512;
  }
  if (avx2) return InstructionSet::kAvx2;
#endif
  return InstructionSet::kScalar;
}

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_MATCH_H_
