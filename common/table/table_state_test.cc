// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/table_state.h"

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/arena/arena.h"
#include "common/arena/arena_file.h"
#include "common/arena/word.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_homes.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/row/row.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "common/table/table_options.h"
#include "common/unique_fd/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

using ::absl_testing::IsOk;
using ::testing::HasSubstr;

struct Item {
  uint64_t id = 0;
  uint64_t value = 0;
  static constexpr auto Fields() {
    return FieldList(Field("id", &Item::id), Field("value", &Item::value));
  }
};
struct Other {
  uint64_t id = 0;
  std::string text;
  static constexpr auto Fields() {
    return FieldList(Field("id", &Other::id), Field("text", &Other::text));
  }
};

constexpr KeyLayout kKey = RowCodec<Item>::KeyLayoutOf<&Item::id>();

class TableStateTest : public ::testing::Test {
 protected:
  TableStateTest() : fd_(*CreateArenaFile("table_state_test", 1 << 20)) {}

  // As a process would that has just been given the memory.
  template <typename Row = Item>
  absl::StatusOr<std::shared_ptr<TableState>> Claim() {
    return TableState::Make({.name = "items",
                             .max_bytes = 0,
                             .writers = 2,
                             .arena = *Arena::Map(UniqueFd(dup(fd_.get())),
                                                  ArenaAccess::kReadWrite)},
                            RowCodec<Row>::schema(), kKey);
  }

  std::unique_ptr<Arena> ReadOnlyArena() {
    return *Arena::Map(*ReopenForReading(fd_), ArenaAccess::kReadOnly);
  }

  const UniqueFd fd_;
};

TEST_F(TableStateTest, EachClaimOfTheMemoryIsAnEpochOfItsOwn) {
  const auto first = Claim();
  ASSERT_THAT(first, IsOk());
  const uint64_t epoch = (*first)->core().epoch();
  const auto second = Claim();
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ((*second)->core().epoch(), epoch + 1);
  // The first claimer, should it still run, is fenced.
  const uint64_t id = 7;
  const HashKey key = MakeHashKey(0, absl::MakeConstSpan(&id, 1), 8);
  EXPECT_EQ(CauseOf((*first)->core().Delete(epoch, key).status()),
            Cause::kNotOwner);
}

TEST_F(TableStateTest, AnotherSchemaIsRefusedAndBothAreNamed) {
  ASSERT_THAT(Claim(), IsOk());
  const auto other = Claim<Other>();
  EXPECT_EQ(CauseOf(other.status()), Cause::kSchemaMismatch);
  EXPECT_THAT(other.status().message(), HasSubstr("{id:u64,value:u64}"));
  EXPECT_THAT(other.status().message(), HasSubstr("{id:u64,text:str}"));
  EXPECT_THAT(Claim(), IsOk());
}

// Lookups are made for the rows that the schema promises.
TEST_F(TableStateTest, BucketsWithRowsOfAnotherLengthAreRefused) {
  ASSERT_THAT(Claim(), IsOk());
  auto arena = *Arena::Map(UniqueFd(dup(fd_.get())), ArenaAccess::kReadWrite);
  uint64_t* words = &HashGeometry::RootIn(*arena)->inline_words;
  ASSERT_EQ(LoadWord(words), 2);
  for (const uint64_t wrong : {0, 1, 3}) {
    StoreWord(words, wrong);
    EXPECT_EQ(CauseOf(Claim().status()), Cause::kCorrupt) << wrong;
  }
  StoreWord(words, 2);
  EXPECT_THAT(Claim(), IsOk());
}

TEST_F(TableStateTest, BytesThatAreNoTableAreRefused) {
  auto arena = *Arena::Map(UniqueFd(dup(fd_.get())), ArenaAccess::kReadWrite);
  StoreWord(&arena->header().bytes, 12345);
  EXPECT_EQ(CauseOf(Claim().status()), Cause::kCorrupt);
  EXPECT_EQ(CauseOf(TableState::MakeReader("items", ReadOnlyArena()).status()),
            Cause::kCorrupt);
}

TEST_F(TableStateTest, AReaderOfAnotherProcessWantsAnArenaForReading) {
  ASSERT_THAT(Claim(), IsOk());
  auto arena = *Arena::Map(UniqueFd(dup(fd_.get())), ArenaAccess::kReadWrite);
  EXPECT_EQ(CauseOf(TableState::MakeReader("items", std::move(arena)).status()),
            Cause::kBadOption);
}

TEST_F(TableStateTest, AReaderOfAnotherProcessMayNotWrite) {
  ASSERT_THAT(Claim(), IsOk());
  const auto reader = TableState::MakeReader("items", ReadOnlyArena());
  ASSERT_THAT(reader, IsOk());
  EXPECT_THAT((*reader)->CheckRead(kAnyEpoch), IsOk());
  EXPECT_EQ(CauseOf((*reader)->CheckWrite(kAnyEpoch)), Cause::kWriteProtected);
}

// And it looks where the table is now: where buckets have gone there may be no
// page any more.
TEST_F(TableStateTest, AReaderOfAnotherProcessBeginsWhereTheTableIsCutNow) {
  ASSERT_THAT(Claim(), IsOk());
  const auto reader = TableState::MakeReader("items", ReadOnlyArena());
  ASSERT_THAT(reader, IsOk());
  EXPECT_FALSE((*reader)->AllMayRead());
  const HashHomes& homes = (*reader)->core().reader().homes();
  const HashGeometry& geometry = (*reader)->core().geometry();
  const auto arena =
      *Arena::Map(UniqueFd(dup(fd_.get())), ArenaAccess::kReadWrite);
  for (const uint64_t image : {16, 4, 1}) {
    StoreWord(&HashGeometry::RootIn(*arena)->image, image);
    ASSERT_THAT((*reader)->CheckRead(kAnyEpoch), IsOk());
    EXPECT_EQ(homes.Of(15),
              geometry.BucketAt(geometry.BucketOffset(image - 1)));
  }
}

