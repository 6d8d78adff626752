// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/schema.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "common/row/encoding.h"
#include "common/row/fields.h"
#include "common/row/layout.h"
#include "common/row/value_type.h"
#include "common/status/status.h"

namespace ets_keeper {
namespace {

using Shape = ValueType::Shape;

// In the order of the enumeration.
constexpr absl::string_view kScalarNames[] = {"bool", "char", "i8",  "i16",
                                              "i32",  "i64",  "u8",  "u16",
                                              "u32",  "u64",  "f32", "f64"};
static_assert(std::size(kScalarNames) ==
              static_cast<size_t>(ScalarType::kF64) + 1);

bool IsFloat(ScalarType scalar) {
  return scalar == ScalarType::kF32 || scalar == ScalarType::kF64;
}

std::string ScalarText(const ValueType& type) {
  return absl::StrCat(type.is_enum ? "enum:" : "",
                      kScalarNames[static_cast<size_t>(type.scalar)]);
}

std::string ValueText(const ValueType& type) {
  switch (type.shape) {
    case Shape::kScalar:
      return ScalarText(type);
    case Shape::kArray:
      return absl::StrCat("[", ScalarText(type), ";", type.count, "]");
    case Shape::kVector:
      return absl::StrCat("vec<", ScalarText(type), ">");
    case Shape::kString:
      return "str";
    case Shape::kStringVector:
      return "vec<str>";
  }
  return "";
}

std::string TypeText(const ValueType& type) {
  return type.is_optional ? absl::StrCat("opt<", ValueText(type), ">")
                          : ValueText(type);
}

// FNV-1a with 64 bits: Fowler, Noll, Vo, Eastlake, Hansen, "The FNV
// Non-Cryptographic Hash Algorithm", RFC 9923.
uint64_t Fnv1a(absl::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

// The functions below parse a whole text; nullopt when it is something else.

std::optional<ValueType> ParseScalar(absl::string_view text) {
  const bool is_enum = absl::ConsumePrefix(&text, "enum:");
  for (size_t i = 0; i < std::size(kScalarNames); ++i) {
    if (text != kScalarNames[i]) continue;
    const ScalarType scalar = static_cast<ScalarType>(i);
    if (is_enum && IsFloat(scalar)) return std::nullopt;
    return ValueType{.scalar = scalar, .is_enum = is_enum};
  }
  return std::nullopt;
}

std::optional<ValueType> ParseArray(absl::string_view text) {
  const size_t semicolon = text.find(';');
  if (semicolon == absl::string_view::npos) return std::nullopt;
  std::optional<ValueType> type = ParseScalar(text.substr(0, semicolon));
  const absl::string_view digits = text.substr(semicolon + 1);
  uint32_t count;
  if (!type.has_value() || !absl::SimpleAtoi(digits, &count) || count == 0 ||
      count > kMaxArrayCount || digits != absl::StrCat(count)) {
    return std::nullopt;
  }
  type->shape = Shape::kArray;
  type->count = count;
  return type;
}

std::optional<ValueType> ParseVector(absl::string_view element) {
  if (element == "str") return ValueTypeOf<std::vector<std::string>>();
  std::optional<ValueType> type = ParseScalar(element);
  if (type.has_value()) type->shape = Shape::kVector;
  return type;
}

std::optional<ValueType> ParseValue(absl::string_view text) {
  if (text == "str") return ValueTypeOf<std::string>();
  absl::string_view inner = text;
  if (absl::ConsumePrefix(&inner, "[") && absl::ConsumeSuffix(&inner, "]")) {
    return ParseArray(inner);
  }
  inner = text;
  if (absl::ConsumePrefix(&inner, "vec<") && absl::ConsumeSuffix(&inner, ">")) {
    return ParseVector(inner);
  }
  return ParseScalar(text);
}

std::optional<ValueType> ParseType(absl::string_view text) {
  absl::string_view inner = text;
  if (!absl::ConsumePrefix(&inner, "opt<") ||
      !absl::ConsumeSuffix(&inner, ">")) {
    return ParseValue(text);
  }
  std::optional<ValueType> type = ParseValue(inner);
  if (type.has_value()) type->is_optional = true;
  return type;
}

absl::Status BadText(size_t position, absl::string_view problem) {
  return MakeStatus(Cause::kCorrupt, absl::StrCat("schema text at byte ",
                                                  position, ": ", problem));
}

// Collects the fields of a schema that may be bad.
class FieldParser {
 public:
  // Adds the field in `text`, which starts at `position` of the whole.
  absl::Status Add(absl::string_view text, size_t position) {
    const size_t colon = text.find(':');
    const absl::string_view name = text.substr(0, colon);
    if (!row_internal::IsFieldName(name)) {
      return BadText(position, "no field name");
    }
    if (colon == absl::string_view::npos) {
      return BadText(position + text.size(), "no type");
    }
    const std::optional<ValueType> type = ParseType(text.substr(colon + 1));
    if (!type.has_value()) {
      return BadText(position + colon + 1, "unknown type");
    }
    if (!names_.insert(name).second) {
      return BadText(position, "two fields of one name");
    }
    words_ += FixedWordsOf(*type);
    if (words_ > kMaxRowWords) return BadText(position, "rows too large");
    fields_.push_back({name, *type});
    return absl::OkStatus();
  }

  const std::vector<Schema::NamedType>& fields() const { return fields_; }

 private:
  std::vector<Schema::NamedType> fields_;
  absl::flat_hash_set<absl::string_view> names_;
  uint64_t words_ = 0;
};

}  // namespace

Schema::Schema(absl::Span<const NamedType> fields) {
  fields_.reserve(fields.size());
  text_ = "{";
  for (const NamedType& field : fields) {
    const FieldLayout layout =
        LayoutAt(field.type, static_cast<uint32_t>(fields_.size()),
                 static_cast<uint32_t>(fixed_words_));
    fixed_words_ += layout.words;
    is_fixed_ = is_fixed_ && !field.type.is_variable();
    absl::StrAppend(&text_, fields_.empty() ? "" : ",", field.name, ":",
                    TypeText(field.type));
    fields_.push_back({std::string(field.name), field.type, layout});
  }
  text_ += "}";
  fingerprint_ = Fnv1a(absl::StrCat(kRowFormatVersion, text_));
}

absl::StatusOr<Schema> Schema::Parse(absl::string_view text) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "{")) return BadText(0, "no {");
  if (!absl::ConsumeSuffix(&rest, "}")) return BadText(text.size(), "no }");
  FieldParser parser;
  for (size_t start = 0; start != absl::string_view::npos;) {
    const size_t comma = rest.find(',', start);
    const size_t end = comma == absl::string_view::npos ? rest.size() : comma;
    absl::Status status =
        parser.Add(rest.substr(start, end - start), start + 1);
    if (!status.ok()) return status;
    start = comma == absl::string_view::npos ? comma : comma + 1;
  }
  return Schema(parser.fields());
}

const SchemaField* Schema::Find(absl::string_view name) const {
  for (const SchemaField& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

absl::Status Schema::Check(absl::Span<const uint64_t> row) const {
  if (is_fixed_ ? row.size() != fixed_words_ : row.size() < fixed_words_) {
    return row_internal::CorruptSize(row.size(), fixed_words_);
  }
  row_internal::TailReader tail(row, fixed_words_);
  for (const SchemaField& field : fields_) {
    const row_internal::Problem problem = row_internal::CheckValue(
        field.type, row.data() + field.layout.word, tail);
    if (problem != nullptr) {
      return row_internal::CorruptField(field.name, problem);
    }
  }
  if (!tail.at_end()) return row_internal::CorruptTail();
  return absl::OkStatus();
}

}  // namespace ets_keeper
