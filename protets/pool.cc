// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/pool.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/mutex/mutex.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/message.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"

namespace ets_keeper::protets {
namespace {

// Ends a worker whose table is gone.
struct Stop {};

}  // namespace

std::shared_ptr<Pool> Pool::Start(Runtime& runtime) {
  std::shared_ptr<Pool> pool = absl::WrapUnique(new Pool(runtime));
  // After that of `inheritance_`: when it runs, tables have changed hands.
  pool->hook_ = runtime.AddExitHook(
      ExitPhase::kTables,
      [p = pool.get()](Pid pid, const ExitReason&) { p->HandleDeath(pid); });
  Lock lock(pool->mu_);
  pool->EnsureMonitors();
  return pool;
}

Pool::Pool(Runtime& runtime)
    : inheritance_(runtime), last_heir_(inheritance_.NewKeeper()) {}

Pool::~Pool() {
  hook_ = ExitHook();
  std::vector<TableId> tables;
  std::vector<Pid> idle;
  {
    Lock lock(mu_);
    for (const auto& [table, worker] : workers_) tables.push_back(table);
    idle.assign(monitors_.begin(), monitors_.end());
    idle.push_back(spare_);
  }
  for (const TableId table : tables) Delete(table);
  for (const Pid pid : idle) runtime().Exit(pid, ExitReason::Killed());
}

absl::StatusOr<TableHandle> Pool::Create(TableOptions options,
                                         const Schema& schema,
                                         const KeyLayout& key) {
  options.access = TableAccess::kPublic;
  options.heirs = {};
  Lock lock(mu_);
  const absl::StatusOr<TableHandle> created =
      tables().Create(last_heir_, std::move(options), schema, key);
  if (!created.ok()) return created.status();
  const TableId table = created->id();
  workers_[table] = kNoPid;
  EnsureMonitors();
  House(table, last_heir_);
  return tables().Open(table);
}

Pid Pool::Prepare() {
  Lock lock(mu_);
  if (!runtime().IsAlive(spare_)) spare_ = runtime().Spawn(Work);
  return spare_;
}

void Pool::Delete(TableId table) {
  Lock lock(mu_);
  if (const absl::StatusOr<TableHandle> handle = tables().Open(table);
      handle.ok()) {
    tables().Delete(*handle).IgnoreError();  // kTableNotFound: just now
  }
  const auto it = workers_.find(table);
  if (it == workers_.end()) return;
  runtime().Send(it->second, Stop{});
  tables_of_.erase(it->second);
  workers_.erase(it);
}

int Pool::worker_count() const {
  Lock lock(mu_);
  return static_cast<int>(workers_.size());
}

Pool::Monitors Pool::monitors() const {
  Lock lock(mu_);
  return monitors_;
}

Task<> Pool::Work(Self& self) {
  for (;;) {
    const absl::StatusOr<Message> message = co_await self.Receive<Message>();
    if (message.ok() && message->As<Stop>() != nullptr) co_return;
  }
}

Pid Pool::SpawnMonitor() {
  return runtime().Spawn([pool = weak_from_this()](Self& self) -> Task<> {
    for (;;) {
      absl::StatusOr<Message> message = co_await self.Receive<Message>();
      const auto* transfer =
          message.ok() ? message->As<TableTransfer>() : nullptr;
      if (transfer == nullptr) continue;
      if (const std::shared_ptr<Pool> alive = pool.lock()) {
        alive->HandleTransfer(transfer->table, self.pid());
      }
    }
  });
}

void Pool::HandleDeath(Pid pid) {
  Lock lock(mu_);
  const bool is_monitor =
      pid == monitors_[0] || pid == monitors_[1] || replaced_.contains(pid);
  const auto worker = tables_of_.find(pid);
  if (!is_monitor && worker == tables_of_.end()) return;
  if (worker != tables_of_.end()) {
    const TableId table = worker->second;
    tables_of_.erase(worker);
    // A monitor may have been quick.
    if (Pid& housed = workers_[table]; housed == pid) housed = kNoPid;
    House(table, last_heir_);  // if both monitors were dead
  }
  EnsureMonitors();
  if (!is_monitor) return;
  replaced_.erase(pid);
  std::vector<TableId> homeless;
  for (const auto& [table, owner] : workers_) {
    if (owner == kNoPid) homeless.push_back(table);
  }
  for (const TableId table : homeless) House(table, last_heir_);
}

void Pool::HandleTransfer(TableId table, Pid heir) {
  Lock lock(mu_);
  if (workers_.contains(table)) House(table, heir);
}

void Pool::EnsureMonitors() {
  bool renewed = false;
  for (Pid& monitor : monitors_) {
    if (runtime().IsAlive(monitor)) continue;
    if (monitor != kNoPid) replaced_.insert(monitor);
    monitor = SpawnMonitor();
    renewed = true;
  }
  if (!renewed) return;
  for (const auto& [table, worker] : workers_) {
    const absl::StatusOr<TableHandle> own = tables().Own(table, worker);
    if (own.ok()) SetHeirs(*own);
  }
}

void Pool::SetHeirs(const TableHandle& own) {
  tables()
      .SetHeirs(own, {.chain = {monitors_[0], monitors_[1], last_heir_}})
      .IgnoreError();  // it changed hands: whoever houses it sets them
}

void Pool::House(TableId table, Pid owner) {
  const absl::StatusOr<TableHandle> own = tables().Own(table, owner);
  if (!own.ok()) return;
  SetHeirs(*own);
  const Pid spare = std::exchange(spare_, kNoPid);
  if (spare != kNoPid && GiveToWorker(*own, spare)) return;
  GiveToWorker(*own, runtime().Spawn(Work));
}

// Workers do nothing with their tables: none is woken to be told.
bool Pool::GiveToWorker(const TableHandle& own, Pid worker) {
  if (!tables().GiveAway(own, worker, {}, /*silent=*/true).ok()) {
    runtime().Exit(worker, ExitReason::Killed());
    return false;
  }
  workers_[own.id()] = worker;
  tables_of_[worker] = own.id();
  return true;
}

}  // namespace ets_keeper::protets
