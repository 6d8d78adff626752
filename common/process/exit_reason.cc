// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/exit_reason.h"

#include <exception>
#include <string_view>
#include <utility>

namespace ets_keeper {

ExitReason ExitReason::FromException(std::exception_ptr exception) {
  try {
    std::rethrow_exception(std::move(exception));
  } catch (const std::exception& e) {
    return Error(e.what());
  } catch (...) {
    return Error("unknown exception");
  }
}

std::string_view ExitReason::name() const {
  switch (kind_) {
    case Kind::kNormal:
      return "normal";
    case Kind::kKilled:
      return "killed";
    case Kind::kShutdown:
      return "shutdown";
    case Kind::kError:
      return "error";
    case Kind::kNoproc:
      return "noproc";
  }
  return "?";
}

}  // namespace ets_keeper
