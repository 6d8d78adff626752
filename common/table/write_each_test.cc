// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/write_each.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_key.h"
#include "common/pid/pid.h"
#include "common/row/row.h"
#include "common/status/status.h"
#include "common/table/table.h"
#include "common/table/tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;

struct Count {
  std::string key;
  uint64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("key", &Count::key), Field("value", &Count::value));
  }
};

class WriteEachTest : public ::testing::Test {
 protected:
  WriteEachTest()
      : table_(*Table<Count, &Count::key>::New(tables_, NewPid(), {})) {
    for (uint64_t i = 0; i < 100; ++i) {
      EXPECT_THAT(table_.Insert({.key = absl::StrCat(i), .value = i}), IsOk());
    }
  }

  const HashCore& core() const { return table_.handle().state().core(); }

  // Writes to the keys from 0 on, and ends with an error at the one at `bad`.
  absl::Status WriteUntil(size_t count, size_t bad,
                          std::vector<size_t>* written) {
    std::vector<std::string> keys;
    for (size_t i = 0; i < count; ++i) keys.push_back(absl::StrCat(i));
    return WriteEachIn<RowCodec<Count>, &Count::key>(
        core(), count, [&](size_t i) -> absl::string_view { return keys[i]; },
        [&](size_t i, const KeyView& key) -> absl::Status {
          // It is the key of that number, as the table knows it.
          EXPECT_EQ(core().reader().LookupView(key, nullptr), i < 100) << i;
          if (i == bad) return MakeStatus(Cause::kBadRow, "no");
          written->push_back(i);
          return absl::OkStatus();
        });
  }

  Tables tables_;
  Table<Count, &Count::key> table_;
};

TEST_F(WriteEachTest, EachKeyHasItsTurnInOrder) {
  for (const size_t count : {size_t{0}, size_t{1}, kWriteGroup - 1, kWriteGroup,
                             kWriteGroup + 1, size_t{130}}) {
    std::vector<size_t> written;
    EXPECT_THAT(WriteUntil(count, count, &written), IsOk());
    ASSERT_EQ(written.size(), count);
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(written[i], i);
  }
}

TEST_F(WriteEachTest, TheFirstErrorEndsIt) {
  for (const size_t bad : {size_t{0}, kWriteGroup - 1, kWriteGroup}) {
    std::vector<size_t> written;
    EXPECT_EQ(CauseOf(WriteUntil(80, bad, &written)), Cause::kBadRow);
    EXPECT_EQ(written.size(), bad);
  }
}

}  // namespace
}  // namespace ets_keeper
