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
//   TestTable table({.fixed_words = 2});
//   table.core->Insert(table.epoch, TestKey(7), TestRow(7, {1}));
//
// Thread safety: as HashCore's. Test code only.

#ifndef COMMON_HASH_HASH_TESTING_H_
#define COMMON_HASH_HASH_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/intent.h"
#include "common/arena/word.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_edit.h"
#include "common/hash/hash_find.h"
#include "common/hash/hash_item.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/hash/hash_record.h"
#include "common/row/layout.h"
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
  operator KeyView() const { return hash_key; }         // NOLINT: the same

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

// PlusOne()
//
// Adds one to a word of a row: as a handle of a table whose key is the first
// word of its rows does, which tries the short way first.
inline absl::Status PlusOne(HashCore& core, uint64_t epoch, const HashKey& key,
                            uint32_t word) {
  uint64_t sum;
  const HashGeometry& geometry = core.geometry();
  const bool added = WithWords(geometry.inline_words, [&](auto words) {
    constexpr RowShape kShape = {.fixed_words = words, .key = KeyLayout()};
    return geometry.key == KeyLayout() &&
           core.TryAdd<kShape>(core.EpochFor(epoch), key, {.word = word}, 1,
                               &sum);
  });
  if (added) return absl::OkStatus();
  return core.Add(epoch, key, {.word = word}, 1, &sum);
}

// LookupRecord()
//
// The lookup of a record by a handle: in two steps, in a buffer into which
// `copies(words)` lets rows of so many words be copied. `home`: of the key's
// hash.
template <KeyPlace kKey, typename Copies>
[[nodiscard]] bool LookupRecord(const HashReader& reader,
                                const HashBucket* home, const KeyView& key,
                                RowBuffer* row, const Copies& copies) {
  const HashReader::Sight sight = reader.See(home, key.hash);
  const HashReader::Found found = reader.TryRecord<kKey>(
      home, sight, key, [&](absl::Span<const uint64_t> words) {
        if (!copies(words.size()) || !IsUnchanged(home, sight.head)) {
          return false;
        }
        CopyWords(words.data(), words.size(), row);
        return true;
      });
  if (found != HashReader::Found::kRetry) {
    return found == HashReader::Found::kYes;
  }
  return reader.LookupView(key, row);
}

// NumberOf()
//
// The number of a bucket.
inline uint64_t NumberOf(const HashGeometry& geometry,
                         const HashBucket* bucket) {
  return geometry.BucketNumber(static_cast<uint64_t>(
      reinterpret_cast<const char*>(bucket) - geometry.base));
}

// LookupFixed()
//
// The lookup of rows of `row.size()` words, at most 8, which a test chooses
// while it runs.
template <KeyLayout kKey = KeyLayout()>
[[nodiscard]] bool LookupFixed(const HashReader& reader, const HashKey& key,
                               absl::Span<uint64_t> row) {
  CHECK(row.size() >= 1 && row.size() <= 8) << row.size();
  constexpr uint32_t kFewest = kKey.word + kKey.words;
  return [&]<uint32_t... kMore>(std::integer_sequence<uint32_t, kMore...>) {
    const auto look_up = [&](auto words) {
      if constexpr (InlineWords(words, kKey) != 0) {
        return reader.LookupFixed<words, kKey>(key, row.data());
      } else {
        RowBuffer found;
        if (!LookupRecord<kKey>(reader, reader.homes().Of(key.hash), key,
                                &found,
                                [&](uint64_t size) { return size == words; }) ||
            found.size() != words) {
          return false;
        }
        std::copy(found.begin(), found.end(), row.begin());
        return true;
      }
    };
    return ((row.size() == kFewest + kMore &&
             look_up(std::integral_constant<uint32_t, kFewest + kMore>())) ||
            ...);
  }
  (std::make_integer_sequence<uint32_t, 8 - kFewest + 1>());
}

