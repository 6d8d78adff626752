// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_link.h
// -----------------------------------------------------------------------------
//
// `KeeperLink` is a `KeeperClient` that connects when it is first needed, and
// anew after its connection broke.
//
//   KeeperLink link("/run/keeper.sock", KeeperClient::kAnswerTime);
//   absl::Status dropped =
//       link.Call([](KeeperClient& keeper) { return keeper.Drop("users"); });
//
// Thread safety: everything may be called from any thread.
//
// It starts no keeper.

#ifndef PROTETS_KEEPER_LINK_H_
#define PROTETS_KEEPER_LINK_H_

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/status/status.h"
#include "protets/keeper_client.h"

namespace ets_keeper::protets {

class KeeperLink {
 public:
  KeeperLink(std::string path, absl::Duration answer_time)
      : path_(std::move(path)), answer_time_(answer_time) {}

  // KeeperLink::Call()
  //
  // What `call(KeeperClient&)` returns, a status or a StatusOr; or why there is
  // no connection. A call that met a broken connection is made once more with a
  // new one: the keeper forgets what it granted over a connection that broke
  // before `Attached()`.
  template <typename F>
  std::invoke_result_t<F, KeeperClient&> Call(F call) {
    const std::shared_ptr<KeeperClient> current = Current();
    if (current != nullptr) {
      auto result = call(*current);
      if (CauseOf(StatusOf(result)) != Cause::kNoKeeper) return result;
    }
    const absl::StatusOr<std::shared_ptr<KeeperClient>> next =
        Reconnect(current);
    if (!next.ok()) return next.status();
    return call(**next);
  }

 private:
  static const absl::Status& StatusOf(const absl::Status& s) { return s; }
  template <typename T>
  static const absl::Status& StatusOf(const absl::StatusOr<T>& s) {
    return s.status();
  }

  // Null if there is none yet.
  std::shared_ptr<KeeperClient> Current() const ABSL_LOCKS_EXCLUDED(mu_);

  // A client other than `broken`.
  absl::StatusOr<std::shared_ptr<KeeperClient>> Reconnect(
      const std::shared_ptr<KeeperClient>& broken) ABSL_LOCKS_EXCLUDED(mu_);

  const std::string path_;
  const absl::Duration answer_time_;
  mutable absl::Mutex mu_;
  std::shared_ptr<KeeperClient> client_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ets_keeper::protets

#endif  // PROTETS_KEEPER_LINK_H_
