// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_reader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "common/arena/arena.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_testing.h"
#include "common/row/row_buffer.h"
#include "common/unique_fd/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;

constexpr uint64_t kEpoch = TestTable::epoch;

TEST(HashReaderTest, AnEmptyTableHasNothing) {
  TestTable t;
  RowBuffer row;
  EXPECT_FALSE(t.core->reader().Lookup(TestKey(1), &row));
  EXPECT_FALSE(t.core->reader().Lookup(TestKey(1), nullptr));
  EXPECT_EQ(t.core->reader().Size(), 0);
  EXPECT_TRUE(t.Rows().empty());
}

TEST(HashReaderTest, AScanStandsWhereItWasWhenTheTableGrowsManyTimes) {
  TestTable t(/*lanes_log2=*/1);
  for (uint64_t key = 0; key < 100; ++key) {
    ASSERT_THAT(t.core->Insert(kEpoch, TestKey(key), TestRow(key, {})), IsOk());
  }
  std::set<uint64_t> seen;
  HashCursor cursor;
  std::vector<RowBuffer> rows;
  uint64_t next = 1000;
  while (t.core->reader().Scan(&cursor, &rows)) {
    for (const RowBuffer& row : rows) EXPECT_TRUE(seen.insert(row[0]).second);
    for (int i = 0; i < 100; ++i, ++next) {
      ASSERT_THAT(t.core->Insert(kEpoch, TestKey(next), TestRow(next, {})),
                  IsOk());
    }
  }
  for (uint64_t key = 0; key < 100; ++key) EXPECT_TRUE(seen.contains(key));
}

TEST(HashReaderTest, AReadOnlyMappingIsEnough) {
  UniqueFd fd(memfd_create("hash_reader_test", MFD_CLOEXEC));
  ASSERT_TRUE(fd);
  ASSERT_EQ(ftruncate(fd.get(), 1 << 20), 0);
  auto arena = *Arena::Map(UniqueFd(dup(fd.get())), ArenaAccess::kReadWrite);
  ASSERT_THAT(HashCore::Format(arena.get(), {.seed = TestKey::kSeed}), IsOk());
  auto writer = *HashCore::Attach(arena.get());
  UniqueFd read_fd(open(absl::StrCat("/proc/self/fd/", fd.get()).c_str(),
                        O_RDONLY | O_CLOEXEC));
  auto read_arena = *Arena::Map(std::move(read_fd), ArenaAccess::kReadOnly);
  auto reader = *HashCore::Attach(read_arena.get());
  for (uint64_t key = 0; key < 1000; ++key) {
    ASSERT_THAT(writer->Insert(0, TestKey(key), TestRow(key, {key})), IsOk());
    RowBuffer row;
    ASSERT_TRUE(reader->reader().Lookup(TestKey(key), &row));
    ASSERT_THAT(row, ElementsAre(key, key));
  }
  EXPECT_EQ(reader->reader().Size(), 1000);
  EXPECT_EQ(TestTable::RowsOf(reader->reader()).size(), 1000);
}

}  // namespace
}  // namespace ets_keeper
