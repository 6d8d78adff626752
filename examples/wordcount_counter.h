// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: wordcount_counter.h
// -----------------------------------------------------------------------------
//
// The counting itself: reads the input on from where the table says that
// counting has come, and stores, for each block, the counts of its words and
// the new position as one. So whoever kills the counter at whatever moment, the
// next one goes on as if nothing had happened.
//
//   absl::Status done = CountWords(input, words, job, on_moment);
//
// Thread safety: one counter at a time for a table.

#ifndef EXAMPLES_WORDCOUNT_COUNTER_H_
#define EXAMPLES_WORDCOUNT_COUNTER_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "examples/input_file.h"

namespace ets_keeper::examples {

// WordCount
//
// A row: how often a word was seen; or how far counting has come.
struct WordCount {
  std::string word;
  int64_t count = 0;

  static constexpr auto Fields() {
    return FieldList(Field("word", &WordCount::word),
                     Field("count", &WordCount::count));
  }
};

using WordTable = TableWriter<WordCount, &WordCount::word>;

inline constexpr char kWordTable[] = "words";

// The row of the position. No word is like this.
inline constexpr char kPosition[] = "#position";

// CountJob
struct CountJob {
  // How much to read for one batch.
  uint64_t block_bytes = 64 << 10;

  // Where to stop: behind the first block that comes so far.
  uint64_t gate = std::numeric_limits<uint64_t>::max();
};

// CountMoment
enum class CountMoment {
  kReady,      // the position was read from the table
  kBlockRead,  // a block was read, and nothing stored
  kCommitted,  // the block is counted
};

// CountWords()
//
// Returns at the gate or at the end of the input. `on_moment` is told each
// moment and the position stored at that time; an exception of it passes.
[[nodiscard]] absl::Status CountWords(
    const InputFile& input, const WordTable& words, const CountJob& job,
    absl::FunctionRef<void(CountMoment, uint64_t position)> on_moment);

// Tally
//
// How often each word was seen.
using Tally = std::map<std::string, int64_t>;

// ReadTally()
//
// What the table has.
[[nodiscard]] absl::StatusOr<Tally> ReadTally(const WordTable& words);

// CountPlainly()
//
// What the input has, counted without a table, to compare.
[[nodiscard]] absl::StatusOr<Tally> CountPlainly(const InputFile& input);

}  // namespace ets_keeper::examples

#endif  // EXAMPLES_WORDCOUNT_COUNTER_H_
