// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// How an `Arena` gets its pages: on demand, ahead of it, and back.

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/arena/arena.h"
#include "common/arena/arena_file.h"
#include "common/arena/arena_memory.h"
#include "common/arena/page_supplier.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

// From here on there are pages ahead of use: a quarter of what is in use, up to
// this many bytes, then as many, and a sixteenth from where that is more.
constexpr uint64_t kAheadFrom = 256 << 10;
constexpr uint64_t kMinAhead = 256 << 10;
constexpr uint64_t kMaxAhead = 32 << 20;

// From here on memory comes in huge pages if it may; so late that what is ready
// and not used yet, which is more then, remains a small part of the whole.
constexpr uint64_t kHugePagesFrom = 16 << 20;
constexpr uint64_t kMinAheadHuge = 4 << 20;

// With less ready the writers may soon be where the supplier is. They would
// have to find a huge page themselves if it had begun one there.
constexpr uint64_t kHugePageDistance = 1 << 20;

// What the supplier allocates at a time, for others to have their turn.
constexpr uint64_t kSupplyStep = 256 << 10;

// See ReleaseFront().
constexpr uint64_t kMinKept = 128 << 10;

// So much more than what is to be ready may be there, in steps of giving back:
// else it would be given back and asked for in turns.
constexpr uint64_t kSparedSteps = 2;

uint64_t RoundDown(uint64_t value, uint64_t multiple) {
  return value / multiple * multiple;
}

uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return RoundDown(value + multiple - 1, multiple);
}

absl::Status Full(uint64_t bytes) {
  return MakeStatus(Cause::kNoMemory,
                    absl::StrCat("the arena of ", bytes, " bytes is full"));
}

}  // namespace

uint64_t Arena::CommitStep(uint64_t used) const {
  const uint64_t page = memory_.page_bytes();
  if (page >= kMaxOwnStep) return page;
  return std::clamp(std::bit_floor(used / 4), page, kMaxOwnStep);
}

uint64_t Arena::Ahead(uint64_t used) const {
  if (used < kAheadFrom && memory_.page_bytes() < kMinAhead) return 0;
  const bool huge = SupplyUnit(used) == kHugePageBytes;
  if (huge) return std::clamp(used / 16, kMinAheadHuge, kMaxAhead);
  const uint64_t page = memory_.page_bytes();
  const uint64_t least = std::min(RoundUp(used / 4, page), kMinAhead);
  return std::clamp(used / 16, std::max(least, page), kMaxAhead);
}

uint64_t Arena::SupplyUnit(uint64_t used) const {
  return huge_pages_ && used >= kHugePagesFrom ? kHugePageBytes
                                               : memory_.page_bytes();
}

uint64_t Arena::FrontReady() const {
  return std::max(front_ready_, LoadWord(&header().front_committed));
}

uint64_t Arena::BackReady() const {
  return std::min(back_ready_, LoadWord(&header().back_committed));
}

absl::Status Arena::Allocate(uint64_t begin, uint64_t end) {
  absl::Status status = memory_.Allocate(begin, end);
  if (!status.ok()) tidy_ = false;
  return status;
}

absl::Status Arena::AllocateNow(uint64_t begin, uint64_t end) {
  { Lock until_given_back(discard_mutex_); }
  return Allocate(begin, end);
}

uint64_t Arena::FrontStep(uint64_t end) const {
  const uint64_t step = CommitStep(LoadWord(&header().front_committed));
  return std::min(RoundUp(end, step), LoadWord(&header().back_committed));
}

uint64_t Arena::BackStep(uint64_t begin) const {
  const uint64_t step = CommitStep(bytes_ - LoadWord(&header().back_committed));
  return std::max(RoundDown(begin, step), LoadWord(&header().front_reach));
}

absl::Status Arena::CommitFront(uint64_t end) {
  ArenaHeader& h = header();
  if (end <= LoadWord(&h.front_committed)) return absl::OkStatus();
  const uint64_t back = LoadWord(&h.back_committed);
  if (end > back) return Full(bytes_);
  const uint64_t ready = FrontReady();
  uint64_t wanted = FrontStep(end);
  if (end <= ready) {
    wanted = std::min(wanted, ready);
  } else {
    if (absl::Status s = AllocateNow(ready, wanted); !s.ok()) return s;
    front_ready_ = wanted;
  }
  // First, so that it is the most also if this process dies in between.
  if (LoadWord(&h.front_reach) < wanted) StoreWord(&h.front_reach, wanted);
  StoreWord(&h.front_committed, wanted);
  if (IsLow(wanted, back)) supplier_.Order(*this);
  return absl::OkStatus();
}

