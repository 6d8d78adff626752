// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace protets {
namespace {

constexpr int kBacklog = 128;

absl::Status SystemError(Cause cause, absl::string_view what) {
  const int error = errno;
  return MakeStatus(cause, absl::StrCat(what, ": ", std::strerror(error)));
}

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return MakeStatus(
        Cause::kBadOption,
        absl::StrCat("socket path \"", path, "\" has ", path.size(),
                     " bytes; a socket's takes 1 to ",
                     sizeof(address.sun_path) - 1));
  }
  path.copy(address.sun_path, path.size());
  return address;
}

bool ConnectSocket(int socket, const sockaddr_un& address) {
  return connect(socket, reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)) == 0;
}

UniqueFd NewSocket(int flags) {
  return UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes `folder` if there is none; it must then be ours alone.
absl::Status SecureFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError(Cause::kDenied,
                       absl::StrCat("cannot create the folder ", folder));
  }
  struct stat info = {};
  if (lstat(folder.c_str(), &info) != 0) {
    return SystemError(Cause::kDenied, absl::StrCat("cannot examine ", folder));
  }
  const char* fault = nullptr;
  if (S_ISLNK(info.st_mode)) {
    fault = "it is a symbolic link";
  } else if (!S_ISDIR(info.st_mode)) {
    fault = "it is no folder";
  } else if (info.st_uid != geteuid()) {
    fault = "it belongs to another user";
  } else if ((info.st_mode & 077) != 0) {
    fault = "others may enter it (its mode must be 0700)";
  }
  if (fault == nullptr) return absl::OkStatus();
  return MakeStatus(Cause::kDenied,
                    absl::StrCat(folder, " is not safe to listen in: ", fault));
}

absl::Status SomebodyListens(const std::string& path) {
  return MakeStatus(Cause::kAlreadyExists,
                    absl::StrCat("another keeper already listens at ", path));
}

// Held for as long as a keeper lives, whatever its end; this is how a socket
// file that nobody serves any more is known.
absl::StatusOr<UniqueFd> LockPath(const std::string& path) {
  const std::string lock_path = absl::StrCat(path, ".lock");
  UniqueFd lock(
      open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) {
    return SystemError(Cause::kDenied, absl::StrCat("cannot open ", lock_path));
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return SomebodyListens(path);
  return lock;
}

// Removes the socket file of a dead keeper, and nothing else.
absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return MakeStatus(Cause::kAlreadyExists,
                      absl::StrCat(path, " exists and is no socket"));
  }
  UniqueFd probe = NewSocket(SOCK_NONBLOCK);
  if (ConnectSocket(probe.get(), address) || errno != ECONNREFUSED) {
    return SomebodyListens(path);
  }
  unlink(path.c_str());
  return absl::OkStatus();
}

}  // namespace

std::string DefaultKeeperSocket() {
  if (const char* path = std::getenv("ETS_KEEPER_SOCKET");
      path != nullptr && *path != '\0') {
    return path;
  }
  if (const char* folder = std::getenv("XDG_RUNTIME_DIR");
      folder != nullptr && *folder != '\0') {
    return absl::StrCat(folder, "/ets_keeper/keeper.sock");
  }
  return absl::StrCat("/tmp/ets_keeper-", getuid(), "/keeper.sock");
}

KeeperListener::KeeperListener(std::string path, UniqueFd lock, UniqueFd socket)
    : path_(std::move(path)),
      lock_(std::move(lock)),
      socket_(std::move(socket)) {}

KeeperListener::~KeeperListener() {
  if (socket_) unlink(path_.c_str());
}

absl::StatusOr<KeeperListener> KeeperListener::Listen(
    absl::string_view path_view) {
  std::string path(path_view);
  const absl::StatusOr<sockaddr_un> address = AddressOf(path);
  if (!address.ok()) return address.status();
  if (absl::Status safe = SecureFolder(FolderOf(path)); !safe.ok()) return safe;
  absl::StatusOr<UniqueFd> lock = LockPath(path);
  if (!lock.ok()) return lock.status();
  if (absl::Status free = RemoveStale(path, *address); !free.ok()) return free;
  UniqueFd socket = NewSocket(SOCK_NONBLOCK);
  if (!socket ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address),
           sizeof(*address)) != 0) {
    return SystemError(Cause::kUnavailable,
                       absl::StrCat("cannot create the socket ", path));
  }
  // Nobody can connect before listen(2), so the mode is right in time.
  if (chmod(path.c_str(), 0600) != 0 || listen(socket.get(), kBacklog) != 0) {
    absl::Status status = SystemError(Cause::kUnavailable,
                                      absl::StrCat("cannot listen at ", path));
    unlink(path.c_str());
    return status;
  }
  return KeeperListener(std::move(path), *std::move(lock), std::move(socket));
}

absl::StatusOr<UniqueFd> ConnectTo(absl::string_view path_view,
                                   absl::Duration patience) {
  const std::string path(path_view);
  const absl::StatusOr<sockaddr_un> address = AddressOf(path);
  if (!address.ok()) return address.status();
  // Only connect(2) may block, for as long as the line of others is full.
  UniqueFd socket = NewSocket(0);
  const timeval limit = absl::ToTimeval(patience);
  if (!socket || setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit,
                            sizeof(limit)) != 0) {
    return SystemError(Cause::kUnavailable, "cannot create a socket");
  }
  if (!ConnectSocket(socket.get(), *address)) {
    if (errno == EAGAIN) {
      return MakeStatus(Cause::kNoKeeper,
                        absl::StrCat("the keeper at ", path,
                                     " did not accept a connection within ",
                                     absl::FormatDuration(patience)));
    }
    return SystemError(Cause::kNoKeeper,
                       absl::StrCat("no keeper listens at ", path));
  }
  const uid_t user = PeerUser(socket.get());
  if (user != geteuid() && user != 0) {
    return MakeStatus(Cause::kDenied,
                      absl::StrCat("the keeper at ", path, " runs as user ",
                                   user, ", which is not trusted"));
  }
  return socket;
}

uid_t PeerUser(int socket) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return static_cast<uid_t>(-1);
  }
  return peer.uid;
}

bool SendPacket(int socket, absl::string_view packet, int fd) {
  iovec part = {const_cast<char*>(packet.data()), packet.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(packet.size());
}

Received ReceivePacket(int socket, size_t max_bytes, size_t max_fds) {
  Received received;
  received.packet.resize(max_bytes);
  iovec part = {received.packet.data(), max_bytes};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  // CMSG_LEN rather than CMSG_SPACE, whose padding has room for another one.
  // Descriptors that do not fit are closed by the kernel.
  alignas(cmsghdr) char control[CMSG_LEN(sizeof(int))] = {};
  if (max_fds > 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
  }
  // A reset says that the other end closed without reading all; what it sent
  // before is still to be had, once the error has been fetched.
  ssize_t size;
  bool reset = false;
  do {
    size = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && (errno == EINTR ||
                        (errno == ECONNRESET && !std::exchange(reset, true))));
  if (size <= 0) {
    received.packet.clear();
    const bool again = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (again) received.state = Received::State::kNothingYet;
    return received;
  }
  if (max_fds > 0) {
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_level == SOL_SOCKET &&
        header->cmsg_type == SCM_RIGHTS) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
      received.fds.emplace_back(fd);
    }
  }
  received.state = Received::State::kPacket;
  received.truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  received.packet.resize(static_cast<size_t>(size));
  return received;
}

}  // namespace protets
}  // namespace ets_keeper
