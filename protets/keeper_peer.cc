// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_peer.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace protets {
namespace {

// Since Linux 6.5; older C libraries lack it.
constexpr int kSoPeerPidfd = 77;

absl::Status Gone(pid_t pid) {
  return MakeStatus(Cause::kUnavailable,
                    absl::StrCat("process ", pid,
                                 " cannot be watched: ", std::strerror(errno)));
}

// Field 22 of /proc/PID/stat; empty when there is no such process. The second
// field, a name in parentheses, may contain anything.
std::string StartTimeOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  const size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return "";
  const std::vector<absl::string_view> fields = absl::StrSplit(
      absl::string_view(stat).substr(end_of_name + 1), ' ', absl::SkipEmpty());
  constexpr size_t kStartTime = 22 - 3;
  return fields.size() > kStartTime ? std::string(fields[kStartTime]) : "";
}

}  // namespace

absl::StatusOr<PeerProcess> IdentifyPeer(int socket) {
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Gone(0);
  }
  if (credentials.pid <= 0) {
    return MakeStatus(Cause::kUnavailable,
                      "the client lives in another pid namespace");
  }
  PeerProcess peer{credentials.uid, credentials.pid, UniqueFd()};
  int pidfd = -1;
  size = sizeof(pidfd);
  if (getsockopt(socket, SOL_SOCKET, kSoPeerPidfd, &pidfd, &size) == 0) {
    peer.pidfd = UniqueFd(pidfd);
    return peer;
  }
  if (errno != ENOPROTOOPT) return Gone(peer.pid);
  const std::string start = StartTimeOf(peer.pid);
  absl::StatusOr<UniqueFd> opened = OpenProcess(peer.pid);
  if (!opened.ok()) return opened.status();
  errno = ESRCH;
  if (start.empty() || StartTimeOf(peer.pid) != start) return Gone(peer.pid);
  peer.pidfd = *std::move(opened);
  return peer;
}

absl::StatusOr<UniqueFd> OpenProcess(pid_t pid) {
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return Gone(pid);
  return pidfd;
}

bool HasDied(const UniqueFd& pidfd) {
  pollfd entry = {pidfd.get(), POLLIN, 0};
  return poll(&entry, 1, 0) > 0;
}

}  // namespace protets
}  // namespace ets_keeper
