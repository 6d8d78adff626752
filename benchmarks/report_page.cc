// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/report_page.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "benchmarks/figures.h"
#include "benchmarks/plot.h"
#include "benchmarks/report_data.h"
#include "benchmarks/report_plots.h"
#include "benchmarks/report_targets.h"
#include "benchmarks/report_verdict.h"

namespace ets_keeper::benchmarks {
namespace {

// A cell of a table.
std::string Cell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}});
}

void AddLine(std::string& page, const std::vector<std::string>& cells) {
  absl::StrAppend(&page, "| ", absl::StrJoin(cells, " | "), " |\n");
}

void AddHeading(std::string& page, const std::vector<std::string>& names) {
  AddLine(page, names);
  AddLine(page, std::vector<std::string>(names.size(), "---"));
}

// "42.1 (40 to 45)"; without a spread where there is one repetition.
std::string WithSpread(const Sample& sample) {
  if (sample.count < 2) return Rounded(sample.median);
  return absl::StrCat(Rounded(sample.median), " (", Rounded(sample.low), " to ",
                      Rounded(sample.high), ")");
}

std::string Figure2(const Outcome& outcome, Unit unit, size_t index) {
  if (index >= outcome.figures.size()) return "";
  return FigureText(unit, outcome.figures[index]);
}

int CountOf(const Report& report, Verdict verdict) {
  return static_cast<int>(std::count_if(
      report.outcomes.begin(), report.outcomes.end(),
      [&](const Outcome& outcome) { return outcome.verdict == verdict; }));
}

std::string Summary(const Report& report) {
  return absl::StrCat(CountOf(report, Verdict::kReached), " goals reached, ",
                      CountOf(report, Verdict::kMissed), " missed, ",
                      CountOf(report, Verdict::kNotMeasured), " not measured");
}

void AddIntroduction(const Report& report, std::string& page) {
  absl::StrAppend(
      &page,
      "# Benchmarks\n\n"
      "<!-- Written by //benchmarks:report. What people have to say about it "
      "is in benchmarks_notes.md. -->\n\n"
      "A table's rows survive the kill of any thread or process at any "
      "instruction.\nWhat does an operation on them cost, beside maps whose "
      "rows survive nothing? Why\nthe figures are what they are is in "
      "[benchmarks_notes.md](benchmarks_notes.md).\n\n");
  if (report.quick) {
    absl::StrAppend(&page,
                    "**This was a quick run**: smaller tables, and too short "
                    "to tell apart what is\nclose. Goals that speak of ",
                    Count(static_cast<double>(ReportSizes::Full().large)),
                    " rows are held against\n",
                    Count(static_cast<double>(report.sizes.large)),
                    " rows here.\n\n");
  }
  absl::StrAppend(&page, "```\n", report.command, "\n```\n\n");
  AddHeading(page, {"", ""});
  AddLine(page, {"date", report.date});
  for (const auto& [what, is] : report.facts) AddLine(page, {what, Cell(is)});
  absl::StrAppend(
      &page,
      "\nFigures are medians of several repetitions, which took turns with "
      "those that they\nare compared with; times are wall time by the "
      "operations of all threads. The\nratios that goals are held against are "
      "medians, too: of the ratio of each repetition to\nthe one that it took "
      "turns with. **Compare within a row**: another machine, or another\nday, "
      "has other figures.\n\n");
}

void AddPicture(const std::vector<Picture>& pictures, absl::string_view name,
                std::string& page) {
  for (const Picture& picture : pictures) {
    if (picture.name != name) continue;
    absl::StrAppend(&page, "![", picture.alt, "](benchmarks/", picture.name,
                    ".svg)\n\n");
  }
}

void AddGoals(const Report& report, std::string& page) {
  absl::StrAppend(&page, Summary(report), ".\n\n");
  AddHeading(page, {"workload", "case", "goal", "private", "memfd", "verdict"});
  std::string row;
  for (size_t i = 0; i < report.targets.size(); ++i) {
    const Target& target = report.targets[i];
    const Outcome& outcome = report.outcomes[i];
    std::string verdict = VerdictText(outcome);
    if (outcome.verdict == Verdict::kMissed) {
      verdict = absl::StrCat("**missed**", verdict.substr(6));
    }
    AddLine(page, {Cell(target.row == row ? "" : target.row), Cell(target.what),
                   GoalText(target), Figure2(outcome, target.unit, 0),
                   Figure2(outcome, target.unit, 1), Cell(verdict)});
    row = target.row;
  }
  absl::StrAppend(&page,
                  "\nWhere a table has two kinds of memory, both have to reach "
                  "the goal. What is not\nabout tables has one figure.\n\n");
}

