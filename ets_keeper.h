// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: ets_keeper.h
// -----------------------------------------------------------------------------
//
// In-memory tables that outlive their owners: all public parts behind one
// header and one target, `//:ets_keeper`. Each part is a target of its own,
// too.
//
//   auto users = ets_keeper::protets::Get<User, &User::id>("users");
//   absl::Status stored = users->Insert({7, "Ada"});
//
//   * `Table`, `TableWriter`, `TableReader`, `Batch`, `Tables`: tables of typed
//     rows, their names and owners                        (//common/table)
//   * `Runtime`, `Self`, `Task`, `AdoptedThread`: lightweight processes
//                                                         (//common/process)
//   * `Clock`: the time, real or by hand                  (//common/clock)
//   * `Cause`: why something was refused                  (//common/status)
//   * `registry::Registry`, `registry::ProcessNames`: who is it now?
//                                                         (//registry)
//   * `blanket::Blanket`: heirs that give a table back to its restarted owner
//                                                         (//blanket)
//   * `protets::Get()`, `protets::Drop()`: a server of tables, and the keeper
//     daemon that makes them survive `kill -9`            (//protets)
//
// Thread safety: said in each header.

#ifndef ETS_KEEPER_H_
#define ETS_KEEPER_H_

#include "blanket/blanket.h"             // IWYU pragma: export
#include "blanket/inheritance.h"         // IWYU pragma: export
#include "common/clock/clock.h"          // IWYU pragma: export
#include "common/pid/pid.h"              // IWYU pragma: export
#include "common/process/process.h"      // IWYU pragma: export
#include "common/row/row.h"              // IWYU pragma: export
#include "common/status/status.h"        // IWYU pragma: export
#include "common/table/batch.h"          // IWYU pragma: export
#include "common/table/table.h"          // IWYU pragma: export
#include "common/table/table_options.h"  // IWYU pragma: export
#include "common/table/tables.h"         // IWYU pragma: export
#include "protets/keeper_client.h"       // IWYU pragma: export
#include "protets/protets.h"             // IWYU pragma: export
#include "registry/process_names.h"      // IWYU pragma: export
#include "registry/registry.h"           // IWYU pragma: export

#endif  // ETS_KEEPER_H_
