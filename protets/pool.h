// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: pool.h
// -----------------------------------------------------------------------------
//
// `Pool` keeps tables alive within one OS process: each is owned by a worker, a
// process that does nothing else, and inherited by two monitors, which find it
// a new worker.
//
//   std::shared_ptr<Pool> pool = Pool::Start(runtime);
//   absl::StatusOr<TableHandle> users = pool->Create(
//       {.name = "users"}, Codec::schema(), Codec::KeyLayoutOf<&User::id>());
//   runtime.Exit(pool->tables().Info(users->id())->owner,
//                ExitReason::Killed());   // changes nothing for `users`
//
// HOW A TABLE SURVIVES. Its chain of heirs is: the monitor, the standby
// monitor, and the pool itself, which no signal can reach. So whatever dies,
// and be it everything at once, somebody owns the table at every moment.
// Monitors that died are replaced, and the heirs of all tables renewed, in the
// exit hook of whatever died: before anybody can have heard of the death.
//
// Handles are everybody's handles of a public table: they do not notice a
// change of owner.
//
// Thread safety: everything may be called from any thread.
//
// Lifetime: the runtime outlives the pool. The tables end with the pool;
// handles of them may stay, and are told `kTableNotFound`.
//
// It knows nothing of names or of the keeper: that is `Protets`.

#ifndef PROTETS_POOL_H_
#define PROTETS_POOL_H_

#include <array>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "blanket/inheritance.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"

namespace ets_keeper::protets {

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  [[nodiscard]] static std::shared_ptr<Pool> Start(Runtime& runtime);

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  // Pool::Create()
  //
  // A new table, public whatever the options say, with heirs of the pool's
  // choice, and everybody's handle of it. Errors as Tables::Create().
  [[nodiscard]] absl::StatusOr<TableHandle> Create(TableOptions options,
                                                   const Schema& schema,
                                                   const KeyLayout& key)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Pool::Prepare()
  //
  // Has a worker ready for the next table, so that `Create()` need not wake the
  // runtime: for whoever has to wait before it anyway. Returns the worker.
  Pid Prepare() ABSL_LOCKS_EXCLUDED(mu_);

  // Pool::Delete()
  //
  // The table is gone when this returns, and so will be its worker. A table
  // that somebody else deleted, or that is unknown, is fine too.
  void Delete(TableId table) ABSL_LOCKS_EXCLUDED(mu_);

  [[nodiscard]] Tables& tables() ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return inheritance_.tables();
  }
  [[nodiscard]] Runtime& runtime() const { return inheritance_.runtime(); }

  // Pool::worker_count()
  //
  // As many as there are tables, but for those that were deleted without
  // `Delete()`.
  [[nodiscard]] int worker_count() const ABSL_LOCKS_EXCLUDED(mu_);

  // Pool::monitors()
  //
  // The monitor and the standby monitor.
  using Monitors = std::array<Pid, 2>;
  [[nodiscard]] Monitors monitors() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  explicit Pool(Runtime& runtime);

  static Task<> Work(Self& self);

  void HandleDeath(Pid pid) ABSL_LOCKS_EXCLUDED(mu_);
  // Finds a worker for a table that `heir` has inherited.
  void HandleTransfer(TableId table, Pid heir) ABSL_LOCKS_EXCLUDED(mu_);

  // Replaces monitors that have died; all tables learn of it.
  void EnsureMonitors() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetHeirs(const TableHandle& own) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Gives the table, if `owner` still owns it, to a worker without one.
  void House(TableId table, Pid owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool GiveToWorker(const TableHandle& own, Pid worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Pid SpawnMonitor();

  blanket::Inheritance inheritance_;
  const Pid last_heir_;  // the pool itself
  mutable absl::Mutex mu_;
  Monitors monitors_ ABSL_GUARDED_BY(mu_) = {};
  // Monitors that have died and whose tables have not changed hands yet.
  absl::flat_hash_set<Pid> replaced_ ABSL_GUARDED_BY(mu_);
  Pid spare_ ABSL_GUARDED_BY(mu_) = kNoPid;  // a worker without a table
  absl::flat_hash_map<TableId, Pid> workers_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Pid, TableId> tables_of_ ABSL_GUARDED_BY(mu_);
  ExitHook hook_;  // last: gone before what it uses
};

}  // namespace ets_keeper::protets

#endif  // PROTETS_POOL_H_
