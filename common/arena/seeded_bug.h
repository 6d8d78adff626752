// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: seeded_bug.h
// -----------------------------------------------------------------------------
//
// Bugs that tests put into the code on purpose, one at a time, to prove that
// the crash and the interleaving test find them: a check that never failed
// proves nothing.
//
//   SeedBug seed(SeededBug::kNoIntent);  // until the end of the scope
//
// Only code that is compiled with ETS_KEEPER_SEEDED_BUGS (crash_point_test.bzl)
// can have any; elsewhere every question for one is answered when it is
// compiled. There the answer is no, but in code that is compiled with
// ETS_KEEPER_SEEDED_BUG=kNotCrashAtomic, which has that one for good: a copy of
// the core, beside the real one, to measure what crash-atomicity costs. For
// everything in it to have names of its own, it is compiled with another name
// for the namespace, such as ets_keeper=ets_keeper_not_atomic.
//
// Thread safety: one thread.

#ifndef COMMON_ARENA_SEEDED_BUG_H_
#define COMMON_ARENA_SEEDED_BUG_H_

namespace ets_keeper {

enum class SeededBug {
  kNone,
  kNotCrashAtomic,          // no log, and nobody knows whose locks are taken
  kNoIntent,                // the stores of a transaction without its log
  kCommitBeforeLastEntry,   // the commit point before the log is written
  kReplayFromTheStart,      // recovery performs again what was performed
  kPublishBeforeFill,       // a record is reachable before its words are there
  kHeadBeforeCount,         // a row comes or goes before it is counted
  kReuseWithinTransaction,  // freed memory is given out before the commit
  kSplitBeforeFill,         // a bucket gives rows away to one that is not there
  kCutBeforeMove,           // a chain is cut before its rows are elsewhere
  kVanishBeforeMerge,       // a bucket goes before its rows are elsewhere
  kUnlockBeforeVanish,      // a writer comes to a row that is in two buckets
  kLockUnseen,              // a writer locks a bucket that it has not seen so
  kBatchWithoutDirectory,   // readers do not look into a batch in flight
  kForgetLocks,             // recovery leaves the locks of the dead behind
  kForgetGrowth,            // recovery leaves a split or a merge half done
  kNoVersionBump,           // a record is re-used and its readers not told
  kBatchNotRechecked,       // a reader trusts what it saw while a batch began
};

// IsSeeded()
//
// Whether the code is to have that bug.
#ifdef ETS_KEEPER_SEEDED_BUGS
inline SeededBug seeded_bug = SeededBug::kNone;

[[nodiscard]] inline bool IsSeeded(SeededBug bug) { return seeded_bug == bug; }

// SeedBug
class SeedBug {
 public:
  explicit SeedBug(SeededBug bug) { seeded_bug = bug; }
  ~SeedBug() { seeded_bug = SeededBug::kNone; }

  SeedBug(const SeedBug&) = delete;
  SeedBug& operator=(const SeedBug&) = delete;
};
#elif defined(ETS_KEEPER_SEEDED_BUG)
#ifndef ets_keeper
#error "a core with a bug may not be taken for the real one: rename ets_keeper"
#endif
[[nodiscard]] constexpr bool IsSeeded(SeededBug bug) {
  return bug == SeededBug::ETS_KEEPER_SEEDED_BUG;
}
#else
[[nodiscard]] constexpr bool IsSeeded(SeededBug) { return false; }
#endif

}  // namespace ets_keeper

#endif  // COMMON_ARENA_SEEDED_BUG_H_
