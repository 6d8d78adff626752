// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// A blanket under four threads. Every count is exact; nothing waits for time.

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "blanket/blanket.h"
#include "blanket/inheritance.h"
#include "blanket/kept_table.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/process_names.h"

namespace ets_keeper::blanket {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::Eq;
using ::testing::Optional;

constexpr uint64_t kRounds = 300;

struct Visit {
  uint64_t round = 0;
  int64_t count = 0;

  static constexpr auto Fields() {
    return FieldList(Field("round", &Visit::round),
                     Field("count", &Visit::count));
  }
  friend bool operator==(const Visit&, const Visit&) = default;
};
using Visits = Table<Visit, &Visit::round>;

// What an owner has found.
struct Found {
  absl::Status status;
  uint64_t rows = 0;
};

struct Registered {};

class BlanketStressTest : public ::testing::Test {
 protected:
  BlanketStressTest() {
    TableDefinition definition;
    definition.table.name = "visits";
    definition.table.max_bytes = uint64_t{1} << 26;
    EXPECT_THAT(
        (blanket_.New<Visit, &Visit::round>("owner", std::move(definition))),
        IsOk());
  }

  // Once it is registered it claims the table, and once it has it says how many
  // rows there were, adds that of its round, and waits for its death.
  Pid SpawnOwner(uint64_t round) {
    return runtime_.Spawn([this, round](Self& self) -> Task<> {
      (void)co_await self.Receive<Registered>();
      absl::StatusOr<Visits> visits =
          co_await blanket_.ReceiveTable<Visit, &Visit::round>(
              self, "owner", "visits", absl::InfiniteDuration());
      Found found = {.status = visits.status()};
      if (visits.ok()) found.rows = *visits->Size();
      if (visits.ok()) found.status = visits->Insert(Visit{round, 1});
      runtime_.Send(main_.pid(), std::move(found));
      (void)co_await self.Receive<int>();
    });
  }

  // Gives `pid` the name of the owner as soon as its holder is dead; that one's
  // death need not be over.
  void Register(Pid pid, Pid former) {
    while (!names_.Register("owner", pid).ok()) {
      runtime_.Monitor(main_.pid(), former);
      ASSERT_THAT(main_.Receive<Down>(), IsOk());
    }
    runtime_.Send(pid, Registered());
  }

  Runtime runtime_{{.threads = 4}};
  AdoptedThread main_{runtime_};
  registry::ProcessNames names_{runtime_};
  Inheritance inheritance_{runtime_};
  Blanket blanket_{inheritance_, names_};
};

TEST_F(BlanketStressTest, C80_KilledAndRestartedOwnersFindEveryRow) {
  Pid owner;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const Pid former = std::exchange(owner, SpawnOwner(round));
    runtime_.Exit(former, ExitReason::Killed());
    // In some rounds the heir dies at the same time.
    if (round % 3 == 1) {
      runtime_.Exit(blanket_.Info("owner", "visits")->heir,
                    ExitReason::Killed());
    }
    Register(owner, former);
    const absl::StatusOr<Found> found = main_.Receive<Found>();
    ASSERT_THAT(found, IsOk());
    ASSERT_THAT(found->status, IsOk());
    ASSERT_EQ(found->rows, round);
  }
  runtime_.Exit(owner, ExitReason::Killed());
  Register(main_.pid(), owner);
  const absl::StatusOr<Visits> visits =
      blanket_.ReceiveTable<Visit, &Visit::round>(main_, "owner", "visits",
                                                  absl::InfiniteDuration());
  ASSERT_THAT(visits, IsOk());
  EXPECT_THAT(visits->Size(), IsOkAndHolds(kRounds));
  for (uint64_t round = 0; round < kRounds; ++round) {
    EXPECT_THAT(visits->Lookup(round),
                IsOkAndHolds(Optional(Eq(Visit{round, 1}))));
  }
}

// Claimers are killed at whatever point of receiving the table they are.
TEST_F(BlanketStressTest, C80_KilledClaimersLoseNothing) {
  Pid former;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const Pid claimer = SpawnOwner(round);
    Register(claimer, former);
    if (round % 2 == 0) (void)blanket_.Info("owner", "visits");
    runtime_.Exit(claimer, ExitReason::Killed());
    former = claimer;
  }
  Register(main_.pid(), former);
  const absl::StatusOr<Visits> visits =
      blanket_.ReceiveTable<Visit, &Visit::round>(main_, "owner", "visits",
                                                  absl::InfiniteDuration());
  ASSERT_THAT(visits, IsOk());
  // Who has told of its row before it died has stored it.
  uint64_t told = 0;
  for (;;) {
    const absl::StatusOr<Found> found =
        main_.Receive<Found>(absl::ZeroDuration());
    if (!found.ok()) break;
    EXPECT_THAT(found->status, IsOk());
    ++told;
  }
  EXPECT_THAT(visits->Size(), IsOkAndHolds(told));
}

}  // namespace
}  // namespace ets_keeper::blanket
