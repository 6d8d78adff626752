// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/unique_fd/unique_fd.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace ets_keeper {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int UniqueFd::Release() { return std::exchange(fd_, -1); }

void UniqueFd::Close() {
  if (fd_ < 0) return;
  const int saved_errno = errno;
  // Linux has freed the descriptor even when close(2) reports an error, so
  // trying again would close somebody else's.
  close(Release());
  errno = saved_errno;
}

}  // namespace ets_keeper
