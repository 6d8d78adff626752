// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: table.h
// -----------------------------------------------------------------------------
//
// Tables of typed rows with the semantics of an ETS `set`: one row a key. Three
// handles differ in what they may do:
//
//   * `Table<Row, &Row::key>`        the owner's: everything
//   * `TableWriter<Row, &Row::key>`  reads, and writes if the table is public
//   * `TableReader<Row, &Row::key>`  reads, unless the table is private
//
//   struct User {
//     uint64_t id = 0;
//     std::string name;
//     int64_t visits = 0;
//     static constexpr auto Fields() {
//       return FieldList(Field("id", &User::id), Field("name", &User::name),
//                        Field("visits", &User::visits));
//     }
//   };
//
//   Tables tables;
//   auto users = Table<User, &User::id>::New(tables, me, {.name = "users"});
//   absl::Status stored = users->Insert({7, "Ada", 0});
//   auto visits = users->UpdateCounter<&User::visits>(7, 1);
//   absl::StatusOr<std::optional<User>> ada = users->Lookup(7);
//
// Rows are values: copied in, copied out. An operation that fails has changed
// nothing; its status names the table and has a `Cause`:
//
//   kTableNotFound   the table was deleted, whatever has its name now
//   kNotOwner        the owner's handle, after the table changed hands
//   kReadProtected   the table is private, and the handle not its owner's
//   kWriteProtected  the table is not public, and the handle not its owner's
//   kNoMemory        the table, or the machine, is full
//   kBadRow          a field of 4 GiB or more
//   kCorrupt         the memory does not hold a table (any more)
//
// Thread safety: a handle may be used by several threads, and so may all
// handles of a table. Each operation is atomic and isolated; readers wait for
// nobody. Memory ordering: a write happens before every read that sees it.
//
// Lifetime: handles are values, cheap to copy; the table's memory lives as long
// as one of them. Destroying a handle does nothing to the table.
//
// It is not a map: nothing refers into the table, so there are no iterators and
// no references that a writer could invalidate.

#ifndef COMMON_TABLE_TABLE_H_
#define COMMON_TABLE_TABLE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_reader.h"
#include "common/pid/pid.h"
#include "common/row/layout.h"
#include "common/row/row.h"
#include "common/row/row_buffer.h"
#include "common/status/status.h"
#include "common/table/batch.h"
#include "common/table/counter.h"
#include "common/table/encoded.h"
#include "common/table/lookup_each.h"
#include "common/table/row_counter.h"
#include "common/table/row_element.h"
#include "common/table/row_write.h"
#include "common/table/table_options.h"
#include "common/table/table_state.h"
#include "common/table/tables.h"
#include "common/table/write_each.h"

namespace ets_keeper {

// TableReader
template <RowType Row, auto Key>
class TableReader {
 public:
  using Codec = RowCodec<Row>;
  using KeyArg = typename Codec::template KeyArg<Key>;
  using KeyType = typename Codec::template FieldType<Key>;

  // TableReader::Of()
  //
  // A typed handle with the right of `handle`. `kSchemaMismatch` unless the
  // table has rows of this type with this key.
  [[nodiscard]] static absl::StatusOr<TableReader> Of(TableHandle handle) {
    if (absl::Status s = CheckType(handle); !s.ok()) return s;
    return TableReader(std::move(handle));
  }

  // TableReader::Lookup()
  //
  // The row with the given key; nullopt if there is none. O(1).
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::StatusOr<std::optional<Row>>
  Lookup(KeyArg key) const {
    // One object, made where the caller wants it: a copy right behind the
    // stores of its words would wait for them.
    absl::StatusOr<std::optional<Row>> row(std::in_place);
    const HashCore& core = this->core();
    if (absl::Status s = CheckRead(); ABSL_PREDICT_FALSE(!s.ok())) {
      row = std::move(s);
      return row;
    }
    const Wanted wanted(key);
    const KeyView view = wanted.view(core.seed());
    FoundRow<Codec, Key> words;
    const Found found = words.Lookup(core.reader(), view);
    if (found == Found::kNo) return row;
    if (ABSL_PREDICT_FALSE(found != Found::kYes ||
                           !words.Decode(view, row->emplace()))) {
      const absl::StatusOr<bool> slowly = LookupRest(key, row->emplace());
      if (!slowly.ok()) {
        row = slowly.status();
      } else if (!*slowly) {
        row->reset();
      }
    }
    return row;
  }

