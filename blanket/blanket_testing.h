// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: blanket_testing.h
// -----------------------------------------------------------------------------
//
// What the tests of a blanket have in common: a manual runtime with all that
// belongs to it, and owners that do as they are told.
//
// Thread safety: none.

#ifndef BLANKET_BLANKET_TESTING_H_
#define BLANKET_BLANKET_TESTING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "blanket/blanket.h"
#include "blanket/inheritance.h"
#include "blanket/kept_table.h"
#include "common/clock/clock.h"
#include "common/pid/pid.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/task.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/process_names.h"

namespace ets_keeper::blanket {

struct User {
  uint64_t id = 0;
  std::string name;

  static constexpr auto Fields() {
    return FieldList(Field("id", &User::id), Field("name", &User::name));
  }
  friend bool operator==(const User&, const User&) = default;
};
using Users = Table<User, &User::id>;

// Other rows under the same name.
struct Stranger {
  uint64_t id = 0;
  double weight = 0;

  static constexpr auto Fields() {
    return FieldList(Field("id", &Stranger::id),
                     Field("weight", &Stranger::weight));
  }
};
using Strangers = Table<Stranger, &Stranger::id>;

// An owner, and what became of its claim.
struct Owner {
  Pid pid;
  std::optional<absl::StatusOr<Users>> got;

  bool has_table() const { return got.has_value() && got->ok(); }
  Users& users() const { return const_cast<Users&>(**got); }
  std::optional<Cause> why_not() const {
    return got.has_value() ? CauseOf(got->status()) : std::nullopt;
  }
};

class BlanketTestBase : public ::testing::Test {
 protected:
  using Init = std::function<absl::Status(Users&)>;

  BlanketTestBase()
      : first_hook_(runtime_.AddExitHook(ExitPhase::kTables,
                                         [this](Pid pid, const ExitReason&) {
                                           if (before_tables_ != nullptr)
                                             before_tables_(pid);
                                         })) {}

  static TableOptions Small(std::string_view name) {
    TableOptions options;
    options.name = std::string(name);
    options.max_bytes = uint64_t{1} << 26;
    return options;
  }
  static TableDefinition Definition(std::string_view name) {
    TableDefinition definition;
    definition.table = Small(name);
    return definition;
  }
  // Keeps table "users" of owner "owner", with one row.
  Pid NewUsers() { return NewUsers(Definition("users")); }
  Pid NewUsers(TableDefinition definition) {
    const absl::StatusOr<Pid> heir = blanket_->New<User, &User::id>(
        "owner", std::move(definition), [](Users& users) {
          return users.Insert(User{1, "Ada"});
        });
    EXPECT_THAT(heir.status(), ::absl_testing::IsOk());
    runtime_.RunUntilIdle();
    return heir.value_or(kNoPid);
  }

  // Starts a process that takes the name "owner" and claims the table.
  std::shared_ptr<Owner> Start(std::string_view table = "users",
                               absl::Duration timeout = absl::Seconds(5)) {
    return Spawn(/*named=*/true, table, timeout);
  }
  // The same for one that takes no name.
  std::shared_ptr<Owner> StartNameless(
      std::string_view table = "users",
      absl::Duration timeout = absl::Seconds(5)) {
    return Spawn(/*named=*/false, table, timeout);
  }

  // Dead when it returns, with nothing done about it yet.
  void Doom(Pid pid) { runtime_.Exit(pid, ExitReason::Killed()); }
  void Kill(Pid pid) {
    Doom(pid);
    runtime_.RunUntilIdle();
  }
  void Crash(Pid pid) {
    runtime_.Send(pid, std::string("crash"));
    runtime_.RunUntilIdle();
  }
  void Return(Pid pid) {
    runtime_.Send(pid, std::string());
    runtime_.RunUntilIdle();
  }
  void Advance(absl::Duration duration) {
    clock_.Advance(duration);
    runtime_.RunUntilIdle();
  }

  KeptTable Info() {
    absl::StatusOr<KeptTable> info = blanket_->Info("owner", "users");
    EXPECT_THAT(info, ::absl_testing::IsOk());
    return info.value_or(KeptTable());
  }
  bool IsKept() { return blanket_->Info("owner", "users").ok(); }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const TableId id : inheritance_.tables().All()) {
      names.push_back(inheritance_.tables().Info(id)->name);
    }
    return names;
  }

  ManualClock clock_;
  Runtime runtime_{{.threads = 0, .clock = &clock_}};
  // At a death, before the tables are handed over.
  std::function<void(Pid)> before_tables_;
  const ExitHook first_hook_;
  registry::ProcessNames names_{runtime_};
  Inheritance inheritance_{runtime_};
  std::optional<Blanket> blanket_{std::in_place, inheritance_, names_};

 private:
  std::shared_ptr<Owner> Spawn(bool named, std::string_view table,
                               absl::Duration timeout) {
    auto owner = std::make_shared<Owner>();
    owner->pid =
        runtime_.Spawn([this, owner, named, timeout,
                        name = std::string(table)](Self& self) -> Task<> {
          if (named) {
            EXPECT_THAT(names_.Register("owner", self.pid()),
                        ::absl_testing::IsOk());
          }
          owner->got = co_await blanket_->ReceiveTable<User, &User::id>(
              self, "owner", name, timeout);
          const absl::StatusOr<std::string> end =
              co_await self.Receive<std::string>();
          if (!end->empty()) throw std::runtime_error(*end);
        });
    runtime_.RunUntilIdle();
    return owner;
  }
};

}  // namespace ets_keeper::blanket

#endif  // BLANKET_BLANKET_TESTING_H_
