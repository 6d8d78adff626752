// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_server.h
// -----------------------------------------------------------------------------
//
// `KeeperServer` is the keeper with its socket: it listens, identifies who
// connects, watches the processes that own tables, holds the memory, and leaves
// every decision to `KeeperState`.
//
//   absl::StatusOr<std::unique_ptr<KeeperServer>> keeper =
//       KeeperServer::Listen({.socket = DefaultKeeperSocket()});
//   if (!keeper.ok()) return keeper.status();
//   absl::Status status = (*keeper)->Run(stop_fd);
//
// Nothing that a client does, or fails to do, holds it up or changes what
// another client gets: it never blocks on a client, reads one request per
// client and turn, drops who does not read their replies or does not keep to
// the protocol, and never maps the memory that it holds. A process that is
// alive keeps its tables, however long it hangs: a hung owner is not fenced.
//
// What it holds dies with it. The owners do not notice, and cannot hand over.
//
// Thread safety: one thread runs it. Linux only.

#ifndef PROTETS_KEEPER_SERVER_H_
#define PROTETS_KEEPER_SERVER_H_

#include <sys/types.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protets/keeper_state.h"

namespace ets_keeper {
namespace protets {

// KeeperOptions
struct KeeperOptions {
  // Where to listen; see `KeeperListener::Listen()`.
  std::string socket = "";

  KeeperLimits limits = {};

  // Who may connect, beside root. Everybody else gets kDenied.
  uid_t user = geteuid();
  bool allow_root = true;

  // Gets one line, without its end, per grant, denial, release, drop, death of
  // an owner and breach of the protocol. Must not block. Of a death, of the
  // grants that it leads to and of what came at the same time after all that
  // has been answered.
  std::function<void(absl::string_view)> log = [](absl::string_view) {};
};

// KeeperServer
class KeeperServer {
 public:
  // KeeperServer::Listen()
  //
  // From its return on, clients can connect; they are answered once `Run()`
  // runs. Errors as for `KeeperListener::Listen()`; kUnavailable when the
  // system refuses a resource.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<KeeperServer>> Listen(
      KeeperOptions options);

  virtual ~KeeperServer() = default;

  // KeeperServer::Run()
  //
  // Serves until `stop_fd` is readable. kUnavailable when the system fails in
  // a way that cannot be a client's doing.
  [[nodiscard]] virtual absl::Status Run(int stop_fd) = 0;
};

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_SERVER_H_