  // TableReader::LookupInto()
  //
  // The same, into a row that the caller has, whose strings and vectors keep
  // their memory; returns whether there is one. If there is none, or at an
  // error, `row` is as it was.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::StatusOr<bool> LookupInto(
      KeyArg key, Row& row) const {
    const HashCore& core = this->core();
    if (absl::Status s = CheckRead(); !s.ok()) return s;
    const Wanted wanted(key);
    const KeyView view = wanted.view(core.seed());
    FoundRow<Codec, Key> words;
    const Found found = words.Lookup(core.reader(), view);
    if (found == Found::kNo) return false;
    if (ABSL_PREDICT_TRUE(found == Found::kYes && words.Decode(view, row))) {
      return true;
    }
    return LookupRest(key, row);
  }

  // TableReader::LookupEach()
  //
  // Looks many keys up at once, with their memory accesses going on side by
  // side, and calls `visit(i, row)` for the i-th key, in order: null if it has
  // no row. Each key is seen at a moment of its own, as by as many lookups.
  // `visit` may use the table. O(1) a key; much faster than single lookups when
  // the table is larger than the processor's caches.
  template <std::invocable<size_t, const Row*> Visit>
  [[nodiscard]] absl::Status LookupEach(absl::Span<const KeyType> keys,
                                        Visit&& visit) const {
    return LookupAll(keys, visit);
  }
  template <std::invocable<size_t, const Row*> Visit>
  [[nodiscard]] absl::Status LookupEach(absl::Span<const KeyArg> keys,
                                        Visit&& visit) const
      requires(!std::is_same_v<KeyArg, KeyType>) {
    return LookupAll(keys, visit);
  }
  // Of keys in braces, which could be of either kind.
  template <std::invocable<size_t, const Row*> Visit>
  [[nodiscard]] absl::Status LookupEach(std::initializer_list<KeyArg> keys,
                                        Visit&& visit) const
      requires(!std::is_same_v<KeyArg, KeyType>) {
    return LookupAll(absl::MakeConstSpan(keys.begin(), keys.size()), visit);
  }

  // TableReader::LookupElement()
  //
  // One field of the row; `kKeyNotFound` if there is no row. O(size of row).
  template <auto Member>
  [[nodiscard]] absl::StatusOr<typename Codec::template FieldType<Member>>
  LookupElement(KeyArg key) const {
    if constexpr (Codec::template LayoutOf<Member>() !=
                  Codec::template LayoutOf<Key>()) {
      const HashCore& core = this->core();
      if (absl::Status s = CheckRead(); !s.ok()) return s;
      const Wanted wanted(key);
      typename Codec::template FieldType<Member> value;
      FoundRow<Codec, Key> words;
      if (ABSL_PREDICT_TRUE(
              words.Lookup(core.reader(), wanted.view(core.seed())) ==
                  Found::kYes &&
              words.template DecodeField<Member>(value))) {
        return value;
      }
    }
    absl::StatusOr<std::optional<Row>> row = Lookup(key);
    if (!row.ok()) return row.status();
    if (!row->has_value()) return KeyNotFound(key);
    return std::move((**row).*Member);
  }

  // TableReader::Member()
  //
  // Whether there is a row with the given key. O(1).
  [[nodiscard]] absl::StatusOr<bool> Member(KeyArg key) const {
    if (absl::Status s = CheckRead(); !s.ok()) return s;
    const Wanted wanted(key);
    const KeyView view = wanted.view(core().seed());
    if constexpr (FoundRow<Codec, Key>::kIsInline) {
      // A copy is no more work here than to leave the words where they are.
      FoundRow<Codec, Key> words;
      return words.Lookup(core().reader(), view) == Found::kYes;
    } else {
      return core()
          .reader()
          .template MemberRecord<Codec::template KeyPlaceOf<Key>()>(view);
    }
  }

  // TableReader::ForEach()
  //
  // Calls `visit` with every row. A row that is there all the while is visited
  // exactly once, also if the table grows meanwhile; one that comes or goes may
  // be visited or not. `visit` may use the table. O(size of the table).
  [[nodiscard]] absl::Status ForEach(
      absl::FunctionRef<void(const Row&)> visit) const {
    HashCursor cursor;
    std::vector<RowBuffer> rows;
    Row row;  // one for all, whose strings have room after the first few
    for (;;) {
      if (absl::Status s = CheckRead(); !s.ok()) return s;
      if (!core().reader().Scan(&cursor, &rows)) return absl::OkStatus();
      for (const RowBuffer& words : rows) {
        if (absl::Status s = Codec::Decode(words, row); !s.ok()) {
          return Named(s);
        }
        visit(row);
      }
    }
  }

