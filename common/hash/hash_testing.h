// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: hash_testing.h
// -----------------------------------------------------------------------------
//
// A small table to test the hash core with: rows of a numeric key and any
// number of words, {key, words...}, in a private arena.
//
//   TestTable table(/*lanes_log2=*/0);
//   table.core->Insert(table.epoch, table.Key(7), table.Row(7, {1, 2}));
//
// Thread safety: as HashCore's. Test code only.

#ifndef COMMON_HASH_HASH_TESTING_H_
#define COMMON_HASH_HASH_TESTING_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_reader.h"
#include "common/row/row_buffer.h"

namespace ets_keeper {

// TestKey
//
// A numeric key with its word.
struct TestKey {
  explicit TestKey(uint64_t key, uint64_t seed = kSeed)
      : word(key),
        hash_key{.hash = HashOf(&word, seed), .bytes = 8, .words = {}} {
    hash_key.words = absl::MakeConstSpan(&word, 1);
  }
  TestKey(const TestKey& other) : word(other.word), hash_key(other.hash_key) {
    hash_key.words = absl::MakeConstSpan(&word, 1);
  }
  operator const HashKey&() const { return hash_key; }  // NOLINT: test brevity

  static constexpr uint64_t kSeed = 42;
  uint64_t word;
  HashKey hash_key;

 private:
  static uint64_t HashOf(const uint64_t* word, uint64_t seed) {
    return HashWords(seed, absl::MakeConstSpan(word, 1), 8);
  }
};

// TestRow()
inline RowBuffer TestRow(uint64_t key, std::initializer_list<uint64_t> words) {
  RowBuffer row = {key};
  row.insert(row.end(), words.begin(), words.end());
  return row;
}

struct TestTable {
  explicit TestTable(uint32_t lanes_log2 = 2,
                     uint64_t bytes = uint64_t{64} << 20) {
    auto created = Arena::CreatePrivate(bytes);
    CHECK_OK(created.status());
    arena = *std::move(created);
    CHECK_OK(HashCore::Format(arena.get(), {.lanes_log2 = lanes_log2,
                                            .key = {},
                                            .seed = TestKey::kSeed,
                                            .schema = 0,
                                            .schema_text = ""}));
    auto attached = HashCore::Attach(arena.get());
    CHECK_OK(attached.status());
    core = *std::move(attached);
    core->RaiseEpoch(epoch);
  }

  [[nodiscard]] std::optional<RowBuffer> Lookup(uint64_t key) const {
    RowBuffer row;
    if (!core->reader().Lookup(TestKey(key), &row)) return std::nullopt;
    return row;
  }

  // All rows by key, as a scan delivers them; checks that none comes twice.
  [[nodiscard]] std::map<uint64_t, RowBuffer> Rows() const {
    return RowsOf(core->reader());
  }

  [[nodiscard]] static std::map<uint64_t, RowBuffer> RowsOf(
      const HashReader& reader) {
    std::map<uint64_t, RowBuffer> all;
    HashCursor cursor;
    std::vector<RowBuffer> rows;
    while (reader.Scan(&cursor, &rows)) {
      for (RowBuffer& row : rows) {
        const uint64_t key = row[0];
        CHECK(all.emplace(key, std::move(row)).second)
            << "a scan delivered key " << key << " twice";
      }
    }
    return all;
  }

  static constexpr uint64_t epoch = 1;
  std::unique_ptr<Arena> arena;
  std::unique_ptr<HashCore> core;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_TESTING_H_
