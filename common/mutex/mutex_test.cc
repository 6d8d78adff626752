// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/mutex/mutex.h"

#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(LockTest, HoldsTheMutexForItsScopeOnly) {
  absl::Mutex mu;
  {
    Lock lock(mu);
    mu.AssertHeld();
  }
  std::thread other([&] {
    Lock lock(mu);  // would wait for ever
    mu.AssertHeld();
  });
  other.join();
}

TEST(LockTest, CountsOfSeveralThreadsAddUp) {
  struct {
    absl::Mutex mu;
    int count ABSL_GUARDED_BY(mu) = 0;
  } shared;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        Lock lock(shared.mu);
        ++shared.count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Lock lock(shared.mu);
  EXPECT_EQ(shared.count, 4000);
}

// The two spellings of a mutex, each with the other's missing.
struct OldMutex {
  void Lock() { ++locked; }
  void Unlock() { --locked; }
  int locked = 0;
};
struct NewMutex {
  void lock() { ++locked; }
  void unlock() { --locked; }
  [[deprecated]] void Lock() {}
  [[deprecated]] void Unlock() {}
  int locked = 0;
};

template <typename Mutex>
class SpellingTest : public testing::Test {};
using Spellings = testing::Types<OldMutex, NewMutex>;
TYPED_TEST_SUITE(SpellingTest, Spellings);

TYPED_TEST(SpellingTest, IsFoundByItself) {
  TypeParam mu;
  AcquireMutex(mu);
  EXPECT_EQ(mu.locked, 1);
  ReleaseMutex(mu);
  EXPECT_EQ(mu.locked, 0);
}

}  // namespace
}  // namespace ets_keeper