absl::Status Arena::CommitBack(uint64_t begin) {
  ArenaHeader& h = header();
  if (begin >= LoadWord(&h.back_committed)) return absl::OkStatus();
  if (begin < LoadWord(&h.front_reach)) return Full(bytes_);
  const uint64_t ready = BackReady();
  uint64_t wanted = BackStep(begin);
  if (begin >= ready) {
    wanted = std::max(wanted, ready);
  } else {
    if (absl::Status s = AllocateNow(wanted, ready); !s.ok()) return s;
    back_ready_ = wanted;
  }
  StoreWord(&h.back_committed, wanted);
  if (IsLow(LoadWord(&h.front_committed), wanted)) supplier_.Order(*this);
  return absl::OkStatus();
}

bool Arena::IsLow(uint64_t front, uint64_t back) const {
  const uint64_t reach = std::max(front, LoadWord(&header().front_reach));
  const uint64_t front_low = std::min(Ahead(front) / 2, back - front);
  const uint64_t back_low = std::min(Ahead(bytes_ - back) / 2, back - reach);
  return (front_low != 0 && FrontReady() < front + front_low) ||
         (back_low != 0 && back < BackReady() + back_low);
}

bool Arena::GivesBack() {
  if (!TryAcquireMutex(discard_mutex_)) return true;
  ReleaseMutex(discard_mutex_);
  return false;
}

void Arena::ReadyFront(uint64_t end) {
  Supply supply;
  bool is_low;
  {
    Lock lock(grow_mutex_);
    if (end > LoadWord(&header().back_committed) || GivesBack()) return;
    supply = {.begin = FrontReady(),
              .end = FrontStep(end),
              .front = true,
              .releases = releases_};
    is_low = IsLow(supply.end, LoadWord(&header().back_committed));
  }
  if (is_low) supplier_.Order(*this);
  if (end > supply.begin) MakeReady(supply);
}

void Arena::ReadyBack(uint64_t begin) {
  Supply supply;
  bool is_low;
  {
    Lock lock(grow_mutex_);
    if (begin < LoadWord(&header().front_reach) || GivesBack()) return;
    supply = {
        .begin = BackStep(begin), .end = BackReady(), .releases = releases_};
    is_low = IsLow(LoadWord(&header().front_committed), supply.begin);
  }
  if (is_low) supplier_.Order(*this);
  if (begin < supply.end) MakeReady(supply);
}

void Arena::ReadyAhead(uint64_t end) {
  if (front_seen_ready_.load(std::memory_order_relaxed) >= end) return;
  Supply supply;
  {
    Lock lock(grow_mutex_);
    const uint64_t used = LoadWord(&header().front_committed);
    const uint64_t limit = LoadWord(&header().back_committed);
    const uint64_t ready = FrontReady();
    front_seen_ready_.store(ready, std::memory_order_relaxed);
    if (ready >= std::min(end, limit) || Ahead(used) == 0 ||
        SupplyUnit(used) > kMaxOwnStep || GivesBack() ||
        making_ready_.load(std::memory_order_relaxed) != 0) {
      return;
    }
    supply = {.begin = ready,
              .end = std::min(ready + kMaxOwnStep, limit),
              .front = true,
              .releases = releases_};
  }
  MakeReady(supply);
}

bool Arena::MakeReady(const Supply& supply) {
  making_ready_.fetch_add(1, std::memory_order_relaxed);
  supplier_.BeforeMakingReady();
  if (supply.huge) {
    // The neighbour, whose pages are all there, is named too: where writers
    // were faster than the supplier, that keeps the mapping in one piece.
    const uint64_t more = kHugePageBytes;
    memory_.TryHugePages(
        supply.front ? supply.begin - more : supply.begin,
        supply.front ? supply.end
                     : std::min(supply.end + more, RoundDown(bytes_, more)));
  }
  // Without the lock: nobody waits for this.
  const bool made = Allocate(supply.begin, supply.end).ok();
  if (made) {
    Lock lock(grow_mutex_);
    TakeSupply(supply);
  }
  making_ready_.fetch_sub(1, std::memory_order_relaxed);
  return made;
}

// Pages that were released since may be gone, and are not counted as ready;
// those that the other end has taken since are there twice over.
void Arena::TakeSupply(const Supply& supply) {
  if (releases_ != supply.releases) return;
  if (supply.front) {
    front_ready_ = std::max(front_ready_, supply.end);
  } else {
    back_ready_ = std::min(back_ready_, supply.begin);
  }
}

bool Arena::SupplyPages() {
  Supply supply;
  {
    Lock lock(grow_mutex_);
    supply = NextSupply();
  }
  if (supply.begin == supply.end) {
    GiveBack();
  } else if (!MakeReady(supply)) {
    return false;
  }
  Lock lock(grow_mutex_);
  const Supply next = NextSupply();
  return next.begin != next.end || HasTooMuch();
}

Arena::Supply Arena::NextSupply() const {
  const Supply front = NextFrontSupply();
  return front.begin != front.end ? front : NextBackSupply();
}

uint64_t Arena::FrontTarget() const {
  const uint64_t used = LoadWord(&header().front_committed);
  return std::min(RoundUp(used + Ahead(used), SupplyUnit(used)),
                  LoadWord(&header().back_committed));
}

