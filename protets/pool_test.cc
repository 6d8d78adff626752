// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// The rest is tested through `Protets`: see protets_test.cc.

#include "protets/pool.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "gtest/gtest.h"

namespace ets_keeper::protets {
namespace {

using ::absl_testing::IsOk;

struct Number {
  uint64_t value = 0;

  static constexpr auto Fields() {
    return FieldList(Field("value", &Number::value));
  }
};

class PoolTest : public testing::Test {
 protected:
  absl::StatusOr<TableHandle> Create(TableOptions options) {
    using Codec = RowCodec<Number>;
    return pool_->Create(std::move(options), Codec::schema(),
                         Codec::KeyLayoutOf<&Number::value>());
  }

  Runtime runtime_{{.threads = 0}};
  std::shared_ptr<Pool> pool_ = Pool::Start(runtime_);
};

TEST_F(PoolTest, DecidesAboutAccessAndHeirsItself) {
  const absl::StatusOr<TableHandle> table =
      Create({.name = "n",
              .access = TableAccess::kPrivate,
              .heirs = {.chain = {NewPid()}}});
  ASSERT_THAT(table, IsOk());
  EXPECT_FALSE(table->is_owner());
  const auto info = pool_->tables().Info(table->id());
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->access, TableAccess::kPublic);
  ASSERT_EQ(info->heirs.size(), 3u);
  EXPECT_EQ(info->heirs[0], pool_->monitors()[0]);
  EXPECT_EQ(info->heirs[1], pool_->monitors()[1]);
}

TEST_F(PoolTest, ATableThatCannotBeMadeCostsNoWorker) {
  ASSERT_THAT(Create({.name = "n"}), IsOk());
  EXPECT_EQ(CauseOf(Create({.name = "n"}).status()), Cause::kAlreadyExists);
  EXPECT_EQ(CauseOf(Create({.max_bytes = 1}).status()), Cause::kBadOption);
  runtime_.RunUntilIdle();
  EXPECT_EQ(pool_->worker_count(), 1);
  EXPECT_EQ(runtime_.process_count(), 3);
}

TEST_F(PoolTest, AWorkerThatIsReadyTakesTheNextTableAndIsNotWoken) {
  const Pid worker = pool_->Prepare();
  EXPECT_EQ(pool_->Prepare(), worker);
  EXPECT_EQ(pool_->worker_count(), 0) << "it has no table yet";
  runtime_.RunUntilIdle();
  const absl::StatusOr<TableHandle> first = Create({});
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(pool_->tables().Info(first->id())->owner, worker);
  EXPECT_FALSE(runtime_.Step());
  const absl::StatusOr<TableHandle> second = Create({});
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(pool_->tables().Info(second->id())->owner, worker);
  EXPECT_EQ(pool_->worker_count(), 2);
  EXPECT_EQ(runtime_.process_count(), 4);
  // It is a worker like any other.
  runtime_.Exit(worker, ExitReason::Killed());
  runtime_.RunUntilIdle();
  const auto info = pool_->tables().Info(first->id());
  ASSERT_THAT(info, IsOk());
  EXPECT_TRUE(runtime_.IsAlive(info->owner));
  EXPECT_EQ(info->heirs.size(), 3u);
}

TEST_F(PoolTest, AWorkerThatWasReadyAndDiedIsNoWorker) {
  for (const bool gone : {false, true}) {
    const Pid worker = pool_->Prepare();
    runtime_.Exit(worker, ExitReason::Killed());
    if (gone) runtime_.RunUntilIdle();
    const absl::StatusOr<TableHandle> table = Create({});
    ASSERT_THAT(table, IsOk());
    runtime_.RunUntilIdle();
    const auto info = pool_->tables().Info(table->id());
    ASSERT_THAT(info, IsOk());
    EXPECT_NE(info->owner, worker);
    EXPECT_TRUE(runtime_.IsAlive(info->owner));
  }
  const Pid worker = pool_->Prepare();
  runtime_.Exit(worker, ExitReason::Killed());
  EXPECT_NE(pool_->Prepare(), worker);
  pool_.reset();
  runtime_.RunUntilIdle();
  EXPECT_EQ(runtime_.process_count(), 0);
}

TEST_F(PoolTest, DeletingWhatIsGoneIsFine) {
  const absl::StatusOr<TableHandle> table = Create({});
  ASSERT_THAT(table, IsOk());
  pool_->Delete(table->id());
  pool_->Delete(table->id());
  pool_->Delete(TableId{});
  runtime_.RunUntilIdle();
  EXPECT_EQ(pool_->worker_count(), 0);
  EXPECT_EQ(runtime_.process_count(), 2);
}

TEST_F(PoolTest, ItsEndEndsItsProcessesAlsoThoseAboutToAct) {
  const absl::StatusOr<TableHandle> table = Create({});
  ASSERT_THAT(table, IsOk());
  runtime_.Exit(pool_->tables().Info(table->id())->owner, ExitReason::Killed());
  runtime_.Step();
  pool_.reset();
  runtime_.RunUntilIdle();
  EXPECT_EQ(runtime_.process_count(), 0);
}

}  // namespace
}  // namespace ets_keeper::protets
