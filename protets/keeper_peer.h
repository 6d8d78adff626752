// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_peer.h
// -----------------------------------------------------------------------------
//
// Who is at the other end of a socket: a user and an OS process, the latter as
// a descriptor that names it for ever, where a process id is used again.
//
//   absl::StatusOr<PeerProcess> peer = IdentifyPeer(socket.get());
//   if (peer.ok() && !HasDied(peer->pidfd)) ...
//
// The process is the one that called connect(2), whoever holds the socket now.
//
// Thread safety: functions may be called from any thread. Linux only.

#ifndef PROTETS_KEEPER_PEER_H_
#define PROTETS_KEEPER_PEER_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace protets {

// PeerProcess
struct PeerProcess {
  uid_t uid = 0;
  pid_t pid = 0;
  UniqueFd pidfd;  // readable once every thread of the process is gone
};

// IdentifyPeer()
//
// kUnavailable when the process is gone, or is not visible from here (another
// pid namespace).
//
// Kernels before 6.5 cannot give the descriptor of a peer. There it is opened
// by process id, and the process' start time before and after must agree. What
// remains of the race is a process that connects, dies, and has its id used
// again between connect(2) and this call while a child keeps its socket open.
[[nodiscard]] absl::StatusOr<PeerProcess> IdentifyPeer(int socket);

// OpenProcess()
//
// A descriptor for the living process `pid`; kUnavailable if there is none.
[[nodiscard]] absl::StatusOr<UniqueFd> OpenProcess(pid_t pid);

// HasDied()
//
// Whether the process is dead, reaped or not. All its stores are then visible.
[[nodiscard]] bool HasDied(const UniqueFd& pidfd);

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_PEER_H_
