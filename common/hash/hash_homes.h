// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_homes.h
// -----------------------------------------------------------------------------
//
// `HashHomes`: at which buckets lookups begin, as this process knows it.
//
//   HashHomes homes(geometry);
//   const HashBucket* home = homes.Of(key.hash);
//   ... the table grows ...
//   homes.Refresh(geometry);
//
// It is how the table was cut when somebody last looked. Later its buckets are
// still right to begin at, for each says what it answers for; a key that has
// moved on since is only found more slowly. Where the table has shrunk since,
// what was a bucket says that there is none, or is zero, which says the same:
// the arena gives that memory to nobody else. (To read there may cost a page,
// and where huge pages have run out it is a signal.) So whoever makes the table
// grow or shrink looks again, before pages are released; and a process that
// only reads does before each lookup.
//
// A copy of the arena's words, and not those, because it was checked: where a
// lookup begins is in the arena whatever anybody stores there.
//
// Thread safety: everything may be called at any time. Lifetime: it refers to
// the arena.

#ifndef COMMON_HASH_HASH_HOMES_H_
#define COMMON_HASH_HASH_HOMES_H_

#include <bit>
#include <cstdint>

#include "absl/base/attributes.h"
#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"

namespace ets_keeper {

class HashHomes {
 public:
  explicit HashHomes(const HashGeometry& geometry)
      : buckets_(reinterpret_cast<const char*>(
            geometry.BucketAt(geometry.BucketOffset(0)))) {
    Refresh(geometry);
  }
  HashHomes(const HashHomes&) = delete;
  HashHomes& operator=(const HashHomes&) = delete;

  // HashHomes::Of()
  //
  // The bucket at which to begin with a hash.
  //
  // As HashGeometry::Home(), of a bucket's number times its size. Whoever sees
  // only some of the three words changed comes to another bucket, but to one:
  // `narrow_` always is less than `end_` ever was.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE const HashBucket* Of(
      uint64_t hash) const {
    // Bits below a bucket's size are in none of the masks.
    static_assert(sizeof(HashBucket) == 1 << kHashTurn);
    const uint64_t offset = And(std::rotl(hash, kHashTurn), wide_);
    const uint64_t lower = And(offset, narrow_);
    return reinterpret_cast<const HashBucket*>(
        buckets_ + (IsBelow(offset, end_) ? offset : lower));
  }

  // HashHomes::StillOf()
  //
  // Whether the bucket, Of() that hash, which has that head, answers for it:
  // its offset is its number, turned.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE bool StillOf(
      uint64_t hash, const HashBucket* bucket, uint64_t head) const {
    const auto offset =
        static_cast<uint64_t>(reinterpret_cast<const char*>(bucket) - buckets_);
    return AnswersForTurned(head, std::rotl(hash, kHashTurn) ^ offset);
  }

  // HashHomes::Refresh()
  //
  // Looks at how the table is cut now.
  void Refresh(const HashGeometry& geometry) {
    const uint64_t image = LoadWord(&geometry.root()->image);
    const uint64_t number = image - 1 < geometry.most_buckets ? image : 1;
    const uint64_t mask = HashGeometry::WideMask(number);
    Store(wide_, mask * sizeof(HashBucket));
    Store(narrow_, (mask >> 1) * sizeof(HashBucket));
    Store(end_, number * sizeof(HashBucket));
  }

 private:
  // What is done with a word, with the word as operand, as IsWord() does, and
  // for the same reason. Relaxed: what the words say need not be new.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t And(uint64_t value,
                                                   const uint64_t& word) {
#ifdef ETS_KEEPER_X86_64
    asm("andq %[word], %[value]"
        : [value] "+r"(value)
        : [word] "m"(word)
        : "cc");
    return value;
#else
    return value & LoadWord(&word);
#endif
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE static bool IsBelow(uint64_t value,
                                                   const uint64_t& word) {
#ifdef ETS_KEEPER_X86_64
    bool below;
    asm("cmpq %[word], %[value]"
        : "=@ccb"(below)
        : [value] "r"(value), [word] "m"(word));
    return below;
#else
    return value < LoadWord(&word);
#endif
  }
  // Not into a line that all threads have, if it says so already.
  static void Store(uint64_t& word, uint64_t value) {
    if (LoadWord(&word) != value) StoreWord(&word, value);
  }

  const char* const buckets_;
  uint64_t end_ = 0;  // at which there is no bucket any more
  uint64_t wide_ = 0;
  uint64_t narrow_ = 0;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_HOMES_H_
