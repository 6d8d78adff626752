// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: row_counter.h
// -----------------------------------------------------------------------------
//
// `RowCounter`: counting with one field of the rows of a table. Internal:
// `TableWriter::UpdateCounter()`.
//
//   using Visits = RowCounter<RowCodec<User>, &User::id, &User::visits>;
//   uint64_t word;
//   if (!Visits::TryCount(core, epoch, key.view(core.seed()), 1, &word)) {
//     absl::StatusOr<uint64_t> counted = Visits::Count(core, epoch, 7, 1);
//   }
//
// Thread safety: as writes.

#ifndef COMMON_TABLE_ROW_COUNTER_H_
#define COMMON_TABLE_ROW_COUNTER_H_

#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_key.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "common/table/counter.h"
#include "common/table/encoded.h"

namespace ets_keeper {

template <typename Codec, auto Key, auto Member>
class RowCounter {
 public:
  using KeyArg = typename Codec::template KeyArg<Key>;

  // RowCounter::TryCount()
  //
  // Adds to the word of the field and stores it in `word`, if that is all there
  // is to do; else returns false, with nothing changed.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static bool TryCount(
      HashCore& core, uint64_t epoch, const KeyView& key,
      const Increment& increment, uint64_t* word) {
    const uint64_t now = core.EpochFor(epoch);
    return IsSum(increment) &&
           core.TryAdd<kShape>(now, key, kNumber, increment.by, word);
  }

  // RowCounter::Count()
  //
  // The field's new word; where adding is not all, in a new row. Errors as
  // TableWriter::UpdateCounter().
  [[nodiscard]] static absl::StatusOr<uint64_t> Count(
      HashCore& core, uint64_t epoch, KeyArg key, const Increment& increment) {
    uint64_t word = 0;
    if (IsSum(increment)) {
      const LookupKey<Codec, Key> wanted(key);
      absl::Status status = core.Add<kShape>(epoch, wanted.view(core.seed()),
                                             kNumber, increment.by, &word);
      if (status.ok()) return word;
      if (CauseOf(status) != Cause::kOutOfRange) return status;
    }
    RowBuffer row;
    const auto change =
        [&](const HashCurrent& current) -> absl::StatusOr<HashAction> {
      if (!current.found()) {
        return MakeStatus(Cause::kKeyNotFound, "there is no row with this key");
      }
      row = current.Row();
      absl::Status status =
          IncrementWord(kField, row[kField.word], increment, &word);
      if (!status.ok()) return status;
      row[kField.word] = word;
      return HashAction::Put(row);
    };
    const TableKey<Codec, Key> stored(key);
    absl::Status status =
        core.Change(epoch, stored.hash_key(core.seed()), change);
    if (!status.ok()) return status;
    return word;
  }

  // RowCounter::CountFirst()
  //
  // Gives a row that is to be stored, as there is none with the key, that key,
  // and counts in it. `kOutOfRange`.
  template <typename Row>
  [[nodiscard]] static absl::Status CountFirst(KeyArg key,
                                               const Increment& increment,
                                               Row* row) {
    using Value = typename Codec::template FieldType<Member>;
    uint64_t word = 0;
    absl::Status status =
        IncrementWord(kField, Codec::template EncodeWord<Member>(row->*Member),
                      increment, &word);
    if (!status.ok()) return status;
    row->*Key = typename Codec::template FieldType<Key>(key);
    row->*Member = static_cast<Value>(word);
    return status;
  }

 private:
  static constexpr FieldLayout kField = Codec::template LayoutOf<Member>();
  static_assert(kField.is_integer(), "only integers can be counted");
  static_assert(kField.word != Codec::template LayoutOf<Key>().word,
                "the key of a row cannot be counted");
  static constexpr HashNumber kNumber = {.word = kField.word,
                                         .is_signed = kField.is_signed};
  static constexpr RowShape kShape = kShapeOf<Codec, Key>;

  // Whether adding is all that there is to do.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static bool IsSum(const Increment& increment) {
    return kField.width == 8 && !increment.threshold;
  }
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_ROW_COUNTER_H_
