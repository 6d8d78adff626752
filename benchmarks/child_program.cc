// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/child_program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper::benchmarks {
namespace {

absl::Status Failure(absl::string_view what, int error) {
  const std::string message = absl::StrCat(what, ": ", std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(message);
  return absl::UnavailableError(message);
}

}  // namespace

absl::StatusOr<ChildProgram> ChildProgram::Start(
    const std::vector<std::string>& words) {
  // Sockets and not pipes: writing to one whose reader is gone can do without
  // SIGPIPE.
  int input[2];
  int output[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0) {
    return Failure("socketpair", errno);
  }
  UniqueFd our_input(input[0]);
  const UniqueFd its_input(input[1]);
  if (pipe2(output, O_CLOEXEC) != 0) return Failure("pipe", errno);
  UniqueFd our_output(output[0]);
  const UniqueFd its_output(output[1]);
  std::vector<char*> arguments;
  for (const std::string& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, its_input.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, its_output.get(), STDOUT_FILENO);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr,
                                 arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Failure(words[0], error);
  return ChildProgram(pid, std::move(our_input), std::move(our_output));
}

ChildProgram::ChildProgram(pid_t pid, UniqueFd input, UniqueFd output)
    : pid_(pid), input_(std::move(input)), output_(std::move(output)) {}

ChildProgram::ChildProgram(ChildProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      ahead_(std::move(other.ahead_)) {}

ChildProgram::~ChildProgram() {
  if (pid_ == 0) return;
  Kill();
  Await();
}

absl::Status ChildProgram::WriteLine(absl::string_view line) {
  const std::string text = absl::StrCat(line, "\n");
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = send(input_.get(), text.data() + written,
                               text.size() - written, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure("writing to a program", errno);
    written += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ChildProgram::ReadLine() {
  while (true) {
    const size_t end = ahead_.find('\n');
    if (end != std::string::npos) {
      std::string line = ahead_.substr(0, end);
      ahead_.erase(0, end + 1);
      return line;
    }
    char buffer[512];
    const ssize_t count = read(output_.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure("reading from a program", errno);
    if (count == 0) return absl::OutOfRangeError("the program says no more");
    ahead_.append(buffer, static_cast<size_t>(count));
  }
}

int ChildProgram::Await() {
  input_.Close();
  int status = 0;
  pid_t waited;
  do {
    waited = waitpid(pid_, &status, 0);
  } while (waited < 0 && errno == EINTR);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void ChildProgram::Kill() { kill(pid_, SIGKILL); }

}  // namespace ets_keeper::benchmarks
