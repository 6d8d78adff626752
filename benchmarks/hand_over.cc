// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hand_over.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "benchmarks/child_program.h"
#include "benchmarks/hand_over_row.h"
#include "benchmarks/runfile.h"
#include "common/table/table.h"
#include "common/unique_fd/unique_fd.h"
#include "protets/keeper_process.h"
#include "protets/protets.h"

namespace ets_keeper::benchmarks {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A keeper whose log, which tells of every kill, does not go to our stderr.
absl::StatusOr<protets::KeeperProcess> StartQuietKeeper(
    const std::string& binary) {
  const UniqueFd ours(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (ours && null) dup2(null.get(), STDERR_FILENO);
  absl::StatusOr<protets::KeeperProcess> keeper =
      protets::KeeperProcess::Start({.binary = binary});
  if (ours && null) dup2(ours.get(), STDERR_FILENO);
  return keeper;
}

// Who stands in line, in a thread of its own: it has to wait, and so has
// whoever kills.
class Claimer {
 public:
  Claimer(const std::string& socket, const std::string& name, uint64_t rows)
      : protets_({.keeper = socket}), name_(name), rows_(rows) {
    // To be connected already.
    protets_.Info(name_).status().IgnoreError();
    thread_ = std::thread([this] { status_ = Claim(); });
  }
  ~Claimer() {
    if (thread_.joinable()) thread_.join();
  }

  // Returns once it stands in line: once it has been asleep for a while, which
  // it has no other reason to be.
  void AwaitInLine() const {
    constexpr int kLooks = 200;
    for (int asleep = 0; asleep < kLooks && !done_.load();) {
      asleep = IsAsleep() ? asleep + 1 : 0;
      sched_yield();
    }
  }

  // When it had read the row.
  absl::StatusOr<SteadyClock::time_point> Result() {
    thread_.join();
    if (!status_.ok()) return status_;
    return end_;
  }

 private:
  absl::Status Claim() {
    tid_.store(static_cast<int>(syscall(SYS_gettid)));
    const auto table = protets_.Get<HandOverRow, &HandOverRow::key>(
        name_, {.wait = kHandOverWait});
    if (!table.ok()) return Done(table.status());
    const absl::StatusOr<std::optional<HandOverRow>> row =
        table->Lookup(rows_ - 1);
    end_ = SteadyClock::now();
    if (!row.ok()) return Done(row.status());
    if (!row->has_value()) return Done(absl::DataLossError("no such row"));
    return Done(absl::OkStatus());
  }
  absl::Status Done(absl::Status status) {
    done_.store(true);
    return status;
  }

  bool IsAsleep() const {
    const int tid = tid_.load();
    if (tid == 0) return false;
    std::ifstream stat(absl::StrCat("/proc/self/task/", tid, "/stat"));
    std::string word;
    // "12 (name) S": names of our threads have no parenthesis.
    while (stat >> word && word.back() != ')') {
    }
    return stat >> word && word == "S";
  }

  protets::Protets protets_;
  const std::string name_;
  const uint64_t rows_;
  std::atomic<int> tid_{0};
  std::atomic<bool> done_{false};
  absl::Status status_;
  SteadyClock::time_point end_;
  std::thread thread_;
};

// When an owner died: between the two.
struct Death {
  SteadyClock::time_point not_yet;
  SteadyClock::time_point seen;

  // Whoever looks again and again may lose its processor to the dying one, or
  // to those who are woken.
  bool is_exact() const {
    return seen - not_yet < std::chrono::microseconds(10);
  }
};

// Kills it, and looks until its pidfd is readable.
Death KillAndWatch(ChildProgram& owner, int pidfd) {
  pollfd wanted = {.fd = pidfd, .events = POLLIN, .revents = 0};
  Death death = {.not_yet = SteadyClock::now(), .seen = {}};
  owner.Kill();
  while (true) {
    const SteadyClock::time_point before = SteadyClock::now();
    const bool dead = poll(&wanted, 1, 0) == 1;
    if (dead) break;
    death.not_yet = before;
  }
  death.seen = SteadyClock::now();
  return death;
}

// So many times as many hand-overs as are wanted may be dropped, because it is
// not known when they began; on a machine that is busier, they count as well.
constexpr int kMostInexact = 5;

void Run(benchmark::State& state, HandOver& hand_over, uint64_t rows,
         int times) {
  for (auto _ : state) {
    std::vector<double> seconds;
    int inexact = 0;
    while (static_cast<int>(seconds.size()) < times) {
      const absl::StatusOr<HandOver::Time> time = hand_over.Once(rows);
      if (!time.ok()) {
        state.SkipWithError(time.status().ToString().c_str());
        return;
      }
      if (!time->is_exact && ++inexact <= kMostInexact * times) continue;
      seconds.push_back(absl::ToDoubleSeconds(time->time));
    }
    std::sort(seconds.begin(), seconds.end());
    state.SetIterationTime(seconds[seconds.size() / 2]);
    state.counters["max_ns"] = seconds.back() * 1e9;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<HandOver>> HandOver::Start() {
  const absl::StatusOr<std::string> keeper_binary =
      RunfilePath("protets/keeper");
  if (!keeper_binary.ok()) return keeper_binary.status();
  absl::StatusOr<std::string> owner_binary =
      RunfilePath("benchmarks/hand_over_owner");
  if (!owner_binary.ok()) return owner_binary.status();
  absl::StatusOr<protets::KeeperProcess> keeper =
      StartQuietKeeper(*keeper_binary);
  if (!keeper.ok()) return keeper.status();
  return absl::WrapUnique(
      new HandOver(*std::move(keeper), *std::move(owner_binary)));
}

HandOver::HandOver(protets::KeeperProcess keeper, std::string owner_binary)
    : keeper_(std::move(keeper)), owner_binary_(std::move(owner_binary)) {}

absl::StatusOr<HandOver::Time> HandOver::Once(uint64_t rows) {
  const std::string name = absl::StrCat("rows", rows);
  absl::StatusOr<ChildProgram> owner = ChildProgram::Start(
      {owner_binary_, keeper_.socket(), name, absl::StrCat(rows)});
  if (!owner.ok()) return owner.status();
  const absl::StatusOr<std::string> line = owner->ReadLine();
  if (!line.ok()) return absl::UnavailableError("the owner does not start");
  Claimer claimer(keeper_.socket(), name, rows);
  claimer.AwaitInLine();
  const UniqueFd pidfd(
      static_cast<int>(syscall(SYS_pidfd_open, owner->pid(), 0)));
  if (!pidfd) return absl::UnavailableError("the system has no pidfd_open");
  const Death death = KillAndWatch(*owner, pidfd.get());
  const absl::StatusOr<SteadyClock::time_point> end = claimer.Result();
  if (!end.ok()) return end.status();
  return Time{.time = absl::FromChrono(*end - death.not_yet),
              .is_exact = death.is_exact()};
}

void RegisterHandOverBenchmarks(HandOver& hand_over,
                                const std::vector<uint64_t>& sizes, int times) {
  for (const uint64_t rows : sizes) {
    benchmark::RegisterBenchmark(
        absl::StrCat("hand_over/", rows).c_str(),
        [&hand_over, rows, times](benchmark::State& state) {
          Run(state, hand_over, rows, times);
        })
        ->Iterations(1)
        ->Threads(1)
        ->UseManualTime();
  }
}

}  // namespace ets_keeper::benchmarks
