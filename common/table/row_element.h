// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: row_element.h
// -----------------------------------------------------------------------------
//
// `RowElement`: replacing one field of the rows of a table. Internal:
// `TableWriter::UpdateElement()`.
//
//   using Name = RowElement<User, &User::id, &User::name>;
//   absl::StatusOr<bool> found = Name::Set(core, epoch, 7, "Ada");
//
// Thread safety: as writes.
//
// A scalar is one word, which is replaced in its place; of any other field the
// row is made anew.

#ifndef COMMON_TABLE_ROW_ELEMENT_H_
#define COMMON_TABLE_ROW_ELEMENT_H_

#include <cstdint>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/hash/hash_core.h"
#include "common/row/layout.h"
#include "common/row/row.h"
#include "common/row/row_buffer.h"
#include "common/table/encoded.h"

namespace ets_keeper {

template <RowType Row, auto Key, auto Member>
class RowElement {
 public:
  using Codec = RowCodec<Row>;
  using KeyArg = typename Codec::template KeyArg<Key>;
  using Value = typename Codec::template FieldType<Member>;

  // RowElement::Set()
  //
  // Whether there is a row. Errors as TableWriter::UpdateElement().
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::StatusOr<bool> Set(
      HashCore& core, uint64_t epoch, KeyArg key, const Value& value) {
    if constexpr (kField.kind == FieldKind::kWord) {
      const LookupKey<Codec, Key> wanted(key);
      if (core.TrySet<kShapeOf<Codec, Key>>(
              core.EpochFor(epoch), wanted.view(core.seed()), kField.word,
              Codec::template EncodeWord<Member>(value))) {
        return true;
      }
    }
    return Change(core, epoch, key, value);
  }

 private:
  static constexpr FieldLayout kField = Codec::template LayoutOf<Member>();
  static_assert(kField.word != Codec::template LayoutOf<Key>().word,
                "the key of a row cannot be changed");

  static absl::StatusOr<bool> Change(HashCore& core, uint64_t epoch, KeyArg key,
                                     const Value& value) {
    RowBuffer words;
    bool found = false;
    const auto change =
        [&](const HashCurrent& current) -> absl::StatusOr<HashAction> {
      found = current.found();
      if (!found) return HashAction::Keep();
      Row row;
      absl::Status status = Codec::Decode(current.Row(), row);
      row.*Member = value;
      if (status.ok()) status = Codec::Encode(row, words);
      if (!status.ok()) return status;
      return HashAction::Put(words);
    };
    const TableKey<Codec, Key> stored(key);
    const absl::Status status =
        core.Change(epoch, stored.hash_key(core.seed()), change);
    if (!status.ok()) return status;
    return found;
  }
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_ROW_ELEMENT_H_
