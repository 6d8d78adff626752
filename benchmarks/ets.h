// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: ets.h
// -----------------------------------------------------------------------------
//
// The real ETS, as a peer: an Erlang that is found in PATH when the program
// runs, and does what ets_measure.erl says.
//
//   absl::StatusOr<std::unique_ptr<Erlang>> erlang = Erlang::Start();
//   absl::StatusOr<double> ns =
//       (*erlang)->Measure({.op = "find_hit", .row = "u64", .rows = 1000000,
//                           .processes = 2, .milliseconds = 200});
//
// `RegisterEtsBenchmarks()` makes Google Benchmarks of this, so that ETS is
// measured in turns with what it is compared with.
//
// Thread safety: as ordinary values.
//
// What Erlang measures is measured in Erlang: a loop of its own around the
// operation, compiled by its JIT, and no word of it in another language.

#ifndef BENCHMARKS_ETS_H_
#define BENCHMARKS_ETS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "benchmarks/child_program.h"

namespace ets_keeper::benchmarks {

// EtsRequest
//
// One measurement. Operations on tables: find_hit, insert, erase and, of u64
// rows only, update_counter. Operations of the row "process", which have no
// rows: message_round_trip, spawn_exit, table_with_worker, heir.
struct EtsRequest {
  std::string op;
  std::string row = "u64";
  uint64_t rows = 0;
  int processes = 1;
  int milliseconds = 200;  // to go on for, at least
};

// EtsAnswer
//
// What came out: wall time by the operations of all processes.
struct EtsAnswer {
  std::string op;
  std::string row;
  uint64_t rows = 0;
  int processes = 0;
  double ns = 0;
};

// ParseEtsAnswer()
//
// Of a line "op row rows processes ns". Unavailable with Erlang's own reason of
// a line "error ..."; InvalidArgument of any other.
[[nodiscard]] absl::StatusOr<EtsAnswer> ParseEtsAnswer(absl::string_view line);

// HowToGetErlang()
[[nodiscard]] absl::string_view HowToGetErlang();

// Erlang
class Erlang {
 public:
  // Erlang::Start()
  //
  // Compiles the module, into a temporary folder, and starts it. NotFound, with
  // how to get it, if there is no Erlang.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Erlang>> Start();

  // Removes the folder.
  ~Erlang();

  Erlang(const Erlang&) = delete;
  Erlang& operator=(const Erlang&) = delete;

  // Erlang::Measure()
  //
  // Nanoseconds an operation.
  [[nodiscard]] absl::StatusOr<double> Measure(const EtsRequest& request);

  // Such as "OTP 25".
  [[nodiscard]] const std::string& version() const
      ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return version_;
  }

 private:
  Erlang(ChildProgram program, std::string folder, std::string version);

  ChildProgram program_;
  const std::string folder_;
  const std::string version_;
};

// EtsRunName()
//
// The name of that measurement among those of the other peers.
[[nodiscard]] std::string EtsRunName(const EtsRequest& request);

// AllEtsRequests()
//
// Every operation with 1k, 100k and 1M rows, with 1 and 2 processes, and those
// of processes.
[[nodiscard]] std::vector<EtsRequest> AllEtsRequests();

// RegisterEtsBenchmarks()
//
// One Google Benchmark for each request. `erlang` must outlive their runs.
void RegisterEtsBenchmarks(Erlang& erlang,
                           const std::vector<EtsRequest>& requests);

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_ETS_H_
