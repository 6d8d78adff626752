// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/arena.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "common/arena/arena_memory.h"
#include "common/arena/page_supplier.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {
namespace {

constexpr uint64_t kArenaMagic = 0x5045454b5f535445;  // "ETS_KEEP"
constexpr uint64_t kArenaFormat = 10;
constexpr uint64_t kPage = ArenaMemory::kPageBytes;

uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

absl::Status CheckBytes(uint64_t bytes, Cause cause) {
  if (bytes >= Arena::kMinBytes && bytes <= Arena::kMaxBytes) {
    return absl::OkStatus();
  }
  return MakeStatus(
      cause, absl::StrCat("an arena has between ", Arena::kMinBytes, " and ",
                          Arena::kMaxBytes, " bytes, not ", bytes));
}

}  // namespace

Arena::Arena(ReadyMemory ready, ArenaAccess access, const ArenaOptions& options)
    : base_(ready.memory.base()),
      bytes_(ready.memory.bytes()),
      access_(access),
      huge_pages_(options.huge_pages && ready.memory.takes_huge_pages()),
      memory_(std::move(ready.memory)),
      supplier_(options.supplier != nullptr ? *options.supplier
                                            : PageSupplier::OfProcess()),
      pool_(options.pool != nullptr ? *options.pool : MemoryPool::OfProcess()),
      front_ready_(ready.front),
      back_ready_(ready.back) {}

Arena::~Arena() {
  supplier_.Cancel(*this);
  if (shared() || !memory_.mapped_here() || blank() || !tidy_) return;
  Lock lock(grow_mutex_);
  pool_.Give({.memory = std::move(memory_),
              .front = FrontReady(),
              .back = BackReady()});
}

absl::StatusOr<std::unique_ptr<Arena>> Arena::CreatePrivate(
    uint64_t bytes, const ArenaOptions& options) {
  absl::Status possible = CheckBytes(bytes, Cause::kBadOption);
  if (!possible.ok()) return possible;
  MemoryPool& pool =
      options.pool != nullptr ? *options.pool : MemoryPool::OfProcess();
  absl::StatusOr<ReadyMemory> memory = pool.Take(RoundUp(bytes, kPage));
  if (!memory.ok()) return memory.status();
  return absl::WrapUnique(
      new Arena(*std::move(memory), ArenaAccess::kReadWrite, options));
}

absl::StatusOr<std::unique_ptr<Arena>> Arena::Map(UniqueFd fd,
                                                  ArenaAccess access,
                                                  const ArenaOptions& options) {
  absl::StatusOr<ArenaMemory> memory = ArenaMemory::Map(std::move(fd), access);
  if (!memory.ok()) return memory.status();
  absl::Status possible = CheckBytes(memory->bytes(), Cause::kCorrupt);
  if (!possible.ok()) return possible;
  const uint64_t bytes = memory->bytes();
  return absl::WrapUnique(
      new Arena({.memory = *std::move(memory), .front = 0, .back = bytes},
                access, options));
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
  const uint64_t page = memory_.page_bytes();
  if (front_ready_ < page) {
    if (absl::Status s = Allocate(0, page); !s.ok()) return s;
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
  StoreWord(&h.front_reach, page);
  StoreWord(&h.front_committed, page);
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
  const uint64_t reach = LoadWord(&h.front_reach);
  const uint64_t back = LoadWord(&h.back_committed);
  const uint64_t top = LoadWord(&h.heap_top);
  const uint64_t page = memory_.page_bytes();
  if (front < page || front % page != 0 || back % page != 0 || front > reach ||
      reach > back || back > top || top > bytes_) {
    return MakeStatus(Cause::kCorrupt,
                      absl::StrFormat("not a usable arena: its ends %#x, %#x, "
                                      "%#x and %#x are out of order",
                                      front, reach, back, top));
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

}  // namespace ets_keeper
