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

}  // namespace
}  // namespace ets_keeper
