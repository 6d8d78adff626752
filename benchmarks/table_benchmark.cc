// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// What do the operations of a typed handle cost that other maps have no name
// for? One thread, tables of 100k rows, in random order; and what do batches
// save, there and beyond the caches?
//
//   ./bazelw run -c opt //benchmarks:table_benchmark

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "benchmark/benchmark.h"
#include "benchmarks/random.h"
#include "benchmarks/rows.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "common/table/tables.h"

namespace ets_keeper::benchmarks {
namespace {

constexpr size_t kRows = 100'000;

struct User {
  uint64_t id = 0;
  uint64_t visits = 0;
  static constexpr auto Fields() {
    return FieldList(Field("id", &User::id), Field("visits", &User::visits));
  }
};

struct Session {
  std::string id;
  uint64_t visits = 0;
  std::string place = "forty characters of what is to be stored";
  static constexpr auto Fields() {
    return FieldList(Field("id", &Session::id),
                     Field("visits", &Session::visits),
                     Field("place", &Session::place));
  }
};

template <typename Row>
Row RowAt(size_t i) {
  Row row;
  if constexpr (std::is_same_v<Row, Session>) {
    row.id = std::string(StringRow::Unpack(StringRow::KeyAt(i)));
  } else {
    row.id = WordRow::KeyAt(i);
  }
  return row;
}

// Of twice as many rows as are in the table.
template <typename Row>
const std::vector<Row>& Rows() {
  static const auto* const rows = [] {
    auto* const made = new std::vector<Row>;
    for (size_t i = 0; i < 2 * kRows; ++i) made->push_back(RowAt<Row>(i));
    return made;
  }();
  return *rows;
}

// Calls `operate` with a table and a row that is in it, and with one that is
// not, again and again.
template <typename Row, typename Operate>
void Run(benchmark::State& state, const Operate& operate) {
  const std::vector<Row>& rows = Rows<Row>();
  Tables tables;
  auto table = Table<Row, &Row::id>::New(tables, NewPid(), {});
  CHECK_OK(table.status());
  for (size_t i = 0; i < kRows; ++i) CHECK_OK(table->Insert(rows[i]));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(operate(*table, rows[i], rows[kRows + i]));
    if (++i == kRows) i = 0;
  }
}

template <typename Row>
void Insert(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row& row, const Row&) {
    return table.Insert(row).ok();
  });
}

template <typename Row>
void InsertNewRefused(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row& row, const Row&) {
    return *table.InsertNew(row);
  });
}

template <typename Row>
void InsertNewAndDelete(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row&, const Row& other) {
    return *table.InsertNew(other) && table.Delete(other.id).ok();
  });
}

template <typename Row>
void TakeAndInsert(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row& row, const Row&) {
    return table.Take(row.id)->has_value() && table.Insert(row).ok();
  });
}

template <typename Row>
void Member(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row& row, const Row&) {
    return *table.Member(row.id);
  });
}

template <typename Row>
void Lookup(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row& row, const Row&) {
    return table.Lookup(row.id)->has_value();
  });
}

template <typename Row>
void LookupElement(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row& row, const Row&) {
    return *table.template LookupElement<&Row::visits>(row.id);
  });
}

template <typename Row>
void UpdateCounter(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row& row, const Row&) {
    return *table.template UpdateCounter<&Row::visits>(row.id, 1);
  });
}

// A counter that is not there yet.
template <typename Row>
void UpdateNewCounterAndDelete(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row&, const Row& other) {
    return *table.template UpdateCounter<&Row::visits>(other.id, 1, Row()) ==
               1 &&
           table.Delete(other.id).ok();
  });
}

template <typename Row>
void UpdateElement(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row& row, const Row&) {
    return *table.template UpdateElement<&Row::visits>(row.id, 7);
  });
}

void UpdateString(benchmark::State& state) {
  const std::string place = Session().place;
  Run<Session>(state, [&](auto& table, const Session& row, const Session&) {
    return *table.template UpdateElement<&Session::place>(row.id, place);
  });
}

// All rows, of which each counts as an item.
template <typename Row>
void ForEach(benchmark::State& state) {
  Run<Row>(state, [](auto& table, const Row&, const Row&) {
    uint64_t visits = 0;
    CHECK_OK(table.ForEach([&](const Row& row) { visits += row.visits; }));
    return visits;
  });
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
}

