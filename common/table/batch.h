// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: batch.h
// -----------------------------------------------------------------------------
//
// `Batch` collects operations on several rows of one table, which
// `TableWriter::Apply()` performs as one.
//
//   Batch<Account, &Account::id> transfer;
//   transfer.UpdateCounter<&Account::cents>(1, -500, Account{.id = 1});
//   transfer.UpdateCounter<&Account::cents>(2, +500, Account{.id = 2});
//   absl::Status done = accounts.Apply(transfer);
//
// The operations are performed in their order; each sees those before it.
//
// Thread safety: none; a Batch belongs to one thread.

#ifndef COMMON_TABLE_BATCH_H_
#define COMMON_TABLE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_key.h"
#include "common/row/row.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "common/table/counter.h"

namespace ets_keeper {

template <RowType Row, auto Key>
class Batch {
 public:
  using Codec = RowCodec<Row>;
  using KeyArg = typename Codec::template KeyArg<Key>;

  // Batch::Insert(), Batch::InsertNew()
  //
  // Stores the row. `InsertNew()` fails the batch with `kKeyExists` if there
  // was a row with that key before the batch.
  void Insert(const Row& row) { AddRow(row, Kind::kInsert); }
  void InsertNew(const Row& row) { AddRow(row, Kind::kInsertNew); }

  // Batch::Delete()
  //
  // Removes the row, if there is one.
  void Delete(KeyArg key) {
    Operation& operation = operations_.emplace_back();
    operation.kind = Kind::kDelete;
    operation.key = Codec::template EncodeKey<Key>(key);
  }

  // Batch::UpdateCounter()
  //
  // Adds to an integer field; if there is no row, `otherwise` is stored under
  // `key` and counted. `result`, if not null, gets the word of the field when
  // the batch is performed, and must live until then. Fails the batch with
  // `kOutOfRange`.
  template <auto Member>
  void UpdateCounter(KeyArg key, Increment increment, Row otherwise,
                     uint64_t* result = nullptr) {
    otherwise.*Key = typename Codec::template FieldType<Key>(key);
    AddRow(otherwise, Kind::kCount);
    Operation& operation = operations_.back();
    operation.field = CounterLayout<Member>();
    operation.increment = increment;
    operation.result = result;
  }

  [[nodiscard]] size_t size() const { return operations_.size(); }
  [[nodiscard]] bool empty() const { return operations_.empty(); }
  void Clear() {
    operations_.clear();
    status_ = absl::OkStatus();
  }

  // The layout of a field that can be counted.
  template <auto Member>
  [[nodiscard]] static constexpr FieldLayout CounterLayout() {
    constexpr FieldLayout kField = Codec::template LayoutOf<Member>();
    static_assert(kField.is_integer(), "only integers can be counted");
    static_assert(kField.word != Codec::template LayoutOf<Key>().word,
                  "the key of a row cannot be counted");
    return kField;
  }

  // Batch::ApplyTo()
  //
  // For TableWriter: performs the batch. It may be applied again.
  [[nodiscard]] absl::Status ApplyTo(HashCore& core, uint64_t epoch) const {
    if (!status_.ok()) return status_;
    std::vector<HashCore::KeyedChange> changes;
    changes.reserve(operations_.size());
    for (const Operation& operation : operations_) {
      const EncodedKey& key = operation.key;
      changes.push_back(
          {MakeHashKey(core.seed(), key.words, key.bytes), operation});
    }
    return core.ChangeAll(epoch, changes);
  }

 private:
  enum class Kind { kInsert, kInsertNew, kDelete, kCount };

  struct Operation {
    Kind kind = Kind::kInsert;
    EncodedKey key;
    RowBuffer row;  // to insert; for kCount, if there is none
    FieldLayout field;
    Increment increment;
    uint64_t* result = nullptr;
    mutable RowBuffer counted = {};  // what a call made of the row

    absl::StatusOr<HashAction> operator()(const HashCurrent& current) const {
      switch (kind) {
        case Kind::kInsert:
          return HashAction::Put(row);
        case Kind::kInsertNew:
          if (!current.found_before()) return HashAction::Put(row);
          return MakeStatus(Cause::kKeyExists,
                            "there is a row with the key already");
        case Kind::kDelete:
          return HashAction::Remove();
        case Kind::kCount:
          return Count(current);
      }
      return HashAction::Keep();
    }

    absl::StatusOr<HashAction> Count(const HashCurrent& current) const {
      counted = current.found() ? current.Row() : row;
      if (field.word >= counted.size()) {
        return MakeStatus(Cause::kCorrupt, "a row is too short");
      }
      uint64_t& word = counted[field.word];
      absl::Status status = IncrementWord(field, word, increment, &word);
      if (!status.ok()) return status;
      if (result != nullptr) *result = word;
      return HashAction::Put(counted);
    }
  };

  void AddRow(const Row& row, Kind kind) {
    Operation& operation = operations_.emplace_back();
    operation.kind = kind;
    status_.Update(Codec::Encode(row, operation.row));
    operation.key = Codec::template EncodeKey<Key>(row.*Key);
  }

  std::vector<Operation> operations_;
  absl::Status status_;  // of the first row that could not be encoded
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_BATCH_H_
