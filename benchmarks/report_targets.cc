// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_targets.h"

#include <bit>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "benchmarks/figures.h"
#include "benchmarks/plot.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr char kTable[] = "{table}";
constexpr char kBoost[] = "boost_concurrent_flat_map";

// The general concurrent maps, of which the best in a row is "the peer".
constexpr const char* kPeers[] = {kBoost, "phmap_parallel", "libcuckoo",
                                  "tbb_concurrent_hash_map"};

// The best single-threaded maps, without any synchronization.
constexpr const char* kCeilings[] = {"absl_flat", "boost_flat"};

std::string Threads(int threads) {
  return threads == 1 ? "1 thread" : absl::StrCat(threads, " threads");
}

// Whom a run is compared with.
struct Rivals {
  const char* name;
  std::vector<std::string> peers;
  std::vector<std::string> beside = {};  // who is shown, but does not count
};

const Rivals& Boost() {
  static const auto* const rivals = new Rivals{"boost", {kBoost}};
  return *rivals;
}
const Rivals& BestPeer() {
  static const auto* const rivals =
      new Rivals{"the best peer", {std::begin(kPeers), std::end(kPeers)}};
  return *rivals;
}
const Rivals& Ceiling() {
  static const auto* const rivals =
      new Rivals{"the ceiling", {std::begin(kCeilings), std::end(kCeilings)}};
  return *rivals;
}

// Builds the list, row by row.
class List {
 public:
  explicit List(const ReportSizes& sizes) : sizes_(sizes) {}

  void Row(std::string row) { row_ = std::move(row); }

  void Add(Target target) {
    target.row = row_;
    targets_.push_back(std::move(target));
  }

  // A table's time by that of its rivals, for 1 and 2 threads.
  void AddRatios(RunName run, double limit, const Rivals& rivals,
                 std::vector<int> threads = {1, 2}) {
    for (const int count : threads) {
      run.threads = count;
      run.peer = kTable;
      Target target = {.what = absl::StrCat(What(run), ", by ", rivals.name),
                       .unit = Unit::kRatio,
                       .limit = limit,
                       .ours = run.ToString()};
      for (const std::string& peer : rivals.peers) {
        run.peer = peer;
        target.theirs.push_back(run.ToString());
      }
      for (const std::string& peer : rivals.beside) {
        run.peer = peer;
        target.beside.push_back(run.ToString());
      }
      Add(std::move(target));
    }
  }

  // What there is nothing to measure of.
  void AddMissing(std::string what, Unit unit, double limit,
                  std::string missing) {
    Add({.what = std::move(what),
         .unit = unit,
         .limit = limit,
         .missing = std::move(missing)});
  }

  // Which run of a row it is.
  static std::string What(const RunName& run) {
    const char* zipf = run.distribution == "zipf" ? " zipf" : "";
    return absl::StrCat(Count(static_cast<double>(run.rows)), zipf, ", ",
                        Threads(run.threads));
  }

  const ReportSizes& sizes() const { return sizes_; }
  std::vector<Target> Take() { return std::move(targets_); }

 private:
  const ReportSizes sizes_;
  std::string row_;
  std::vector<Target> targets_;
};

void AddFinds(List& list) {
  const ReportSizes& sizes = list.sizes();
  list.Row("find hit, u64 rows");
  RunName run = {.op = "find_hit", .rows = sizes.large};
  list.AddRatios(run, 0.5, Boost());
  list.AddRatios(run, 1.1, Ceiling(), {1});
  run.rows = sizes.middle;
  list.AddRatios(run, 0.6, Boost());
  run.rows = sizes.small;
  list.AddRatios(run, 0.6, Boost());

  list.Row("find in batches of 32");
  run = {.op = "find_batch32", .rows = sizes.large};
  list.AddRatios(run, 0.6, Boost());
  for (const int threads : {1, 2}) {
    run.threads = threads;
    run.peer = kTable;
    list.Add({.what = absl::StrCat(List::What(run), ", by prefetched reads"),
              .limit = 2.2,
              .ours = run.ToString(),
              .theirs = {absl::StrCat("limit/random_read/prefetched/threads:",
                                      threads)}});
  }

  list.Row("find miss");
  for (const uint64_t rows : {sizes.small, sizes.middle, sizes.large}) {
    list.AddRatios({.op = "find_miss", .rows = rows}, 1.0, BestPeer());
  }
}

