// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/child_program.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

TEST(ChildProgramTest, LinesGoThereAndBack) {
  absl::StatusOr<ChildProgram> cat = ChildProgram::Start({"cat"});
  ASSERT_THAT(cat, IsOk());
  EXPECT_GT(cat->pid(), 0);
  ASSERT_THAT(cat->WriteLine("one"), IsOk());
  EXPECT_THAT(cat->ReadLine(), IsOkAndHolds("one"));
  const std::string large(3000, 'x');
  ASSERT_THAT(cat->WriteLine(large), IsOk());
  ASSERT_THAT(cat->WriteLine(""), IsOk());
  EXPECT_THAT(cat->ReadLine(), IsOkAndHolds(large));
  EXPECT_THAT(cat->ReadLine(), IsOkAndHolds(""));
  EXPECT_EQ(cat->Await(), 0);
}

TEST(ChildProgramTest, WhatItExitedWithIsReturned) {
  absl::StatusOr<ChildProgram> shell =
      ChildProgram::Start({"sh", "-c", "echo last; exit 3"});
  ASSERT_THAT(shell, IsOk());
  EXPECT_THAT(shell->ReadLine(), IsOkAndHolds("last"));
  EXPECT_TRUE(absl::IsOutOfRange(shell->ReadLine().status()));
  EXPECT_EQ(shell->Await(), 3);
}

TEST(ChildProgramTest, AKilledOneHasNoStatus) {
  absl::StatusOr<ChildProgram> cat = ChildProgram::Start({"cat"});
  ASSERT_THAT(cat, IsOk());
  cat->Kill();
  EXPECT_TRUE(absl::IsOutOfRange(cat->ReadLine().status()));
  EXPECT_EQ(cat->Await(), -1);
}

TEST(ChildProgramTest, WritingToOneThatIsGoneIsAnError) {
  absl::StatusOr<ChildProgram> gone = ChildProgram::Start({"true"});
  ASSERT_THAT(gone, IsOk());
  siginfo_t info = {};
  ASSERT_EQ(
      waitid(P_PID, static_cast<id_t>(gone->pid()), &info, WEXITED | WNOWAIT),
      0);
  EXPECT_TRUE(absl::IsUnavailable(gone->WriteLine("hello")));
}

TEST(ChildProgramTest, AProgramThatIsNotThereIsNotFound) {
  EXPECT_TRUE(
      absl::IsNotFound(ChildProgram::Start({"no_such_program"}).status()));
}

}  // namespace
}  // namespace ets_keeper::benchmarks
