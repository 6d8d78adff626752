// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/writer_lanes.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/hash/hash_layout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::testing::ElementsAre;

HashLane words[8];  // of the lanes of any table

uint32_t MyLane(WriterLanes& lanes) {
  const WriterLanes::Use lane(lanes);
  EXPECT_EQ(lane.words(), &words[lane->index()]);
  return lane->index();
}

// A thread that does what it is told and lives on.
class Worker {
 public:
  Worker() : thread_([this] { Run(); }) {}
  ~Worker() {
    Do(nullptr);
    thread_.join();
  }

  // Returns when the thread has done it.
  void Do(std::function<void()> work) {
    absl::Notification done;
    Start(std::move(work), &done);
    done.WaitForNotification();
  }
  void Start(std::function<void()> work, absl::Notification* done) {
    work_ = std::move(work);
    done_ = done;
    next_.fetch_add(1);
    next_.notify_one();
  }

 private:
  void Run() {
    for (uint32_t seen = 0;; ++seen) {
      next_.wait(seen);
      const std::function<void()> work = std::move(work_);
      absl::Notification* done = done_;
      if (work) work();
      done->Notify();
      if (!work) return;
    }
  }

  std::function<void()> work_;
  absl::Notification* done_ = nullptr;
  std::atomic<uint32_t> next_{0};
  std::thread thread_;
};

TEST(WriterLanesTest, AThreadKeepsItsLane) {
  WriterLanes lanes(words, 4);
  const uint32_t mine = MyLane(lanes);
  EXPECT_EQ(mine, 0);
  Worker other;
  other.Do([&] { EXPECT_EQ(MyLane(lanes), 1); });
  EXPECT_EQ(MyLane(lanes), 0);
  other.Do([&] { EXPECT_EQ(MyLane(lanes), 1); });
}

TEST(WriterLanesTest, ThreadsThatComeLateShareTheLastLane) {
  WriterLanes lanes(words, 3);
  std::vector<uint32_t> indices;
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < 5; ++i) {
    workers.push_back(std::make_unique<Worker>());
    workers.back()->Do([&] { indices.push_back(MyLane(lanes)); });
  }
  EXPECT_THAT(indices, ElementsAre(0, 1, 2, 2, 2));
}

TEST(WriterLanesTest, ALaneIsGivenBackWhenItsThreadEnds) {
  WriterLanes lanes(words, 3);
  Worker stays;
  stays.Do([&] { EXPECT_EQ(MyLane(lanes), 0); });
  for (int i = 0; i < 20; ++i) {
    Worker goes;
    goes.Do([&] { EXPECT_EQ(MyLane(lanes), 1); });
  }
  // One that has the shared lane gives nothing back.
  for (int i = 0; i < 3; ++i) {
    Worker has_own, shares;
    has_own.Do([&] { EXPECT_EQ(MyLane(lanes), 1); });
    shares.Do([&] { EXPECT_EQ(MyLane(lanes), 2); });
  }
  stays.Do([&] { EXPECT_EQ(MyLane(lanes), 0); });
}

TEST(WriterLanesTest, WhatALaneCountedGoesToItsNextThread) {
  WriterLanes lanes(words, 2);
  for (int i = 0; i < 10; ++i) {
    Worker worker;
    worker.Do([&] {
      const WriterLanes::Use lane(lanes);
      EXPECT_EQ(lane->rows, i);
      ++lane->rows;
    });
  }
}

TEST(WriterLanesTest, ThreadsThatShareALaneWaitForEachOther) {
  constexpr int64_t kRounds = 5000;
  WriterLanes lanes(words, 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int64_t round = 0; round < kRounds; ++round) {
        const WriterLanes::Use lane(lanes);
        ++(*lane).rows;  // no atomic
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const WriterLanes::Use lane(lanes);
  EXPECT_EQ(lane->rows, 4 * kRounds);
}

// More tables than a thread remembers without looking, in turns.
TEST(WriterLanesTest, AThreadHasALaneInEachOfManyTables) {
  constexpr int kTables = 40;
  std::vector<std::unique_ptr<WriterLanes>> tables;
  for (int i = 0; i < kTables; ++i) {
    tables.push_back(std::make_unique<WriterLanes>(words, 4));
  }
  Worker other;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kTables; ++i) {
      // In every second table the other thread comes first.
      const auto others = [&] {
        const WriterLanes::Use lane(*tables[i]);
        EXPECT_EQ(lane->index(), i % 2 == 0 ? 1 : 0);
        EXPECT_EQ(lane->rows, 100 * round);
        lane->rows += 100;
      };
      if (i % 2 != 0) other.Do(others);
      {
        const WriterLanes::Use lane(*tables[i]);
        EXPECT_EQ(lane->index(), i % 2 == 0 ? 0 : 1);
        EXPECT_EQ(lane->rows, round);
        ++lane->rows;
      }
      if (i % 2 == 0) other.Do(others);
    }
  }
}

