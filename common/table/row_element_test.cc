// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/row_element.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/rows_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOkAndHolds;
using ::testing::Optional;

enum class Color : int16_t { kRed = -3, kBlue = 7 };

// With a field of each kind.
struct Mixed {
  uint64_t key = 0;
  int64_t value = 0;
  bool flag = false;
  int8_t few = 0;
  float real = 0;
  Color color = Color::kRed;
  std::array<uint64_t, 3> array = {};
  std::string text = "as it was";
  std::optional<int32_t> maybe;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Mixed::key), Field("value", &Mixed::value),
                     Field("flag", &Mixed::flag), Field("few", &Mixed::few),
                     Field("real", &Mixed::real), Field("color", &Mixed::color),
                     Field("array", &Mixed::array), Field("text", &Mixed::text),
                     Field("maybe", &Mixed::maybe));
  }
  friend bool operator==(const Mixed&, const Mixed&) = default;
};

template <typename Row>
class RowElementTest : public RowsTest<Row> {
 protected:
  template <auto Member, typename Value>
  absl::StatusOr<bool> Set(uint64_t i, const Value& value,
                           uint64_t epochs_ago = 0) {
    return RowElement<Row, &Row::key, Member>::Set(
        this->core(), this->epoch() - epochs_ago, KeyOf<Row>(i), value);
  }
};
TYPED_TEST_SUITE(RowElementTest, RowTypes);

TYPED_TEST(RowElementTest, OneScalarOfOneRowIsReplaced) {
  for (uint64_t i = 0; i < this->kRows; ++i) {
    const int64_t value = -static_cast<int64_t>(i);
    ASSERT_THAT(this->template Set<&TypeParam::value>(i, value),
                IsOkAndHolds(true));
    ASSERT_THAT(this->table_.Lookup(KeyOf<TypeParam>(i)),
                IsOkAndHolds(Optional(RowOf<TypeParam>(i, value))));
  }
  EXPECT_THAT(this->table_.Size(), IsOkAndHolds(this->kRows));
}

TYPED_TEST(RowElementTest, WhereThereIsNoRowNoneComes) {
  EXPECT_THAT(this->template Set<&TypeParam::value>(this->kRows, 5),
              IsOkAndHolds(false));
  EXPECT_THAT(this->table_.Size(), IsOkAndHolds(this->kRows));
}

TYPED_TEST(RowElementTest, AnOwnerOfBeforeReplacesNothing) {
  EXPECT_EQ(CauseOf(this->template Set<&TypeParam::value>(5, 7, 1).status()),
            Cause::kNotOwner);
  EXPECT_THAT(this->table_.Lookup(KeyOf<TypeParam>(5)),
              IsOkAndHolds(Optional(RowOf<TypeParam>(5, 5))));
  // It has left no lock.
  EXPECT_THAT(this->template Set<&TypeParam::value>(5, 7), IsOkAndHolds(true));
}

using MixedRowTest = RowElementTest<Mixed>;

TEST_F(MixedRowTest, EachKindOfFieldIsReplaced) {
  Mixed wanted = RowOf<Mixed>(5, 5);
  const auto set = [&](auto member, const auto& value) {
    wanted.*member() = value;
    ASSERT_THAT(Set<member()>(5, value), IsOkAndHolds(true));
    ASSERT_THAT(table_.Lookup(5), IsOkAndHolds(Optional(wanted)));
  };
#define MEMBER(name) [] { return &Mixed::name; }
  set(MEMBER(flag), true);
  set(MEMBER(few), int8_t{-128});
  set(MEMBER(real), -0.25f);
  set(MEMBER(color), Color::kBlue);
  set(MEMBER(array), std::array<uint64_t, 3>{1, 2, 3});
  set(MEMBER(text), std::string("much longer than it was before"));
  set(MEMBER(maybe), std::optional<int32_t>(-9));
  set(MEMBER(maybe), std::optional<int32_t>());
  set(MEMBER(color), Color::kRed);
  set(MEMBER(text), std::string());
#undef MEMBER
}

}  // namespace
}  // namespace ets_keeper
