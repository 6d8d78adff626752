// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/status/status.h"

#include <optional>
#include <set>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(StatusTest, CarriesItsCauseMessageAndCode) {
  const absl::Status status =
      MakeStatus(Cause::kKeyNotFound, "table users has no key 42");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "table users has no key 42");
  EXPECT_EQ(CauseOf(status), Cause::kKeyNotFound);
}

TEST(StatusTest, EveryCauseRoundTripsUnderANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Cause::kDenied); ++i) {
    const Cause cause = static_cast<Cause>(i);
    EXPECT_FALSE(MakeStatus(cause, "m").ok());
    EXPECT_EQ(CauseOf(MakeStatus(cause, "m")), cause);
    EXPECT_TRUE(names.insert(CauseName(cause)).second) << CauseName(cause);
  }
}

TEST(StatusTest, StatusesMadeElsewhereHaveNoCause) {
  EXPECT_EQ(CauseOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(CauseOf(absl::NotFoundError("x")), std::nullopt);
  absl::Status foreign = absl::NotFoundError("x");
  foreign.SetPayload("ets_keeper/cause", absl::Cord("no_such_cause"));
  EXPECT_EQ(CauseOf(foreign), std::nullopt);
}

}  // namespace
}  // namespace ets_keeper
