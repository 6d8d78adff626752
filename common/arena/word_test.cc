// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/word.h"

#include <cstdint>
#include <thread>

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(WordTest, WhoSeesAWordSeesWhatWasStoredBefore) {
  uint64_t payload = 0;
  uint64_t published = 0;
  std::thread writer([&] {
    for (uint64_t i = 1; i <= 10000; ++i) {
      StoreWord(&payload, i);
      StoreWord(&published, i);
    }
  });
  uint64_t seen = 0;
  while (seen < 10000) {
    seen = LoadWord(&published);
    EXPECT_GE(LoadWord(&payload), seen);
  }
  writer.join();
}

TEST(WordTest, IsComparedInFull) {
  const uint64_t values[] = {0, 1, uint64_t{1} << 32, ~uint64_t{0}};
  for (const uint64_t word : values) {
    for (const uint64_t value : values) {
      EXPECT_EQ(IsWord(&word, value), word == value);
    }
  }
}

TEST(WordTest, HasTheBitsThatItHas) {
  const uint64_t word = uint64_t{1} << 40 | 0b1010;
  EXPECT_TRUE(HasBits(&word, 0b0010));
  EXPECT_TRUE(HasBits(&word, 0b1111));
  EXPECT_FALSE(HasBits(&word, 0b0101));
  EXPECT_FALSE(HasBits(&word, 0));
}

// The payload is no word: only what IsWord() acquires keeps the two apart.
TEST(WordTest, WhoFindsAWordEqualSeesWhatWasStoredBefore) {
  uint64_t payload = 0;
  uint64_t published = 0;
  uint64_t seen = 0;
  std::thread reader([&] {
    for (uint64_t i = 1; i <= 1000; ++i) {
      while (!IsWord(&published, i)) std::this_thread::yield();
      EXPECT_EQ(payload, i);
      StoreWord(&seen, i);
    }
  });
  for (uint64_t i = 1; i <= 1000; ++i) {
    payload = i;
    StoreWord(&published, i);
    while (!IsWord(&seen, i)) std::this_thread::yield();
  }
  reader.join();
}

TEST(WordTest, AddsToItsOwnWord) {
  uint64_t words[] = {7, 5, 7};
  AddToOwnWord(&words[1], 1);
  EXPECT_EQ(words[1], 6);
  AddToOwnWord(&words[1], ~uint64_t{0});  // less one
  AddToOwnWord(&words[1], uint64_t{1} << 40);
  EXPECT_EQ(words[1], (uint64_t{1} << 40) + 5);
  EXPECT_EQ(words[0], 7);
  EXPECT_EQ(words[2], 7);
}

}  // namespace
}  // namespace ets_keeper
