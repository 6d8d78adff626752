// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_socket.h
// -----------------------------------------------------------------------------
//
// Where the keeper listens, how one listens and connects there safely, and how
// a packet with or without a descriptor travels.
//
//   absl::StatusOr<UniqueFd> socket = ConnectTo(DefaultKeeperSocket(),
//   absl::Seconds(5));
//
// The socket lives in a folder that only its user can enter: that folder is
// what keeps other users out. Both ends also look at each other's user id.
//
// Thread safety: functions may be called from any thread; `DefaultKeeperSocket`
// reads the environment. Linux only.

#ifndef PROTETS_KEEPER_SOCKET_H_
#define PROTETS_KEEPER_SOCKET_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace protets {

// DefaultKeeperSocket()
//
// The path that a user's programs agree on without further words:
// $ETS_KEEPER_SOCKET; else $XDG_RUNTIME_DIR/ets_keeper/keeper.sock; else
// /tmp/ets_keeper-UID/keeper.sock.
[[nodiscard]] std::string DefaultKeeperSocket();

// KeeperListener
//
// A listening socket, and the lock that keeps a second keeper away from its
// path. Destruction closes both and removes the socket's file (the empty lock
// file beside it stays).
class KeeperListener {
 public:
  // KeeperListener::Listen()
  //
  // Listens at `path`. Creates its folder, with mode 0700, if there is none;
  // one that exists must be the user's own, closed to everybody else, and no
  // symbolic link (else kDenied). What a dead keeper left at `path` is
  // replaced. kBadOption when `path` is too long for a socket; kAlreadyExists
  // when somebody listens there, or it is not a socket.
  [[nodiscard]] static absl::StatusOr<KeeperListener> Listen(
      absl::string_view path);

  KeeperListener(KeeperListener&&) = default;
  KeeperListener& operator=(KeeperListener&&) = delete;
  ~KeeperListener();

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  KeeperListener(std::string path, UniqueFd lock, UniqueFd socket);

  std::string path_;
  UniqueFd lock_;
  UniqueFd socket_;
};

// ConnectTo()
//
// A connected socket. kNoKeeper when nobody listens at `path`, or has not
// accepted the connection after `patience`; kDenied when whoever does is
// neither root nor this process' user.
[[nodiscard]] absl::StatusOr<UniqueFd> ConnectTo(absl::string_view path,
                                                 absl::Duration patience);

// PeerUser()
//
// The user that was at the other end of `socket` when it was connected; -1
// when the system does not say.
[[nodiscard]] uid_t PeerUser(int socket);

// SendPacket()
//
// Sends `packet`, with a duplicate of `fd` if that is not negative, without
// ever blocking. False when it was not sent: the other end is gone, or does not
// read (errno is EAGAIN).
[[nodiscard]] bool SendPacket(int socket, absl::string_view packet,
                              int fd = -1);

// Received
//
// What came out of a socket.
struct Received {
  enum class State { kPacket, kNothingYet, kClosed };

  State state = State::kClosed;
  std::string packet;
  std::vector<UniqueFd> fds;
  bool truncated = false;  // more bytes or descriptors were sent than allowed
};

// ReceivePacket()
//
// The next packet, of at most `max_bytes` bytes and `max_fds` (0 or 1)
// descriptors, without ever blocking. What is over the limit never gets into
// this process.
[[nodiscard]] Received ReceivePacket(int socket, size_t max_bytes,
                                     size_t max_fds);

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_SOCKET_H_
