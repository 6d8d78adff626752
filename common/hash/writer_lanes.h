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
//   WriterLanes lanes(geometry.LaneAt(0), 4);
//   {
//     WriterLanes::Use lane(lanes);     // this thread's
//     ... write with lane.words() ...
//   }
//
// Who has which lane is not in the arena: after a death, whoever recovers the
// table begins with all lanes free.
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
#include "common/arena/word.h"
#include "common/hash/hash_layout.h"

namespace ets_keeper {

class WriterLanes {
 public:
  // One lane as this process uses it.
  class alignas(64) Lane {
    friend class WriterLanes;

    // The lowest bit says whether the lane is in use, the highest whether it is
    // shared: then no thread remembers it. At the lane's own address, which is
    // at hand.
    uint64_t uses_ = 0;

   public:
    [[nodiscard]] uint32_t index() const { return index_; }

    // Rows that this lane added, less those it took away, since somebody asked.
    int64_t rows = 0;

   private:
    static constexpr uint64_t kShared = uint64_t{1} << 63;

    [[nodiscard]] bool is_shared() const {
      return (LoadWord(&uses_) & kShared) != 0;
    }
    // A use begins or ends. Returns whether the lane is shared.
    ABSL_ATTRIBUTE_ALWAYS_INLINE bool Step() {
#ifdef ETS_KEEPER_X86_64
      // AddToOwnWord(), which knows the sign of the sum without a load.
      bool is_shared;
      asm volatile("addq $1, %[uses]"
                   : [uses] "+m"(uses_), "=@ccs"(is_shared)
                   :
                   : "memory");
      return is_shared;
#else
      AddToOwnWord(&uses_, 1);
      return is_shared();
#endif
    }

    uint32_t index_ = 0;
    absl::Mutex mutex_;  // of the lane that is shared
  };

  // `words`: of all lanes, in the arena; `lanes` of them, at least 1.
  WriterLanes(HashLane* words, uint32_t lanes);
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
      // for the epoch: see WaitForUses(). On x86-64 that is a locked
      // instruction, which takes the bucket's lock, between this store and the
      // load of the epoch, and lets neither pass.
      lane_.Step();
#if !defined(__x86_64__)
      std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
    }
    ABSL_ATTRIBUTE_ALWAYS_INLINE ~Use() {
      if (ABSL_PREDICT_FALSE(lane_.Step())) EndSharing(lane_);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    // The lane in the arena. To be asked before the thread uses another table.
    [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE HashLane* words() const {
      return last_.words;
    }
    Lane* operator->() const { return &lane_; }
    Lane& operator*() const { return lane_; }

   private:
    Lane& lane_;
  };

  // WriterLanes::WaitForUses()
  //
  // Returns when every use that had begun before the call has ended. What the
  // caller stored before by a sequentially consistent exchange is seen by all
  // later uses, after the first compare-and-swap in them.
  void WaitForUses() const;

 private:
  // The lanes, which live as long as a thread that has one.
  struct Pool;
  class Claims;

  // What a thread remembers of the lanes it has to itself: the one it used
  // last (without an owner if that was shared), and, of those tables whose
  // number is the same modulo kRemembered, the one it used last.
  static constexpr uint32_t kRemembered = 8;
  struct Remembered {
    uint64_t owner = 0;
    HashLane* words = nullptr;
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

  HashLane* const words_;
  const uint64_t number_;  // unique in the process, never 0
  const std::shared_ptr<Pool> pool_;
};

}  // namespace ets_keeper

#endif  // COMMON_HASH_WRITER_LANES_H_