void AddRivals(const Report& report, std::string& page) {
  absl::StrAppend(&page, "## Where a rival wins\n\n");
  const std::vector<Rival> rivals = RivalsThatWin(report.figures);
  if (rivals.empty()) {
    absl::StrAppend(&page, "Nowhere in this run.\n\n");
    return;
  }
  absl::StrAppend(&page,
                  "All rows in which any of the others was faster than one of "
                  "our tables, and by\nhow much. Where the repetitions of the "
                  "two overlap it may be chance.\n\n");
  AddHeading(page, {"operation", "rows", "threads", "table", "rival",
                    "faster by", ""});
  for (const Rival& rival : rivals) {
    AddLine(page,
            {OpLabel(rival.run.op),
             absl::StrCat(rival.run.row, ", ",
                          Count(static_cast<double>(rival.run.rows)), ", ",
                          rival.run.distribution),
             absl::StrCat(rival.run.threads), LabelOf(rival.ours),
             LabelOf(rival.run.peer), absl::StrFormat("%.2fx", rival.factor),
             rival.is_clear ? "" : "overlap"});
  }
  absl::StrAppend(&page, "\n");
}

// One table for each operation and kind of rows: a line for each size, a column
// for each peer.
void AddOperations(const Report& report, std::string& page) {
  std::map<std::pair<std::string, std::string>,
           std::map<RunName, std::map<std::string, Sample>>>
      tables;
  for (const std::string& name : report.figures.Names()) {
    std::optional<RunName> run = ParseRunName(name);
    if (!run.has_value()) continue;
    const std::string peer = std::exchange(run->peer, "");
    tables[{run->op, run->row}][*run][peer] = report.figures.Find(name)->time;
  }
  absl::StrAppend(&page,
                  "## All figures\n\nNanoseconds an operation: the median, and "
                  "from the least to the greatest.\n\n");
  for (const auto& [key, lines] : tables) {
    absl::StrAppend(&page, "### ", OpLabel(key.first), ", ", key.second,
                    "\n\n");
    std::vector<PeerInfo> peers;
    std::vector<std::string> heading = {"rows", "keys", "threads"};
    std::vector<PeerInfo> columns = AllPeers();
    columns.insert(columns.end(), Variants().begin(), Variants().end());
    for (const PeerInfo& peer : columns) {
      const bool is_there = std::any_of(
          lines.begin(), lines.end(),
          [&](const auto& line) { return line.second.count(peer.name) > 0; });
      if (!is_there) continue;
      peers.push_back(peer);
      heading.push_back(peer.label);
    }
    AddHeading(page, heading);
    for (const auto& [run, by_peer] : lines) {
      std::vector<std::string> cells = {Count(static_cast<double>(run.rows)),
                                        run.distribution,
                                        absl::StrCat(run.threads)};
      for (const PeerInfo& peer : peers) {
        const auto it = by_peer.find(peer.name);
        cells.push_back(it == by_peer.end() ? "" : WithSpread(it->second));
      }
      AddLine(page, cells);
    }
    absl::StrAppend(&page, "\n");
  }
}

void AddCounters(const Report& report, std::string& page) {
  const std::vector<std::string> counters = {
      "p50_ns", "p99_ns",           "p999_ns",
      "max_ns", "repeating_max_ns", "bytes_per_entry"};
  absl::StrAppend(
      &page,
      "## Single operations, and memory\n\nHow long half, 99 %, "
      "99.9 % and all of the operations take at most, one by\none, "
      "in a pass of their own; and bytes per entry, averaged up to "
      "twice the rows.\n\n"
      "The longest of one pass is rarely the map's: limit/clock, below, "
      "does nothing but\nread the clock, and has such pauses, too. They come "
      "at random; what an insert has to\ndo comes at the same one whenever "
      "the same rows go into a new map. So that is done\nseveral times. Of "
      "each 32 inserts in a row (with two threads, 32 of each, which begin\n"
      "together) the longest counts, of the pass in which it was the least; "
      "*the longest that\nrepeats* is the longest of those. A map that moves "
      "all rows at once has it in every\npass.\n\n");
  AddHeading(page, {"operation", "rows", "threads", "map", "50 %", "99 %",
                    "99.9 %", "longest", "longest that repeats", "bytes"});
  for (const std::string& name : report.figures.Names()) {
    const std::optional<RunName> run = ParseRunName(name);
    if (!run.has_value() || report.figures.Find(name)->counters.empty()) {
      continue;
    }
    std::vector<std::string> cells = {
        OpLabel(run->op),
        absl::StrCat(run->row, ", ", Count(static_cast<double>(run->rows)),
                     ", ", run->distribution),
        absl::StrCat(run->threads), LabelOf(run->peer)};
    bool is_empty = true;
    for (const std::string& counter : counters) {
      const std::optional<Sample> sample = report.figures.Value(name, counter);
      is_empty = is_empty && !sample.has_value();
      cells.push_back(!sample.has_value()            ? ""
                      : counter == "bytes_per_entry" ? Rounded(sample->median)
                                                     : Time(sample->median));
    }
    if (!is_empty) AddLine(page, cells);
  }
  absl::StrAppend(&page, "\n");
}

