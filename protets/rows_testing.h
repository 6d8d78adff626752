// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: rows_testing.h
// -----------------------------------------------------------------------------
//
// The rows of the tables with which Protets is tested.

#ifndef PROTETS_ROWS_TESTING_H_
#define PROTETS_ROWS_TESTING_H_

#include <cstdint>
#include <string>

#include "common/row/row.h"
#include "common/table/table.h"

namespace ets_keeper::protets {

struct User {
  uint64_t id = 0;
  std::string name = {};
  int64_t visits = 0;

  static constexpr auto Fields() {
    return FieldList(Field("id", &User::id), Field("name", &User::name),
                     Field("visits", &User::visits));
  }
};

using Users = TableWriter<User, &User::id>;

// Rows that are no users.
struct Point {
  int32_t x = 0;
  int32_t y = 0;

  static constexpr auto Fields() {
    return FieldList(Field("x", &Point::x), Field("y", &Point::y));
  }
};

}  // namespace ets_keeper::protets

#endif  // PROTETS_ROWS_TESTING_H_
