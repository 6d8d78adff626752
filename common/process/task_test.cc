// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/task.h"

#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

// Suspends, and remembers who is to be resumed, as the runtime's awaiters do.
struct PauseAwaiter {
  internal::PromiseBase*& waiting;

  bool await_ready() const noexcept { return false; }
  template <typename P>
  void await_suspend(std::coroutine_handle<P> handle) {
    waiting = &handle.promise();
  }
  void await_resume() const noexcept {}
};

struct Pause {
  internal::PromiseBase*& waiting;
  PauseAwaiter AwaiterOfTheRuntime() && { return {waiting}; }
};

// Logs its death.
struct Local {
  Local(std::vector<std::string>& log, std::string name)
      : log(log), name(std::move(name)) {}
  ~Local() { log.push_back("~" + name); }
  std::vector<std::string>& log;
  std::string name;
};

class TaskTest : public testing::Test {
 protected:
  bool Start(Task<>& task) {
    return internal::ResumeTask(&internal::PromiseOf(task));
  }
  bool Resume() {
    return internal::ResumeTask(std::exchange(waiting_, nullptr));
  }

  Task<int> Seven() { co_return 7; }
  Task<std::unique_ptr<int>> PauseAndGive(int n) {
    Local local(log_, "inner");
    co_await Pause{waiting_};
    co_return std::make_unique<int>(n);
  }
  Task<> Throw() {
    co_await Pause{waiting_};
    throw std::runtime_error("boom");
  }

  std::vector<std::string> log_;
  internal::PromiseBase* waiting_ = nullptr;
};

TEST_F(TaskTest, DoesNothingUntilItIsRun) {
  auto body = [this]() -> Task<> {
    log_.push_back("ran");
    co_return;
  };
  Task<> task = body();
  EXPECT_TRUE(log_.empty());
  EXPECT_TRUE(Start(task));
  EXPECT_EQ(log_, std::vector<std::string>({"ran"}));
}

TEST_F(TaskTest, AwaitingATaskGivesItsValueEvenWhenItPauses) {
  auto body = [this]() -> Task<> {
    const int seven = co_await Seven();
    std::unique_ptr<int> eight = co_await PauseAndGive(8);
    log_.push_back(std::to_string(seven + *eight));
  };
  Task<> task = body();
  EXPECT_FALSE(Start(task));
  EXPECT_TRUE(log_.empty());
  EXPECT_TRUE(Resume());
  EXPECT_EQ(log_, std::vector<std::string>({"~inner", "15"}));
}

TEST_F(TaskTest, AnExceptionComesOutOfTheAwait) {
  auto body = [this]() -> Task<> {
    try {
      co_await Throw();
    } catch (const std::runtime_error& e) {
      log_.push_back(e.what());
    }
  };
  Task<> task = body();
  EXPECT_FALSE(Start(task));
  EXPECT_TRUE(Resume());
  EXPECT_EQ(log_, std::vector<std::string>({"boom"}));
  EXPECT_FALSE(internal::PromiseOf(task).error);
}

TEST_F(TaskTest, AnExceptionOfTheOutermostIsKept) {
  Task<> task = Throw();
  EXPECT_FALSE(Start(task));
  EXPECT_TRUE(Resume());
  EXPECT_TRUE(internal::PromiseOf(task).error);
}

TEST_F(TaskTest, DestroyingAWaitingTaskDestroysTheLocalsOfAllThatItAwaits) {
  auto body = [this]() -> Task<> {
    Local local(log_, "outer");
    (void)co_await PauseAndGive(1);
  };
  {
    Task<> task = body();
    EXPECT_FALSE(Start(task));
  }
  EXPECT_EQ(log_, std::vector<std::string>({"~inner", "~outer"}));
}

TEST_F(TaskTest, MovingATaskMovesItsFrame) {
  Task<> task = Throw();
  Task<> other = std::move(task);
  EXPECT_TRUE(task.empty());
  EXPECT_FALSE(other.empty());
  other = Task<>();
  EXPECT_TRUE(other.empty());
}

TEST_F(TaskTest, AMillionAwaitsInALoopDoNotGrowTheStack) {
  int sum = 0;
  auto body = [&]() -> Task<> {
    for (int i = 0; i < 1000000; ++i) sum += co_await Seven();
  };
  Task<> task = body();
  EXPECT_TRUE(Start(task));
  EXPECT_EQ(sum, 7000000);
}

TEST_F(TaskTest, PausesInALoopDoNotGrowTheStack) {
  int rounds = 0;
  auto pause = [this]() -> Task<> { co_await Pause{waiting_}; };
  auto body = [&]() -> Task<> {
    for (; rounds < 100000; ++rounds) co_await pause();
  };
  Task<> task = body();
  bool done = Start(task);
  while (!done) done = Resume();
  EXPECT_EQ(rounds, 100000);
}

}  // namespace
}  // namespace ets_keeper
