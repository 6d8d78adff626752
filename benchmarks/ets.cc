// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/ets.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "benchmark/benchmark.h"
#include "benchmarks/child_program.h"
#include "benchmarks/runfile.h"

namespace ets_keeper::benchmarks {
namespace {

absl::Status NoErlang() {
  return absl::NotFoundError(absl::StrCat(
      "there is no Erlang in PATH; to get it: ", HowToGetErlang()));
}

absl::Status Compile(const std::string& folder) {
  const absl::StatusOr<std::string> source =
      RunfilePath("benchmarks/ets_measure.erl");
  if (!source.ok()) return source.status();
  absl::StatusOr<ChildProgram> erlc =
      ChildProgram::Start({"erlc", "-o", folder, *source});
  if (absl::IsNotFound(erlc.status())) return NoErlang();
  if (!erlc.ok()) return erlc.status();
  std::string said;
  for (absl::StatusOr<std::string> line = erlc->ReadLine(); line.ok();
       line = erlc->ReadLine()) {
    absl::StrAppend(&said, " ", *line);
  }
  if (erlc->Await() == 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("erlc cannot compile ", *source, ":", said));
}

// What it says first is "ready 25".
absl::StatusOr<std::string> VersionOf(ChildProgram& program) {
  const absl::StatusOr<std::string> line = program.ReadLine();
  if (!line.ok()) return absl::UnavailableError("Erlang does not start");
  absl::string_view version = *line;
  if (!absl::ConsumePrefix(&version, "ready ")) {
    return absl::UnavailableError(absl::StrCat("Erlang says: ", *line));
  }
  return absl::StrCat("OTP ", version);
}

void RemoveFolder(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

void Run(benchmark::State& state, Erlang& erlang, const EtsRequest& request) {
  for (auto _ : state) {
    const absl::StatusOr<double> ns = erlang.Measure(request);
    if (!ns.ok()) {
      state.SkipWithError(ns.status().ToString().c_str());
      return;
    }
    state.SetIterationTime(*ns * 1e-9);
  }
}

}  // namespace

absl::StatusOr<EtsAnswer> ParseEtsAnswer(absl::string_view line) {
  absl::string_view why = line;
  if (absl::ConsumePrefix(&why, "error ")) {
    return absl::UnavailableError(absl::StrCat("Erlang says: ", why));
  }
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  EtsAnswer answer;
  if (words.size() != 5 || !absl::SimpleAtoi(words[2], &answer.rows) ||
      !absl::SimpleAtoi(words[3], &answer.processes) ||
      !absl::SimpleAtod(words[4], &answer.ns) || !(answer.ns > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", line, "' is not 'op row rows processes ns'"));
  }
  answer.op = std::string(words[0]);
  answer.row = std::string(words[1]);
  return answer;
}

absl::string_view HowToGetErlang() { return "apt-get install erlang-base"; }

absl::StatusOr<std::unique_ptr<Erlang>> Erlang::Start() {
  std::string folder =
      (std::filesystem::temp_directory_path() / "ets_measure.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot make ", folder));
  }
  const auto start = [&]() -> absl::StatusOr<std::unique_ptr<Erlang>> {
    if (absl::Status s = Compile(folder); !s.ok()) return s;
    absl::StatusOr<ChildProgram> program = ChildProgram::Start(
        {"erl", "-noshell", "-pa", folder, "-s", "ets_measure", "main"});
    if (absl::IsNotFound(program.status())) return NoErlang();
    if (!program.ok()) return program.status();
    absl::StatusOr<std::string> version = VersionOf(*program);
    if (!version.ok()) return version.status();
    return absl::WrapUnique(
        new Erlang(*std::move(program), folder, *std::move(version)));
  };
  absl::StatusOr<std::unique_ptr<Erlang>> started = start();
  if (!started.ok()) RemoveFolder(folder);
  return started;
}

Erlang::Erlang(ChildProgram program, std::string folder, std::string version)
    : program_(std::move(program)),
      folder_(std::move(folder)),
      version_(std::move(version)) {}

Erlang::~Erlang() { RemoveFolder(folder_); }

absl::StatusOr<double> Erlang::Measure(const EtsRequest& request) {
  if (absl::Status s = program_.WriteLine(
          absl::StrCat(request.op, " ", request.row, " ", request.rows, " ",
                       request.processes, " ", request.milliseconds));
      !s.ok()) {
    return s;
  }
  const absl::StatusOr<std::string> line = program_.ReadLine();
  if (!line.ok()) return line.status();
  const absl::StatusOr<EtsAnswer> answer = ParseEtsAnswer(*line);
  if (!answer.ok()) return answer.status();
  if (answer->op != request.op || answer->row != request.row ||
      answer->rows != request.rows || answer->processes != request.processes) {
    return absl::InternalError(absl::StrCat(*line, " was not asked for"));
  }
  return answer->ns;
}

std::string EtsRunName(const EtsRequest& request) {
  const std::string threads = absl::StrCat("threads:", request.processes);
  if (request.row == "process") {
    return absl::StrCat("process/", request.op, "/beam/", threads);
  }
  return absl::StrCat(request.op, "/", request.row, "/", request.rows,
                      "/uniform/ets/", threads);
}

std::vector<EtsRequest> AllEtsRequests() {
  std::vector<EtsRequest> requests;
  for (const char* op : {"find_hit", "insert", "update_counter", "erase"}) {
    for (const char* row : {"u64", "str16"}) {
      if (row == absl::string_view("str16") &&
          op == absl::string_view("update_counter")) {
        continue;
      }
      for (const uint64_t rows : {1'000, 100'000, 1'000'000}) {
        for (const int processes : {1, 2}) {
          requests.push_back(
              {.op = op, .row = row, .rows = rows, .processes = processes});
        }
      }
    }
  }
  for (const char* op :
       {"message_round_trip", "spawn_exit", "table_with_worker", "heir"}) {
    requests.push_back({.op = op, .row = "process"});
  }
  return requests;
}

void RegisterEtsBenchmarks(Erlang& erlang,
                           const std::vector<EtsRequest>& requests) {
  for (const EtsRequest& request : requests) {
    benchmark::RegisterBenchmark(EtsRunName(request).c_str(),
                                 [&erlang, request](benchmark::State& state) {
                                   Run(state, erlang, request);
                                 })
        ->Iterations(1)
        ->UseManualTime();
  }
}

}  // namespace ets_keeper::benchmarks