  // TableReader::Size()
  //
  // The number of rows. O(writers).
  [[nodiscard]] absl::StatusOr<uint64_t> Size() const {
    if (absl::Status s = CheckRead(); !s.ok()) return s;
    return core().reader().Size();
  }

  [[nodiscard]] TableId id() const { return handle_.id(); }
  [[nodiscard]] std::string name() const { return handle_.name(); }

  // The untyped handle, which `Tables` takes.
  [[nodiscard]] const TableHandle& handle() const { return handle_; }

 protected:
  explicit TableReader(TableHandle handle) : handle_(std::move(handle)) {}

  static absl::Status CheckType(const TableHandle& handle) {
    return handle.state().CheckSchema(Codec::schema(),
                                      Codec::template KeyLayoutOf<Key>());
  }

  // What an operation needs of this handle it asks for before the check, which
  // no load passes: afterwards it would be loaded once more.
  ABSL_ATTRIBUTE_ALWAYS_INLINE HashCore& core() const {
    return handle_.state().core();
  }
  uint64_t epoch() const { return handle_.epoch(); }
  ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status CheckRead() const {
    if (ABSL_PREDICT_TRUE(handle_.state().AllMayRead())) {
      return absl::OkStatus();
    }
    return handle_.state().CheckRead(epoch());
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status CheckWrite() const {
    if (ABSL_PREDICT_TRUE(handle_.is_owner() &&
                          handle_.state().AllOwnersMayWrite())) {
      return absl::OkStatus();
    }
    return handle_.state().CheckWrite(epoch());
  }
  absl::Status Named(const absl::Status& status) const {
    if (ABSL_PREDICT_TRUE(status.ok())) return status;
    return handle_.state().Name(status);
  }

  // What a key is to the core.
  using Wanted = LookupKey<Codec, Key>;

  using Found = HashReader::Found;
  absl::StatusOr<bool> LookupRest(KeyArg key, Row& row) const {
    absl::StatusOr<bool> found =
        LookupSlowly<Row, Key>(core().reader(), core().seed(), key, row);
    if (!found.ok()) return Named(found.status());
    return found;
  }

  template <typename AnyKey, typename Visit>
  absl::Status LookupAll(absl::Span<const AnyKey> keys, Visit& visit) const {
    if (absl::Status s = CheckRead(); !s.ok()) return s;
    return Named(LookupEachIn<Row, Key>(core(), keys, visit));
  }

  absl::Status KeyNotFound(KeyArg key) const {
    std::string text = "there is no row with this key";
    if constexpr (requires { absl::StrCat(key); }) {
      text = absl::StrCat("there is no row with the key ", key);
    }
    return handle_.state().Error(Cause::kKeyNotFound, text);
  }

 private:
  TableHandle handle_;
};

// TableWriter
template <RowType Row, auto Key>
class TableWriter : public TableReader<Row, Key> {
  using Reader = TableReader<Row, Key>;

 public:
  using Codec = typename Reader::Codec;
  using KeyArg = typename Reader::KeyArg;
  using KeyType = typename Reader::KeyType;
  using Wanted = typename Reader::Wanted;
  template <auto Member>
  using FieldType = typename Codec::template FieldType<Member>;

  [[nodiscard]] static absl::StatusOr<TableWriter> Of(TableHandle handle) {
    if (absl::Status s = Reader::CheckType(handle); !s.ok()) return s;
    return TableWriter(std::move(handle));
  }

  // TableWriter::Insert()
  //
  // Stores the row in place of the one with the same key, if any; or all of
  // `rows`, or none: nobody sees a part of them. Of two rows with the same key
  // the later one counts. O(1) a row.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Insert(
      const Row& row) const {
    HashCore& core = this->core();
    const uint64_t epoch = this->epoch();
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    return this->Named(RowWrite<Row, Key>::Insert(core, epoch, row));
  }
  [[nodiscard]] absl::Status Insert(absl::Span<const Row> rows) const {
    Batch<Row, Key> batch;
    for (const Row& row : rows) batch.Insert(row);
    return Apply(batch);
  }

