// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: table_peer.h
// -----------------------------------------------------------------------------
//
// `TablePeer`: a `Table` as a program uses it, through the owner's typed handle
// and with default options: every call checks the epoch and returns a status,
// rows are copied in and out, and every write is whole after a kill.
//
//   TablePeer<WordRow, Memory::kMemfd> peer;
//   peer.Insert(1, 10);
//
// Thread safety: any number of threads may use a peer.

#ifndef BENCHMARKS_TABLE_PEER_H_
#define BENCHMARKS_TABLE_PEER_H_

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/peer.h"
#include "benchmarks/rows.h"
#include "common/arena/arena.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper::benchmarks {

// TableRow
//
// A kind of row as a row of a table.
template <typename R>
struct TableRow;

template <>
struct TableRow<WordRow> {
  uint64_t key = 0;
  uint64_t count = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &TableRow::key),
                     Field("count", &TableRow::count));
  }

  static TableRow Of(uint64_t key, uint64_t value) { return {key, value}; }
  [[nodiscard]] uint64_t value() const { return count; }
};

template <>
struct TableRow<StringRow> {
  std::string key;
  uint64_t count = 0;
  std::array<uint64_t, 7> rest = {};
  static constexpr auto Fields() {
    return FieldList(Field("key", &TableRow::key),
                     Field("count", &TableRow::count),
                     Field("rest", &TableRow::rest));
  }

  static TableRow Of(absl::string_view key, const Payload& value) {
    return {std::string(key), value.count, value.rest};
  }
  [[nodiscard]] Payload value() const { return {count, rest}; }
};

// Memory
//
// Huge pages are taken where the machine allows it, but for the two that never
// do.
enum class Memory { kPrivate, kPrivate4k, kMemfd, kMemfd4k };

// TablePeer
template <typename R, Memory kMemory>
class TablePeer {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = true;

  TablePeer() : table_(Make(tables_)) {}

  // Inlined as the other maps' are: a result of two words on its way through a
  // call costs as much as a lookup.
  ABSL_ATTRIBUTE_ALWAYS_INLINE std::optional<Value> Find(KeyArg key) const {
    if constexpr (std::is_trivially_copyable_v<Record>) {
      Record row;
      const absl::StatusOr<bool> found = table_.LookupInto(key, row);
      CHECK_OK(found.status());
      if (!*found) return std::nullopt;
      return row.value();
    } else {
      static thread_local Record row;
      const absl::StatusOr<bool> found = table_.LookupInto(key, row);
      CHECK_OK(found.status());
      if (!*found) return std::nullopt;
      return row.value();
    }
  }
  size_t FindBatch(absl::Span<const KeyArg> keys, Value* values) const {
    size_t found = 0;
    CHECK_OK(table_.LookupEach(keys, [&](size_t, const Record* row) {
      if (row != nullptr) values[found++] = row->value();
    }));
    return found;
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Insert(KeyArg key, const Value& value) {
    CHECK_OK(table_.Insert(Record::Of(key, value)));
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool Add(KeyArg key, uint64_t amount) {
    return table_
        .template UpdateCounter<&Record::count>(key,
                                                static_cast<int64_t>(amount))
        .ok();
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Erase(KeyArg key) {
    CHECK_OK(table_.Delete(key));
  }
  uint64_t size() const { return table_.Size().value(); }

  // What the arena has in use.
  uint64_t bytes() const { return tables_.Info(table_.id())->memory; }

 private:
  using Record = TableRow<R>;
  using Rows = Table<Record, &Record::key>;

  static std::unique_ptr<Arena> MakeMemfd(uint64_t bytes, bool huge_pages) {
    UniqueFd fd(memfd_create("benchmark", MFD_CLOEXEC));
    CHECK(fd) << "memfd_create";
    CHECK_EQ(ftruncate(fd.get(), static_cast<off_t>(bytes)), 0);
    auto arena = Arena::Map(std::move(fd), ArenaAccess::kReadWrite,
                            {.huge_pages = huge_pages});
    CHECK_OK(arena.status());
    return *std::move(arena);
  }

  static Rows Make(Tables& tables) {
    constexpr bool kHugePages =
        kMemory == Memory::kPrivate || kMemory == Memory::kMemfd;
    TableOptions options = {.huge_pages = kHugePages};
    if constexpr (kMemory == Memory::kMemfd || kMemory == Memory::kMemfd4k) {
      options.arena = MakeMemfd(options.max_bytes, kHugePages);
    }
    auto rows = Rows::New(tables, NewPid(), std::move(options));
    CHECK_OK(rows.status());
    return *std::move(rows);
  }

  Tables tables_;
  const Rows table_;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_TABLE_PEER_H_
