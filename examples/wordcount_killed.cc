// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "examples/input_file.h"
#include "examples/wordcount_counter.h"
#include "examples/wordcount_run.h"
#include "protets/keeper_client.h"
#include "protets/protets.h"

namespace ets_keeper::examples {
namespace {

// A kill comes up to this long after the counter said that it is at its target:
// longer than a block takes, so that it may hit any instruction.
constexpr uint64_t kMostMicroseconds = 1000;

// `Report::position` of a report that is followed by `time_ns` bytes of text:
// why the counter gave up.
constexpr uint64_t kFailed = std::numeric_limits<uint64_t>::max();

// What the counter tells the process that kills it.
struct Report {
  uint64_t position = 0;
  int64_t time_ns = 0;
};

int64_t NowNs() { return absl::ToUnixNanos(RealClock().Now()); }

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", what, ": ", std::strerror(errno)));
}

bool WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool ReadAll(int fd, char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = read(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool WriteReport(int fd, const Report& report) {
  return WriteAll(fd, {reinterpret_cast<const char*>(&report), sizeof(report)});
}

// SIGINT, SIGTERM and SIGHUP, as something to poll for. They are blocked for as
// long as this lives.
class StopSignals {
 public:
  StopSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, &before_);
    fd_ = UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  // One that came meanwhile was heeded, and must not kill now.
  ~StopSignals() {
    signalfd_siginfo info;
    while (read(fd_.get(), &info, sizeof(info)) == sizeof(info)) {
    }
    Unblock();
  }

  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  void Unblock() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  int fd() const { return fd_.get(); }

 private:
  sigset_t before_;
  UniqueFd fd_;
};

// In the counting process: the whole of its life.
absl::Status RunCounter(const InputFile& input, const std::string& keeper,
                        const CountJob& job, int reports) {
  protets::Protets tables({.keeper = keeper});
  const absl::StatusOr<WordTable> words =
      tables.Get<WordCount, &WordCount::word>(kWordTable);
  if (!words.ok()) return words.status();
  absl::Status status = CountWords(input, *words, job,
                                   [&](CountMoment moment, uint64_t position) {
                                     if (moment == CountMoment::kBlockRead)
                                       return;
                                     WriteReport(reports, {position, NowNs()});
                                   });
  const bool is_last = job.gate == CountJob().gate;
  while (status.ok() && !is_last) pause();  // until it is killed
  return status;
}

// A counting process; killed when it goes out of scope.
class Counter {
 public:
  static absl::StatusOr<Counter> Start(const InputFile& input,
                                       const std::string& keeper,
                                       const CountJob& job,
                                       const StopSignals& signals);

  Counter(Counter&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        reports_(std::move(other.reports_)) {}
  Counter& operator=(Counter&&) = delete;
  ~Counter() {
    if (pid_ != 0) Kill().IgnoreError();
  }

  // The next report; waits for it. Out of range at the end of a process that
  // ended by itself; cancelled if the user wants to stop.
  absl::StatusOr<Report> Next(const StopSignals& signals) const;

  // Ok if it is SIGKILL that it died of.
  absl::Status Kill();

  // How it ended, having ended its reports.
  absl::Status End();

 private:
  Counter(pid_t pid, UniqueFd reports)
      : pid_(pid), reports_(std::move(reports)) {}

  siginfo_t Reap();

  pid_t pid_;
  UniqueFd reports_;
};

absl::StatusOr<Counter> Counter::Start(const InputFile& input,
                                       const std::string& keeper,
                                       const CountJob& job,
                                       const StopSignals& signals) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("make a pipe");
  UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return SystemError("start a process");
  if (pid > 0) return Counter(pid, std::move(read_end));
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  signals.Unblock();
  const absl::Status status = RunCounter(input, keeper, job, write_end.get());
  if (status.ok()) _exit(0);
  const std::string text(status.message());
  if (WriteReport(write_end.get(),
                  {kFailed, static_cast<int64_t>(text.size())})) {
    WriteAll(write_end.get(), text);
  }
  _exit(1);
}

absl::StatusOr<Report> Counter::Next(const StopSignals& signals) const {
  pollfd entries[] = {{signals.fd(), POLLIN, 0}, {reports_.get(), POLLIN, 0}};
  while (poll(entries, 2, -1) < 0) {
    if (errno != EINTR) return SystemError("wait for the counter");
  }
  if (entries[0].revents != 0) return absl::CancelledError("stopped");
  Report report;
  if (!ReadAll(reports_.get(), reinterpret_cast<char*>(&report),
               sizeof(report))) {
    return absl::OutOfRangeError("no more reports");
  }
  if (report.position != kFailed) return report;
  std::string text(static_cast<size_t>(report.time_ns), '\0');
  if (!ReadAll(reports_.get(), text.data(), text.size())) {
    return absl::InternalError("the counter failed");
  }
  return absl::InternalError(text);
}

siginfo_t Counter::Reap() {
  siginfo_t info = {};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 &&
         errno == EINTR) {
  }
  pid_ = 0;
  return info;
}

absl::Status Counter::Kill() {
  kill(pid_, SIGKILL);
  const siginfo_t info = Reap();
  if (info.si_code == CLD_KILLED && info.si_status == SIGKILL) {
    return absl::OkStatus();
  }
  return absl::InternalError("the counter ended before it was killed");
}

absl::Status Counter::End() {
  const siginfo_t info = Reap();
  if (info.si_code == CLD_EXITED && info.si_status == 0) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      info.si_code == CLD_EXITED
          ? absl::StrCat("the counter exited with code ", info.si_status)
          : absl::StrCat("the counter died of signal ", info.si_status));
}

