// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/row_write.h"

#include <cstdint>
#include <optional>

#include "absl/status/status_matchers.h"
#include "common/hash/hash_core.h"
#include "common/status/status.h"
#include "common/table/rows_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::Optional;

template <typename Row>
class RowWriteTest : public RowsTest<Row> {
 protected:
  using Write = RowWrite<Row, &Row::key>;

  absl::Status Insert(uint64_t i, int64_t value, uint64_t epoch) {
    return Write::Insert(this->core(), epoch, RowOf<Row>(i, value));
  }
  absl::Status Delete(uint64_t i, uint64_t epoch) {
    return Write::Delete(this->core(), epoch, KeyOf<Row>(i));
  }
  std::optional<Row> RowAt(uint64_t i) {
    return *this->table_.Lookup(KeyOf<Row>(i));
  }
};
TYPED_TEST_SUITE(RowWriteTest, RowTypes);

TYPED_TEST(RowWriteTest, EachRowIsStoredReplacedAndRemoved) {
  for (const int64_t value : {-1, 7}) {
    for (uint64_t i = 0; i < 2 * this->kRows; ++i) {
      ASSERT_THAT(this->Insert(i, value, this->epoch()), IsOk());
      ASSERT_THAT(this->RowAt(i), Optional(RowOf<TypeParam>(i, value)));
    }
  }
  EXPECT_THAT(this->table_.Size(), IsOkAndHolds(2 * this->kRows));
  for (uint64_t i = 0; i < 3 * this->kRows; ++i) {
    ASSERT_THAT(this->Delete(i, this->epoch()), IsOk());
    ASSERT_EQ(this->RowAt(i), std::nullopt);
  }
  EXPECT_THAT(this->table_.Size(), IsOkAndHolds(0));
}

// Also one who asks for nothing, as there is no such row.
TYPED_TEST(RowWriteTest, AnOwnerOfBeforeIsToldSoAndChangesNothing) {
  const uint64_t before = this->epoch() - 1;
  for (uint64_t i = 0; i < 2 * this->kRows; ++i) {
    ASSERT_EQ(CauseOf(this->Delete(i, before)), Cause::kNotOwner) << i;
    ASSERT_EQ(CauseOf(this->Insert(i, -1, before)), Cause::kNotOwner) << i;
    ASSERT_EQ(this->RowAt(i).has_value(), i < this->kRows);
  }
  EXPECT_THAT(this->RowAt(5), Optional(RowOf<TypeParam>(5, 5)));
  // It has left no lock.
  EXPECT_THAT(this->Insert(5, 6, this->epoch()), IsOk());
}

// Of a table that is public, which anybody's handle may write to.
TYPED_TEST(RowWriteTest, EveryEpochIsAsGoodToWhomItIsAll) {
  for (uint64_t i = 0; i < 2 * this->kRows; ++i) {
    ASSERT_THAT(this->Insert(i, -1, kAnyEpoch), IsOk());
    ASSERT_THAT(this->RowAt(i), Optional(RowOf<TypeParam>(i, -1)));
    ASSERT_THAT(this->Delete(i, kAnyEpoch), IsOk());
    ASSERT_EQ(this->RowAt(i), std::nullopt);
  }
}

}  // namespace
}  // namespace ets_keeper
