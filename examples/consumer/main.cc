// A counter that crashes and goes on where it was: its table is kept by a
// Blanket, which finds it through a registry of this project's own.

#include <cstdint>
#include <iostream>
#include <stdexcept>

#include "absl/log/check.h"
#include "ets_keeper.h"
#include "my_names.h"

struct Visits {
  uint64_t page = 0;
  int64_t count = 0;
  static constexpr auto Fields() {
    return ets_keeper::FieldList(ets_keeper::Field("page", &Visits::page),
                                 ets_keeper::Field("count", &Visits::count));
  }
};
using VisitsTable = ets_keeper::Table<Visits, &Visits::page>;

struct Visit {
  uint64_t page;
};

int main() {
  ets_keeper::Runtime runtime({.threads = 0});
  MyNames names(runtime);
  ets_keeper::blanket::Inheritance inheritance(runtime);
  ets_keeper::blanket::Blanket blanket(inheritance, names);

  CHECK_OK((blanket.New<Visits, &Visits::page>(
                "counter", {.table = {.name = "visits"}},
                [](VisitsTable& table) {
                  return table.Insert(Visits{.page = 1, .count = 100});
                }))
               .status());

  const auto counter = [&](ets_keeper::Self& self) -> ets_keeper::Task<> {
    CHECK_OK(names.Register("counter", self.pid()));
    auto table = co_await blanket.ReceiveTable<Visits, &Visits::page>(
        self, "counter", "visits");
    CHECK_OK(table.status());
    for (;;) {
      auto visit = co_await self.Receive<Visit>();
      CHECK_OK(table->UpdateCounter<&Visits::count>(visit->page, 1).status());
      throw std::runtime_error("a bug, after every single visit");
    }
  };
  for (int i = 0; i < 10; ++i) {
    const ets_keeper::Pid pid = runtime.Spawn(counter);
    runtime.RunUntilIdle();
    runtime.Send(pid, Visit{.page = 1});
    runtime.RunUntilIdle();
    CHECK(!runtime.IsAlive(pid));
  }

  auto table = ets_keeper::TableReader<Visits, &Visits::page>::Of(
      *inheritance.tables().Open("visits"));
  CHECK_OK(table.status());
  const int64_t count = *table->LookupElement<&Visits::count>(1);
  std::cout << "the counter crashed 10 times and counted " << count - 100
            << " visits\n";
  return count == 110 ? 0 : 1;
}
