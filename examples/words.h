// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: words.h
// -----------------------------------------------------------------------------
//
// Finds the words of a text. A word is a maximal run of ASCII letters, in lower
// case; everything else, bytes above 127 included, stands between words.
//
//   ForEachWord("Don't!", [](absl::string_view word) { ... });  // "don", "t"
//
// A long text comes in blocks, which must not cut a word in two:
//
//   size_t whole = WholeWords(block);
//   ForEachWord(block.substr(0, whole), ...);
//   // The next block begins at block[whole].
//
// Thread safety: pure functions.

#ifndef EXAMPLES_WORDS_H_
#define EXAMPLES_WORDS_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace ets_keeper::examples {

// ForEachWord()
//
// Calls `visit` with every word, in order. The view is good for that call.
void ForEachWord(absl::string_view text,
                 absl::FunctionRef<void(absl::string_view)> visit);

// WholeWords()
//
// The length of the longest prefix behind which no letter is: whatever follows
// `text`, it cuts no word. 0 if `text` is all letters.
[[nodiscard]] size_t WholeWords(absl::string_view text);

}  // namespace ets_keeper::examples

#endif  // EXAMPLES_WORDS_H_
