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

#include <atomic>
#include <cstdint>

#include "absl/base/attributes.h"
#include "common/arena/word.h"
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
  // The bucket at which to begin with a hash, and the number of a bucket.
  //
  // As HashGeometry::Home(), of a bucket's number times its size. Whoever sees
  // only some of the three words changed comes to another bucket, but to one:
  // `narrow_` always is less than `end_` ever was.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE const HashBucket* Of(
      uint64_t hash) const {
    const uint64_t offset = (hash * sizeof(HashBucket)) & Load(wide_);
    const uint64_t lower = offset & Load(narrow_);
    return reinterpret_cast<const HashBucket*>(
        buckets_ + (offset < Load(end_) ? offset : lower));
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t
  NumberOf(const HashBucket* bucket) const {
    return static_cast<uint64_t>(reinterpret_cast<const char*>(bucket) -
                                 buckets_) /
           sizeof(HashBucket);
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
  using Word = std::atomic<uint64_t>;
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t Load(const Word& word) {
    return word.load(std::memory_order_relaxed);
  }
  // Not into a line that all threads have, if it says so already.
  static void Store(Word& word, uint64_t value) {
    if (Load(word) != value) word.store(value, std::memory_order_relaxed);
  }

  const char* const buckets_;
  Word end_{0};  // at which there is no bucket any more
  Word wide_{0};
  Word narrow_{0};
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_HOMES_H_
