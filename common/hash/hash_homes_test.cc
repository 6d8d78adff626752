// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_homes.h"

#include <cstdint>

#include "common/arena/word.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_testing.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

class HashHomesTest : public ::testing::Test {
 protected:
  // The number of the bucket that a table with this image has the hash in.
  uint64_t HomeOf(uint64_t hash, uint64_t image) {
    StoreWord(&geometry_.root()->image, image);
    return HashHomes(geometry_).Of(hash) -
           geometry_.BucketAt(geometry_.BucketOffset(0));
  }

  TestTable t_;
  const HashGeometry& geometry_ = t_.core->geometry();
};

TEST_F(HashHomesTest, AreTheBucketsOfTheImage) {
  for (const uint64_t image : {1, 2, 3, 4, 5, 100, 128, 129}) {
    for (uint64_t hash = 0; hash < 1000; ++hash) {
      ASSERT_EQ(HomeOf(hash, image), HashGeometry::Home(hash, image))
          << hash << " of " << image;
      ASSERT_LT(HomeOf(hash, image), image);
    }
  }
}

TEST_F(HashHomesTest, AreBucketsWhateverTheImageIs) {
  const uint64_t most = geometry_.most_buckets;
  for (const uint64_t image :
       {uint64_t{0}, most, most + 1, uint64_t{1} << 63, ~uint64_t{0}}) {
    for (int bit = 0; bit < 64; ++bit) {
      EXPECT_LT(HomeOf(uint64_t{1} << bit, image), most);
      EXPECT_LT(HomeOf(~uint64_t{0} >> bit, image), most);
    }
  }
}

}  // namespace
}  // namespace ets_keeper