void SpinFor(absl::Duration duration) {
  const absl::Time end = RealClock().Now() + duration;
  while (RealClock().Now() < end) {
  }
}

// What this process owns at the keeper while it has words counted there. It has
// no rows: that it is owned keeps others from counting into the same table.
constexpr char kTurn[] = "words.turn";

// Takes the turn, and drops what counters before it, which were stopped, may
// have left.
absl::Status TakeTurn(protets::KeeperClient& keeper) {
  const absl::StatusOr<protets::Grant> turn =
      keeper.Claim({.name = kTurn, .max_bytes = 4096});
  if (CauseOf(turn.status()) == Cause::kAlreadyOwned) {
    return MakeStatus(Cause::kAlreadyOwned,
                      absl::StrCat("words are being counted at this keeper: ",
                                   turn.status().message()));
  }
  if (!turn.ok()) return turn.status();
  return keeper.Drop(kWordTable);
}

absl::StatusOr<Tally> TakeTally(const std::string& keeper) {
  protets::Protets tables({.keeper = keeper});
  const absl::StatusOr<WordTable> words =
      tables.Get<WordCount, &WordCount::word>(kWordTable);
  if (!words.ok()) return words.status();
  absl::StatusOr<Tally> tally = ReadTally(*words);
  absl::Status dropped = tables.Drop(kWordTable);
  if (!dropped.ok()) return dropped;
  return tally;
}

}  // namespace

absl::StatusOr<RunResult> CountWhileKilled(const InputFile& input,
                                           const RunOptions& options,
                                           OnProgress on_progress) {
  const StopSignals signals;
  absl::StatusOr<protets::KeeperClient> keeper =
      protets::KeeperClient::Connect(options.keeper);
  if (!keeper.ok()) return keeper.status();
  absl::Status status = TakeTurn(*keeper);
  if (!status.ok()) return status;
  KillPlan plan(input.size(), options);
  RunResult result;
  int64_t killed_ns = 0;
  for (int i = 0; i <= options.kills; ++i) {
    const uint64_t target = plan.Target(i);
    absl::StatusOr<Counter> counter =
        Counter::Start(input, options.keeper, plan.Job(i), signals);
    if (!counter.ok()) return counter.status();
    absl::StatusOr<Report> report = counter->Next(signals);
    if (i > 0 && report.ok()) {
      result.hand_overs.push_back(
          absl::Nanoseconds(report->time_ns - killed_ns));
    }
    while (report.ok()) {
      on_progress(report->position, result.kills);
      if (i < options.kills && report->position >= target) break;
      report = counter->Next(signals);
    }
    if (report.ok()) {
      SpinFor(absl::Microseconds(plan.Random(kMostMicroseconds)));
      killed_ns = NowNs();
      status = counter->Kill();
      ++result.kills;
    } else if (absl::IsOutOfRange(report.status())) {
      status = counter->End();
    } else {
      status = report.status();
    }
    if (!status.ok()) return status;
  }
  absl::StatusOr<Tally> tally = TakeTally(options.keeper);
  if (!tally.ok()) return tally.status();
  result.tally = *std::move(tally);
  status = keeper->Drop(kTurn);
  if (!status.ok()) return status;
  return result;
}

}  // namespace ets_keeper::examples
