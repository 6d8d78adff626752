// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/memory_pool.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "common/arena/arena_file.h"
#include "common/arena/arena_memory.h"
#include "common/arena/pages_testing.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

constexpr uint64_t kPage = ArenaMemory::kPageBytes;
constexpr uint64_t kBytes = 1 << 20;

ReadyMemory Take(MemoryPool& pool, uint64_t bytes = kBytes) {
  absl::StatusOr<ReadyMemory> memory = pool.Take(bytes);
  CHECK_OK(memory.status());
  return *std::move(memory);
}

// As an arena leaves it: so many bytes at both ends have pages, full of rows.
ReadyMemory Used(ReadyMemory ready, uint64_t front, uint64_t at_back) {
  const ArenaMemory& memory = ready.memory;
  CHECK_OK(memory.Allocate(0, front));
  if (at_back != 0) {
    CHECK_OK(memory.Allocate(memory.bytes() - at_back, memory.bytes()));
  }
  ready.front = front;
  ready.back = memory.bytes() - at_back;
  std::memset(memory.base(), 'r', front);
  std::memset(memory.base() + ready.back, 'r', at_back);
  return ready;
}

bool IsZero(const ArenaMemory& memory) {
  return std::all_of(memory.base(), memory.base() + memory.bytes(),
                     [](char byte) { return byte == 0; });
}

bool IsNew(const ReadyMemory& ready) {
  return ready.front == 0 && ready.back == ready.memory.bytes();
}

// What the child returns, or -1.
int InChild(int (*function)(MemoryPool& pool), MemoryPool& pool) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(function(pool));
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST(MemoryPoolTest, WhatIsTakenFirstIsNew) {
  MemoryPool pool;
  const ReadyMemory ready = Take(pool);
  EXPECT_TRUE(IsNew(ready));
  EXPECT_EQ(ready.memory.bytes(), kBytes);
  EXPECT_TRUE(IsZero(ready.memory));
}

TEST(MemoryPoolTest, WhatIsTakenAgainHasPagesAndNothingInThem) {
  MemoryPool pool;
  ReadyMemory first = Used(Take(pool), 5 * kPage, 2 * kPage);
  const char* const base = first.memory.base();
  pool.Give(std::move(first));
  const ReadyMemory again = Take(pool);
  EXPECT_EQ(again.memory.base(), base);
  EXPECT_EQ(again.front, 5 * kPage);
  EXPECT_EQ(again.back, kBytes - 2 * kPage);
  for (uint64_t at = 0; at < kBytes; at += kPage) {
    EXPECT_EQ(IsResident(base + at), at < again.front || at >= again.back);
  }
  EXPECT_TRUE(IsZero(again.memory));
  EXPECT_TRUE(HasFlag(base, "dc"));
  EXPECT_TRUE(HasFlag(base, "dd"));
  EXPECT_TRUE(HasFlag(base, "nh"));
}

TEST(MemoryPoolTest, RowsAreGoneAsSoonAsItIsGiven) {
  MemoryPool pool;
  ReadyMemory ready = Used(Take(pool), kPage, kPage);
  const char* const base = ready.memory.base();
  pool.Give(std::move(ready));
  EXPECT_EQ(base[0], 0);
  EXPECT_EQ(base[kBytes - 1], 0);
}

TEST(MemoryPoolTest, NobodyElseGetsWhatIsTaken) {
  MemoryPool pool;
  pool.Give(Used(Take(pool), kPage, 0));
  const ReadyMemory one = Take(pool);
  const ReadyMemory other = Take(pool);
  EXPECT_FALSE(IsNew(one));
  EXPECT_TRUE(IsNew(other));
  EXPECT_NE(one.memory.base(), other.memory.base());
}

TEST(MemoryPoolTest, OnlyMemoryOfThatSizeIsTaken) {
  MemoryPool pool;
  pool.Give(Used(Take(pool), kPage, 0));
  const ReadyMemory larger = Take(pool, 2 * kBytes);
  EXPECT_TRUE(IsNew(larger));
  EXPECT_EQ(larger.memory.bytes(), 2 * kBytes);
  EXPECT_FALSE(IsNew(Take(pool))) << "it is still there";
}

TEST(MemoryPoolTest, MoreThanAFewPagesAreNotKept) {
  constexpr uint64_t kMost = MemoryPool::kMaxReadyBytes;
  MemoryPool pool;
  for (const auto& [front, at_back] :
       {std::pair(kMost + kPage, uint64_t{0}), std::pair(kPage, kMost),
        std::pair(kMost / 2 + kPage, kMost / 2),
        std::pair(kMost + kPage, kMost + kPage)}) {
    pool.Give(Used(Take(pool), front, at_back));
    EXPECT_FALSE(pool.Clear()) << front << " + " << at_back;
  }
  pool.Give(Used(Take(pool), kMost / 2, kMost / 2));
  EXPECT_TRUE(pool.Clear());
}