  // TableWriter::InsertEach()
  //
  // Stores the rows one by one, each as by `Insert()`, with their memory
  // accesses going on side by side. At the first error it ends; the rows before
  // are stored. O(1) a row.
  [[nodiscard]] absl::Status InsertEach(absl::Span<const Row> rows) const {
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    RowWords<Codec> words;
    return this->Named(WriteEachIn<Codec, Key>(
        this->core(), rows.size(),
        [&](size_t i) -> KeyArg { return rows[i].*Key; },
        [&](size_t i, const KeyView& key) {
          if (absl::Status s = words.Encode(rows[i]); !s.ok()) return s;
          return this->core().template Insert<kShape>(this->epoch(), key,
                                                      words.words());
        }));
  }

  // TableWriter::InsertNew()
  //
  // The same if there is no row with the key, or any of the keys; else returns
  // false and stores nothing.
  [[nodiscard]] absl::StatusOr<bool> InsertNew(const Row& row) const {
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    absl::StatusOr<bool> inserted =
        RowWrite<Row, Key>::InsertNew(this->core(), this->epoch(), row);
    if (!inserted.ok()) return this->Named(inserted.status());
    return inserted;
  }
  [[nodiscard]] absl::StatusOr<bool> InsertNew(
      absl::Span<const Row> rows) const {
    Batch<Row, Key> batch;
    for (const Row& row : rows) batch.InsertNew(row);
    const absl::Status status = Apply(batch);
    if (CauseOf(status) == Cause::kKeyExists) return false;
    if (!status.ok()) return status;
    return true;
  }

  // TableWriter::Delete()
  //
  // Removes the row, if there is one. O(1).
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::Status Delete(
      KeyArg key) const {
    HashCore& core = this->core();
    const uint64_t epoch = this->epoch();
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    return this->Named(RowWrite<Row, Key>::Delete(core, epoch, key));
  }

  // TableWriter::Take()
  //
  // Removes the row and returns it; nullopt if there is none. O(1).
  [[nodiscard]] absl::StatusOr<std::optional<Row>> Take(KeyArg key) const {
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    RowBuffer words;
    const absl::StatusOr<bool> found = this->core().template Take<kShape>(
        this->epoch(), Wanted(key).view(this->core().seed()), &words);
    if (!found.ok()) return this->Named(found.status());
    if (!*found) return std::optional<Row>();
    std::optional<Row> row(std::in_place);
    if (absl::Status s = Codec::Decode(words, *row); !s.ok()) {
      return this->Named(s);
    }
    return row;
  }

  // TableWriter::UpdateCounter()
  //
  // Adds to an integer field, in place, and returns its new value.
  // `kKeyNotFound` if there is no row, `kOutOfRange` if the field cannot hold
  // the result. With `otherwise`: if there is no row, that one is stored, under
  // `key`, and then counted. O(1).
  template <auto Member>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE absl::StatusOr<FieldType<Member>>
  UpdateCounter(KeyArg key, const Increment& increment) const {
    HashCore& core = this->core();
    const uint64_t epoch = this->epoch();
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    const Wanted wanted(key);
    uint64_t word;
    if (ABSL_PREDICT_TRUE(Counter<Member>::TryCount(
            core, epoch, wanted.view(core.seed()), increment, &word))) {
      return static_cast<FieldType<Member>>(word);
    }
    return CountSlowly<Member>(key, increment.by, increment.threshold,
                               increment.set_to);
  }
  template <auto Member>
  [[nodiscard]] absl::StatusOr<FieldType<Member>> UpdateCounter(
      KeyArg key, const Increment& increment, Row otherwise) const {
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    for (;;) {
      uint64_t word;
      if (Counter<Member>::TryCount(this->core(), this->epoch(),
                                    Wanted(key).view(this->core().seed()),
                                    increment, &word)) {
        return static_cast<FieldType<Member>>(word);
      }
      Row row = otherwise;
      absl::Status first = Counter<Member>::CountFirst(key, increment, &row);
      if (first.ok()) {
        const absl::StatusOr<bool> stored = InsertNew(row);
        if (!stored.ok()) return stored.status();
        if (*stored) return row.*Member;
      }
      const absl::StatusOr<FieldType<Member>> counted = CountSlowly<Member>(
          key, increment.by, increment.threshold, increment.set_to);
      if (counted.ok() || CauseOf(counted.status()) != Cause::kKeyNotFound) {
        return counted;
      }
      // Unless it is the first one that is wrong, the row has just gone.
      if (!first.ok()) return this->Named(first);
    }
  }

