// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// Kills a process that writes to a table, 300 times, at random moments, and
// after each kill compares every row with a model: what was acknowledged is
// there, and the one operation that was not is wholly in or wholly out.

#include <sched.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/hash/hash_check.h"
#include "common/row/row.h"
#include "common/table/batch.h"
#include "common/table/table.h"
#include "gtest/gtest.h"
#include "protets/child_process_testing.h"
#include "protets/keeper_client.h"
#include "protets/keeper_process.h"
#include "protets/protets.h"

namespace ets_keeper::protets {
namespace {

constexpr int kKills = 300;

// A table begins empty, and is dropped after this many kills: so that each of
// them grows anew.
constexpr int kKillsPerTable = 50;
constexpr uint64_t kKeys = 3000;

// How many operations a process prepares at a time.
constexpr uint64_t kAhead = 64;

struct Account {
  uint64_t id = 0;
  int64_t cents = 0;
  std::string note = {};

  static constexpr auto Fields() {
    return FieldList(Field("id", &Account::id), Field("cents", &Account::cents),
                     Field("note", &Account::note));
  }
  friend bool operator==(const Account&, const Account&) = default;
};

using Accounts = TableWriter<Account, &Account::id>;
using Model = std::map<uint64_t, Account>;

// One write to one key; an operation is one of them, or a batch of several.
struct Write {
  enum Kind { kInsert, kDelete, kCount };
  Kind kind;
  Account row;
};
using Operation = std::vector<Write>;

// The operation number `index`: the same for whoever asks.
Operation OperationAt(uint64_t seed, uint64_t index) {
  std::seed_seq sequence{seed >> 32, seed & 0xffffffff, index};
  std::minstd_rand random(sequence);
  Operation operation(random() % 5 == 0 ? 2 + random() % 60 : 1);
  for (Write& write : operation) {
    const uint32_t kind = random() % 8;
    write.kind = kind < 4   ? Write::kInsert
                 : kind < 5 ? Write::kDelete
                            : Write::kCount;
    write.row.id = random() % kKeys;
    write.row.cents = static_cast<int64_t>(random() % 1000);
    const size_t length = random() % 40 == 0 ? random() % 6000 : random() % 60;
    write.row.note = std::string(length, static_cast<char>('a' + index % 26));
  }
  return operation;
}

void ApplyToModel(const Operation& operation, Model& model) {
  for (const auto& [kind, row] : operation) {
    if (kind == Write::kInsert) model[row.id] = row;
    if (kind == Write::kDelete) model.erase(row.id);
    if (kind == Write::kCount) {
      model.try_emplace(row.id, Account{.id = row.id});
      model[row.id].cents += row.cents;
    }
  }
}

absl::Status ApplyToTable(const Operation& operation, const Accounts& table) {
  if (operation.size() == 1) {
    const auto& [kind, row] = operation.front();
    if (kind == Write::kInsert) return table.Insert(row);
    if (kind == Write::kDelete) return table.Delete(row.id);
    return table.UpdateCounter<&Account::cents>(row.id, row.cents, Account{})
        .status();
  }
  Batch<Account, &Account::id> batch;
  for (const auto& [kind, row] : operation) {
    if (kind == Write::kInsert) batch.Insert(row);
    if (kind == Write::kDelete) batch.Delete(row.id);
    if (kind == Write::kCount) {
      batch.UpdateCounter<&Account::cents>(row.id, row.cents, Account{});
    }
  }
  return table.Apply(batch);
}

// What the child tells its killer, in memory that outlives it. Stores are seen
// in their order, and a kill cuts them off at one point.
struct Page {
  // Operations of this table that have returned. Before `checked` is stored it
  // is what the parent knew.
  std::atomic<uint64_t> acknowledged;
  std::atomic<bool> checked;  // the table was found right, and is written to
  char failure[4096];
};

Page* NewPage() {
  void* memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  return new (memory) Page();
}

[[noreturn]] void Fail(Page& page, absl::string_view why) {
  why = why.substr(0, sizeof(page.failure) - 1);
  std::memcpy(page.failure, why.data(), why.size());
  _exit(1);
}

void Check(Page& page, const absl::Status& status) {
  if (!status.ok()) Fail(page, status.ToString());
}

// How the table differs from the model; empty if it does not.
std::string Difference(const Model& model, const Model& rows) {
  for (const auto& [id, row] : model) {
    const auto it = rows.find(id);
    if (it == rows.end()) return absl::StrCat("row ", id, " is missing");
    if (it->second != row) {
      return absl::StrCat("row ", id, " has ", it->second.cents, " cents and ",
                          it->second.note.size(), " bytes of note, not ",
                          row.cents, " and ", row.note.size());
    }
  }
  if (rows.size() == model.size()) return "";
  return absl::StrCat(rows.size(), " rows, not ", model.size());
}

// The whole life of the process that is killed. `model` is the state after all
// operations that are known to have been done.
void CheckAndWrite(const std::string& keeper, const std::string& name,
                   uint64_t seed, Model model, Page& page) {
  Protets protets({.keeper = keeper});
  const absl::StatusOr<Accounts> table =
      protets.Get<Account, &Account::id>(name);
  Check(page, table.status());
  Check(page, CheckHashTable(table->handle().state().core().geometry()));
  Model rows;
  Check(page, table->ForEach([&](const Account& row) { rows[row.id] = row; }));
  uint64_t next = page.acknowledged.load();
  const std::string without = Difference(model, rows);
  if (!without.empty()) {
    ApplyToModel(OperationAt(seed, next), model);
    const std::string with = Difference(model, rows);
    if (!with.empty()) {
      Fail(page, absl::StrCat("neither without operation ", next, ": ", without,
                              "; nor with it: ", with));
    }
    page.acknowledged.store(++next);
  }
  page.checked.store(true);
  std::vector<Operation> operations(kAhead);
  while (true) {
    // Beforehand, so that the kill hits the table's code and not the test's.
    for (uint64_t i = 0; i < kAhead; ++i) {
      operations[i] = OperationAt(seed, next + i);
    }
    for (const Operation& operation : operations) {
      Check(page, ApplyToTable(operation, *table));
      page.acknowledged.store(++next);
    }
  }
}

// One process after the other, each killed; the tables and what must be in
// them.
class KillTest : public testing::Test {
 protected:
  void SetUp() override {
    // A failure is repeated, as far as time allows, with the seed it printed.
    const char* given = std::getenv("KILL_TEST_SEED");
    seed_ = given == nullptr ? std::random_device()()
                             : std::strtoull(given, nullptr, 10);
    std::printf("KILL_TEST_SEED=%llu\n",
                static_cast<unsigned long long>(seed_));
    random_.seed(seed_);
    absl::StatusOr<KeeperProcess> keeper =
        KeeperProcess::Start({.binary = "protets/keeper"});
    ASSERT_TRUE(keeper.ok()) << keeper.status();
    keeper_.emplace(*std::move(keeper));
  }

