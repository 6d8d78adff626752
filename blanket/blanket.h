// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: blanket.h
// -----------------------------------------------------------------------------
//
// `Blanket` keeps tables while their owners crash and come back. A table is
// made once, for an owner that is known by a registered name. While that name
// has no process the table waits with an heir; each process that gets the name
// receives the table, with all its rows.
//
//   Runtime runtime;
//   registry::ProcessNames names(runtime);
//   blanket::Inheritance inheritance(runtime);
//   blanket::Blanket blanket(inheritance, names);
//
//   // Once, not by the owner:
//   absl::StatusOr<Pid> heir = blanket.New<User, &User::id>(
//       "accounts", {.table = {.name = "users"}},
//       [](Table<User, &User::id>& users) { return Load(users); });
//
//   // The owner, each time that it starts:
//   Task<> Accounts(Self& self) {
//     absl::Status named = names.Register("accounts", self.pid());
//     absl::StatusOr<Table<User, &User::id>> users =
//         co_await blanket.ReceiveTable<User, &User::id>(self, "accounts",
//                                                        "users");
//     ...
//   }
//
// RECEIVING IS CLAIMING. The table is not pushed at whoever has the name at the
// moment: a claim waits in line until the former owner is dead and its death is
// over with, and then gets the table, with the next epoch. So no table is ever
// given to a process that is dying, and none gets lost when the claimer dies
// while it is given one.
//
// HEIRS. Each table has a process of its own as its heir, which anybody may
// kill: another takes its place at once, and what it held is held meanwhile by
// a keeper that is no process. `Info()` shows how a table is protected. An heir
// ends when its table is deleted or abandoned; of a deletion it hears when the
// table is next asked for, and at the latest when its owner dies.
//
// Thread safety: everything may be called from any thread.
//
// Lifetime: it must be destroyed before the `Inheritance` and the registry,
// with no `ReceiveTable()` in progress. Tables that heirs hold then go with it;
// those that are owned stay with their owners, without heirs.
//
// It does not start processes: who restarts the owner is the program's
// business. It does not outlive the OS process: that is what Protets is for.

#ifndef BLANKET_BLANKET_H_
#define BLANKET_BLANKET_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "blanket/inheritance.h"
#include "blanket/kept_table.h"
#include "blanket/wards.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_hooks.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "registry/registry.h"

namespace ets_keeper::blanket {

// Blanket
class Blanket {
 public:
  Blanket(Inheritance& inheritance, registry::Registry& registry);
  ~Blanket();

  Blanket(const Blanket&) = delete;
  Blanket& operator=(const Blanket&) = delete;

  // Blanket::New()
  //
  // Makes a table for the process that will be registered as `owner`, and
  // returns its heir, which owns it until that process receives it. A table of
  // that owner and name that is kept already is left as it is, and its heir is
  // returned: so an owner may call this each time that it starts.
  //
  // `init` fills the table: in the caller, with the rights of an owner, before
  // the table can be received. When it fails
  //
  //   * by a status that is not ok: that status is returned as it is;
  //   * by an exception: `kInitFailed` with the exception's text. (Blanket lets
  //     it pass, and leaks the table.)
  //   * by deleting the table or giving it away: `kInitFailed`;
  //
  // and there is no table and no heir. Other errors: `kBadOption`, also when
  // `definition` names heirs; `kSchemaMismatch` when the table is kept already
  // with other rows; `kAlreadyExists` when it is being made by somebody else,
  // or another table has its name; and those of `Tables::Create()`.
  template <RowType Row, auto Key>
  [[nodiscard]] absl::StatusOr<Pid> New(
      std::string_view owner, TableDefinition definition,
      absl::FunctionRef<absl::Status(Table<Row, Key>&)> init) {
    using Codec = typename Table<Row, Key>::Codec;
    const auto typed_init = [&](const TableHandle& handle) -> absl::Status {
      absl::StatusOr<Table<Row, Key>> table = Table<Row, Key>::Of(handle);
      if (!table.ok()) return table.status();
      return init(*table);
    };
    return wards_->New(owner, std::move(definition), Codec::schema(),
                       Codec::template KeyLayoutOf<Key>(), typed_init);
  }
  template <RowType Row, auto Key>
  [[nodiscard]] absl::StatusOr<Pid> New(std::string_view owner,
                                        TableDefinition definition) {
    const auto no_init = [](Table<Row, Key>&) { return absl::OkStatus(); };
    return New<Row, Key>(owner, std::move(definition), no_init);
  }

