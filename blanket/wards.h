// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: wards.h
// -----------------------------------------------------------------------------
//
// `Wards` is the inside of a `Blanket`: the tables that are kept, their heirs,
// and the claims that wait for them; without the types of rows.
//
// HOW IT WORKS. Whatever happens (a claim, a death, a registration, a message
// to an heir) ends in `Settle()`, which looks at how things are and does what
// follows from it, however often it is called:
//
//   * the table was deleted: it is no longer kept;
//   * its heir is dead: another is spawned and put into the chain;
//   * the keeper has it: the heir gets it;
//   * the heir has it: the first claim by the registered owner gets it.
//
// A table is never looked for by the name of its owner, and given only by its
// heir, to a process that `Tables` finds alive in the same step. Each chain is
// the heir, then a keeper that cannot die (`Inheritance::NewKeeper()`), so
// there is no moment at which the death of anybody loses a table.
//
// Thread safety: everything may be called from any thread. `mu_` is held while
// `Registry::WhereIs()`, `Tables` and `Runtime` are called, and never while
// code of the user is.
//
// Lifetime: heirs share it; after `Close()` it touches nothing else.

#ifndef BLANKET_WARDS_H_
#define BLANKET_WARDS_H_

#include <any>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "blanket/inheritance.h"
#include "blanket/kept_table.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "registry/registry.h"

namespace ets_keeper::blanket::internal {

// WardKey
struct WardKey {
  std::string owner;
  std::string table;

  friend auto operator<=>(const WardKey&, const WardKey&) = default;
};

// ClaimId
//
// Names one claim for ever. It is the gift in the TableTransfer that fulfils
// it, so nobody else's transfer is taken for it.
struct ClaimId {
  uint64_t id = 0;

  // Whether `transfer` fulfils this claim.
  bool operator()(const TableTransfer& transfer) const {
    const ClaimId* const gift = std::any_cast<ClaimId>(&transfer.data);
    return gift != nullptr && gift->id == id;
  }
};

// Ward
//
// A table that is kept.
struct Ward {
  TableId table;
  TableDefinition how;  // `how.table` is used up
  Pid heir;
  Pid owner;  // who was given it; until the hook of its death, or a release
  std::optional<absl::Time> held_since;  // while the heir has it
  std::optional<absl::Time> owned_since;
  bool orphaned = false;  // the heir has it because its owner died
};

// PendingClaim
struct PendingClaim {
  ClaimId id;
  Pid claimer;
};

// Place
//
// Where a table is, is being made, or is waited for.
struct Place {
  std::optional<Ward> ward;
  bool in_the_making = false;
  std::deque<PendingClaim> line;
};

// Wards
class Wards : public std::enable_shared_from_this<Wards> {
 public:
  Wards(Inheritance& inheritance, const registry::Registry& registry);

  // Wards::New()
  //
  // See `Blanket::New()`.
  absl::StatusOr<Pid> New(
      std::string_view owner, TableDefinition definition, const Schema& schema,
      const KeyLayout& key_layout,
      absl::FunctionRef<absl::Status(const TableHandle&)> init)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Wards::Claim()
  //
  // Puts a claim of `claimer` in line. When it is fulfilled, `claimer` gets a
  // TableTransfer that `ClaimId` recognizes. `kAlreadyOwned`, `kRecipientDead`,
  // `kBadOption`.
  absl::StatusOr<ClaimId> Claim(const WardKey& key, Pid claimer)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Wards::Withdraw()
  //
  // Takes the claim out of the line and says, as `kTimeout`, what it had waited
  // for. Nullopt when it is not in line: its TableTransfer was sent.
  std::optional<absl::Status> Withdraw(const WardKey& key, ClaimId claim,
                                       absl::Duration waited)
      ABSL_LOCKS_EXCLUDED(mu_);

  absl::Status Abandon(const TableHandle& table) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Release(const TableHandle& table) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<KeptTable> Info(const WardKey& key) ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<KeptTable> List() ABSL_LOCKS_EXCLUDED(mu_);

  // What happens elsewhere.
  void ProcessDied(Pid pid, const ExitReason& reason) ABSL_LOCKS_EXCLUDED(mu_);
  void NameRegistered(std::string_view owner) ABSL_LOCKS_EXCLUDED(mu_);

  // Wards::Close()
  //
  // Ends the heirs and the keeper, and with them the tables that they hold.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  [[nodiscard]] Tables& tables() const { return inheritance_.tables(); }

 private:
  using Places = std::map<WardKey, Place>;
  using At = Places::iterator;

  Runtime& runtime() const { return inheritance_.runtime(); }
  absl::Time Now() const { return runtime().clock().Now(); }
  bool IsAlive(Pid pid) const { return inheritance_.IsAlive(pid); }

  // The heir of a table that is kept already; nullopt when `key` is free, and
  // now in the making.
  absl::StatusOr<std::optional<Pid>> FindOrBegin(const WardKey& key,
                                                 const Schema& schema,
                                                 const KeyLayout& key_layout)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<TableHandle> Make(
      TableOptions options, const Schema& schema, const KeyLayout& key_layout,
      absl::FunctionRef<absl::Status(const TableHandle&)> init);
  // Ends the making: with a ward, or with nothing when there is no `table`.
  absl::StatusOr<Pid> End(const WardKey& key, absl::StatusOr<TableHandle> table,
                          TableDefinition how) ABSL_LOCKS_EXCLUDED(mu_);

  void Settle(At at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Each a step of it. False: there is no living heir, as the runtime ends.
  bool EnsureHeir(At at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // True: something was done about the chain, or about the keeper as owner.
  bool Rearm(Ward& ward, const TableInfo& info)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteOwned(Ward& ward) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // False: the heir must not give it away yet.
  bool NoteHeld(Ward& ward) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // True: a claim was fulfilled or struck out.
  bool Grant(At at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Pid SpawnHeir(const WardKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Heirs ChainOf(const Ward& ward) const {
    return {.chain = {ward.heir, keeper_}};
  }

  // The life of an heir.
  Task<> BeHeir(Self& self, const WardKey& key);
  // Settles, and gives up when it is time. Returns how long the heir may wait
  // before it does that again; nullopt when it is no heir any more.
  std::optional<absl::Duration> Tend(const WardKey& key, Pid heir)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The ward, settled, if `heir` is still its heir.
  Ward* SettleAsHeir(const WardKey& key, Pid heir)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // How long it may be held before the heir gives up.
  absl::Duration PatienceLeft(const Ward& ward) const;

  // No longer keeps the table, whoever has it.
  void Drop(At at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Deletes the table if the heir or the keeper has it.
  void DeleteIfOurs(const Ward& ward) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EraseIfEmpty(At at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  std::optional<KeptTable> SettleAndDescribe(At at)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Protection ProtectionOf(const Ward& ward, const TableInfo& info) const;
  std::string WhyNot(const WardKey& key, const Place& place, Pid claimer) const;

  Inheritance& inheritance_;
  const registry::Registry& registry_;
  const Pid keeper_;

  absl::Mutex mu_;
  Places places_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<TableId, WardKey> keys_ ABSL_GUARDED_BY(mu_);
  // Whose death matters where. What is in it too much does no harm.
  std::set<std::pair<Pid, WardKey>> involved_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ets_keeper::blanket::internal

#endif  // BLANKET_WARDS_H_
