// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "examples/wordcount_counter.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/table/batch.h"
#include "examples/input_file.h"
#include "examples/words.h"

namespace ets_keeper::examples {
namespace {

// The counts of one block, and the position behind it.
Batch<WordCount, &WordCount::word> BatchOf(absl::string_view block,
                                           uint64_t end) {
  absl::flat_hash_map<std::string, int64_t> counts;
  ForEachWord(block, [&](absl::string_view word) { ++counts[word]; });
  Batch<WordCount, &WordCount::word> batch;
  for (const auto& [word, count] : counts) {
    batch.UpdateCounter<&WordCount::count>(word, count, WordCount{});
  }
  batch.Insert({kPosition, static_cast<int64_t>(end)});
  return batch;
}

}  // namespace

absl::Status CountWords(
    const InputFile& input, const WordTable& words, const CountJob& job,
    absl::FunctionRef<void(CountMoment, uint64_t position)> on_moment) {
  const absl::StatusOr<std::optional<WordCount>> stored =
      words.Lookup(kPosition);
  if (!stored.ok()) return stored.status();
  uint64_t position =
      stored->has_value() ? static_cast<uint64_t>((*stored)->count) : 0;
  on_moment(CountMoment::kReady, position);
  while (position < std::min(job.gate, input.size())) {
    const absl::StatusOr<std::string> block =
        input.ReadBlock(position, job.block_bytes);
    if (!block.ok()) return block.status();
    const uint64_t end = position + block->size();
    on_moment(CountMoment::kBlockRead, position);
    absl::Status status = words.Apply(BatchOf(*block, end));
    if (!status.ok()) return status;
    position = end;
    on_moment(CountMoment::kCommitted, position);
  }
  return absl::OkStatus();
}

absl::StatusOr<Tally> ReadTally(const WordTable& words) {
  Tally tally;
  absl::Status status = words.ForEach([&](const WordCount& row) {
    if (row.word != kPosition) tally[row.word] = row.count;
  });
  if (!status.ok()) return status;
  return tally;
}

absl::StatusOr<Tally> CountPlainly(const InputFile& input) {
  constexpr uint64_t kBlock = 1 << 20;
  Tally tally;
  uint64_t position = 0;
  while (position < input.size()) {
    const absl::StatusOr<std::string> block = input.ReadBlock(position, kBlock);
    if (!block.ok()) return block.status();
    ForEachWord(*block,
                [&](absl::string_view word) { ++tally[std::string(word)]; });
    position += block->size();
  }
  return tally;
}

}  // namespace ets_keeper::examples
