// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace ets_keeper {
namespace {

constexpr uint64_t kArenaMagic = 0x5045454b5f535445;  // "ETS_KEEP"
constexpr uint64_t kArenaFormat = 1;
constexpr uint64_t kPage = 4096;

uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

absl::Status SystemError(Cause cause, absl::string_view call) {
  const int error = errno;
  return MakeStatus(cause, absl::StrCat(call, ": ", std::strerror(error)));
}

}  // namespace

Arena::Arena(UniqueFd fd, char* base, uint64_t bytes, ArenaAccess access)
    : fd_(std::move(fd)), base_(base), bytes_(bytes), access_(access) {}

Arena::~Arena() { munmap(base_, bytes_); }

absl::StatusOr<std::unique_ptr<Arena>> Arena::CreatePrivate(uint64_t bytes) {
  if (bytes < kMinBytes || bytes > kMaxBytes) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat("an arena has between ", kMinBytes, " and ",
                                   kMaxBytes, " bytes, not ", bytes));
  }
  bytes = RoundUp(bytes, kPage);
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    return SystemError(Cause::kNoMemory, absl::StrCat("mmap of ", bytes));
  }
  madvise(base, bytes, MADV_DONTFORK);
  madvise(base, bytes, MADV_DONTDUMP);
  return std::unique_ptr<Arena>(new Arena(UniqueFd(), static_cast<char*>(base),
                                          bytes, ArenaAccess::kReadWrite));
}

absl::StatusOr<std::unique_ptr<Arena>> Arena::Map(UniqueFd fd,
                                                  ArenaAccess access) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) {
    return SystemError(Cause::kBadOption, "fstat of an arena's descriptor");
  }
  const uint64_t bytes = static_cast<uint64_t>(info.st_size);
  if (bytes < kMinBytes || bytes > kMaxBytes || bytes % kPage != 0) {
    return MakeStatus(Cause::kCorrupt, absl::StrCat("a file of ", bytes,
                                                    " bytes is not an arena"));
  }
  const int protection =
      access == ArenaAccess::kReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* base =
      mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
  if (base == MAP_FAILED) {
    return SystemError(
        errno == EACCES ? Cause::kWriteProtected : Cause::kNoMemory,
        absl::StrCat("mmap of an arena of ", bytes, " bytes"));
  }
  // Without DONTFORK a forked child could go on writing after its parent's
  // pidfd said that the owner is dead.
  madvise(base, bytes, MADV_DONTFORK);
  madvise(base, bytes, MADV_DONTDUMP);
  return std::unique_ptr<Arena>(
      new Arena(std::move(fd), static_cast<char*>(base), bytes, access));
}

absl::Status Arena::BeginFormat(const FormatOptions& options) {
  if (options.schema_text.size() > kMaxSchemaBytes) {
    return MakeStatus(
        Cause::kBadOption,
        absl::StrCat("the schema's text has ", options.schema_text.size(),
                     " bytes; an arena has room for ", kMaxSchemaBytes));
  }
  Lock lock(grow_mutex_);
  ArenaHeader& h = header();
  if (LoadWord(&h.bytes) != 0 || LoadWord(&h.magic) != 0) {
    return MakeStatus(Cause::kCorrupt, "the arena was formatted before");
  }
  if (absl::Status status = AllocatePages(0, kPage); !status.ok()) {
    return status;
  }
  StoreWord(&h.format, kArenaFormat);
  StoreWord(&h.bytes, bytes_);
  StoreWord(&h.kind, options.kind);
  StoreWord(&h.schema, options.schema);
  StoreWord(&h.schema_bytes, options.schema_text.size());
  for (size_t i = 0; i < options.schema_text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, options.schema_text.data() + i,
                std::min<size_t>(8, options.schema_text.size() - i));
    StoreWord(&h.schema_text[i / 8], word);
  }
  StoreWord(&h.front_committed, kPage);
  StoreWord(&h.back_committed, bytes_);
  StoreWord(&h.heap_top, bytes_);
  return absl::OkStatus();
}

void Arena::FinishFormat() { StoreWord(&header().magic, kArenaMagic); }

