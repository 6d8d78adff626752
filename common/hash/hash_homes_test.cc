// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_homes.h"

#include <atomic>
#include <cstdint>
#include <iterator>
#include <thread>

#include "common/arena/word.h"
#include "common/hash/hash_cell.h"
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
    const HashHomes homes(geometry_);
    const HashBucket* const home = homes.Of(hash);
    const uint64_t number = NumberOf(geometry_, home);
    EXPECT_EQ(home, geometry_.BucketAt(geometry_.BucketOffset(number)));
    return number;
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

// Of hashes that differ from each other in one bit.
TEST_F(HashHomesTest, AreStillThoseOfTheHashesThatTheirLevelsSay) {
  StoreWord(&geometry_.root()->image, 100);
  const HashHomes homes(geometry_);
  for (const uint64_t hash : {uint64_t{0}, ~uint64_t{0}, uint64_t{0x5a5a}}) {
    const HashBucket* const home = homes.Of(hash);
    const uint64_t number = NumberOf(geometry_, home);
    for (uint64_t level = 0; level <= 33; ++level) {
      const uint64_t head = WithLevel(kLockBit | kLiveBits, level);
      for (int bit = 0; bit < 64; ++bit) {
        const uint64_t other = hash ^ uint64_t { 1 } << bit;
        EXPECT_EQ(homes.StillOf(other, home, head),
                  AnswersFor(head, number ^ other))
            << level << " " << bit;
      }
    }
  }
}

TEST_F(HashHomesTest, ChangeWhenTheyAreRefreshed) {
  HashHomes homes(geometry_);
  const HashBucket* const only = homes.Of(6);
  EXPECT_EQ(NumberOf(geometry_, only), 0);
  for (const uint64_t image : {4, 7, 8, 100, 3, 1}) {
    StoreWord(&geometry_.root()->image, image);
    const uint64_t before = NumberOf(geometry_, homes.Of(6));
    EXPECT_EQ(NumberOf(geometry_, homes.Of(6)), before);
    homes.Refresh(geometry_);
    EXPECT_EQ(NumberOf(geometry_, homes.Of(6)), HashGeometry::Home(6, image));
  }
}

TEST_F(HashHomesTest, AreBucketsAlsoWhileTheyAreRefreshed) {
  constexpr uint64_t kImages[] = {1, 2, 3, 64, 65, 1000, ~uint64_t{0}};
  HashHomes homes(geometry_);
  std::atomic<bool> done = false;
  std::thread reader([&] {
    uint64_t hash = 0;
    do {
      ASSERT_LT(NumberOf(geometry_, homes.Of(~++hash)), 1000);
      ASSERT_LT(NumberOf(geometry_, homes.Of(hash)), 1000);
    } while (!done);
  });
  for (int i = 0; i < 10'000; ++i) {
    StoreWord(&geometry_.root()->image, kImages[i % std::size(kImages)]);
    homes.Refresh(geometry_);
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace ets_keeper
