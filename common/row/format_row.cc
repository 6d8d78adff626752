// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/format_row.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/row/encoding.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/row/value_type.h"

namespace ets_keeper {
namespace {

using Shape = ValueType::Shape;

template <typename Float>
void AppendFloat(Float value, std::string& out) {
  char digits[64];
  const std::to_chars_result end =
      std::to_chars(digits, digits + sizeof(digits), value);
  out.append(digits, end.ptr);
}

void AppendQuoted(absl::string_view bytes, char quote, std::string& out) {
  out += quote;
  out += absl::CEscape(bytes);
  out += quote;
}

void AppendScalar(ScalarType scalar, uint64_t word, std::string& out) {
  switch (scalar) {
    case ScalarType::kBool:
      out += word != 0 ? "true" : "false";
      break;
    case ScalarType::kChar: {
      const char c = row_internal::ScalarFromWord<char>(word);
      AppendQuoted(absl::string_view(&c, 1), '\'', out);
      break;
    }
    case ScalarType::kF32:
      AppendFloat(row_internal::ScalarFromWord<float>(word), out);
      break;
    case ScalarType::kF64:
      AppendFloat(row_internal::ScalarFromWord<double>(word), out);
      break;
    case ScalarType::kI8:
    case ScalarType::kI16:
    case ScalarType::kI32:
    case ScalarType::kI64:
      absl::StrAppend(&out, static_cast<int64_t>(word));
      break;
    case ScalarType::kU8:
    case ScalarType::kU16:
    case ScalarType::kU32:
    case ScalarType::kU64:
      absl::StrAppend(&out, word);
      break;
  }
}

template <typename T>
uint64_t ReadAs(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return row_internal::ScalarToWord(value);
}

// The word of a packed scalar.
uint64_t ReadPacked(ScalarType scalar, const char* from) {
  switch (scalar) {
    case ScalarType::kBool:
    case ScalarType::kChar:
    case ScalarType::kU8:
      return ReadAs<uint8_t>(from);
    case ScalarType::kU16:
      return ReadAs<uint16_t>(from);
    case ScalarType::kU32:
    case ScalarType::kF32:
      return ReadAs<uint32_t>(from);
    case ScalarType::kU64:
    case ScalarType::kF64:
    case ScalarType::kI64:
      return ReadAs<uint64_t>(from);
    case ScalarType::kI8:
      return ReadAs<int8_t>(from);
    case ScalarType::kI16:
      return ReadAs<int16_t>(from);
    case ScalarType::kI32:
      return ReadAs<int32_t>(from);
  }
  return 0;
}

void AppendPacked(const ValueType& type, absl::string_view bytes,
                  std::string& out) {
  if (type.scalar == ScalarType::kChar && !type.is_enum) {
    if (type.shape == Shape::kArray) {
      bytes = bytes.substr(0, bytes.find_last_not_of('\0') + 1);
    }
    return AppendQuoted(bytes, '"', out);
  }
  out += '[';
  const size_t width = WidthOf(type.scalar);
  for (size_t at = 0; at < bytes.size(); at += width) {
    if (at > 0) out += ", ";
    AppendScalar(type.scalar, ReadPacked(type.scalar, bytes.data() + at), out);
  }
  out += ']';
}

void AppendStrings(absl::string_view bytes, std::string& out) {
  out += '[';
  uint32_t count = 0;
  if (!row_internal::TakeU32(bytes, count)) count = 0;
  for (uint32_t i = 0; i < count; ++i) {
    absl::string_view string;
    if (!row_internal::TakeString(bytes, string)) break;
    if (i > 0) out += ", ";
    AppendQuoted(string, '"', out);
  }
  out += ']';
}

// Appends the value at `word` of `row`, which was checked.
void AppendValue(const ValueType& type, const uint64_t* row, uint64_t word,
                 std::string& out) {
  if (type.is_optional) {
    if (row[word] == 0) {
      out += "none";
      return;
    }
    ++word;
  }
  switch (type.shape) {
    case Shape::kScalar:
      // An enum over char is a number like any other enum.
      return AppendScalar(type.is_enum && type.scalar == ScalarType::kChar
                              ? ScalarType::kU8
                              : type.scalar,
                          row[word], out);
    case Shape::kArray:
      return AppendPacked(
          type,
          absl::string_view(reinterpret_cast<const char*>(row + word),
                            uint64_t{type.count} * WidthOf(type.scalar)),
          out);
    case Shape::kVector:
      return AppendPacked(type, row_internal::BytesAt(row, row[word]), out);
    case Shape::kString:
      return AppendQuoted(row_internal::BytesAt(row, row[word]), '"', out);
    case Shape::kStringVector:
      return AppendStrings(row_internal::BytesAt(row, row[word]), out);
  }
}

}  // namespace

absl::StatusOr<std::string> FormatRow(const Schema& schema,
                                      absl::Span<const uint64_t> row) {
  absl::Status status = schema.Check(row);
  if (!status.ok()) return status;
  std::string out = "{";
  for (const SchemaField& field : schema.fields()) {
    absl::StrAppend(&out, field.layout.index > 0 ? ", " : "", field.name, ": ");
    AppendValue(field.type, row.data(), field.layout.word, out);
  }
  out += '}';
  return out;
}

}  // namespace ets_keeper
