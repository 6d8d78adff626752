// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/row/encoding.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/row/layout.h"
#include "common/row/value_type.h"
#include "common/status/status.h"

namespace ets_keeper::row_internal {
namespace {

Problem CheckPacked(ScalarType scalar, absl::string_view bytes) {
  if (bytes.size() % WidthOf(scalar) != 0) return "ends within an element";
  if (scalar != ScalarType::kBool) return nullptr;
  for (const char c : bytes) {
    if (c != 0 && c != 1) return "has an element out of range";
  }
  return nullptr;
}

Problem CheckStrings(absl::string_view bytes) {
  if (bytes.empty()) return nullptr;
  uint32_t count;
  if (!TakeU32(bytes, count)) return "ends within its count";
  if (count == 0) return "is not canonical: no strings take no bytes";
  for (uint32_t i = 0; i < count; ++i) {
    absl::string_view string;
    if (!TakeString(bytes, string)) return "ends within a string";
  }
  return bytes.empty() ? nullptr : "has bytes after its last string";
}

Problem CheckBytes(const ValueType& type, absl::string_view bytes) {
  switch (type.shape) {
    case ValueType::Shape::kVector:
      return CheckPacked(type.scalar, bytes);
    case ValueType::Shape::kStringVector:
      return CheckStrings(bytes);
    default:
      return nullptr;
  }
}

Problem CheckArray(const ValueType& type, const uint64_t* fixed) {
  const char* const bytes = reinterpret_cast<const char*>(fixed);
  const uint64_t size = uint64_t{type.count} * WidthOf(type.scalar);
  if (!PaddingIsZero(fixed, size)) return "has padding that is not zero";
  return CheckPacked(type.scalar, absl::string_view(bytes, size));
}

Problem CheckPresent(const ValueType& type, const uint64_t* fixed,
                     TailReader& tail) {
  if (type.shape == ValueType::Shape::kScalar) {
    return IsScalarWord(type.scalar, *fixed) ? nullptr : "is out of range";
  }
  if (type.shape == ValueType::Shape::kArray) return CheckArray(type, fixed);
  absl::string_view bytes;
  const Problem problem = tail.Take(*fixed, bytes);
  return problem != nullptr ? problem : CheckBytes(type, bytes);
}

Problem CheckAbsent(const ValueType& type, const uint64_t* fixed) {
  for (uint64_t i = 1; i < FixedWordsOf(type); ++i) {
    if (fixed[i] != 0) return "is absent but has a value";
  }
  return nullptr;
}

}  // namespace

Problem CheckValue(const ValueType& type, const uint64_t* fixed,
                   TailReader& tail) {
  if (!type.is_optional) return CheckPresent(type, fixed, tail);
  if (*fixed == 0) return CheckAbsent(type, fixed);
  if (*fixed != 1) return "has a presence word that is neither 0 nor 1";
  return CheckPresent(type, fixed + 1, tail);
}

absl::Status CorruptField(absl::string_view field, Problem problem) {
  return MakeStatus(Cause::kCorrupt,
                    absl::StrCat("field ", field, " ", problem));
}

absl::Status CorruptSize(uint64_t words, uint64_t wanted) {
  if (words > wanted) return CorruptTail();
  return MakeStatus(
      Cause::kCorrupt,
      absl::StrCat("a row of ", words, " words where ", wanted, " are needed"));
}

absl::Status CorruptTail() {
  return MakeStatus(Cause::kCorrupt, "a row with words after its last field");
}

absl::Status FieldTooLarge(absl::string_view field, uint64_t bytes) {
  return MakeStatus(
      Cause::kBadRow,
      absl::StrCat("field ", field, " with its ", bytes,
                   " bytes is too large for a row: a field has at most ",
                   kMaxFieldBytes, " bytes, a row ", kMaxRowWords, " words"));
}

}  // namespace ets_keeper::row_internal
