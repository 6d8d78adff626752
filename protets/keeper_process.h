// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_process.h
// -----------------------------------------------------------------------------
//
// `KeeperProcess` runs a keeper of one's own for as long as the object lives,
// for tests and examples: a real daemon in a process of its own, with its
// socket in a new folder that goes with it.
//
//   absl::StatusOr<KeeperProcess> keeper =
//       KeeperProcess::Start({.binary = "protets/keeper"});
//   absl::StatusOr<KeeperClient> client =
//       KeeperClient::Connect(keeper->socket());
//
// If the starting process dies without destroying the object, kill -9 included,
// the keeper stops by itself, unless it is told to outlive it. The process that
// starts the keeper is therefore the one that supervises the owners of tables,
// never an owner whose death the tables are to survive. (It is the death of
// the process that counts, not that of the thread that called `Start()`.)
//
// Thread safety: as an ordinary value. Linux only.
//
// It is not how a production keeper is run: that is a service manager's work.

#ifndef PROTETS_KEEPER_PROCESS_H_
#define PROTETS_KEEPER_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ets_keeper {
namespace protets {

// KeeperProcessOptions
struct KeeperProcessOptions {
  std::string binary = "";  // the path of //protets:keeper
  std::vector<std::string> flags =
      {};  // in addition to those that `Start()` gives
  bool outlive_parent = false;
};

// KeeperProcess
class KeeperProcess {
 public:
  // KeeperProcess::Start()
  //
  // Returns once clients can connect. kUnavailable when the keeper does not
  // start; it has then said why on stderr, which it shares with this process.
  [[nodiscard]] static absl::StatusOr<KeeperProcess> Start(
      const KeeperProcessOptions& options);

  KeeperProcess(KeeperProcess&& other) noexcept;
  KeeperProcess& operator=(KeeperProcess&&) = delete;

  // Kills the keeper and removes its folder.
  ~KeeperProcess();

  // KeeperProcess::socket()
  //
  // The path at which it listens.
  [[nodiscard]] const std::string& socket() const { return socket_; }

  // KeeperProcess::pid()
  //
  // The keeper's OS process; 0 once it has ended.
  [[nodiscard]] pid_t pid() const { return pid_; }

  // KeeperProcess::End()
  //
  // Sends `signal`, waits for the end, and returns the status that waitpid(2)
  // gives; -1 when it had ended before.
  int End(int signal);

 private:
  KeeperProcess(std::string folder, std::string socket, pid_t pid);

  std::string folder_;
  std::string socket_;
  pid_t pid_ = 0;
};

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_PROCESS_H_
