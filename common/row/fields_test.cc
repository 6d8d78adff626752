// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/fields.h"

#include <cstdint>
#include <optional>
#include <string>

#include "common/row/rows_testing.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using row_internal::CoversAll;
using row_internal::FindMember;
using row_internal::IsFieldName;
using row_internal::MembersAreDistinct;
using row_internal::NamesAreDistinct;
using row_internal::NamesAreIdentifiers;

struct Point {
  int32_t x = 0;
  int32_t cells[2][3] = {};
  std::optional<std::string> label;
};

struct NotAnAggregate {
  explicit NotAnAggregate(int) {}
  int x = 0;
  static constexpr auto Fields() {
    return FieldList(Field("x", &NotAnAggregate::x));
  }
};

struct ListsAnother {
  int x = 0;
  static constexpr auto Fields() { return FieldList(Field("x", &Point::x)); }
};

TEST(FieldsTest, ARowTypeIsAnAggregateThatListsItsFields) {
  EXPECT_TRUE(RowType<User>);
  EXPECT_TRUE(RowType<Everything>);
  EXPECT_FALSE(RowType<Point>);
  EXPECT_FALSE(RowType<NotAnAggregate>);
  EXPECT_FALSE(RowType<ListsAnother>);
  EXPECT_FALSE(RowType<int>);
}

TEST(FieldsTest, AForgottenMemberIsNoticed) {
  EXPECT_TRUE(CoversAll(User::Fields()));
  EXPECT_TRUE(CoversAll(Scalars::Fields()));
  EXPECT_TRUE(CoversAll(Everything::Fields()));
  const Field x("x", &Point::x);
  const Field cells("cells", &Point::cells);
  const Field label("label", &Point::label);
  EXPECT_TRUE(CoversAll(FieldList(x, cells, label)));
  EXPECT_FALSE(CoversAll(FieldList(x, cells)));
  EXPECT_FALSE(CoversAll(FieldList(x, label)));
  EXPECT_FALSE(CoversAll(FieldList(cells, label)));
}

TEST(FieldsTest, AMemberOrNameListedTwiceIsNoticed) {
  EXPECT_TRUE(MembersAreDistinct(Everything::Fields()));
  EXPECT_TRUE(NamesAreDistinct(Everything::Fields()));
  const FieldList twice(Field("a", &User::id), Field("b", &User::id));
  EXPECT_FALSE(MembersAreDistinct(twice));
  EXPECT_TRUE(NamesAreDistinct(twice));
  const FieldList same(Field("a", &User::id), Field("a", &User::name));
  EXPECT_TRUE(MembersAreDistinct(same));
  EXPECT_FALSE(NamesAreDistinct(same));
}

TEST(FieldsTest, NamesAreAsciiIdentifiers) {
  EXPECT_TRUE(IsFieldName("a"));
  EXPECT_TRUE(IsFieldName("_Zz09"));
  EXPECT_FALSE(IsFieldName(""));
  EXPECT_FALSE(IsFieldName("0a"));
  EXPECT_FALSE(IsFieldName("a b"));
  EXPECT_FALSE(IsFieldName("a:u8,b"));
  EXPECT_FALSE(IsFieldName("gr\xc3\xb6\xc3\x9f"));
  EXPECT_TRUE(NamesAreIdentifiers(User::Fields()));
  EXPECT_FALSE(NamesAreIdentifiers(FieldList(Field("{", &User::id))));
}

TEST(FieldsTest, AMemberIsFoundAmongOthersOfItsType) {
  EXPECT_EQ(FindMember(User::Fields(), &User::id), 0);
  EXPECT_EQ(FindMember(User::Fields(), &User::visits), 2);
  EXPECT_EQ(FindMember(User::Fields(), &Point::x), 3);
}

}  // namespace
}  // namespace ets_keeper
