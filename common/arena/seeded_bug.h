// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: seeded_bug.h
// -----------------------------------------------------------------------------
//
// Bugs that are compiled in on purpose, one at a time, to prove that the crash
// and the interleaving test find them: a check that never failed proves
// nothing.
//
//   cc_test(..., local_defines = ["ETS_KEEPER_SEEDED_BUG=kNoIntent"])
//
// Without that define `kSeededBug` is `kNone`, and every branch on it is gone
// at compile time.

#ifndef COMMON_ARENA_SEEDED_BUG_H_
#define COMMON_ARENA_SEEDED_BUG_H_

namespace ets_keeper {

enum class SeededBug {
  kNone,
  kNoIntent,                // the stores of a transaction without its log
  kCommitBeforeLastEntry,   // the commit point before the log is written
  kPublishBeforeFill,       // a record is reachable before its words are there
  kReuseWithinTransaction,  // freed memory is given out before the commit
  kGhostsBeforeSplit,       // rows leave a split bucket before they are found
  kBatchWithoutDirectory,   // readers do not look into a batch in flight
  kForgetCleaning,          // recovery leaves a half-cleaned bucket behind
  kNoVersionBump,           // a record is re-used and its readers not told
  kBatchNotRechecked,       // a reader trusts what it saw while a batch began
};

#ifdef ETS_KEEPER_SEEDED_BUG
inline constexpr SeededBug kSeededBug = SeededBug::ETS_KEEPER_SEEDED_BUG;
#else
inline constexpr SeededBug kSeededBug = SeededBug::kNone;
#endif

}  // namespace ets_keeper

#endif  // COMMON_ARENA_SEEDED_BUG_H_
