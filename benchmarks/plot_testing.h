// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: plot_testing.h
// -----------------------------------------------------------------------------
//
// Whether a picture is a picture: enough of an XML parser to tell.
//
//   EXPECT_EQ(WhyNotWellFormed(svg.Finish()), "");
//
// Thread safety: none is needed.

#ifndef BENCHMARKS_PLOT_TESTING_H_
#define BENCHMARKS_PLOT_TESTING_H_

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ets_keeper::benchmarks {

// Whether every & begins an entity that XML knows.
inline bool HasOnlyEntities(absl::string_view text) {
  for (size_t at = text.find('&'); at != absl::string_view::npos;
       at = text.find('&', at + 1)) {
    bool known = false;
    for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      known = known || absl::StartsWith(text.substr(at), entity);
    }
    if (!known) return false;
  }
  return true;
}

// WhyNotWellFormed()
//
// What is wrong with the XML; empty if it is one element whose tags match, and
// whose attributes are quoted.
inline std::string WhyNotWellFormed(absl::string_view xml) {
  std::vector<std::string> open;
  bool ended = false;
  while (!xml.empty()) {
    const size_t begin = xml.find('<');
    const absl::string_view text = xml.substr(0, begin);
    if (!HasOnlyEntities(text)) return absl::StrCat("& in '", text, "'");
    if (begin == absl::string_view::npos) break;
    if (ended) return "more than one element";
    const size_t end = xml.find('>', begin);
    if (end == absl::string_view::npos) return "a tag has no end";
    absl::string_view tag = xml.substr(begin + 1, end - begin - 1);
    xml.remove_prefix(end + 1);
    if (!HasOnlyEntities(tag)) return absl::StrCat("& in <", tag, ">");
    if (tag.find('<') != absl::string_view::npos) {
      return absl::StrCat("< in <", tag, ">");
    }
    size_t quotes = 0;
    for (const char c : tag) quotes += c == '"';
    if (quotes % 2 != 0) return absl::StrCat("a quote in <", tag, ">");
    if (tag.front() == '/') {
      if (open.empty() || open.back() != tag.substr(1)) {
        return absl::StrCat("<", tag, "> ends something else");
      }
      open.pop_back();
      ended = open.empty();
    } else if (tag.back() != '/') {
      open.emplace_back(tag.substr(0, tag.find(' ')));
    }
  }
  return open.empty() ? "" : absl::StrCat("<", open.back(), "> has no end");
}

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_PLOT_TESTING_H_
