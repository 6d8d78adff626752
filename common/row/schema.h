// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: schema.h
// -----------------------------------------------------------------------------
//
// `Schema` describes a row type without the type: the names and types of its
// fields, in order. It has a canonical text, which a table keeps beside its
// rows, and a fingerprint, by which two programs see that they mean the same.
//
//   const Schema& mine = RowCodec<User>::schema();
//   mine.text();  // "{id:u64,name:str,visits:i64}"
//   absl::StatusOr<Schema> theirs = Schema::Parse(text_found_in_the_arena);
//   if (theirs.ok() && *theirs == mine) { ... }  // the same rows
//
// The text, without white space:
//
//   schema   {NAME:TYPE,NAME:TYPE,...}         at least one field
//   TYPE     VALUE | opt<VALUE>
//   VALUE    SCALAR | [SCALAR;COUNT] | vec<SCALAR> | vec<str> | str
//   SCALAR   NUMBER | f32 | f64 | enum:NUMBER
//   NUMBER   bool | char | i8 | i16 | i32 | i64 | u8 | u16 | u32 | u64
//
// The name of the C++ type is no part of it, nor are the names of enumerators.
//
// Thread safety: a value; const members may be called from several threads.

#ifndef COMMON_ROW_SCHEMA_H_
#define COMMON_ROW_SCHEMA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/row/layout.h"
#include "common/row/value_type.h"

namespace ets_keeper {

// SchemaField
struct SchemaField {
  std::string name;
  ValueType type;
  FieldLayout layout;
};

// Schema
class Schema {
 public:
  // A field to make a schema from.
  struct NamedType {
    absl::string_view name;
    ValueType type;
  };

  // Schema::Schema()
  //
  // From a field list that is known to be good; `RowCodec` calls it.
  explicit Schema(absl::Span<const NamedType> fields);

  // Schema::Parse()
  //
  // From a text that may hold anything. kCorrupt, with the position, when it
  // is not the canonical text of a schema. Takes time and memory in proportion
  // to the text.
  [[nodiscard]] static absl::StatusOr<Schema> Parse(absl::string_view text);

  // Schema::text()
  //
  // `Parse()` turns it into an equal schema.
  [[nodiscard]] const std::string& text() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return text_;
  }

  // Schema::fingerprint()
  //
  // A hash of the encoding's version and the text, the same in every process
  // and build. Different fingerprints mean different schemas; equal ones mean
  // equal schemas unless somebody tries to make them collide.
  [[nodiscard]] uint64_t fingerprint() const { return fingerprint_; }

  // Schema::fields()
  //
  // In the order of the row.
  [[nodiscard]] absl::Span<const SchemaField> fields() const
      ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return fields_;
  }

  // Schema::Find()
  //
  // The field of that name, or nullptr. O(number of fields).
  [[nodiscard]] const SchemaField* Find(absl::string_view name) const
      ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // Schema::fixed_words()
  //
  // The length of the fixed part of every row, in words.
  [[nodiscard]] uint64_t fixed_words() const { return fixed_words_; }

  // Schema::is_fixed()
  //
  // Whether rows have no tail: each has exactly `fixed_words()` words then.
  [[nodiscard]] bool is_fixed() const { return is_fixed_; }

  // Schema::Check()
  //
  // Whether `row`, which may hold anything, is a row of this schema: kCorrupt,
  // naming the field, when it is not. Answers exactly what
  // `RowCodec::Check()` of such a type answers.
  [[nodiscard]] absl::Status Check(absl::Span<const uint64_t> row) const;

  friend bool operator==(const Schema& a, const Schema& b) {
    return a.text_ == b.text_;
  }

 private:
  std::vector<SchemaField> fields_;
  std::string text_;
  uint64_t fixed_words_ = 0;
  bool is_fixed_ = true;
  uint64_t fingerprint_ = 0;
};

}  // namespace ets_keeper

#endif  // COMMON_ROW_SCHEMA_H_