TEST(MemoryPoolTest, HoldsNoMoreThanAFewMappingsTheLatest) {
  constexpr size_t kGiven = 2 * MemoryPool::kMappings;
  MemoryPool pool;
  std::vector<ReadyMemory> all;
  for (size_t i = 0; i < kGiven; ++i) {
    all.push_back(Used(Take(pool), kPage, 0));
  }
  std::set<const char*> latest;
  for (size_t i = 0; i < kGiven; ++i) {
    if (i >= kGiven / 2) latest.insert(all[i].memory.base());
    pool.Give(std::move(all[i]));
  }
  std::vector<ReadyMemory> again;
  for (size_t i = 0; i < MemoryPool::kMappings; ++i) {
    again.push_back(Take(pool));
    EXPECT_TRUE(latest.erase(again.back().memory.base()));
  }
  EXPECT_FALSE(pool.Clear());
}

TEST(MemoryPoolTest, FilesAreNotKept) {
  MemoryPool pool;
  absl::StatusOr<ArenaMemory> file = ArenaMemory::Map(
      *CreateArenaFile("memory_pool_test", kBytes), ArenaAccess::kReadWrite);
  CHECK_OK(file.status());
  pool.Give({.memory = *std::move(file), .front = 0, .back = kBytes});
  EXPECT_FALSE(pool.Clear());
}

// Address space that is only kept must not make others go without.
TEST(MemoryPoolTest, AtTheLimitOfTheAddressSpaceItGivesUpWhatItKeeps) {
  MemoryPool pool;
  pool.Give(Used(Take(pool, uint64_t{1} << 30), kPage, 0));
  const auto child = [](MemoryPool& kept) {
    // Of its own: what the parent's keeps is not here.
    MemoryPool own;
    own.Give(Take(own, uint64_t{1} << 30));
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = {};
    limit.rlim_cur = limit.rlim_max = pages * kPage + (64 << 20);
    if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
    if (kept.Take((uint64_t{1} << 30) + kPage).ok()) return 2;
    return own.Take((uint64_t{1} << 30) + kPage).ok() ? 0 : 3;
  };
  EXPECT_EQ(InChild(child, pool), 0);
}

TEST(MemoryPoolTest, AForkedChildFindsItEmpty) {
  MemoryPool pool;
  ReadyMemory ready = Used(Take(pool), kPage, 0);
  const char* const base = ready.memory.base();
  pool.Give(std::move(ready));
  const auto child = [](MemoryPool& parents) {
    const ReadyMemory own = Take(parents);
    if (!IsNew(own)) return 1;
    own.memory.base()[0] = 'c';
    return 0;
  };
  EXPECT_EQ(InChild(child, pool), 0);
  const ReadyMemory again = Take(pool);
  EXPECT_EQ(again.memory.base(), base);
  EXPECT_TRUE(IsZero(again.memory));
}

// What a child has of its parent's memory are objects only.
TEST(MemoryPoolTest, AForkedChildCannotGiveWhatItsParentTook) {
  MemoryPool pool;
  static ReadyMemory* ready;
  ready = new ReadyMemory(Used(Take(pool), kPage, kPage));
  const auto child = [](MemoryPool& parents) {
    parents.Give(std::move(*ready));
    return parents.Clear() ? 1 : 0;
  };
  EXPECT_EQ(InChild(child, pool), 0);
  EXPECT_EQ(ready->memory.base()[0], 'r');
  delete ready;
}

TEST(MemoryPoolTest, ThreadsGetMemoryToThemselves) {
  MemoryPool pool;
  const auto use = [&pool](char mine) {
    for (int i = 0; i < 300; ++i) {
      // Now and then of another size, so that memory is put back.
      ReadyMemory ready = Take(pool, i % 7 == 0 ? 2 * kBytes : kBytes);
      CHECK_OK(ready.memory.Allocate(0, kPage));
      char* const base = ready.memory.base();
      for (uint64_t at = 0; at < kPage; at += 8) {
        CHECK_EQ(base[at], 0);
        base[at] = mine;
      }
      for (uint64_t at = 0; at < kPage; at += 8) CHECK_EQ(base[at], mine);
      ready.front = kPage;
      pool.Give(std::move(ready));
    }
  };
  std::vector<std::thread> threads;
  for (char mine = 1; mine <= 4; ++mine) threads.emplace_back(use, mine);
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(pool.Clear());
}

}  // namespace
}  // namespace ets_keeper
