// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "examples/input_file.h"

#include <cstdint>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace ets_keeper::examples {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

std::string WriteFile(const std::string& text) {
  const std::string path = absl::StrCat(testing::TempDir(), "/input");
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(InputFileTest, BlocksEndBetweenWords) {
  const absl::StatusOr<InputFile> input =
      InputFile::Open(WriteFile("one two, threefour!"));
  ASSERT_THAT(input, IsOk());
  EXPECT_EQ(input->size(), 19u);
  EXPECT_THAT(input->ReadBlock(0, 6), IsOkAndHolds("one "));
  EXPECT_THAT(input->ReadBlock(4, 1), IsOkAndHolds("two,"))
      << "as much as the word takes";
  EXPECT_THAT(input->ReadBlock(9, 3), IsOkAndHolds("threefour!"));
  EXPECT_THAT(input->ReadBlock(0, 1000), IsOkAndHolds("one two, threefour!"));
  EXPECT_THAT(input->ReadBlock(19, 10), IsOkAndHolds(""));
}

TEST(InputFileTest, ALastWordNeedsNoEnd) {
  const absl::StatusOr<InputFile> input = InputFile::Open(WriteFile("abcdef"));
  ASSERT_THAT(input, IsOk());
  EXPECT_THAT(input->ReadBlock(0, 2), IsOkAndHolds("abcdef"));
}

TEST(InputFileTest, AFileThatChangesIsAnError) {
  const std::string path = WriteFile("some words");
  const absl::StatusOr<InputFile> input = InputFile::Open(path);
  ASSERT_THAT(input, IsOk());
  std::ofstream(path, std::ios::app) << " and more";
  const absl::Status status = input->ReadBlock(0, 100).status();
  EXPECT_TRUE(absl::StrContains(
      status.message(),
      "changed while it was counted: it had 10 bytes, and now has 19"))
      << status;
}

TEST(InputFileTest, AnEmptyFileIsAText) {
  const absl::StatusOr<InputFile> input = InputFile::Open(WriteFile(""));
  ASSERT_THAT(input, IsOk());
  EXPECT_THAT(input->ReadBlock(0, 10), IsOkAndHolds(""));
}

TEST(InputFileTest, WhatIsNotToBeCountedIsAnError) {
  for (const char* path : {"/", "/no/such", "/dev/null", "/proc/self/status"}) {
    const absl::Status status = InputFile::Open(path).status();
    EXPECT_TRUE(absl::StrContains(status.message(),
                                  absl::StrCat("cannot read ", path, ": ")))
        << status;
  }
}

}  // namespace
}  // namespace ets_keeper::examples
