// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: child_process_testing.h
// -----------------------------------------------------------------------------
//
// `ChildProcess` is a real OS process to be killed by a test.
//
//   ChildProcess child([&](auto ready) { Work(); ready(); });
//   ASSERT_TRUE(child.AwaitReady());
//   EXPECT_TRUE(child.Kill());
//
// It is forked, so the test must have no other thread at that time.
//
// Thread safety: none.

#ifndef PROTETS_CHILD_PROCESS_TESTING_H_
#define PROTETS_CHILD_PROCESS_TESTING_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/log/check.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper::protets {

class ChildProcess {
 public:
  // Runs `body(ready)` in the child, where `ready()` tells the parent, and then
  // waits to be killed.
  template <typename Body>
  explicit ChildProcess(Body body) {
    int ends[2];
    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end_ = UniqueFd(ends[0]);
    const UniqueFd write_end(ends[1]);
    const pid_t parent = getpid();
    pid_ = fork();
    CHECK_GE(pid_, 0);
    if (pid_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    body([&] { CHECK_EQ(write(write_end.get(), "r", 1), 1); });
    while (true) pause();
  }
  ~ChildProcess() {
    if (pid_ != 0) Kill();
  }

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  // False if it died before it was ready.
  [[nodiscard]] bool AwaitReady() {
    char byte;
    return read(read_end_.get(), &byte, 1) == 1;
  }

  // Whether it has died by itself.
  [[nodiscard]] bool HasEnded() const {
    siginfo_t info = {};
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid != 0;
  }

  // Whether it is SIGKILL that it died of.
  bool Kill() {
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

 private:
  UniqueFd read_end_;
  pid_t pid_ = 0;
};

}  // namespace ets_keeper::protets

#endif  // PROTETS_CHILD_PROCESS_TESTING_H_
