// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// Runs the real program, keeper, kills and all.

#include <sys/wait.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "protets/keeper_client.h"
#include "protets/keeper_process.h"

namespace ets_keeper::examples {
namespace {

constexpr char kProgram[] = "examples/wordcount";

std::string TempPath(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/", name);
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string WriteFile(absl::string_view name, const std::string& text) {
  const std::string path = TempPath(name);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

Outcome RunProgram(absl::string_view flags) {
  const std::string out = TempPath("out"), err = TempPath("err");
  const int status = std::system(
      absl::StrCat(kProgram, " ", flags, " >", out, " 2>", err).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, Contents(out),
          Contents(err)};
}

// Letters, separators and long words, reproducibly.
std::string GenerateText(uint32_t seed, size_t bytes) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < bytes) {
    const size_t length = random() % 50 == 0 ? 3000 : 1 + random() % 3;
    for (size_t i = 0; i < length; ++i) {
      text += static_cast<char>((random() % 2 ? 'a' : 'A') + random() % 4);
    }
    text += " \n.,0-\xc3"[random() % 7];
  }
  return text;
}

// What --output is to be, counted independently.
std::string Expected(const std::string& text) {
  std::map<std::string, int64_t> counts;
  std::string word;
  for (const char c : text + " ") {
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'z' && (c & 0x80) == 0) {
      word += lower;
    } else if (!word.empty()) {
      ++counts[std::exchange(word, "")];
    }
  }
  std::vector<std::pair<int64_t, std::string>> lines;
  for (const auto& [w, count] : counts) lines.emplace_back(-count, w);
  std::sort(lines.begin(), lines.end());
  std::string result;
  for (const auto& [count, w] : lines) {
    absl::StrAppend(&result, -count, "\t", w, "\n");
  }
  return result;
}

class WordcountTest : public testing::TestWithParam<const char*> {};

TEST_P(WordcountTest, CountsRightWhileItIsKilled) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  const std::string text = GenerateText(seed, 100'000);
  const std::string input = WriteFile("text", text);
  const std::string output = TempPath("counts");
  const Outcome run =
      RunProgram(absl::StrCat("--kills=5 --seed=", seed, " --input=", input,
                              " --output=", output, " ", GetParam()));
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_TRUE(absl::StrContains(run.out, "kills      5 (")) << run.out;
  EXPECT_TRUE(absl::StrContains(run.out, "lost 0, double 0\n")) << run.out;
  EXPECT_EQ(Contents(output), Expected(text));
}

TEST_P(WordcountTest, CountsTextsThatAreSmallerThanTheNumberOfKills) {
  for (const std::string text : {"", "a", "One, two", "..."}) {
    const std::string input = WriteFile("small", text);
    const std::string output = TempPath("counts");
    const Outcome run = RunProgram(absl::StrCat(
        "--kills=9 --input=", input, " --output=", output, " ", GetParam()));
    EXPECT_EQ(run.code, 0);
    EXPECT_EQ(run.err, "");
    EXPECT_TRUE(absl::StrContains(run.out, "kills      9 (")) << run.out;
    EXPECT_EQ(Contents(output), Expected(text));
  }
}

TEST_P(WordcountTest, CountsWithoutAnyKill) {
  const std::string input = WriteFile("text", "to be or not to be");
  const Outcome run =
      RunProgram(absl::StrCat("--kills=0 --input=", input, " ", GetParam()));
  EXPECT_EQ(run.code, 0);
  EXPECT_TRUE(absl::StrContains(run.out, "hand-over  none\n")) << run.out;
}

INSTANTIATE_TEST_SUITE_P(Keepers, WordcountTest,
                         testing::Values("", "--keeper=embedded"),
                         [](const auto& info) {
                           return *info.param == 0 ? "Daemon" : "Embedded";
                         });

TEST(WordcountErrorsTest, AreOneLineAndAnExitCode) {
  const std::string input = WriteFile("text", "some words");
  const std::string good = absl::StrCat("--kills=1 --input=", input, " ");
  for (const auto& [flags, expected] :
       std::vector<std::pair<std::string, std::string>>{
           {"--input=/no/such", "cannot read /no/such: No such file"},
           {"--input=/", "cannot read /: Is a directory"},
           {"--input=/dev/null", "cannot read /dev/null: not a regular file"},
           {good + "--output=/dev/full", "cannot write /dev/full: No space"},
           {good + "--output=/no/such", "cannot write /no/such: No such file"},
           {good + "--output=" + input, "is the input"},
           {good + "--keeper=/nonexistent", "/nonexistent"},
           {good + "--kills=-1", "--kills=-1"},
           {good + "--kills=many", "many"},
           {good + "--colour", "colour"},
           {good + "words", "words"}}) {
    const Outcome run = RunProgram(flags);
    EXPECT_EQ(run.code, 1) << flags;
    EXPECT_EQ(run.out, "") << flags;
    EXPECT_TRUE(absl::StrContains(run.err, expected)) << run.err;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
  EXPECT_EQ(Contents(input), "some words");
}

TEST(WordcountKeeperTest, TwoDoNotCountIntoOneTable) {
  const absl::StatusOr<protets::KeeperProcess> keeper =
      protets::KeeperProcess::Start({.binary = "protets/keeper"});
  ASSERT_TRUE(keeper.ok()) << keeper.status();
  const std::string flags =
      absl::StrCat("--kills=2 --keeper=", keeper->socket(),
                   " --input=", WriteFile("text", "some words"));
  absl::StatusOr<protets::KeeperClient> other =
      protets::KeeperClient::Connect(keeper->socket());
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE(other->Claim({.name = "words.turn", .max_bytes = 4096}).ok());
  const Outcome refused = RunProgram(flags);
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(absl::StrContains(refused.err, "words are being counted"));
  EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1);
  ASSERT_TRUE(other->Drop("words.turn").ok());
  EXPECT_EQ(RunProgram(flags).code, 0);
  const auto left = other->List();
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_TRUE(left->empty());
}

TEST(WordcountErrorsTest, RelativePathsAreThoseOfTheCallerOfBazelRun) {
  WriteFile("relative", "a word, a word");
  ASSERT_EQ(setenv("BUILD_WORKING_DIRECTORY", testing::TempDir().c_str(), 1),
            0);
  const Outcome run =
      RunProgram("--kills=1 --input=relative --output=relative.out");
  EXPECT_EQ(unsetenv("BUILD_WORKING_DIRECTORY"), 0);
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(Contents(TempPath("relative.out")), "2\ta\n2\tword\n");
}

}  // namespace
}  // namespace ets_keeper::examples