Arena::Supply Arena::NextFrontSupply() const {
  const uint64_t used = LoadWord(&header().front_committed);
  const uint64_t limit = LoadWord(&header().back_committed);
  const uint64_t ready = FrontReady();
  const uint64_t unit = SupplyUnit(used);
  const uint64_t target = FrontTarget();
  if (Ahead(used) == 0 || ready >= target) return {};
  Supply supply{.begin = ready, .front = true, .releases = releases_};
  const uint64_t next_huge = RoundDown(ready, kHugePageBytes) + kHugePageBytes;
  if (unit == kHugePageBytes && ready % unit == 0 && next_huge <= limit &&
      ready - used >= kHugePageDistance) {
    supply.end = next_huge;
    supply.huge = true;
  } else {
    const uint64_t step = std::max(kSupplyStep, memory_.page_bytes());
    supply.end = std::min({target, ready + step, next_huge});
  }
  return supply;
}

Arena::Supply Arena::NextBackSupply() const {
  const uint64_t back = LoadWord(&header().back_committed);
  const uint64_t used = bytes_ - back;
  const uint64_t limit = LoadWord(&header().front_reach);
  const uint64_t ready = BackReady();
  const uint64_t unit = SupplyUnit(used);
  const uint64_t ahead = std::min(Ahead(used), back);
  const uint64_t target = std::max(RoundDown(back - ahead, unit), limit);
  if (ahead == 0 || ready <= target) return {};
  Supply supply{.end = ready, .releases = releases_};
  const uint64_t next_huge = RoundUp(ready, kHugePageBytes) - kHugePageBytes;
  if (unit == kHugePageBytes && ready % unit == 0 && next_huge >= limit &&
      back - ready >= kHugePageDistance) {
    supply.begin = next_huge;
    supply.huge = true;
  } else {
    const uint64_t step = std::max(kSupplyStep, memory_.page_bytes());
    supply.begin = std::max({target, ready - std::min(step, ready), next_huge});
  }
  return supply;
}

Arena::Release Arena::NextRelease() const {
  const uint64_t top = std::min(std::max(FrontReady(), left_),
                                LoadWord(&header().back_committed));
  const uint64_t step = std::max(SupplyUnit(top), kReleaseStep);
  const uint64_t keep = RoundUp(FrontTarget(), step);
  if (top < keep + kSparedSteps * step) return {};
  return {.begin = RoundUp(top - step, step), .end = top};
}

bool Arena::HasTooMuch() const {
  const Release release = NextRelease();
  return release.begin != release.end;
}

void Arena::ReleaseFront(uint64_t begin) {
  uint64_t* const front = &header().front_committed;
  const uint64_t used = LoadWord(front);
  begin = std::min(begin, used);
  const uint64_t step = std::max(memory_.page_bytes(), kReleaseStep);
  const uint64_t keep = RoundUp(begin + std::max(kMinKept, Ahead(begin)), step);
  if (used < keep + step) return;
  front_ready_ = FrontReady();  // as before: what is not in use is ready
  StoreWord(front, keep);
  if (HasTooMuch()) supplier_.Order(*this);
}

void Arena::ReleaseLeftovers() {
  Lock lock(grow_mutex_);
  left_ = LoadWord(&header().front_reach);
  if (HasTooMuch()) supplier_.Order(*this);
}

// What is given back is not ready before it goes. Whoever wants it again finds
// that out under grow_mutex_, and so after this has taken discard_mutex_, and
// waits; who was allocating there since before finds another number of
// releases. (Should the system refuse, there are pages without use.)
void Arena::GiveBack() {
  sched_yield();  // there is no hurry: first those who want this processor
  AcquireMutex(grow_mutex_);
  const Release release = NextRelease();
  if (release.begin == release.end) {
    ReleaseMutex(grow_mutex_);
    return;
  }
  ++releases_;
  tidy_ = false;
  front_ready_ = std::min(front_ready_, release.begin);
  left_ = std::min(left_, release.begin);
  // Pages that were ready for the back may be among them.
  if (back_ready_ < release.end) {
    back_ready_ = LoadWord(&header().back_committed);
  }
  AcquireMutex(discard_mutex_);
  ReleaseMutex(grow_mutex_);
  supplier_.BeforeGivingBack();
  memory_.Discard(release.begin, release.end);
  ReleaseMutex(discard_mutex_);
}

uint64_t Arena::committed_bytes() const {
  if (blank()) return 0;
  const ArenaHeader& h = header();
  return LoadWord(&h.front_committed) + bytes_ - LoadWord(&h.back_committed);
}

uint64_t Arena::allocated_bytes() const {
  if (blank()) return 0;
  Lock lock(grow_mutex_);
  const uint64_t front = FrontReady();
  const uint64_t back = BackReady();
  return front < back ? front + bytes_ - back : bytes_;
}

}  // namespace ets_keeper
