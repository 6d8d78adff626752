// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: child_program.h
// -----------------------------------------------------------------------------
//
// Another program, to which one talks by lines.
//
//   absl::StatusOr<ChildProgram> cat = ChildProgram::Start({"/bin/cat"});
//   absl::Status told = cat->WriteLine("hello");
//   absl::StatusOr<std::string> hello = cat->ReadLine();
//
// Its stderr is ours. It sees the end of its input when this object goes, and
// is then killed.
//
// Thread safety: as an ordinary value.

#ifndef BENCHMARKS_CHILD_PROGRAM_H_
#define BENCHMARKS_CHILD_PROGRAM_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper::benchmarks {

class ChildProgram {
 public:
  // ChildProgram::Start()
  //
  // Runs `words[0]`, which is found in PATH if it has no slash. NotFound if
  // there is no such program.
  [[nodiscard]] static absl::StatusOr<ChildProgram> Start(
      const std::vector<std::string>& words);

  ChildProgram(ChildProgram&& other) noexcept;
  ChildProgram& operator=(ChildProgram&& other) = delete;
  ~ChildProgram();

  [[nodiscard]] pid_t pid() const { return pid_; }

  // ChildProgram::WriteLine()
  //
  // Unavailable if the program has closed its input.
  absl::Status WriteLine(absl::string_view line);

  // ChildProgram::ReadLine()
  //
  // The next line, without its end; waits for it. OutOfRange when there is
  // none: the program has closed its output.
  [[nodiscard]] absl::StatusOr<std::string> ReadLine();

  // ChildProgram::Await()
  //
  // Closes its input and waits for the end of the program. The status that it
  // exited with; -1 if it was killed.
  int Await();

  // ChildProgram::Kill()
  //
  // By SIGKILL. Does not wait, neither for its death nor for its burial.
  void Kill();

 private:
  ChildProgram(pid_t pid, UniqueFd input, UniqueFd output);

  pid_t pid_ = 0;  // 0: waited for
  UniqueFd input_;
  UniqueFd output_;
  std::string ahead_;  // what was read and is no whole line yet
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_CHILD_PROGRAM_H_
