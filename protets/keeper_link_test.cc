// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_link.h"

#include <signal.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "protets/keeper_client.h"
#include "protets/keeper_process.h"

namespace ets_keeper::protets {
namespace {

absl::Status Ping(KeeperClient& keeper) { return keeper.Ping(); }

TEST(KeeperLinkTest, ConnectsWhenItIsNeededAndOnlyThen) {
  KeeperLink link("/nonexistent", KeeperClient::kAnswerTime);
  int calls = 0;
  const absl::Status status = link.Call([&](KeeperClient& keeper) {
    ++calls;
    return keeper.Ping();
  });
  EXPECT_EQ(CauseOf(status), Cause::kNoKeeper);
  EXPECT_EQ(calls, 0);
}

TEST(KeeperLinkTest, UsesOneConnectionUntilItBreaks) {
  absl::StatusOr<KeeperProcess> keeper =
      KeeperProcess::Start({.binary = "protets/keeper"});
  ASSERT_TRUE(keeper.ok()) << keeper.status();
  KeeperLink link(keeper->socket(), KeeperClient::kAnswerTime);
  KeeperClient* first = nullptr;
  EXPECT_TRUE(link.Call([&](KeeperClient& client) {
                    first = &client;
                    return client.Ping();
                  })
                  .ok());
  EXPECT_TRUE(link.Call([&](KeeperClient& client) {
                    EXPECT_EQ(&client, first);
                    return client.Ping();
                  })
                  .ok());
  // As if the keeper had closed this connection.
  int calls = 0;
  EXPECT_TRUE(link.Call([&](KeeperClient& client) {
                    return ++calls == 1 ? MakeStatus(Cause::kNoKeeper, "closed")
                                        : client.Ping();
                  })
                  .ok());
  EXPECT_EQ(calls, 2);
  keeper->End(SIGKILL);
  EXPECT_EQ(CauseOf(link.Call(Ping)), Cause::kNoKeeper);
}

TEST(KeeperLinkTest, OtherErrorsAreReturnedAsTheyAre) {
  absl::StatusOr<KeeperProcess> keeper =
      KeeperProcess::Start({.binary = "protets/keeper"});
  ASSERT_TRUE(keeper.ok()) << keeper.status();
  KeeperLink link(keeper->socket(), KeeperClient::kAnswerTime);
  int calls = 0;
  EXPECT_EQ(CauseOf(link.Call([&](KeeperClient& client) {
                          ++calls;
                          return client.Open("unknown");
                        })
                        .status()),
            Cause::kTableNotFound);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace ets_keeper::protets