  // TableWriter::UpdateCounterEach()
  //
  // The same for many keys, one by one, with their memory accesses going on
  // side by side. At the first error it ends; the counters before are changed.
  template <auto Member>
  [[nodiscard]] absl::Status UpdateCounterEach(
      absl::Span<const KeyType> keys, const Increment& increment) const {
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    return WriteEachIn<Codec, Key>(
        this->core(), keys.size(), [&](size_t i) -> KeyArg { return keys[i]; },
        [&](size_t i, const KeyView& key) -> absl::Status {
          uint64_t word;
          if (ABSL_PREDICT_TRUE(Counter<Member>::TryCount(
                  this->core(), this->epoch(), key, increment, &word))) {
            return absl::OkStatus();
          }
          return CountSlowly<Member>(keys[i], increment.by, increment.threshold,
                                     increment.set_to)
              .status();
        });
  }

  // TableWriter::UpdateElement()
  //
  // Replaces one field of the row, which must not be the key; returns whether
  // there is a row. O(1) for a scalar, which is replaced in its place, else
  // O(size of the row).
  template <auto Member>
  [[nodiscard]] absl::StatusOr<bool> UpdateElement(
      KeyArg key, const FieldType<Member>& value) const {
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    absl::StatusOr<bool> found = RowElement<Row, Key, Member>::Set(
        this->core(), this->epoch(), key, value);
    if (!found.ok()) return this->Named(found.status());
    return found;
  }

  // TableWriter::Apply()
  //
  // Performs all of the batch, or nothing: also for readers, who see all of it
  // once they have seen a part, and for a process that is killed meanwhile.
  // Errors are those of its operations. O(k log k) for k operations.
  [[nodiscard]] absl::Status Apply(const Batch<Row, Key>& batch) const {
    if (absl::Status s = this->CheckWrite(); !s.ok()) return s;
    return this->Named(batch.ApplyTo(this->core(), this->epoch()));
  }

 protected:
  explicit TableWriter(TableHandle handle) : Reader(std::move(handle)) {}

 private:
  static constexpr RowShape kShape = kShapeOf<Codec, Key>;
  template <auto Member>
  using Counter = RowCounter<Codec, Key, Member>;

  // Gets copies, so that the caller's need not be in memory.
  template <auto Member>
  ABSL_ATTRIBUTE_NOINLINE absl::StatusOr<FieldType<Member>> CountSlowly(
      KeyArg key, int64_t by, std::optional<int64_t> threshold,
      int64_t set_to) const {
    Increment increment = by;
    increment.threshold = threshold;
    increment.set_to = set_to;
    const absl::StatusOr<uint64_t> word =
        Counter<Member>::Count(this->core(), this->epoch(), key, increment);
    if (word.ok()) return static_cast<FieldType<Member>>(*word);
    if (CauseOf(word.status()) == Cause::kKeyNotFound) {
      return this->KeyNotFound(key);
    }
    return this->Named(word.status());
  }
};

// Table
template <RowType Row, auto Key>
class Table : public TableWriter<Row, Key> {
  using Reader = TableReader<Row, Key>;
  using Writer = TableWriter<Row, Key>;

 public:
  using Codec = typename Writer::Codec;

  // Table::New()
  //
  // A new table that `owner` owns. Errors as Tables::Create().
  [[nodiscard]] static absl::StatusOr<Table> New(Tables& tables, Pid owner,
                                                 TableOptions options) {
    absl::StatusOr<TableHandle> handle =
        tables.Create(owner, std::move(options), Codec::schema(),
                      Codec::template KeyLayoutOf<Key>());
    if (!handle.ok()) return handle.status();
    return Table(*std::move(handle));
  }

  // Table::Of()
  //
  // As TableReader::Of(); `kNotOwner` if the handle was not made for an owner.
  [[nodiscard]] static absl::StatusOr<Table> Of(TableHandle handle) {
    if (absl::Status s = Reader::CheckType(handle); !s.ok()) return s;
    if (!handle.is_owner()) {
      return handle.state().Error(Cause::kNotOwner,
                                  "the handle is not its owner's");
    }
    return Table(std::move(handle));
  }

 private:
  explicit Table(TableHandle handle) : Writer(std::move(handle)) {}
};

}  // namespace ets_keeper

#endif  // COMMON_TABLE_TABLE_H_