void AddWrites(List& list) {
  const ReportSizes& sizes = list.sizes();
  list.Row("90/10 mix, uniform and zipf");
  for (const uint64_t rows : {sizes.middle, sizes.large}) {
    for (const char* distribution : {"uniform", "zipf"}) {
      const RunName run = {
          .op = "mix90", .rows = rows, .distribution = distribution};
      list.AddRatios(run, 0.45, Boost());
      list.AddRatios(run, 0.7, BestPeer());
    }
  }

  list.Row("update_counter");
  for (const uint64_t rows : {sizes.middle, sizes.large}) {
    list.AddRatios({.op = "update_counter", .rows = rows}, 0.6, Boost());
  }
  list.AddRatios(
      {.op = "update_counter", .rows = sizes.small, .distribution = "zipf"},
      1.0, Boost(), {2});

  list.Row("insert into a growing table");
  Rivals with_sized = BestPeer();
  with_sized.beside = {kSizedPeer};
  list.AddRatios({.op = "insert", .rows = sizes.middle}, 1.0, with_sized);
  list.AddRatios({.op = "insert", .rows = sizes.large}, 1.0, BestPeer());
  for (const int threads : {1, 2}) {
    const RunName run = {.op = "insert",
                         .rows = sizes.large,
                         .peer = kTable,
                         .threads = threads};
    list.Add(
        {.what = absl::StrCat(List::What(run), ", longest insert that repeats"),
         .unit = Unit::kTime,
         .limit = 50'000,
         .ours = run.ToString(),
         .counter = "repeating_max_ns"});
  }

  list.Row("erase");
  for (const uint64_t rows : {sizes.middle, sizes.large}) {
    list.AddRatios({.op = "erase", .rows = rows}, 0.7, Boost());
  }
}

void AddMemory(List& list) {
  list.Row("bytes per entry, averaged from 2^k to 2^(k+1)");
  const auto add = [&](const char* row, uint64_t rows, double limit) {
    const RunName run = {
        .op = "insert", .row = row, .rows = rows, .peer = kTable};
    const int power = std::bit_width(rows) - 1;
    list.Add({.what = absl::StrCat(row, ", 2^", power, " to 2^", power + 1),
              .unit = Unit::kBytes,
              .limit = limit,
              .ours = run.ToString(),
              .counter = "bytes_per_entry"});
  };
  add("u64", list.sizes().large, 36);
  add("str16", list.sizes().strings, 120);
}

void AddStrings(List& list) {
  list.Row("16-byte string keys, 64-byte values");
  const auto add = [&](const char* op, double limit) {
    std::vector<Target> added;
    for (const int threads : {1, 2}) {
      RunName run = {.op = op,
                     .row = "str16",
                     .rows = list.sizes().strings,
                     .peer = kTable,
                     .threads = threads};
      Target target = {
          .what = absl::StrCat(op, ", ", List::What(run), ", by the best peer"),
          .limit = limit,
          .ours = run.ToString()};
      for (const char* peer : kPeers) {
        run.peer = peer;
        target.theirs.push_back(run.ToString());
      }
      list.Add(std::move(target));
    }
  };
  add("find_hit", 0.75);
  add("find_batch32", 0.65);
  add("insert", 1.0);
  add("update_counter", 1.0);
}

void AddPrices(List& list) {
  list.Row("what crash-atomicity costs");
  const auto add = [&](RunName run) {
    run.peer = kTablePeers[0];
    const char* of_strings = run.row == "str16" ? " of strings" : "";
    Target target = {
        .what = absl::StrCat(run.op, of_strings, ", ", List::What(run)),
        .limit = 1.1,
        .ours = run.ToString()};
    run.peer = kNotAtomicPeer;
    target.theirs = {run.ToString()};
    list.Add(std::move(target));
  };
  for (const uint64_t rows : {list.sizes().middle, list.sizes().large}) {
    for (const char* op :
         {"find_hit", "mix90", "update_counter", "insert", "erase"}) {
      add({.op = op, .rows = rows});
    }
  }
  add({.op = "insert", .row = "str16", .rows = list.sizes().strings});

  list.Row("memfd against private memory, both in 4 KiB pages");
  for (const char* op : {"find_hit", "mix90", "update_counter", "insert"}) {
    RunName run = {.op = op, .rows = list.sizes().large};
    run.peer = kSmallPagesPeers[1];
    Target target = {.what = absl::StrCat(op, ", ", List::What(run)),
                     .limit = 1.05,
                     .ours = run.ToString()};
    run.peer = kSmallPagesPeers[0];
    target.theirs = {run.ToString()};
    list.Add(std::move(target));
  }
}

