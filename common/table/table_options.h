// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: table_options.h
// -----------------------------------------------------------------------------
//
// The plain types with which tables are made and described.
//
//   TableOptions options = {.name = "users",
//                           .access = TableAccess::kPublic,
//                           .heirs = {.chain = {heir}}};
//
// Thread safety: values.

#ifndef COMMON_TABLE_TABLE_OPTIONS_H_
#define COMMON_TABLE_TABLE_OPTIONS_H_

#include <any>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/arena/arena.h"
#include "common/pid/pid.h"

namespace ets_keeper {

// TableId
//
// Names one table of this OS process for ever; never re-used.
struct TableId {
  uint64_t id = 0;

  friend auto operator<=>(const TableId&, const TableId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const TableId& table) {
    return H::combine(std::move(h), table.id);
  }
  template <typename Sink>
  friend void AbslStringify(Sink& sink, const TableId& table) {
    absl::Format(&sink, "#%d", table.id);
  }
};

// TableAccess
//
// Who may do what, as in ETS: `kPrivate`, only the owner reads and writes;
// `kProtected`, everybody reads and the owner writes; `kPublic`, everybody does
// both.
enum class TableAccess : uint8_t { kPrivate, kProtected, kPublic };

// Heirs
//
// Who gets a table when its owner dies: the first of `chain` that is alive. It
// is told by a `TableTransfer` with a copy of `data`, unless `silent`. The
// chain stays in force when a table is inherited: the next living one is next.
struct Heirs {
  std::vector<Pid> chain = {};
  std::any data = {};
  bool silent = false;
};

// TableTransfer
//
// The message that a process gets when it has become the owner of a table, by
// inheritance or by a gift.
struct TableTransfer {
  TableId table = {};
  std::string name = {};  // the table's name at that moment; may be empty
  Pid from = {};          // the owner before
  std::any data = {};     // of the heirs, or of the gift
};

// TableOptions
struct TableOptions {
  // Not empty: the table is found by this name, which must be free. Empty: it
  // is found by its id only.
  std::string name = {};

  TableAccess access = TableAccess::kProtected;

  // Dead processes in the chain are left out.
  Heirs heirs = {};

  // The most bytes that the table may ever use: address space, of which pages
  // are taken as rows come. Not used if `arena` is given.
  uint64_t max_bytes = uint64_t{16} << 30;

  // Take huge pages (2 MiB) from the system where the table has grown large, if
  // it has any: lookups are faster; up to 6 MiB of memory for the rows, and as
  // much for their index, are taken ahead of use. Small tables have none. Not
  // used if `arena` is given, which has an option of its own.
  bool huge_pages = true;

  // How many threads are to write side by side, 1 to 1024; if there are more,
  // those that come later share. It never changes results. Each takes about 2
  // KiB of the table's memory.
  uint32_t writers = 8;

  // The memory to live in: an arena over a memfd outlives this OS process. If
  // it holds a table already, that one is recovered and its rows are kept.
  // Null: private memory.
  std::unique_ptr<Arena> arena = nullptr;
};

// TableInfo
//
// A table as it was at one moment.
struct TableInfo {
  TableId id = {};
  std::string name = {};  // empty: it has none
  TableAccess access = TableAccess::kProtected;
  Pid owner = {};
  std::vector<Pid> heirs = {};  // in order, the living ones only
  uint64_t epoch = 0;           // of the ownership; goes up with each new owner
  uint64_t size = 0;            // rows
  uint64_t memory = 0;          // bytes in use, of `max_memory`
  uint64_t max_memory = 0;
  bool survives_process = false;  // it lives in a memfd
  std::string schema = {};

  // Whether the rows would survive the death of the owner.
  [[nodiscard]] bool is_protected() const { return !heirs.empty(); }
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_TABLE_OPTIONS_H_
