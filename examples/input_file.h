// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: input_file.h
// -----------------------------------------------------------------------------
//
// `InputFile` is the text to count: read in blocks of whole words, from any
// position, by processes that come and go, and the same all the while.
//
//   absl::StatusOr<InputFile> input = InputFile::Open("text");
//   absl::StatusOr<std::string> block = input->ReadBlock(0, 4096);
//
// Thread safety: const members may be called from several threads.

#ifndef EXAMPLES_INPUT_FILE_H_
#define EXAMPLES_INPUT_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper::examples {

class InputFile {
 public:
  // InputFile::Open()
  //
  // An error whose message is for the user unless it is a regular file that can
  // be read and whose size is known.
  [[nodiscard]] static absl::StatusOr<InputFile> Open(const std::string& path);

  // InputFile::ReadBlock()
  //
  // The text from `position` on: about `bytes` of it, more if a word is longer,
  // ending between two words or at the end of the file, where it is empty. An
  // error if the file is no longer what it was when it was opened.
  [[nodiscard]] absl::StatusOr<std::string> ReadBlock(uint64_t position,
                                                      uint64_t bytes) const;

  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  InputFile(std::string path, UniqueFd fd)
      : path_(std::move(path)), fd_(std::move(fd)) {}

  absl::Status Stat(uint64_t& size, int64_t& changed_ns) const;

  std::string path_;
  UniqueFd fd_;
  uint64_t size_ = 0;
  int64_t changed_ns_ = 0;
};

}  // namespace ets_keeper::examples

#endif  // EXAMPLES_INPUT_FILE_H_
