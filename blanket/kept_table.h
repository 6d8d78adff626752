// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: kept_table.h
// -----------------------------------------------------------------------------
//
// The plain types with which a `Blanket` is told what to keep, and tells what
// it keeps.
//
// Thread safety: values.

#ifndef BLANKET_KEPT_TABLE_H_
#define BLANKET_KEPT_TABLE_H_

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"

namespace ets_keeper::blanket {

// TableDefinition
//
// A table that is to be kept, and how.
struct TableDefinition {
  // `table.name` tells the tables of one owner apart; it may be empty. No heirs
  // may be given: the blanket names them.
  TableOptions table;

  // Whether the table is to go when the process that received it ends
  // gracefully: of `normal` or `shutdown`. After a crash it is kept
  // nevertheless.
  bool transient = false;

  // For how long the heir waits for an owner, the first one or the next. Then
  // `on_give_up` is called, in the heir and with the owner's handle, to save
  // what is to be saved; and if nobody has claimed the table by the time that
  // it returns, the table is deleted. Its exceptions are dropped.
  absl::Duration give_up_after = absl::InfiniteDuration();
  std::function<void(const TableHandle&)> on_give_up;

  // Whether the owner gets an `HeirReplaced` when the heir of its table has
  // died.
  bool report_heir_death = false;
};

// HeirReplaced
//
// A message to the owner of `table`: `old_heir` died, `new_heir` has taken its
// place, and the table was protected all the while.
struct HeirReplaced {
  TableId table;
  Pid old_heir;
  Pid new_heir;
};

// Protection
enum class Protection {
  kHeld,         // by the heir: no owner has come yet, or it gave it back
  kOwned,        // by a process; its heirs are in place
  kOrphaned,     // the owner has died; the heir has it, or is about to
  kUnprotected,  // the owner has named other heirs, or none
};

// KeptTable
//
// A table of a blanket as it was at one moment.
struct KeptTable {
  std::string owner_name;
  std::string table_name;  // as it was when the table was made
  TableId table;
  Protection protection = Protection::kHeld;
  Pid owner;         // who owns it now: a process, or the heir
  Pid heir;          // one is replaced when it dies
  absl::Time since;  // when it last came to an owner, or to the heir
  int waiting = 0;   // claims in line
};

}  // namespace ets_keeper::blanket

#endif  // BLANKET_KEPT_TABLE_H_
