// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: unique_fd.h
// -----------------------------------------------------------------------------
//
// `UniqueFd` owns one file descriptor and closes it, once.
//
//   UniqueFd fd(memfd_create("users", MFD_CLOEXEC));
//   if (!fd) return MakeStatus(Cause::kUnavailable, strerror(errno));
//   ftruncate(fd.get(), bytes);
//
// Thread safety: as a `std::unique_ptr`: distinct objects from any thread, one
// object from one thread at a time.
//
// It is not a file: it neither reads nor writes, and it says nothing about
// what the descriptor names. POSIX only.

#ifndef COMMON_UNIQUE_FD_UNIQUE_FD_H_
#define COMMON_UNIQUE_FD_UNIQUE_FD_H_

namespace ets_keeper {

// UniqueFd
//
// Empty (-1) by default; movable, not copyable.
class UniqueFd {
 public:
  UniqueFd() = default;

  // Takes over `fd`. Any negative value, such as what a failed open(2) gives,
  // makes an empty object.
  explicit UniqueFd(int fd) : fd_(fd < 0 ? -1 : fd) {}

  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  ~UniqueFd() { Close(); }

  // UniqueFd::get()
  //
  // The descriptor, still owned by this object; -1 when empty.
  [[nodiscard]] int get() const { return fd_; }

  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

  // UniqueFd::Release()
  //
  // Gives the descriptor to the caller, who must close it; -1 when empty. The
  // object is empty afterwards.
  [[nodiscard]] int Release();

  // UniqueFd::Close()
  //
  // Closes now rather than at destruction. Does nothing when empty; keeps
  // `errno` as it was.
  void Close();

 private:
  int fd_ = -1;
};

}  // namespace ets_keeper

#endif  // COMMON_UNIQUE_FD_UNIQUE_FD_H_
