// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: strand.h
// -----------------------------------------------------------------------------
//
// `Strand`: a function that can be left in the middle, to stand for a thread
// that is held there while another one goes on. Test code.
//
//   Strand writer([&] { ... writer.Leave(); ... });
//   writer.Run();   // until it leaves
//   ... another strand ...
//   writer.Run();   // until it ends
//
// It is a context of the calling thread with a stack of its own, so which of
// two strands goes on is for the test to say, at every step. What waits for
// another strand must leave: there is nobody to wake it.
//
// Thread safety: one thread.

#ifndef COMMON_CRASH_POINT_STRAND_H_
#define COMMON_CRASH_POINT_STRAND_H_

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace ets_keeper {

class Strand {
 public:
  explicit Strand(std::function<void()> function)
      : function_(std::move(function)), stack_(new char[kStackBytes]) {
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.get();
    own_.uc_stack.ss_size = kStackBytes;
    own_.uc_link = &caller_;
    const auto self = reinterpret_cast<uintptr_t>(this);
    makecontext(&own_, reinterpret_cast<void (*)()>(&Strand::Start), 2,
                static_cast<uint32_t>(self >> 32), static_cast<uint32_t>(self));
  }

  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  // Strand::Run()
  //
  // Runs it until it leaves or ends; nothing if it has ended.
  void Run() {
    if (!done_) swapcontext(&caller_, &own_);
  }

  // Strand::Leave()
  //
  // Called by the function itself: goes back to who called Run().
  void Leave() { swapcontext(&own_, &caller_); }

  [[nodiscard]] bool done() const { return done_; }

 private:
  static void Start(uint32_t high, uint32_t low) {
    auto* self =
        reinterpret_cast<Strand*>(static_cast<uintptr_t>(high) << 32 | low);
    self->function_();
    self->done_ = true;
  }

  static constexpr size_t kStackBytes = 256 << 10;

  const std::function<void()> function_;
  const std::unique_ptr<char[]> stack_;  // not initialized: that takes time
  ucontext_t own_;
  ucontext_t caller_;
  bool done_ = false;
};

}  // namespace ets_keeper

#endif  // COMMON_CRASH_POINT_STRAND_H_
