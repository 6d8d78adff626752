// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/intent.h"

#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "common/arena/arena.h"
#include "common/arena/seeded_bug.h"
#include "common/arena/word.h"
#include "common/mutex/mutex.h"
#include "common/status/status.h"

namespace ets_keeper {

// The lock's lifetime is that of this object, which the analysis cannot follow.
Transaction::~Transaction() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (holds_heap_) ReleaseMutex(arena_.grow_mutex());
}

void Transaction::HoldHeap() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (holds_heap_) return;
  AcquireMutex(arena_.grow_mutex());
  holds_heap_ = true;
}

const IntentEntry* Transaction::Find(uint64_t offset) const {
  if (!index_.empty()) {
    const auto it = index_.find(offset);
    return it == index_.end() ? nullptr : &entries_[it->second];
  }
  for (size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].offset == offset) return &entries_[i];
  }
  return nullptr;
}

void Transaction::Append(uint64_t offset, uint64_t value) {
  entries_.push_back({offset, value});
  if (entries_.size() < kIndexed) return;
  if (index_.empty()) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      index_[entries_[i].offset] = i;
    }
  } else {
    index_[offset] = entries_.size() - 1;
  }
}

void Transaction::Replace(uint64_t offset, uint64_t value) {
  if (const IntentEntry* pending = Find(offset); pending != nullptr) {
    entries_[pending - entries_.data()].value = value;
  } else {
    Append(offset, value);
  }
}

void Transaction::Write(IntentEntry* log) const {
  for (size_t i = 0; i < entries_.size(); ++i) {
    StoreWord(&log[i].offset, entries_[i].offset);
    StoreWord(&log[i].value, entries_[i].value);
  }
}

void Transaction::Apply() const {
  for (const IntentEntry& entry : entries_) {
    StoreWord(arena_.At(entry.offset), entry.value);
  }
}

void Transaction::Commit(IntentLog* log) {
  CHECK_LE(entries_.size(), IntentLog::kCapacity);
  if constexpr (SeededBug::kNoIntent == kSeededBug) {
    Apply();
    return;
  }
  if constexpr (SeededBug::kCommitBeforeLastEntry == kSeededBug) {
    StoreWord(&log->committed, entries_.size());
    Write(log->entries);
  } else {
    Write(log->entries);
    StoreWord(&log->committed, entries_.size());
  }
  Apply();
  StoreWord(&log->committed, 0);
}

absl::Status ReplayEntries(Arena& arena, const IntentEntry* entries,
                           uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t offset = LoadWord(&entries[i].offset);
    const bool is_heap_top = offset == offsetof(ArenaHeader, heap_top);
    if (!is_heap_top && !arena.Holds(offset, 8)) {
      return MakeStatus(
          Cause::kCorrupt,
          absl::StrFormat("an intent names the word at %#x", offset));
    }
  }
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t offset = LoadWord(&entries[i].offset);
    StoreWord(arena.At(offset), LoadWord(&entries[i].value));
  }
  return absl::OkStatus();
}

absl::Status ReplayIntent(Arena& arena, IntentLog* log) {
  const uint64_t count = LoadWord(&log->committed);
  if (count == 0) return absl::OkStatus();
  if (count > IntentLog::kCapacity) {
    return MakeStatus(Cause::kCorrupt,
                      absl::StrFormat("an intent of %d stores", count));
  }
  if (absl::Status s = ReplayEntries(arena, log->entries, count); !s.ok()) {
    return s;
  }
  StoreWord(&log->committed, 0);
  return absl::OkStatus();
}

}  // namespace ets_keeper
