// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_link.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "common/mutex/mutex.h"
#include "protets/keeper_client.h"

namespace ets_keeper::protets {

std::shared_ptr<KeeperClient> KeeperLink::Current() const {
  Lock lock(mu_);
  return client_;
}

absl::StatusOr<std::shared_ptr<KeeperClient>> KeeperLink::Reconnect(
    const std::shared_ptr<KeeperClient>& broken) {
  {
    Lock lock(mu_);
    if (client_ != broken) return client_;
  }
  // Without the lock, so that nobody waits longer than for one connection.
  absl::StatusOr<KeeperClient> connected =
      KeeperClient::Connect(path_, answer_time_);
  if (!connected.ok()) return connected.status();
  auto client = std::make_shared<KeeperClient>(*std::move(connected));
  Lock lock(mu_);
  if (client_ == broken) client_ = std::move(client);
  return client_;
}

}  // namespace ets_keeper::protets
