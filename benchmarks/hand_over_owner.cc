// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// The owner that is killed: hand_over_owner SOCKET TABLE ROWS. It gets the
// table, sees to it that it has so many rows, says "owns" and waits for its
// end, or for that of its input.

#include <cstdint>
#include <cstdio>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "benchmarks/hand_over_row.h"
#include "common/table/table.h"
#include "protets/protets.h"

namespace ets_keeper::benchmarks {
namespace {

absl::Status Fill(const TableWriter<HandOverRow, &HandOverRow::key>& table,
                  uint64_t rows) {
  const absl::StatusOr<uint64_t> size = table.Size();
  if (!size.ok()) return size.status();
  for (uint64_t i = *size; i < rows; ++i) {
    if (absl::Status s = table.Insert({i, i}); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Own(const char* socket, const char* name, uint64_t rows) {
  protets::Protets protets({.keeper = socket});
  const auto table = protets.Get<HandOverRow, &HandOverRow::key>(
      name, {.wait = kHandOverWait});
  if (!table.ok()) return table.status();
  if (absl::Status s = Fill(*table, rows); !s.ok()) return s;
  std::puts("owns");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace ets_keeper::benchmarks

int main(int argc, char** argv) {
  uint64_t rows = 0;
  if (argc != 4 || !absl::SimpleAtoi(argv[3], &rows)) {
    std::fputs("usage: hand_over_owner SOCKET TABLE ROWS\n", stderr);
    return 1;
  }
  const absl::Status status =
      ets_keeper::benchmarks::Own(argv[1], argv[2], rows);
  if (status.ok()) return 0;
  std::fprintf(stderr, "hand_over_owner: %s\n", status.ToString().c_str());
  return 1;
}
