// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace protets {
namespace {

// Where the keeper finds the pipe to write "ready" to.
constexpr int kReadyFd = 3;
constexpr int kReadyTimeoutMs = 30'000;

absl::Status Failed(absl::string_view what, int error) {
  return MakeStatus(Cause::kUnavailable,
                    absl::StrCat("cannot ", what, ": ", std::strerror(error)));
}

// 0 or an error number.
int Spawn(const std::vector<std::string>& words, int ready, pid_t& pid) {
  std::vector<char*> argv;
  for (const std::string& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ready, kReadyFd);
  const int error =
      posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Whether something, rather than the end, came out of the pipe in time.
bool IsReady(int fd) {
  pollfd entry = {fd, POLLIN, 0};
  int count;
  do {
    count = poll(&entry, 1, kReadyTimeoutMs);
  } while (count < 0 && errno == EINTR);
  char byte;
  return count > 0 && read(fd, &byte, 1) == 1;
}

}  // namespace

absl::StatusOr<KeeperProcess> KeeperProcess::Start(
    const KeeperProcessOptions& options) {
  // Not $TMPDIR: a socket's path must be short.
  std::string folder = "/tmp/ets_keeper.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return Failed("create a folder in /tmp", errno);
  }
  KeeperProcess keeper(folder, absl::StrCat(folder, "/keeper.sock"), 0);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failed("create a pipe", errno);
  UniqueFd ready(ends[0]);
  UniqueFd write_end(ends[1]);
  std::vector<std::string> words = {options.binary,
                                    absl::StrCat("--socket=", keeper.socket_),
                                    absl::StrCat("--ready_fd=", kReadyFd)};
  if (!options.outlive_parent) {
    words.push_back(absl::StrCat("--parent_pid=", getpid()));
  }
  words.insert(words.end(), options.flags.begin(), options.flags.end());
  const int error = Spawn(words, write_end.get(), keeper.pid_);
  if (error != 0) {
    keeper.pid_ = 0;
    return Failed(absl::StrCat("run ", options.binary), error);
  }
  write_end.Close();
  if (!IsReady(ready.get())) {
    return MakeStatus(Cause::kUnavailable,
                      absl::StrCat(options.binary, " did not start"));
  }
  return keeper;
}

KeeperProcess::KeeperProcess(std::string folder, std::string socket, pid_t pid)
    : folder_(std::move(folder)), socket_(std::move(socket)), pid_(pid) {}

KeeperProcess::KeeperProcess(KeeperProcess&& other) noexcept
    : folder_(std::exchange(other.folder_, "")),
      socket_(std::exchange(other.socket_, "")),
      pid_(std::exchange(other.pid_, 0)) {}

KeeperProcess::~KeeperProcess() {
  End(SIGKILL);
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

int KeeperProcess::End(int signal) {
  if (pid_ == 0) return -1;
  const pid_t pid = std::exchange(pid_, 0);
  kill(pid, signal);
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace protets
}  // namespace ets_keeper