TEST(WriterLanesTest, TablesComeAndGoWhileAThreadLives) {
  WriterLanes stays(words, 2);
  EXPECT_EQ(MyLane(stays), 0);
  for (int i = 0; i < 1000; ++i) {
    WriterLanes goes(words, 2);
    EXPECT_EQ(MyLane(goes), 0);
  }
  EXPECT_EQ(MyLane(stays), 0);
}

TEST(WriterLanesTest, AThreadMayOutliveATable) {
  Worker worker;
  std::optional<WriterLanes> lanes(std::in_place, words, 2);
  worker.Do([&] { EXPECT_EQ(MyLane(*lanes), 0); });
  lanes.reset();
  lanes.emplace(words, 2);  // another, perhaps at the same place
  EXPECT_EQ(MyLane(*lanes), 0);
  worker.Do([&] { EXPECT_EQ(MyLane(*lanes), 1); });
}

TEST(WriterLanesTest, WithoutAUseThereIsNothingToWaitFor) {
  WriterLanes lanes(words, 3);
  lanes.WaitForUses();
  EXPECT_EQ(MyLane(lanes), 0);
  lanes.WaitForUses();
}

// In a lane of its own and in the shared one.
TEST(WriterLanesTest, WaitForUsesWaitsForTheUsesInProgress) {
  for (const uint32_t count : {1, 2, 3}) {
    WriterLanes lanes(words, count);
    Worker users[2];
    absl::Notification begun[2], end[2], ended[2];
    const int uses = count == 1 ? 1 : 2;  // side by side
    std::atomic<int> over = 0;
    for (int i = 0; i < uses; ++i) {
      users[i].Start(
          [&, i] {
            const WriterLanes::Use lane(lanes);
            begun[i].Notify();
            end[i].WaitForNotification();
            ++over;
          },
          &ended[i]);
      begun[i].WaitForNotification();
    }
    Worker waiter;
    absl::Notification waiting, waited;
    waiter.Start(
        [&] {
          waiting.Notify();
          lanes.WaitForUses();
          EXPECT_EQ(over, uses);
        },
        &waited);
    waiting.WaitForNotification();
    for (int i = 0; i < uses; ++i) {
      EXPECT_FALSE(waited.HasBeenNotified());
      end[i].Notify();
      ended[i].WaitForNotification();
    }
    waited.WaitForNotification();
  }
}

// A thread that begins a use after the other, with never a moment between that
// one could rely on.
TEST(WriterLanesTest, WaitForUsesEndsAlthoughUsesGoOnBeginning) {
  WriterLanes lanes(words, 2);
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> uses = 0;
  Worker user;
  absl::Notification stopped;
  user.Start(
      [&] {
        while (!stop) {
          const WriterLanes::Use lane(lanes);
          uses.fetch_add(1);
          uses.notify_one();
        }
      },
      &stopped);
  uses.wait(0);
  for (int i = 0; i < 100; ++i) lanes.WaitForUses();
  stop = true;
  stopped.WaitForNotification();
}

// What was stored before is seen by all uses that are not waited for.
TEST(WriterLanesTest, AfterWaitForUsesNobodyActsOnWhatWasBefore) {
  WriterLanes lanes(words, 3);
  std::atomic<uint64_t> epoch = 0, lock = 0;
  std::atomic<uint64_t> acted = 0;  // the oldest epoch in which one may act
  std::atomic<bool> stop = false;
  std::vector<std::thread> users;
  for (int i = 0; i < 4; ++i) {
    users.emplace_back([&] {
      while (!stop) {
        const WriterLanes::Use lane(lanes);
        lock.exchange(1);  // the bucket's lock: a full barrier
        const uint64_t mine = epoch;
        EXPECT_GE(mine, acted);
      }
    });
  }
  for (uint64_t next = 1; next <= 500; ++next) {
    epoch.exchange(next);
    lanes.WaitForUses();
    acted = next;
  }
  stop = true;
  for (std::thread& user : users) user.join();
}

}  // namespace
}  // namespace ets_keeper
