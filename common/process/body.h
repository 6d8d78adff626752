// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: body.h
// -----------------------------------------------------------------------------
//
// `Body` is the callable that was given to `Runtime::Spawn()`. Internal to the
// runtime.
//
// A coroutine made by a lambda refers to the lambda's captures, which live in
// the lambda and not in the coroutine: one that outlives its lambda reads freed
// memory. Here the callable stays in one place, on the heap, from before the
// coroutine is made until after it is destroyed.
//
// Thread safety: a body belongs to the thread that runs its process.

#ifndef COMMON_PROCESS_BODY_H_
#define COMMON_PROCESS_BODY_H_

#include <functional>
#include <utility>

#include "common/process/self.h"
#include "common/process/task.h"

namespace ets_keeper::internal {

// Body
struct Body {
  virtual ~Body() = default;

  // Makes the coroutine; called once. It must be destroyed before this is.
  virtual Task<> Start(Self& self) = 0;
};

template <typename F>
struct BodyOf final : Body {
  template <typename U>
  explicit BodyOf(U&& u) : function(std::forward<U>(u)) {}

  Task<> Start(Self& self) override { return std::invoke(function, self); }

  F function;
};

}  // namespace ets_keeper::internal

#endif  // COMMON_PROCESS_BODY_H_
