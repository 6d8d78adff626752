// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: row_write.h
// -----------------------------------------------------------------------------
//
// `RowWrite`: storing and removing rows of a table. Internal:
// `TableWriter::Insert()`, `InsertNew()` and `Delete()`.
//
//   using Write = RowWrite<User, &User::id>;
//   absl::Status stored = Write::Insert(core, epoch, {7, "Ada", 0});
//   absl::Status removed = Write::Delete(core, epoch, 7);
//
// Rows in buckets are tried the short way first. What that cannot do is a call
// that gets copies, so that key and row need not be in memory before.
//
// Thread safety: as writes.

#ifndef COMMON_TABLE_ROW_WRITE_H_
#define COMMON_TABLE_ROW_WRITE_H_

#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/hash/hash_core.h"
#include "common/row/row.h"
#include "common/table/encoded.h"

namespace ets_keeper {

template <typename Row, auto Key>
class RowWrite {
 public:
  using Codec = RowCodec<Row>;
  using KeyArg = typename Codec::template KeyArg<Key>;

  // RowWrite::Insert(), RowWrite::InsertNew(), RowWrite::Delete()
  //
  // Errors as those of TableWriter.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::Status Insert(
      HashCore& core, uint64_t epoch, const Row& row) {
    if constexpr (kIsInline) {
      const uint64_t now = core.EpochFor(epoch);
      RowWords<Codec> words;
      words.EncodeFixed(row);
      const LookupKey<Codec, Key> key(row.*Key);
      if (ABSL_PREDICT_TRUE(core.template TryInsert<kShape>(
              now, key.view(core.seed()), words.words().data()))) {
        return absl::OkStatus();
      }
      return InsertCopy(core, epoch, row);
    } else {
      return InsertSlowly(core, epoch, row);
    }
  }
  [[nodiscard]] static absl::StatusOr<bool> InsertNew(HashCore& core,
                                                      uint64_t epoch,
                                                      const Row& row) {
    const LookupKey<Codec, Key> key(row.*Key);
    const KeyView view = key.view(core.seed());
    RowWords<Codec> words;
    if (absl::Status s = Encode(core, view, row, words); !s.ok()) return s;
    return core.template InsertNew<kShape>(epoch, view, words.words());
  }
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::Status Delete(
      HashCore& core, uint64_t epoch, KeyArg key) {
    if constexpr (kIsInline) {
      const uint64_t now = core.EpochFor(epoch);
      const LookupKey<Codec, Key> wanted(key);
      if (ABSL_PREDICT_TRUE(
              core.template TryDelete<kShape>(now, wanted.view(core.seed())) !=
              HashCore::Found::kRetry)) {
        return absl::OkStatus();
      }
    }
    return DeleteSlowly(core, epoch, key);
  }

 private:
  static constexpr bool kIsInline = FoundRow<Codec, Key>::kIsInline;
  static constexpr RowShape kShape = kShapeOf<Codec, Key>;

  ABSL_ATTRIBUTE_NOINLINE static absl::Status InsertCopy(HashCore& core,
                                                         uint64_t epoch,
                                                         Row row) {
    return InsertSlowly(core, epoch, row);
  }
  static absl::Status InsertSlowly(HashCore& core, uint64_t epoch,
                                   const Row& row) {
    const LookupKey<Codec, Key> key(row.*Key);
    const KeyView view = key.view(core.seed());
    RowWords<Codec> words;
    if (absl::Status s = Encode(core, view, row, words); !s.ok()) return s;
    return core.template Insert<kShape>(epoch, view, words.words());
  }
  // Of a row that is a record the bucket comes meanwhile.
  static absl::Status Encode(const HashCore& core, const KeyView& key,
                             const Row& row, RowWords<Codec>& words) {
    if constexpr (!kIsInline) core.reader().PrefetchBucket(key.hash);
    return words.Encode(row);
  }
  ABSL_ATTRIBUTE_NOINLINE static absl::Status DeleteSlowly(HashCore& core,
                                                           uint64_t epoch,
                                                           KeyArg key) {
    const LookupKey<Codec, Key> wanted(key);
    return core.template Delete<kShape>(epoch, wanted.view(core.seed()))
        .status();
  }
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_ROW_WRITE_H_