// LookupTyped()
//
// The lookup that a handle makes that knows the type of the rows, of
// `fixed_words` words or, with 0, of various; the key is the first word.
[[nodiscard]] inline bool LookupTyped(const HashReader& reader,
                                      uint32_t fixed_words, const HashKey& key,
                                      RowBuffer* row) {
  if (fixed_words != 0) {
    row->resize(fixed_words);
    return LookupFixed(reader, key, absl::MakeSpan(*row));
  }
  return LookupRecord<KeyLayout{}>(reader, reader.homes().Of(key.hash), key,
                                   row, [](uint64_t) { return true; });
}

// TestOptions
struct TestOptions {
  uint32_t fixed_words = 0;  // of every row; 0: rows differ
  uint64_t bytes = uint64_t{64} << 20;
  uint32_t writers = 1;
  KeyLayout key = {};
};

struct TestTable {
  explicit TestTable(const TestOptions& options = {})
      : fixed_words(options.fixed_words) {
    auto created = Arena::CreatePrivate(options.bytes);
    CHECK_OK(created.status());
    arena = *std::move(created);
    CHECK_OK(FormatTestTable(arena.get(), options));
    auto attached = HashCore::Attach(arena.get());
    CHECK_OK(attached.status());
    core = *std::move(attached);
    core->RaiseEpoch(epoch);
  }

  static absl::Status FormatTestTable(Arena* arena,
                                      const TestOptions& options) {
    return HashCore::Format(arena, {.writers = options.writers,
                                    .key = options.key,
                                    .fixed_words = options.fixed_words,
                                    .seed = TestKey::kSeed,
                                    .schema = 0,
                                    .schema_text = ""});
  }

  [[nodiscard]] std::optional<RowBuffer> Lookup(uint64_t key) const {
    RowBuffer row;
    if (!core->reader().Lookup(TestKey(key), &row)) return std::nullopt;
    return row;
  }

  // A row of the table's shape, each word but the key being `value`.
  [[nodiscard]] RowBuffer Row(uint64_t key, uint64_t value) const {
    RowBuffer row = {key};
    row.resize(fixed_words != 0 ? fixed_words : 2 + key % 5, value);
    return row;
  }

  // The number of buckets.
  [[nodiscard]] uint64_t Buckets() const {
    return LoadWord(&core->geometry().root()->buckets);
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
  const uint32_t fixed_words;
  std::unique_ptr<Arena> arena;
  std::unique_ptr<HashCore> core;
};

// AnyHashEdit
//
// The HashEdit for the rows of a table, whichever they are.
class AnyHashEdit {
 public:
  AnyHashEdit(const HashGeometry& geometry, uint32_t lane,
              Transaction* transaction) {
    WithWords(geometry.inline_words, [&](auto words) {
      edit_.emplace<HashEdit<words>>(geometry, lane, transaction);
    });
  }

  [[nodiscard]] absl::StatusOr<HashPlace> Find(const HashKey& key) {
    return Visit<absl::StatusOr<HashPlace>>(
        [&](auto& edit) { return edit.Find(key); });
  }
  [[nodiscard]] absl::Status Put(const HashPlace& place, uint64_t hash,
                                 absl::Span<const uint64_t> row) {
    return Visit<absl::Status>(
        [&](auto& edit) { return edit.Put(place, hash, row); });
  }
  void Remove(const HashPlace& place) {
    Visit<void>([&](auto& edit) { edit.Remove(place); });
  }
  void Finish() {
    Visit<void>([](auto& edit) { edit.Finish(); });
  }
  [[nodiscard]] int64_t added() {
    return Visit<int64_t>([](auto& edit) { return edit.added(); });
  }

 private:
  template <typename Result, typename Use>
  Result Visit(const Use& use) {
    return std::visit(
        [&](auto& edit) -> Result {
          if constexpr (std::is_same_v<std::decay_t<decltype(edit)>,
                                       std::monostate>) {
            CHECK(false) << "no edit";
            return Result();
          } else {
            return use(edit);
          }
        },
        edit_);
  }

  std::variant<std::monostate, HashEdit<0>, HashEdit<1>, HashEdit<2>,
               HashEdit<3>>
      edit_;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_HASH_TESTING_H_
