// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_homes.h
// -----------------------------------------------------------------------------
//
// `HashHomes`: at which buckets lookups begin, for many of them.
//
//   const HashHomes homes(geometry);
//   const HashBucket* home = homes.Of(key.hash);
//
// It is how the table was cut when it was made. Later its buckets are still
// right to begin at, for each says what it answers for; a key that has moved on
// since is only found more slowly. So it is made anew now and then.
//
// Thread safety: a value. Lifetime: it refers to the arena.

#ifndef COMMON_HASH_HASH_HOMES_H_
#define COMMON_HASH_HASH_HOMES_H_

#include <cstdint>

#include "absl/base/attributes.h"
#include "common/arena/word.h"
#include "common/hash/hash_layout.h"

namespace ets_keeper {

class HashHomes {
 public:
  explicit HashHomes(const HashGeometry& geometry)
      : buckets_(geometry.BucketAt(geometry.BucketOffset(0))) {
    const uint64_t image = LoadWord(&geometry.root()->image);
    // Whatever the image is, all of them are in the arena.
    number_ = image - 1 < geometry.most_buckets ? image : 1;
    mask_ = HashGeometry::WideMask(number_);
  }

  // HashHomes::Of()
  //
  // The bucket at which to begin with a hash.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE const HashBucket* Of(
      uint64_t hash) const {
    return &buckets_[HashGeometry::Home(hash, number_, mask_)];
  }

 private:
  const HashBucket* buckets_;
  uint64_t number_;
  uint64_t mask_;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_HOMES_H_
