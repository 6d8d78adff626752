// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/ets.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

using ::absl_testing::IsOk;
using ::testing::HasSubstr;

TEST(EtsTest, AnAnswerIsFiveWords) {
  const absl::StatusOr<EtsAnswer> answer =
      ParseEtsAnswer("find_hit u64 1000000 2 312.5");
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->op, "find_hit");
  EXPECT_EQ(answer->row, "u64");
  EXPECT_EQ(answer->rows, 1'000'000u);
  EXPECT_EQ(answer->processes, 2);
  EXPECT_EQ(answer->ns, 312.5);
}

TEST(EtsTest, WhatIsNoAnswerIsSaid) {
  for (const char* line :
       {"", "find_hit", "find_hit u64 1000 1", "find_hit u64 1000 1 x",
        "find_hit u64 -1 1 5", "find_hit u64 1000 1 0", "a b 1 1 nan",
        "find_hit u64 1000 1 5 6", "find_hit  u64 1000 1"}) {
    const absl::Status status = ParseEtsAnswer(line).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << line;
    EXPECT_THAT(std::string(status.message()), HasSubstr(line));
  }
}

TEST(EtsTest, ErlangsOwnErrorIsHandedOn) {
  const absl::Status status = ParseEtsAnswer("error system_limit").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("system_limit"));
}

TEST(EtsTest, RunsAreNamedAsThoseOfThePeers) {
  EXPECT_EQ(EtsRunName({.op = "insert", .rows = 1000, .processes = 2}),
            "insert/u64/1000/uniform/ets/threads:2");
  EXPECT_EQ(EtsRunName({.op = "heir", .row = "process"}),
            "process/heir/beam/threads:1");
  std::set<std::string> names;
  for (const EtsRequest& request : AllEtsRequests()) {
    EXPECT_TRUE(names.insert(EtsRunName(request)).second);
  }
  EXPECT_EQ(names.size(), 7u * 3 * 2 + 4);
}

// Every operation that there is, with the Erlang of this machine. Where there
// is none, that is what must be said.
TEST(EtsTest, ErlangMeasuresOrSaysHowToGetIt) {
  const absl::StatusOr<std::unique_ptr<Erlang>> erlang = Erlang::Start();
  if (!erlang.ok()) {
    EXPECT_TRUE(absl::IsNotFound(erlang.status())) << erlang.status();
    EXPECT_THAT(std::string(erlang.status().message()),
                HasSubstr(std::string(HowToGetErlang())));
    return;
  }
  EXPECT_THAT((*erlang)->version(), HasSubstr("OTP "));
  for (EtsRequest request : AllEtsRequests()) {
    if (request.rows > 1000) continue;
    request.milliseconds = 1;
    const absl::StatusOr<double> ns = (*erlang)->Measure(request);
    EXPECT_THAT(ns, IsOk()) << EtsRunName(request);
  }
  const absl::Status wrong =
      (*erlang)->Measure({.op = "swim", .rows = 1}).status();
  EXPECT_TRUE(absl::IsUnavailable(wrong)) << wrong;
  EXPECT_THAT((*erlang)->Measure({.op = "insert", .rows = 10}), IsOk())
      << "after an error";
}

}  // namespace
}  // namespace ets_keeper::benchmarks
