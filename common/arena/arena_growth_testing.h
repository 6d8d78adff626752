// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: arena_growth_testing.h
// -----------------------------------------------------------------------------
//
// An arena that grows, or shrinks, with a supplier that does nothing by itself.

#ifndef COMMON_ARENA_ARENA_GROWTH_TESTING_H_
#define COMMON_ARENA_ARENA_GROWTH_TESTING_H_

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "common/arena/arena.h"
#include "common/arena/arena_file.h"
#include "common/arena/page_supplier.h"
#include "common/arena/pages_testing.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"

namespace ets_keeper {

inline constexpr uint64_t kKiB = 1 << 10;
inline constexpr uint64_t kMiB = 1 << 20;
inline constexpr uint64_t kBytes = 256 * kMiB;
inline constexpr uint64_t kKind = 7;

class FakeSupplier : public PageSupplier {
 public:
  void Order(PageConsumer&) override { ordered = true; }
  void Cancel(PageConsumer&) override { ++cancels; }

  // As the thread would.
  void CarryOut(PageConsumer& consumer) {
    if (!std::exchange(ordered, false)) return;
    while (consumer.SupplyPages()) {
    }
  }

  void BeforeMakingReady() override {
    if (before_making_ready) before_making_ready();
  }

  void BeforeGivingBack() override {
    // A copy: it may take itself away.
    if (const auto call = before_giving_back) call();
  }

  bool ordered = false;
  int cancels = 0;
  std::function<void()> before_making_ready;
  std::function<void()> before_giving_back;
};

struct ArenaGrowthParam {
  std::string name;
  bool shared;
  bool huge_pages;
};

// The kinds of memory that the tests are run with.
inline const ArenaGrowthParam kArenaGrowthParams[] = {
    {"private", false, false},
    {"privateWithHugePages", false, true},
    {"memfd", true, false},
    {"memfdWithHugePages", true, true}};

// An arena of each of them, with a supplier that does nothing by itself.
class ArenaGrowthTest : public testing::TestWithParam<ArenaGrowthParam> {
 protected:
  ArenaGrowthTest() { Make(kBytes); }

  void SetUp() override {
    if (GetParam().huge_pages && !arena_->huge_pages()) {
      GTEST_SKIP() << "this machine is not set to give memfds huge pages: "
                      "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
    }
  }

  void Make(uint64_t bytes) {
    const ArenaOptions options = {.huge_pages = GetParam().huge_pages,
                                  .supplier = &supplier_};
    if (GetParam().shared) {
      file_ = *CreateArenaFile("arena_growth_test", bytes);
      arena_ = *Arena::Map(UniqueFd(dup(file_.get())), ArenaAccess::kReadWrite,
                           options);
    } else {
      arena_ = *Arena::CreatePrivate(bytes, options);
    }
    CHECK_OK(arena_->BeginFormat({.kind = kKind}));
    arena_->FinishFormat();
    written_ = 4096;
  }

  absl::Status CommitFront(uint64_t end) {
    Lock lock(arena_->grow_mutex());
    return arena_->CommitFront(end);
  }
  absl::Status CommitBack(uint64_t begin) {
    Lock lock(arena_->grow_mutex());
    return arena_->CommitBack(begin);
  }
  uint64_t front() const { return LoadWord(&arena_->header().front_committed); }
  uint64_t back() const { return LoadWord(&arena_->header().back_committed); }
  uint64_t ready() const {
    return arena_->allocated_bytes() - arena_->committed_bytes();
  }

  bool IsResident(uint64_t offset) const {
    return ets_keeper::IsResident(AddressOf(offset));
  }
  const char* AddressOf(uint64_t offset) const {
    return reinterpret_cast<const char*>(arena_->At(offset / 4096 * 4096));
  }

  // Grows by `step` to `end`, as a table does, and writes to all of it.
  void GrowFront(uint64_t end, uint64_t step = 4 * kKiB) {
    for (; written_ < end; written_ += step) {
      CHECK_OK(CommitFront(written_ + step));
      StoreWord(arena_->At(written_), written_);
      StoreWord(arena_->At(written_ + step - 8), written_);
    }
  }

  // Nothing behind `begin` is in use.
  void ReleaseFront(uint64_t begin) {
    written_ = std::clamp<uint64_t>(begin / 4096 * 4096, 4096, written_);
    Lock lock(arena_->grow_mutex());
    arena_->ReleaseFront(begin);
  }
  void ReleaseAll(uint64_t begin) {
    ReleaseFront(begin);
    supplier_.CarryOut(*arena_);
  }

  FakeSupplier supplier_;
  UniqueFd file_;
  std::unique_ptr<Arena> arena_;
  uint64_t written_ = 0;
};

}  // namespace ets_keeper

#endif  // COMMON_ARENA_ARENA_GROWTH_TESTING_H_
