// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "examples/words.h"

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace ets_keeper::examples {

void ForEachWord(absl::string_view text,
                 absl::FunctionRef<void(absl::string_view)> visit) {
  std::string word;
  size_t i = 0;
  while (i < text.size()) {
    word.clear();
    while (i < text.size() && absl::ascii_isalpha(text[i])) {
      word.push_back(absl::ascii_tolower(text[i++]));
    }
    if (word.empty()) {
      ++i;
    } else {
      visit(word);
    }
  }
}

size_t WholeWords(absl::string_view text) {
  size_t end = text.size();
  while (end > 0 && absl::ascii_isalpha(text[end - 1])) --end;
  return end;
}

}  // namespace ets_keeper::examples
