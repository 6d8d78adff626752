// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/intent.h"

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "common/arena/arena.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {

// The lock's lifetime is that of this object, which the analysis cannot follow.
void Transaction::ReleaseHeap() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  ReleaseMutex(arena_.grow_mutex());
}

void Transaction::HoldHeap() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (holds_heap_) return;
  AcquireMutex(arena_.grow_mutex());
  holds_heap_ = true;
}

const IntentEntry* Transaction::Find(uint64_t offset) const {
  if (index_ != nullptr) {
    const auto it = index_->find(offset);
    return it == index_->end() ? nullptr : &begin_[it->second];
  }
  for (const IntentEntry* entry = next_; entry-- != begin_;) {
    if (LoadWord(&entry->offset) == offset) return entry;
  }
  return nullptr;
}

// Adds the newest entry to the index, or, the first time, all of them.
void Transaction::Index() {
  size_t i = size() - 1;
  if (index_ == nullptr) {
    index_ = std::make_unique<absl::flat_hash_map<uint64_t, size_t>>();
    i = 0;
  }
  for (; i < size(); ++i) (*index_)[LoadWord(&begin_[i].offset)] = i;
}

void Transaction::Replace(uint64_t offset, uint64_t value) {
  if (const IntentEntry* pending = MayStore(offset) ? Find(offset) : nullptr;
      pending != nullptr) {
    StoreWord(&begin_[pending - begin_].value, value);
  } else {
    Store(offset, value);
  }
}

absl::Status ReplayEntries(Arena& arena, const IntentEntry* entries,
                           uint64_t performed, uint64_t count,
                           uint64_t* progress, uint64_t base) {
  for (uint64_t i = performed; i < count; ++i) {
    const uint64_t offset = LoadWord(&entries[i].offset);
    const bool is_heap_top = offset == offsetof(ArenaHeader, heap_top);
    if (!is_heap_top && !arena.Holds(offset, 8)) {
      return MakeStatus(
          Cause::kCorrupt,
          absl::StrFormat("an intent names the word at %#x", offset));
    }
  }
  PerformEntries(arena, entries, performed, count, progress, base);
  return absl::OkStatus();
}

absl::Status ReplayIntent(Arena& arena, IntentLog* log) {
  const uint64_t committed = LoadWord(&log->committed);
  if (committed == 0) return absl::OkStatus();
  const uint64_t count = committed >> 32;
  const uint64_t performed = committed & 0xffff'ffff;
  if (count > IntentLog::kCapacity || performed >= count) {
    return MakeStatus(
        Cause::kCorrupt,
        absl::StrFormat("an intent is at %d of %d stores", performed, count));
  }
  absl::Status status = ReplayEntries(arena, log->entries, performed, count,
                                      &log->committed, committed - performed);
  if (!status.ok()) return status;
  StoreWord(&log->committed, 0);
  return absl::OkStatus();
}

}  // namespace ets_keeper
