// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: inheritance.h
// -----------------------------------------------------------------------------
//
// `Inheritance` holds the tables of the processes of a `Runtime`: it sees who
// is alive, hands tables on when a process dies, and delivers what the new
// owner is to know.
//
//   Runtime runtime;
//   Inheritance inheritance(runtime);
//   auto users = Table<User, &User::id>::New(
//       inheritance.tables(), self.pid(), {.heirs = {.chain = {heir}}});
//
//   // In the heir, when the owner has died:
//   absl::StatusOr<TableTransfer> got = co_await self.Receive<TableTransfer>();
//   auto mine = Table<User, &User::id>::Of(
//       *inheritance.tables().Own(got->table, self.pid()));
//
// Tables change hands in `ExitPhase::kTables` of their owner's death: before
// its names are released, and before anybody is told of the death. So whoever
// has received a `Down` has received the transfer before it.
//
// Thread safety: everything may be called from any thread.
//
// Lifetime: it must be destroyed before the runtime; its tables go with it, and
// handles of them may stay.
//
// It does not know who should own a table after an heir has got it: that is
// `Blanket`.

#ifndef BLANKET_INHERITANCE_H_
#define BLANKET_INHERITANCE_H_

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/runtime.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"

namespace ets_keeper::blanket {

// Inheritance
class Inheritance {
 public:
  explicit Inheritance(Runtime& runtime);

  Inheritance(const Inheritance&) = delete;
  Inheritance& operator=(const Inheritance&) = delete;

  [[nodiscard]] Tables& tables() ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return tables_;
  }
  [[nodiscard]] Runtime& runtime() const { return processes_.runtime(); }

  // Inheritance::IsAlive()
  //
  // Whether `pid` may own tables: a living process, or a keeper.
  [[nodiscard]] bool IsAlive(Pid pid) const { return processes_.IsAlive(pid); }

  // Inheritance::NewKeeper()
  //
  // An owner and heir that is no process: nothing can kill it, so a chain of
  // heirs that ends with it never ends. It is told of nothing.
  [[nodiscard]] Pid NewKeeper();

  // Inheritance::EndKeeper()
  //
  // The keeper dies, as a process would: its tables go to their next heirs, or
  // are destroyed.
  void EndKeeper(Pid keeper);

 private:
  class Processes final : public TableProcesses {
   public:
    explicit Processes(Runtime& runtime) : runtime_(runtime) {}

    [[nodiscard]] bool IsAlive(Pid pid) const override ABSL_LOCKS_EXCLUDED(mu_);
    void Deliver(Pid to, TableTransfer transfer) override;

    Runtime& runtime() const { return runtime_; }
    void AddKeeper(Pid keeper) ABSL_LOCKS_EXCLUDED(mu_);
    void RemoveKeeper(Pid keeper) ABSL_LOCKS_EXCLUDED(mu_);

   private:
    Runtime& runtime_;
    mutable absl::Mutex mu_;
    absl::flat_hash_set<Pid> keepers_ ABSL_GUARDED_BY(mu_);
  };

  Processes processes_;
  Tables tables_;
  ExitHook hook_;  // last: gone before what it uses
};

}  // namespace ets_keeper::blanket

#endif  // BLANKET_INHERITANCE_H_