// A table that is large enough for huge pages, in each kind of memory that
// another process may have as well.
struct Pages {
  std::string name;
  bool from_pool;
  bool huge_pages;
};

class LargeTableTest : public ::testing::TestWithParam<Pages> {
 protected:
  static constexpr uint64_t kBytes = uint64_t{128} << 20;
  static constexpr uint64_t kRows = 600'000;

  std::shared_ptr<TableState> Claim() {
    return *TableState::Make(
        {.name = "items",
         .arena = *Arena::Map(UniqueFd(dup(fd_.get())), ArenaAccess::kReadWrite,
                              {.huge_pages = GetParam().huge_pages})},
        RowCodec<Item>::schema(), kKey);
  }
  // `id` is read when the key is used.
  static HashKey KeyIn(const TableState& table, const uint64_t& id) {
    return MakeHashKey(table.core().seed(), absl::MakeConstSpan(&id, 1), 8);
  }
  static void ExpectRows(TableState& table, uint64_t begin, uint64_t end) {
    ASSERT_THAT(table.CheckRead(kAnyEpoch), IsOk());
    RowBuffer row;
    for (uint64_t id = 0; id < kRows; id += 97) {
      const bool wanted = begin <= id && id < end;
      ASSERT_EQ(table.core().reader().Lookup(KeyIn(table, id), &row), wanted)
          << id;
      if (!wanted) continue;
      ASSERT_THAT(row, ::testing::ElementsAre(id, ~id));
    }
    ASSERT_EQ(table.core().reader().Size(), end - begin);
  }

  UniqueFd fd_;
};

TEST_P(LargeTableTest, RowsComeAndGoBesideAReaderOfAnotherProcess) {
  absl::StatusOr<UniqueFd> file = CreateArenaFile(
      "table_state_test", kBytes, {.huge_pages = GetParam().from_pool});
  if (!file.ok() && GetParam().from_pool) GTEST_SKIP() << file.status();
  ASSERT_THAT(file, IsOk());
  fd_ = *std::move(file);
  std::shared_ptr<TableState> owner = Claim();
  const auto reader = TableState::MakeReader(
      "items", *Arena::Map(*ReopenForReading(fd_), ArenaAccess::kReadOnly));
  ASSERT_THAT(reader, IsOk());
  for (int round = 0; round < 2; ++round) {
    for (uint64_t id = 0; id < kRows; ++id) {
      const uint64_t row[] = {id, ~id};
      ASSERT_THAT(owner->core().Insert(kAnyEpoch, KeyIn(*owner, id), row),
                  IsOk());
      if (id % 200'000 == 0) ExpectRows(**reader, 0, id + 1);
    }
    ExpectRows(**reader, 0, kRows);
    owner = Claim();  // as after a death
    ExpectRows(*owner, 0, kRows);
    for (uint64_t id = 0; id < kRows; ++id) {
      ASSERT_THAT(owner->core().Delete(kAnyEpoch, KeyIn(*owner, id)), IsOk());
      if (id % 200'000 == 0) ExpectRows(**reader, id + 1, kRows);
    }
    ExpectRows(**reader, kRows, kRows);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, LargeTableTest,
    ::testing::Values(Pages{"small", false, false},
                      Pages{"hugeIfTheMachineIsSetToIt", false, true},
                      Pages{"fromThePoolIfThereIsOne", true, true}),
    [](const auto& info) { return info.param.name; });

TEST_F(TableStateTest, PrivateMemoryHasTheSizeAndThePagesThatOneAskedFor) {
  for (const bool huge_pages : {false, true}) {
    const auto table = TableState::Make(
        {.name = "items", .max_bytes = 1 << 20, .huge_pages = huge_pages},
        RowCodec<Item>::schema(), kKey);
    ASSERT_THAT(table, IsOk());
    EXPECT_EQ((*table)->arena().bytes(), 1 << 20);
    EXPECT_EQ((*table)->arena().huge_pages(), huge_pages);
    EXPECT_FALSE((*table)->arena().shared());
  }
}

TEST_F(TableStateTest, OptionsThatMakeNoSenseAreRefused) {
  const auto cause = [](TableOptions options) {
    return CauseOf(
        TableState::Make(std::move(options), RowCodec<Item>::schema(), kKey)
            .status());
  };
  EXPECT_EQ(cause({.writers = 0}), Cause::kBadOption);
  EXPECT_EQ(cause({.writers = 1025}), Cause::kBadOption);
  EXPECT_EQ(cause({.max_bytes = 1}), Cause::kBadOption);
}

TEST_F(TableStateTest, ErrorsNameTheTableAndKeepTheirCause) {
  const auto table = Claim();
  ASSERT_THAT(table, IsOk());
  const absl::Status named =
      (*table)->Name(MakeStatus(Cause::kNoMemory, "it is full"));
  EXPECT_EQ(named.message(), "table 'items': it is full");
  EXPECT_EQ(CauseOf(named), Cause::kNoMemory);
  EXPECT_EQ((*table)->Name(absl::AbortedError("x")).code(),
            absl::StatusCode::kAborted);
  EXPECT_THAT((*table)->Name(absl::OkStatus()), IsOk());
  (*table)->set_name("things");
  EXPECT_EQ((*table)->Error(Cause::kCorrupt, "x").message(),
            "table 'things': x");
}

}  // namespace
}  // namespace ets_keeper