// What is no operation on a map.
void AddOthers(const Report& report, std::string& page) {
  absl::StrAppend(
      &page,
      "## The machine, processes, hand-overs\n\nMedian and spread; "
      "of a hand-over also the longest, and of limit/clock the\n"
      "longest time from one reading to the next, in all runs.\n\n");
  AddHeading(page, {"what", "median", "least", "greatest", "longest"});
  for (const std::string& name : report.figures.Names()) {
    if (ParseRunName(name).has_value()) continue;
    const Sample time = report.figures.Find(name)->time;
    const std::optional<Sample> longest = report.figures.Value(name, "max_ns");
    AddLine(page,
            {Cell(name), Time(time.median), Time(time.low), Time(time.high),
             longest.has_value() ? Time(longest->high) : ""});
  }
  absl::StrAppend(&page, "\n");
}

void AddMissing(const Report& report, std::string& page) {
  absl::StrAppend(&page, "## What is not measured\n\n");
  for (const auto& [peer, how] : report.missing) {
    absl::StrAppend(&page, "- ", LabelOf(peer),
                    ": it is not there. To get it: ", how, ".\n");
  }
  absl::StrAppend(&page,
                  "- More than two threads.\n"
                  "- Memory that is bound to a NUMA node.\n"
                  "- Ordered tables: there are none.\n");
}

// Faster in the median, and not the table's own kind.
void AddRival(const RunName& run, const Sample& theirs, const char* ours,
              const Figures& figures, std::vector<Rival>& rivals) {
  RunName our_run = run;
  our_run.peer = ours;
  const std::optional<Figure> figure = figures.Find(our_run);
  if (!figure.has_value() || !(theirs.median > 0) ||
      theirs.median >= figure->time.median) {
    return;
  }
  rivals.push_back({.run = run,
                    .ours = ours,
                    .factor = figure->time.median / theirs.median,
                    .is_clear = theirs.high < figure->time.low});
}

}  // namespace

std::vector<Rival> RivalsThatWin(const Figures& figures) {
  std::vector<Rival> rivals;
  for (const std::string& name : figures.Names()) {
    const std::optional<RunName> run = ParseRunName(name);
    if (!run.has_value() || IsOurs(run->peer)) continue;
    const Sample theirs = figures.Find(name)->time;
    for (const char* ours : kTablePeers) {
      AddRival(*run, theirs, ours, figures, rivals);
    }
  }
  std::sort(rivals.begin(), rivals.end(), [](const Rival& a, const Rival& b) {
    if (a.factor != b.factor) return a.factor > b.factor;
    return a.run < b.run;
  });
  return rivals;
}

std::string WritePage(const Report& report,
                      const std::vector<Picture>& pictures) {
  std::string page;
  AddIntroduction(report, page);
  absl::StrAppend(&page, "## Goals\n\n");
  AddPicture(pictures, "goals", page);
  AddGoals(report, page);
  absl::StrAppend(&page, "## At a glance\n\n");
  for (const Picture& picture : pictures) {
    if (picture.name != "goals") AddPicture(pictures, picture.name, page);
  }
  AddRivals(report, page);
  AddOperations(report, page);
  AddCounters(report, page);
  AddOthers(report, page);
  AddMissing(report, page);
  return page;
}

std::string WriteTable(const Report& report) {
  std::string table;
  std::string row;
  for (size_t i = 0; i < report.targets.size(); ++i) {
    const Target& target = report.targets[i];
    const Outcome& outcome = report.outcomes[i];
    if (target.row != row) {
      row = target.row;
      absl::StrAppend(&table, "\n", row, "\n");
    }
    absl::StrAppendFormat(&table, "  %-48s %-15s %9s %9s  %s\n", target.what,
                          GoalText(target), Figure2(outcome, target.unit, 0),
                          Figure2(outcome, target.unit, 1),
                          VerdictText(outcome));
  }
  absl::StrAppend(&table, "\n", Summary(report), "\n");
  return table;
}

}  // namespace ets_keeper::benchmarks
