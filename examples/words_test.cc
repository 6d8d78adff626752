// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "examples/words.h"

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace ets_keeper::examples {
namespace {

using Words = std::vector<std::string>;

Words WordsOf(absl::string_view text) {
  Words words;
  ForEachWord(text, [&](absl::string_view word) { words.emplace_back(word); });
  return words;
}

// The definition, letter by letter.
Words NaiveWordsOf(absl::string_view text) {
  Words words;
  std::string word;
  for (const char c : std::string(text) + ".") {
    const bool lower = c >= 'a' && c <= 'z';
    const bool upper = c >= 'A' && c <= 'Z';
    if (lower || upper) {
      word += lower ? c : static_cast<char>(c - 'A' + 'a');
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  return words;
}

TEST(WordsTest, AreRunsOfLettersInLowerCase) {
  EXPECT_EQ(WordsOf("Don't panic: 42x\n"), (Words{"don", "t", "panic", "x"}));
  EXPECT_EQ(WordsOf("a"), Words{"a"});
  EXPECT_EQ(WordsOf("gr\xc3\xbc\xc3\x9f"), Words{"gr"});
  EXPECT_EQ(WordsOf(absl::string_view("a\0b", 3)), (Words{"a", "b"}));
}

TEST(WordsTest, NoLettersAreNoWords) {
  EXPECT_EQ(WordsOf(""), Words{});
  EXPECT_EQ(WordsOf(" \n\t0123[`{@"), Words{});
}

TEST(WordsTest, ABlockEndsBehindALastNonLetter) {
  EXPECT_EQ(WholeWords(""), 0u);
  EXPECT_EQ(WholeWords("abc"), 0u);
  EXPECT_EQ(WholeWords("abc "), 4u);
  EXPECT_EQ(WholeWords("abc de"), 4u);
  EXPECT_EQ(WholeWords("1"), 1u);
}

TEST(WordsTest, AnyBlocksGiveTheWordsOfTheWholeText) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  constexpr absl::string_view kAlphabet = "abzABZ .-\n@[`{\xc3";
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 200, ' ');
    for (char& c : text) c = kAlphabet[random() % kAlphabet.size()];
    EXPECT_EQ(WordsOf(text), NaiveWordsOf(text));
    Words in_blocks;
    absl::string_view rest = text;
    while (!rest.empty()) {
      size_t size = 1 + random() % 20;
      size_t whole = 0;
      while (size < rest.size() && whole == 0) {
        whole = WholeWords(rest.substr(0, size));
        size *= 2;
      }
      if (whole == 0) whole = rest.size();
      for (std::string& word : WordsOf(rest.substr(0, whole))) {
        in_blocks.push_back(std::move(word));
      }
      rest.remove_prefix(whole);
    }
    EXPECT_EQ(in_blocks, NaiveWordsOf(text));
  }
}

}  // namespace
}  // namespace ets_keeper::examples
