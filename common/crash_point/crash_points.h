// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: crash_points.h
// -----------------------------------------------------------------------------
//
// Stops code before every store that it makes to given memory, without a change
// to that code: what a process killed at that instruction leaves behind can be
// looked at, point by point, instead of hoped for.
//
//   StoreHook hook(arena_begin, arena_end, [&](uint64_t* word, uint64_t value)
//   {
//     ... here the process dies: look at the memory ...
//   });
//   table.Insert(row);  // the hook is called before each of its stores
//
// How: the code under test is compiled with -fsanitize=thread, which makes the
// compiler call a function before each access to memory, and linked with these
// functions instead of the sanitizer's. See crash_point_test.bzl.
//
// Why stores are enough: on x86-64 and ARM64 a killed thread leaves a prefix of
// the stores of its program, so the states between two stores are all there
// are.
//
// Thread safety: one thread. Hooks of a kind nest; the newest one whose memory
// is stored to is called, and not for the stores of other hooks' code inside it
// unless it asks for them by making a hook of its own.

#ifndef COMMON_CRASH_POINT_CRASH_POINTS_H_
#define COMMON_CRASH_POINT_CRASH_POINTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>

namespace ets_keeper {

class StoreHook {
 public:
  using Function = std::function<void(uint64_t* word, uint64_t value)>;

  // Calls `function` before each aligned 8-byte atomic store to an address in
  // [begin, begin + bytes), with the word and what is about to be stored. A
  // store of any other kind to that memory ends the program with a message: it
  // could be torn.
  StoreHook(void* begin, size_t bytes, Function function);
  ~StoreHook();

  StoreHook(const StoreHook&) = delete;
  StoreHook& operator=(const StoreHook&) = delete;

  // While the function runs nothing calls it, unless it says so: before it
  // leaves its strand, for what others do meanwhile.
  void CallMeanwhile();

  // For the runtime: what it calls before a store of `size` bytes.
  static void BeforeStore(void* address, size_t size, uint64_t value,
                          bool is_atomic_word);

 private:
  char* const begin_;
  const size_t bytes_;
  const Function function_;
  StoreHook* const outer_;
};

// LoadHook
//
// The same for atomic 8-byte loads: a point at which a reader can be held while
// a writer goes on.
class LoadHook {
 public:
  using Function = std::function<void(const uint64_t* word)>;

  // Calls `function` before each atomic load of a word in [begin, begin +
  // bytes), but not for loads inside of it.
  LoadHook(const void* begin, size_t bytes, Function function);
  ~LoadHook();

  LoadHook(const LoadHook&) = delete;
  LoadHook& operator=(const LoadHook&) = delete;

  // As StoreHook's.
  void CallMeanwhile();

  // For the runtime.
  static void BeforeLoad(const volatile uint64_t* word);

 private:
  const char* const begin_;
  const size_t bytes_;
  const Function function_;
  LoadHook* const outer_;
};

}  // namespace ets_keeper

#endif  // COMMON_CRASH_POINT_CRASH_POINTS_H_