  // Blanket::ReceiveTable()
  //
  //   co_await blanket.ReceiveTable<Row, &Row::key>(self, owner, table)
  //   blanket.ReceiveTable<Row, &Row::key>(adopted_thread, owner, table)
  //
  // The table of that name, for the process that is registered as `owner`. It
  // waits, for at most `timeout`, while the table has not been made, while the
  // process has not been registered, and while the former owner has not
  // finished dying. Who has the name claims; who claims first, and gets the
  // name later, may meet the former owner alive. Errors, after none of which
  // the caller has got the table:
  //
  //   * `kTimeout`: the message says what was missing. Nothing is lost.
  //   * `kAlreadyOwned`: a living process has the table, be it the caller.
  //   * `kSchemaMismatch`: it has other rows. It is with the heir again.
  //   * `kBadOption`: `owner` is empty.
  //   * `kRecipientDead`: the adopted thread is dead, or has died here.
  template <RowType Row, auto Key>
  [[nodiscard]] Task<absl::StatusOr<Table<Row, Key>>> ReceiveTable(
      Self& self, std::string_view owner, std::string_view table = "",
      absl::Duration timeout = absl::Seconds(5)) {
    return Receive<Row, Key>(self, {std::string(owner), std::string(table)},
                             timeout);
  }
  template <RowType Row, auto Key>
  [[nodiscard]] absl::StatusOr<Table<Row, Key>> ReceiveTable(
      AdoptedThread& self, std::string_view owner, std::string_view table = "",
      absl::Duration timeout = absl::Seconds(5)) {
    return Typed<Row, Key>(
        ReceiveHandle(self, {std::string(owner), std::string(table)}, timeout));
  }

  // Blanket::Release()
  //
  // The owner gives the table back: the heir has it when this returns, or
  // whoever was waiting for it. `kNotOwner`; `kTableNotFound` when it is not,
  // or no longer, kept here.
  [[nodiscard]] absl::Status Release(const TableHandle& table) {
    return wards_->Release(table);
  }

  // Blanket::Abandon()
  //
  // Ends the protection, not the table: the heir is gone, and the table lives
  // until its owner deletes it or dies. Errors as `Release()`.
  [[nodiscard]] absl::Status Abandon(const TableHandle& table) {
    return wards_->Abandon(table);
  }

  // Blanket::Info()
  //
  // How the table is doing. `kTableNotFound`.
  [[nodiscard]] absl::StatusOr<KeptTable> Info(std::string_view owner,
                                               std::string_view table = "") {
    return wards_->Info({std::string(owner), std::string(table)});
  }

  // Blanket::List()
  //
  // All tables that are kept, in the order of their owners' and their names.
  [[nodiscard]] std::vector<KeptTable> List() { return wards_->List(); }

 private:
  using WardKey = internal::WardKey;

  // The owner's handle.
  Task<absl::StatusOr<TableHandle>> ReceiveHandle(Self& self,
                                                  const WardKey& key,
                                                  absl::Duration timeout);
  absl::StatusOr<TableHandle> ReceiveHandle(AdoptedThread& self,
                                            const WardKey& key,
                                            absl::Duration timeout);

  template <RowType Row, auto Key>
  Task<absl::StatusOr<Table<Row, Key>>> Receive(Self& self, WardKey key,
                                                absl::Duration timeout) {
    co_return Typed<Row, Key>(co_await ReceiveHandle(self, key, timeout));
  }

  // What cannot be used is given back.
  template <RowType Row, auto Key>
  absl::StatusOr<Table<Row, Key>> Typed(absl::StatusOr<TableHandle> handle) {
    if (!handle.ok()) return handle.status();
    absl::StatusOr<Table<Row, Key>> table = Table<Row, Key>::Of(*handle);
    if (!table.ok()) Release(*handle).IgnoreError();
    return table;
  }

  const std::shared_ptr<internal::Wards> wards_;
  registry::Registry::Watch watch_;
  ExitHook hook_;
};

}  // namespace ets_keeper::blanket

#endif  // BLANKET_BLANKET_H_
