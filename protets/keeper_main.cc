// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// The keeper: a daemon that holds the memory of named tables, so that they
// outlive the processes that own them.
//
//   keeper [--socket=PATH] [--max_tables=N] [--max_bytes_per_table=N]
//
// It stops on SIGTERM and SIGINT, and then removes its socket. On stderr it
// writes one line per grant, denial, release, drop, death of an owner and
// breach of the protocol. Linux only.

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "protets/keeper_peer.h"
#include "protets/keeper_server.h"
#include "protets/keeper_socket.h"

ABSL_FLAG(std::string, socket, "",
          "where to listen; default: $ETS_KEEPER_SOCKET, else "
          "$XDG_RUNTIME_DIR/ets_keeper/keeper.sock, else "
          "/tmp/ets_keeper-UID/keeper.sock");
ABSL_FLAG(uint64_t, max_tables, 1024, "how many tables there may be");
ABSL_FLAG(uint64_t, max_bytes_per_table, uint64_t{1} << 40,
          "how large a table may be, in bytes of address space");
ABSL_FLAG(int, ready_fd, -1,
          "a descriptor that gets the line \"ready\" once clients can connect");
ABSL_FLAG(int, parent_pid, 0,
          "the process that started this one: stop when it has died");

namespace ets_keeper {
namespace protets {
namespace {

constexpr size_t kMostTables = 1 << 20;

// Beside the descriptors of tables, connections and processes.
constexpr rlim_t kOtherDescriptors = 64;

// Never blocks: a line for which the reader of stderr has no room is lost.
void WriteLine(absl::string_view line) {
  pollfd entry = {STDERR_FILENO, POLLOUT, 0};
  if (poll(&entry, 1, 0) <= 0) return;
  const std::string bytes = absl::StrCat("keeper: ", line, "\n");
  while (write(STDERR_FILENO, bytes.data(), bytes.size()) < 0 &&
         errno == EINTR) {
  }
}

absl::Status SystemError(absl::string_view what) {
  return MakeStatus(Cause::kUnavailable,
                    absl::StrCat(what, ": ", std::strerror(errno)));
}

// Two descriptors for each table, and one each for its owner, for a connection
// and for the process behind it.
absl::Status EnsureDescriptors(const KeeperLimits& limits) {
  if (limits.max_tables > kMostTables) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat("--max_tables=", limits.max_tables,
                                   " is more than ", kMostTables));
  }
  const rlim_t wanted =
      3 * limits.max_tables + 2 * limits.max_connections + kOtherDescriptors;
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return SystemError("cannot read the limit of open files");
  }
  if (limit.rlim_cur >= wanted) return absl::OkStatus();
  if (limit.rlim_max < wanted) {
    return MakeStatus(
        Cause::kBadOption,
        absl::StrCat(limits.max_tables, " tables take ", wanted,
                     " open files, the limit is ", limit.rlim_max));
  }
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return SystemError("cannot raise the limit of open files");
  }
  return absl::OkStatus();
}

// A descriptor that is readable once the keeper is to stop.
class StopSignal {
 public:
  absl::Status Open(pid_t parent) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    all_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
    if (!Add(UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC)))) {
      return SystemError("cannot watch for signals");
    }
    if (parent == 0) return absl::OkStatus();
    absl::StatusOr<UniqueFd> pidfd = OpenProcess(parent);
    if (!pidfd.ok()) return pidfd.status();
    if (getppid() != parent || !Add(*std::move(pidfd))) {
      return MakeStatus(Cause::kUnavailable,
                        absl::StrCat("process ", parent, " is not the parent"));
    }
    return absl::OkStatus();
  }

  int fd() const { return all_.get(); }

 private:
  bool Add(UniqueFd fd) {
    epoll_event event = {};
    event.events = EPOLLIN;
    if (epoll_ctl(all_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
      return false;
    }
    watched_.push_back(std::move(fd));
    return true;
  }

  UniqueFd all_;
  std::vector<UniqueFd> watched_;
};

absl::Status SayReady(int fd) {
  if (fd < 0) return absl::OkStatus();
  const UniqueFd ready(fd);
  constexpr absl::string_view kReady = "ready\n";
  if (write(fd, kReady.data(), kReady.size()) !=
      static_cast<ssize_t>(kReady.size())) {
    return SystemError("cannot write to --ready_fd");
  }
  return absl::OkStatus();
}

absl::Status RunKeeper() {
  umask(077);
  signal(SIGPIPE, SIG_IGN);
  // A table, or a log, larger than files may be is an error, and no end.
  signal(SIGXFSZ, SIG_IGN);
  KeeperOptions options;
  options.socket = absl::GetFlag(FLAGS_socket);
  if (options.socket.empty()) options.socket = DefaultKeeperSocket();
  options.limits.max_tables = absl::GetFlag(FLAGS_max_tables);
  options.limits.max_bytes_per_table = absl::GetFlag(FLAGS_max_bytes_per_table);
  options.log = WriteLine;
  if (absl::Status enough = EnsureDescriptors(options.limits); !enough.ok()) {
    return enough;
  }
  StopSignal stop;
  if (absl::Status opened = stop.Open(absl::GetFlag(FLAGS_parent_pid));
      !opened.ok()) {
    return opened;
  }
  absl::StatusOr<std::unique_ptr<KeeperServer>> server =
      KeeperServer::Listen(std::move(options));
  if (!server.ok()) return server.status();
  if (absl::Status said = SayReady(absl::GetFlag(FLAGS_ready_fd)); !said.ok()) {
    return said;
  }
  return (*server)->Run(stop.fd());
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "keeps the memory of named tables alive when their owners die");
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  const absl::Status status =
      words.size() > 1 ? absl::InvalidArgumentError(absl::StrCat(
                             "'", words[1], "' is no flag; see --help"))
                       : ets_keeper::protets::RunKeeper();
  if (status.ok()) return 0;
  ets_keeper::protets::WriteLine(status.message());
  return 1;
}