  uint64_t Random(uint64_t below) { return random_() % below; }

  void StartTable(int number) {
    name_ = absl::StrCat("accounts", number);
    table_seed_ = seed_ + static_cast<uint64_t>(number) * 1000003;
    model_.clear();
    done_ = 0;
  }

  void DropTable() {
    absl::StatusOr<KeeperClient> client =
        KeeperClient::Connect(keeper_->socket());
    ASSERT_TRUE(client.ok()) << client.status();
    EXPECT_TRUE(client->Drop(name_).ok());
  }

  // Starts the next process, and kills it.
  void KillOnce() {
    Page& page = *page_;
    page.acknowledged.store(done_);
    page.checked.store(false);
    ChildProcess child([&](auto) {
      CheckAndWrite(keeper_->socket(), name_, table_seed_, model_, page);
    });
    // One in five dies while it gets or checks the table. (Not a wait: a number
    // of looks at the page, which are as long as they are.)
    if (Random(5) > 0) {
      const uint64_t target = done_ + 1 + Random(300);
      while (page.acknowledged.load() < target && !child.HasEnded()) {
        sched_yield();
      }
    }
    for (uint64_t looks = Random(20000); looks > 0; --looks) {
      page.checked.load();
    }
    const bool was_killed = child.Kill();
    ASSERT_STREQ(page.failure, "");
    ASSERT_TRUE(was_killed) << "it crashed";
    if (!page.checked.load()) {
      ++killed_early_;
      return;  // and whether the last operation is in remains to be seen
    }
    for (; done_ < page.acknowledged.load(); ++done_) {
      ApplyToModel(OperationAt(table_seed_, done_), model_);
      ++operations_;
    }
  }

  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::optional<KeeperProcess> keeper_;
  Page* const page_ = NewPage();
  std::string name_;
  uint64_t table_seed_ = 0;
  Model model_;  // after the first `done_` operations
  uint64_t done_ = 0;
  uint64_t operations_ = 0;
  int killed_early_ = 0;
};

TEST_F(KillTest, NothingThatWasAcknowledgedIsLost) {
  for (int kill = 0; kill < kKills; ++kill) {
    SCOPED_TRACE(absl::StrCat("kill ", kill, ", seed ", seed_));
    if (kill % kKillsPerTable == 0) StartTable(kill / kKillsPerTable);
    KillOnce();
    if (HasFatalFailure()) return;
    if (kill % kKillsPerTable == kKillsPerTable - 1) DropTable();
  }
  std::printf("%d kills, %d of them before the first write; %llu operations\n",
              kKills, killed_early_,
              static_cast<unsigned long long>(operations_));
  EXPECT_GT(operations_, 0u);
}

}  // namespace
}  // namespace ets_keeper::protets
