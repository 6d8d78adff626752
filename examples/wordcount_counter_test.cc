// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "examples/wordcount_counter.h"

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/pid/pid.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "examples/input_file.h"
#include "gtest/gtest.h"

namespace ets_keeper::examples {
namespace {

using ::absl_testing::IsOk;

constexpr char kText[] = "a rose is a rose is a rose";

class WordcountCounterTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = absl::StrCat(testing::TempDir(), "/text");
    std::ofstream(path) << kText;
    input_ = InputFile::Open(path);
    ASSERT_THAT(input_, IsOk());
    words_ = Table<WordCount, &WordCount::word>::New(
        tables_, NewPid(), {.access = TableAccess::kPublic});
    ASSERT_THAT(words_, IsOk());
  }

  Tables tables_;
  absl::StatusOr<InputFile> input_ = absl::UnknownError("");
  absl::StatusOr<WordTable> words_ = absl::UnknownError("");
};

TEST_F(WordcountCounterTest, CountsWhatPlainCodeCounts) {
  ASSERT_THAT(CountWords(*input_, *words_, {.block_bytes = 3},
                         [](CountMoment, uint64_t) {}),
              IsOk());
  const Tally expected = {{"a", 3}, {"is", 2}, {"rose", 3}};
  EXPECT_EQ(*ReadTally(*words_), expected);
  EXPECT_EQ(*CountPlainly(*input_), expected);
}

TEST_F(WordcountCounterTest, GoesOnAfterAnyMomentAtWhichItWasStopped) {
  int stops = 0;
  for (bool done = false; !done;) {
    int moments = 0;
    try {
      ASSERT_THAT(CountWords(*input_, *words_, {.block_bytes = 1},
                             [&](CountMoment, uint64_t) {
                               // Far enough to come one block further.
                               if (++moments == 3 + stops % 2) {
                                 ++stops;
                                 throw std::runtime_error("stopped");
                               }
                             }),
                  IsOk());
      done = true;
    } catch (const std::runtime_error&) {
    }
  }
  EXPECT_GT(stops, 3);
  EXPECT_EQ(*ReadTally(*words_), *CountPlainly(*input_));
}

TEST_F(WordcountCounterTest, StopsAtTheGate) {
  uint64_t last = 0;
  ASSERT_THAT(
      CountWords(*input_, *words_, {.block_bytes = 1, .gate = 8},
                 [&](CountMoment, uint64_t position) { last = position; }),
      IsOk());
  EXPECT_EQ(last, 10u) << "behind the word at the gate";
}

}  // namespace
}  // namespace ets_keeper::examples
