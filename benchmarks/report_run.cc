// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_run.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "benchmarks/ets.h"
#include "benchmarks/figures.h"
#include "benchmarks/figures_reporter.h"
#include "benchmarks/hand_over.h"
#include "benchmarks/hash_benchmarks.h"
#include "benchmarks/limits.h"
#include "benchmarks/process_benchmarks.h"
#include "benchmarks/report_data.h"
#include "benchmarks/report_plan.h"

namespace ets_keeper::benchmarks {
namespace {

// What is measured at a time: its text, how often, and how to register it; and
// which of it are operations on maps.
struct Step {
  std::string text;
  int repetitions;
  std::function<void()> add;
  std::vector<HashBenchmarkOptions> maps = {};
};

// The maps among the peers of a group.
std::vector<std::string> MapsOf(const Group& group) {
  std::vector<std::string> maps;
  for (const std::string& peer : KnownPeers()) {
    if (group.Names(peer) || (group.all_maps && IsPlotted(peer))) {
      maps.push_back(peer);
    }
  }
  return maps;
}

class Measurement {
 public:
  Measurement(const MeasureOptions& options, Report& report)
      : options_(options),
        report_(report),
        passes_(report.quick ? 2 : kRepetitions) {}

  absl::Status Run(absl::FunctionRef<void(const std::string&)> show) {
    StartOthers();
    AddLimits();
    for (const Group& group : PlanOf(report_.targets, report_.sizes)) {
      AddGroup(group);
    }
    AddProcesses();
    AddHandOver();
    if (steps_.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no group with '", options_.only,
                       "' in its text; others are '", left_out_, "'"));
    }
    // In passes, each with maps of its own: how fast a map is, depends by up to
    // a half on which memory the machine has given it.
    for (int pass = 0; pass < passes_; ++pass) {
      for (size_t i = 0; i < steps_.size(); ++i) {
        KeepMapsFrom(i);
        show(absl::StrCat("[", pass * steps_.size() + i + 1, "/",
                          passes_ * steps_.size(), "] ", steps_[i].text));
        Run(steps_[i], pass);
      }
      KeepMapsOf({});
    }
    return absl::OkStatus();
  }

 private:
  // The programs beside this one; those that do not start are missing.
  void StartOthers() {
    for (const MissingPeer& peer : MissingPeers()) {
      report_.missing[peer.peer] = peer.how;
    }
    absl::StatusOr<std::unique_ptr<Erlang>> erlang = Erlang::Start();
    if (erlang.ok()) {
      erlang_ = *std::move(erlang);
      report_.facts.emplace_back("Erlang", erlang_->version());
    } else {
      const std::string how = absl::IsNotFound(erlang.status())
                                  ? std::string(HowToGetErlang())
                                  : std::string(erlang.status().message());
      report_.missing["ets"] = how;
      report_.missing["beam"] = how;
    }
    absl::StatusOr<std::unique_ptr<HandOver>> hand_over = HandOver::Start();
    if (hand_over.ok()) {
      hand_over_ = *std::move(hand_over);
    } else {
      report_.missing["hand_over"] = std::string(hand_over.status().message());
    }
  }

  void Add(Step step) {
    if (absl::StrContains(step.text, options_.only)) {
      steps_.push_back(std::move(step));
    } else {
      absl::StrAppend(&left_out_, left_out_.empty() ? "" : "', '", step.text);
    }
  }

  // Or the maps that are of no use any more have half of the machine's memory.
  void KeepMapsFrom(size_t step) const {
    std::vector<HashBenchmarkOptions> wanted;
    for (; step < steps_.size(); ++step) {
      const std::vector<HashBenchmarkOptions>& maps = steps_[step].maps;
      wanted.insert(wanted.end(), maps.begin(), maps.end());
    }
    KeepMapsOf(wanted);
  }

  void AddLimits() {
    const uint64_t bytes = uint64_t{report_.quick ? 256u : 1024u} << 20;
    Add({"limits of the machine", kRepetitions,
         [bytes] { RegisterLimitBenchmarks({.dram_bytes = bytes}); }});
  }

  void AddGroup(const Group& group) {
    const HashBenchmarkOptions maps = {
        .sizes = {group.run.rows},
        .threads = {group.run.threads},
        .ops = {group.run.op},
        .rows = {group.run.row},
        .distributions = {group.run.distribution},
        .peers = MapsOf(group)};
    const auto add = [this, group, maps] {
      RegisterHashBenchmarks(maps);
      if (erlang_ == nullptr || !group.Names("ets")) return;
      RegisterEtsBenchmarks(*erlang_, {{.op = group.run.op,
                                        .row = group.run.row,
                                        .rows = group.run.rows,
                                        .processes = group.run.threads}});
    };
    Add({group.ToString(), group.repetitions, add, {maps}});
  }

  void AddProcesses() {
    const auto add = [this] {
      RegisterProcessBenchmarks();
      if (erlang_ == nullptr) return;
      std::vector<EtsRequest> requests;
      for (const char* op :
           {"heir", "message_round_trip", "spawn_exit", "table_with_worker"}) {
        requests.push_back({.op = op, .row = "process"});
      }
      RegisterEtsBenchmarks(*erlang_, requests);
    };
    Add({"processes, beside the BEAM's", kRepetitions, add});
  }

  void AddHandOver() {
    if (hand_over_ == nullptr) return;
    Add({"hand-over between OS processes", kRepetitions, [this] {
           RegisterHandOverBenchmarks(*hand_over_, report_.sizes.hand_over);
         }});
  }

  // The pass' share of the repetitions.
  void Run(const Step& step, int pass) {
    const int all =
        report_.quick ? std::min(step.repetitions, 3) : step.repetitions;
    const int repetitions = all * (pass + 1) / passes_ - all * pass / passes_;
    if (repetitions == 0) return;
    SetFlags(repetitions, report_.quick ? "0.02" : "0.1");
    benchmark::ClearRegisteredBenchmarks();
    step.add();
    FiguresReporter reporter(report_.figures);
    benchmark::RunSpecifiedBenchmarks(&reporter, "all");
    benchmark::ClearRegisteredBenchmarks();
    ReleaseLimitMemory();
  }

  static void SetFlags(int repetitions, const char* min_time) {
    // The library keeps a pointer to the first of them.
    static auto& words = *new std::vector<std::string>();
    words = {"report", absl::StrCat("--benchmark_repetitions=", repetitions),
             absl::StrCat("--benchmark_min_time=", min_time),
             "--benchmark_enable_random_interleaving=true"};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    benchmark::Initialize(&count, arguments.data());
  }

  const MeasureOptions options_;
  Report& report_;
  const int passes_;
  std::unique_ptr<Erlang> erlang_;       // null: there is none
  std::unique_ptr<HandOver> hand_over_;  // null: it does not start
  std::vector<Step> steps_;
  std::string left_out_;
};

}  // namespace

absl::Status Measure(const MeasureOptions& options, Report& report,
                     absl::FunctionRef<void(const std::string& text)> show) {
  return Measurement(options, report).Run(show);
}

}  // namespace ets_keeper::benchmarks
