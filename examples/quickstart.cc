// The program of the README: counts its own runs in a table that is kept.
//
//   ./bazelw run //examples:quickstart
//
// With a keeper (`./bazelw run //protets:keeper`, in another terminal) each run
// goes on where the last one ended.

#include <iostream>

#include "ets_keeper.h"
using namespace ets_keeper;  // NOLINT: a program of its own, and a short one

struct Visits {
  std::string page;
  int64_t count = 0;
  static constexpr auto Fields() {
    return FieldList(Field("page", &Visits::page),
                     Field("count", &Visits::count));
  }
};

int main() {
  auto visits = protets::Get<Visits, &Visits::page>("visits");
  if (!visits.ok()) return std::cerr << visits.status() << "\n", 1;
  auto count = visits->UpdateCounter<&Visits::count>("/index.html", 1, {});
  if (!count.ok()) return std::cerr << count.status() << "\n", 1;
  std::cout << "visit number " << *count << "\n";
}
