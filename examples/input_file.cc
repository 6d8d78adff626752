// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "examples/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/unique_fd/unique_fd.h"
#include "examples/words.h"

namespace ets_keeper::examples {
namespace {

absl::Status CannotRead(absl::string_view path, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("cannot read ", path, ": ", why));
}

}  // namespace

absl::StatusOr<InputFile> InputFile::Open(const std::string& path) {
  // Not waiting for the other end of a FIFO.
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return CannotRead(path, std::strerror(errno));
  InputFile file(path, std::move(fd));
  absl::Status status = file.Stat(file.size_, file.changed_ns_);
  if (!status.ok()) return status;
  // Files of /proc have the size 0, whatever there is to read in them.
  char byte;
  if (file.size_ == 0 && pread(file.fd_.get(), &byte, 1, 0) > 0) {
    return CannotRead(path, "it does not say how large it is");
  }
  return file;
}

absl::Status InputFile::Stat(uint64_t& size, int64_t& changed_ns) const {
  struct stat info;
  if (fstat(fd_.get(), &info) != 0) {
    return CannotRead(path_, std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) return CannotRead(path_, std::strerror(EISDIR));
  if (!S_ISREG(info.st_mode)) return CannotRead(path_, "not a regular file");
  size = static_cast<uint64_t>(info.st_size);
  changed_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  return absl::OkStatus();
}

absl::StatusOr<std::string> InputFile::ReadBlock(uint64_t position,
                                                 uint64_t bytes) const {
  uint64_t size = 0;
  int64_t changed_ns = 0;
  absl::Status status = Stat(size, changed_ns);
  if (!status.ok()) return status;
  std::string text;
  bool changed = size != size_ || changed_ns != changed_ns_ || position > size_;
  while (!changed) {
    const uint64_t wanted = std::min(bytes, size_ - position);
    uint64_t got = text.size();
    text.resize(wanted);
    while (got < wanted) {
      const ssize_t n = pread(fd_.get(), text.data() + got, wanted - got,
                              static_cast<off_t>(position + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return CannotRead(path_, std::strerror(errno));
      if (n == 0) break;
      got += static_cast<uint64_t>(n);
    }
    changed = got < wanted;
    if (changed) break;
    if (position + wanted == size_) return text;
    text.resize(WholeWords(text));
    if (!text.empty()) return text;
    bytes = wanted * 2;  // a word longer than that
  }
  return absl::FailedPreconditionError(
      absl::StrCat(path_, " changed while it was counted: it had ", size_,
                   " bytes, and now has ", size));
}

}  // namespace ets_keeper::examples