void AddOrdered(List& list) {
  const char* const kNone = "there are no ordered tables";
  list.Row("ordered: find");
  list.AddMissing("1 thread, by absl::btree_map", Unit::kRatio, 1.0, kNone);
  list.AddMissing("2 threads, by absl::btree_map behind a mutex", Unit::kRatio,
                  0.6, kNone);
  list.Row("ordered: insert, erase, scan");
  list.AddMissing("insert and erase, by absl::btree_map behind a mutex",
                  Unit::kRatio, 1.5, kNone);
  list.AddMissing("scan of a row", Unit::kTime, 15, kNone);
}

void AddOthers(List& list) {
  list.Row("against ETS");
  const auto add = [&](const char* op, double limit) {
    RunName run = {.op = op, .rows = list.sizes().ets, .peer = kTable};
    Target target = {.what = absl::StrCat(op, ", ", List::What(run)),
                     .unit = Unit::kSpeedup,
                     .limit = limit,
                     .ours = run.ToString()};
    run.peer = "ets";
    target.theirs = {run.ToString()};
    list.Add(std::move(target));
  };
  add("find_hit", 12);
  add("update_counter", 10);
  add("insert", 6);
  list.AddMissing("ordered lookup", Unit::kSpeedup, 4,
                  "there are no ordered tables");
  list.AddMissing("ordered scan", Unit::kSpeedup, 15,
                  "there are no ordered tables");

  list.Row("against LMDB on tmpfs");
  RunName put = {.op = "put_acked", .rows = list.sizes().lmdb, .peer = kTable};
  Target target = {.what = "one acknowledged put",
                   .unit = Unit::kSpeedup,
                   .limit = 5,
                   .ours = put.ToString()};
  put.peer = "lmdb";
  target.theirs = {put.ToString()};
  list.Add(std::move(target));
}

void AddProcesses(List& list) {
  list.Row("in-process, by the BEAM");
  const auto add = [&](const char* op, const char* what) {
    list.Add({.what = what,
              .limit = 1.0,
              .ours = absl::StrCat("process/", op, "/ets_keeper/threads:1"),
              .theirs = {absl::StrCat("process/", op, "/beam/threads:1")}});
  };
  add("heir", "owner dead to heir holding the table");
  add("message_round_trip", "message round trip");
  add("spawn_exit", "spawn and exit");
  add("table_with_worker", "table with a worker, created and dropped");

  list.Row("hand-over between OS processes");
  for (const uint64_t rows : list.sizes().hand_over) {
    list.Add({.what = absl::StrCat(Count(static_cast<double>(rows)), " rows"),
              .unit = Unit::kTime,
              .limit = 100'000,
              .ours = absl::StrCat("hand_over/", rows, "/threads:1")});
  }
}

}  // namespace

ReportSizes ReportSizes::Quick() {
  return {.small = 1'000,
          .middle = 100'000,
          .large = 1'000'000,
          .strings = 100'000,
          .ets = 100'000,
          .lmdb = 10'000,
          .hand_over = {1'000, 100'000}};
}

std::vector<std::string> OurRuns(const Target& target) {
  if (target.ours.empty()) return {};
  if (target.ours.find(kTable) == std::string::npos) return {target.ours};
  std::vector<std::string> runs;
  for (const char* peer : kTablePeers) {
    runs.push_back(absl::StrReplaceAll(target.ours, {{kTable, peer}}));
  }
  return runs;
}

std::vector<Target> Targets(const ReportSizes& sizes) {
  List list(sizes);
  AddFinds(list);
  AddWrites(list);
  AddMemory(list);
  AddStrings(list);
  AddPrices(list);
  AddOrdered(list);
  AddOthers(list);
  AddProcesses(list);
  return list.Take();
}

}  // namespace ets_keeper::benchmarks