constexpr size_t kBatch = 32;

using UserTable = Table<User, &User::id>;

// Fills a new table with as many rows as the argument says, one by one or
// `kBatch` in a call; a row counts as an item.
void InsertAll(benchmark::State& state, bool in_batches) {
  const auto count = static_cast<size_t>(state.range(0));
  std::vector<User> rows;
  for (size_t i = 0; i < count; ++i) rows.push_back(RowAt<User>(i));
  for (auto _ : state) {
    Tables tables;
    auto table = UserTable::New(tables, NewPid(), {});
    CHECK_OK(table.status());
    for (size_t i = 0; i < count; i += kBatch) {
      const auto batch = absl::MakeConstSpan(rows).subspan(i, kBatch);
      if (in_batches) {
        CHECK_OK(table->InsertEach(batch));
      } else {
        for (const User& row : batch) CHECK_OK(table->Insert(row));
      }
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * count));
}

void InsertOneByOne(benchmark::State& state) { InsertAll(state, false); }
void InsertEach(benchmark::State& state) { InsertAll(state, true); }

// Counts in rows chosen at random, among as many as the argument says, one by
// one or `kBatch` in a call; a row counts as an item.
void CountAll(benchmark::State& state, bool in_batches) {
  const auto count = static_cast<size_t>(state.range(0));
  Tables tables;
  auto table = UserTable::New(tables, NewPid(), {});
  CHECK_OK(table.status());
  for (size_t i = 0; i < count; ++i) CHECK_OK(table->Insert(RowAt<User>(i)));
  Random random(/*seed=*/1);
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < size_t{1} << 20; ++i) {
    ids.push_back(WordRow::KeyAt(random.Below(count)));
  }
  size_t i = 0;
  for (auto _ : state) {
    const auto batch = absl::MakeConstSpan(ids).subspan(i, kBatch);
    if (in_batches) {
      CHECK_OK(table->UpdateCounterEach<&User::visits>(batch, 1));
    } else {
      for (const uint64_t id : batch) {
        CHECK_OK(table->UpdateCounter<&User::visits>(id, 1).status());
      }
    }
    i = (i + kBatch) % ids.size();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBatch));
}

void UpdateCounterOneByOne(benchmark::State& state) { CountAll(state, false); }
void UpdateCounterEach(benchmark::State& state) { CountAll(state, true); }

BENCHMARK(Insert<User>);
BENCHMARK(InsertNewRefused<User>);
BENCHMARK(InsertNewAndDelete<User>);
BENCHMARK(TakeAndInsert<User>);
BENCHMARK(Member<User>);
BENCHMARK(Lookup<User>);
BENCHMARK(LookupElement<User>);
BENCHMARK(UpdateCounter<User>);
BENCHMARK(UpdateNewCounterAndDelete<User>);
BENCHMARK(UpdateElement<User>);
BENCHMARK(ForEach<User>);

BENCHMARK(Insert<Session>);
BENCHMARK(InsertNewRefused<Session>);
BENCHMARK(InsertNewAndDelete<Session>);
BENCHMARK(TakeAndInsert<Session>);
BENCHMARK(Member<Session>);
BENCHMARK(Lookup<Session>);
BENCHMARK(LookupElement<Session>);
BENCHMARK(UpdateCounter<Session>);
BENCHMARK(UpdateNewCounterAndDelete<Session>);
BENCHMARK(UpdateElement<Session>);
BENCHMARK(UpdateString);
BENCHMARK(ForEach<Session>);

constexpr int kFewRows = 100'000;
constexpr int kManyRows = 10'000'000;
BENCHMARK(InsertOneByOne)->Arg(kFewRows)->Arg(kManyRows);
BENCHMARK(InsertEach)->Arg(kFewRows)->Arg(kManyRows);
BENCHMARK(UpdateCounterOneByOne)->Arg(kFewRows)->Arg(kManyRows);
BENCHMARK(UpdateCounterEach)->Arg(kFewRows)->Arg(kManyRows);

}  // namespace
}  // namespace ets_keeper::benchmarks

BENCHMARK_MAIN();