absl::Status Arena::Validate(uint64_t kind) const {
  const ArenaHeader& h = header();
  const auto expect = [](absl::string_view what, uint64_t found,
                         uint64_t expected) {
    if (found == expected) return absl::OkStatus();
    return MakeStatus(Cause::kCorrupt,
                      absl::StrFormat("not a usable arena: its %s is %#x, "
                                      "expected %#x",
                                      what, found, expected));
  };
  absl::Status status = expect("magic word", LoadWord(&h.magic), kArenaMagic);
  status.Update(expect("format version", LoadWord(&h.format), kArenaFormat));
  status.Update(expect("size", LoadWord(&h.bytes), bytes_));
  status.Update(expect("kind of table", LoadWord(&h.kind), kind));
  if (!status.ok()) return status;
  const uint64_t front = LoadWord(&h.front_committed);
  const uint64_t back = LoadWord(&h.back_committed);
  const uint64_t top = LoadWord(&h.heap_top);
  if (front < kPage || front % kPage != 0 || back % kPage != 0 ||
      front > back || back > top || top > bytes_) {
    return MakeStatus(Cause::kCorrupt,
                      absl::StrFormat("not a usable arena: its ends %#x, %#x "
                                      "and %#x are out of order",
                                      front, back, top));
  }
  return absl::OkStatus();
}

std::string Arena::schema_text() const {
  const uint64_t size = LoadWord(&header().schema_bytes);
  if (size > kMaxSchemaBytes) return "";
  std::string text(RoundUp(size, 8), '\0');
  for (size_t i = 0; i < text.size(); i += 8) {
    const uint64_t word = LoadWord(&header().schema_text[i / 8]);
    std::memcpy(text.data() + i, &word, 8);
  }
  text.resize(size);
  return text;
}

uint64_t Arena::CommitStep() const {
  return std::clamp<uint64_t>(RoundUp(bytes_ / 256, kPage), kPage, 16 * kPage);
}

absl::Status Arena::CommitFront(uint64_t end) {
  ArenaHeader& h = header();
  const uint64_t front = LoadWord(&h.front_committed);
  if (end <= front) return absl::OkStatus();
  const uint64_t back = LoadWord(&h.back_committed);
  const uint64_t wanted = std::min(RoundUp(end, CommitStep()), back);
  if (wanted < end) {
    return MakeStatus(Cause::kNoMemory,
                      absl::StrCat("the arena of ", bytes_, " bytes is full"));
  }
  if (absl::Status s = AllocatePages(front, wanted); !s.ok()) return s;
  StoreWord(&h.front_committed, wanted);
  return absl::OkStatus();
}

absl::Status Arena::CommitBack(uint64_t begin) {
  ArenaHeader& h = header();
  const uint64_t back = LoadWord(&h.back_committed);
  if (begin >= back) return absl::OkStatus();
  const uint64_t front = LoadWord(&h.front_committed);
  const uint64_t wanted = std::max(begin / CommitStep() * CommitStep(), front);
  if (wanted > begin) {
    return MakeStatus(Cause::kNoMemory,
                      absl::StrCat("the arena of ", bytes_, " bytes is full"));
  }
  if (absl::Status s = AllocatePages(wanted, back); !s.ok()) return s;
  StoreWord(&h.back_committed, wanted);
  return absl::OkStatus();
}

absl::Status Arena::AllocatePages(uint64_t begin, uint64_t end) const {
  const auto full = [&] {
    return SystemError(
        Cause::kNoMemory,
        absl::StrCat("allocating ", end - begin, " bytes of an arena"));
  };
  if (fd_) {
    int result;
    do {
      result = fallocate(fd_.get(), 0, static_cast<off_t>(begin),
                         static_cast<off_t>(end - begin));
    } while (result != 0 && errno == EINTR);
    return result == 0 ? absl::OkStatus() : full();
  }
  // EINVAL: a kernel before 5.14 has no such advice; its pages then come on
  // first touch, as any private memory's do.
  if (madvise(base_ + begin, end - begin, MADV_POPULATE_WRITE) != 0 &&
      errno != EINVAL) {
    return full();
  }
  return absl::OkStatus();
}

}  // namespace ets_keeper
