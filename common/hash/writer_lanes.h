// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: writer_lanes.h
// -----------------------------------------------------------------------------
//
// `WriterLanes` deals the lanes of a table in an arena to the threads of the
// process that write to it: each gets one to itself when it first writes and
// gives it back when it ends, so that taking it costs no atomic operation. The
// threads that come when all but one are taken share the last one and wait for
// each other.
//
//   WriterLanes lanes(4);
//   {
//     WriterLanes::Use lane(lanes);     // this thread's
//     ... write with lane->index() ...
//   }
//
// Nothing of this is in the arena: after a death, whoever recovers the table
// begins with all lanes free.
//
// Thread safety: everything may be called from any thread. Uses of one thread
// must not nest.
//
// Lifetime: must outlive its uses; threads may outlive it.

#ifndef COMMON_HASH_WRITER_LANES_H_
#define COMMON_HASH_WRITER_LANES_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/synchronization/mutex.h"

namespace ets_keeper {

class WriterLanes {
 public:
  // One lane as this process uses it.
  class alignas(64) Lane {
    friend class WriterLanes;

    // Odd while in use. At the lane's own address, which is at hand.
    std::atomic<uint64_t> uses_{0};

   public:
    [[nodiscard]] uint32_t index() const { return index_; }

    // Rows that this lane added, less those it took away, since somebody asked.
    int64_t rows = 0;

   private:
    uint32_t index_ = 0;
    bool is_shared_ = false;  // then no thread remembers it
    absl::Mutex mutex_;       // of the lane that is shared
  };

  // `lanes`: at least 1.
  explicit WriterLanes(uint32_t lanes);
  ~WriterLanes();
  WriterLanes(const WriterLanes&) = delete;
  WriterLanes& operator=(const WriterLanes&) = delete;

  // WriterLanes::Use
  //
  // The calling thread's lane while it writes.
  class Use {
   public:
    ABSL_ATTRIBUTE_ALWAYS_INLINE explicit Use(
        WriterLanes& lanes ABSL_ATTRIBUTE_LIFETIME_BOUND)
        : lane_(lanes.Mine()) {
      // Ordered before the full barrier that every write makes before it asks
      // for the epoch: see WaitForUses().
      lane_.uses_.store(uses() + 1, kBeginOrder);
    }
    ABSL_ATTRIBUTE_ALWAYS_INLINE ~Use() {
      lane_.uses_.store(uses() + 1, std::memory_order_release);
      if (ABSL_PREDICT_FALSE(lane_.is_shared_)) EndSharing(lane_);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    Lane* operator->() const { return &lane_; }
    Lane& operator*() const { return lane_; }

   private:
    // Nobody else changes it.
    [[nodiscard]] uint64_t uses() const {
      return lane_.uses_.load(std::memory_order_relaxed);
    }

    Lane& lane_;
  };

  // WriterLanes::WaitForUses()
  //
  // Returns when every use that had begun before the call has ended. What the
  // caller stored before by a sequentially consistent exchange is seen by all
  // later uses, after the first compare-and-swap in them.
  void WaitForUses() const;

 private:
#if defined(__x86_64__)
  // A locked instruction, which takes the bucket's lock, comes between this
  // store and the load of the epoch, and lets neither pass.
  static constexpr std::memory_order kBeginOrder = std::memory_order_release;
#else
  static constexpr std::memory_order kBeginOrder = std::memory_order_seq_cst;
#endif

  // The lanes, which live as long as a thread that has one.
  struct Pool;
  class Claims;

  // What a thread remembers of the lanes it has to itself: the one it used
  // last, and, of those tables whose number is the same modulo kRemembered, the
  // one it used last.
  static constexpr uint32_t kRemembered = 8;
  struct Remembered {
    uint64_t owner = 0;
    Lane* lane = nullptr;
  };

  ABSL_ATTRIBUTE_ALWAYS_INLINE Lane& Mine() {
    if (ABSL_PREDICT_TRUE(last_.owner == number_)) return *last_.lane;
    return Recall();
  }
  // A lane that is shared comes with its mutex locked.
  Lane& Recall();
  Lane& Claim();
  static void EndSharing(Lane& lane);

  static constinit thread_local Remembered last_;
  static constinit thread_local Remembered remembered_[kRemembered];

  const uint64_t number_;  // unique in the process, never 0
  const std::shared_ptr<Pool> pool_;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_WRITER_LANES_H_
