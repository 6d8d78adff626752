// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: value_type.h
// -----------------------------------------------------------------------------
//
// `ValueType` describes the type of one field at run time; `ValueTypeOf<T>()`
// is the only place that says which C++ types a field may have.
//
//   ValueTypeOf<int32_t>()                     // i32
//   ValueTypeOf<std::array<Color, 4>>()        // [enum:u8;4]
//   ValueTypeOf<std::optional<std::string>>()  // opt<str>
//
// A field is a scalar (an integer of up to 64 bits, bool, char, float, double,
// or an enum with a fixed underlying type), a `std::array` or C array of
// scalars, a `std::string`, a `std::vector` of scalars or strings, or a
// `std::optional` of one of those. Integers are known by their signedness and
// width: `long` and `long long` are the same type where both have 64 bits. A
// char is a byte, the same whether the compiler thinks it signed or not.
//
// Thread safety: values and pure functions.

#ifndef COMMON_ROW_VALUE_TYPE_H_
#define COMMON_ROW_VALUE_TYPE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/row/layout.h"

namespace ets_keeper {

// ScalarType
enum class ScalarType : uint8_t {
  kBool,
  kChar,
  kI8,
  kI16,
  kI32,
  kI64,
  kU8,
  kU16,
  kU32,
  kU64,
  kF32,
  kF64,
};

// kMaxArrayCount
//
// The most elements of a fixed array.
inline constexpr uint32_t kMaxArrayCount = UINT32_MAX / 8;

// WidthOf()
//
// The size of a scalar in bytes, as packed in arrays and vectors.
[[nodiscard]] constexpr uint32_t WidthOf(ScalarType scalar) {
  constexpr uint8_t kWidths[] = {1, 1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8};
  return kWidths[static_cast<int>(scalar)];
}

// ValueType
struct ValueType {
  enum class Shape : uint8_t {
    kScalar,        // `scalar`
    kArray,         // `count` times `scalar`
    kVector,        // any number of `scalar`
    kString,        // bytes
    kStringVector,  // any number of strings
  };

  Shape shape = Shape::kScalar;
  ScalarType scalar = ScalarType::kU64;
  bool is_enum = false;      // `scalar` is the underlying type of an enum
  bool is_optional = false;  // there may be no value
  uint32_t count = 0;        // kArray only

  friend constexpr bool operator==(const ValueType&,
                                   const ValueType&) = default;

  // Whether a value has bytes in the tail of the row.
  [[nodiscard]] constexpr bool is_variable() const {
    return shape != Shape::kScalar && shape != Shape::kArray;
  }
};

// FixedWordsOf()
//
// The number of words that a value takes in the fixed part of a row.
[[nodiscard]] constexpr uint64_t FixedWordsOf(const ValueType& type) {
  const uint64_t value_words =
      type.shape == ValueType::Shape::kArray
          ? WordsFor(uint64_t{type.count} * WidthOf(type.scalar))
          : 1;
  return value_words + (type.is_optional ? 1 : 0);
}

// LayoutAt()
//
// The layout of a field of this type that is the `index`-th of its row and
// whose fixed part starts at `word`.
[[nodiscard]] constexpr FieldLayout LayoutAt(const ValueType& type,
                                             uint32_t index, uint32_t word) {
  FieldLayout layout = {.index = index,
                        .word = word,
                        .words = static_cast<uint32_t>(FixedWordsOf(type)),
                        .kind = type.is_optional     ? FieldKind::kOptional
                                : type.is_variable() ? FieldKind::kBytes
                                : type.shape == ValueType::Shape::kArray
                                    ? FieldKind::kWords
                                    : FieldKind::kWord};
  if (layout.kind == FieldKind::kWord && !type.is_enum) {
    layout.is_signed =
        type.scalar >= ScalarType::kI8 && type.scalar <= ScalarType::kI64;
    layout.is_unsigned =
        type.scalar >= ScalarType::kU8 && type.scalar <= ScalarType::kU64;
    if (layout.is_integer()) {
      layout.width = static_cast<uint8_t>(WidthOf(type.scalar));
    }
  }
  return layout;
}

// LayoutsOf()
//
// The layouts of the fields of a row, in order.
template <size_t N>
[[nodiscard]] constexpr std::array<FieldLayout, N> LayoutsOf(
    const std::array<ValueType, N>& types) {
  std::array<FieldLayout, N> layouts;
  uint32_t word = 0;
  for (size_t i = 0; i < N; ++i) {
    layouts[i] = LayoutAt(types[i], static_cast<uint32_t>(i), word);
    word += layouts[i].words;
  }
  return layouts;
}

namespace row_internal {

// HasFixedUnderlyingType
//
// Only such an enum can be list-initialized from an integer, and only such an
// enum may hold every value of its underlying type.
template <typename T>
concept HasFixedUnderlyingType = std::is_enum_v<T> && requires {
  T{std::underlying_type_t<T>{}};
};

template <typename T>
inline constexpr bool kIsInteger = std::is_integral_v<T> &&
                                   sizeof(T) <= sizeof(uint64_t);

template <typename T>
concept ScalarValue = std::is_same_v<T, std::remove_cvref_t<T>> &&
    (kIsInteger<T> || std::is_same_v<T, float> || std::is_same_v<T, double> ||
     HasFixedUnderlyingType<T>);

template <typename T>
struct ArrayTraits {
  static constexpr bool kIsArray = false;
};
template <typename T, size_t N>
struct ArrayTraits<T[N]> {
  static constexpr bool kIsArray = true;
  static constexpr size_t kCount = N;
  using Element = T;
};
template <typename T, size_t N>
struct ArrayTraits<std::array<T, N>> : ArrayTraits<T[N]> {};
template <typename T>
struct ArrayTraits<std::array<T, 0>> : ArrayTraits<T> {};

template <typename T>
struct VectorTraits {
  static constexpr bool kIsVector = false;
};
template <typename T>
struct VectorTraits<std::vector<T>> {
  static constexpr bool kIsVector = true;
  using Element = T;
};

template <typename T>
struct OptionalTraits {
  static constexpr bool kIsOptional = false;
};
template <typename T>
struct OptionalTraits<std::optional<T>> {
  static constexpr bool kIsOptional = true;
  using Value = T;
};

// The supported types, one concept per shape.
template <typename T>
concept ArrayValue =
    ArrayTraits<T>::kIsArray && ScalarValue<typename ArrayTraits<T>::Element> &&
    ArrayTraits<T>::kCount <= kMaxArrayCount;
template <typename T>
concept VectorValue = VectorTraits<T>::kIsVector &&
    ScalarValue<typename VectorTraits<T>::Element>;
template <typename T>
concept StringValue = std::is_same_v<T, std::string>;
template <typename T>
concept StringVectorValue = std::is_same_v<T, std::vector<std::string>>;
template <typename T>
concept PlainValue = ScalarValue<T> || ArrayValue<T> || VectorValue<T> ||
    StringValue<T> || StringVectorValue<T>;
template <typename T>
concept OptionalValue = OptionalTraits<T>::kIsOptional &&
    PlainValue<typename OptionalTraits<T>::Value>;

template <ScalarValue T>
constexpr ScalarType ScalarTypeOf() {
  if constexpr (std::is_enum_v<T>) {
    return ScalarTypeOf<std::underlying_type_t<T>>();
  } else if constexpr (std::is_same_v<T, bool>) {
    return ScalarType::kBool;
  } else if constexpr (std::is_same_v<T, char>) {
    return ScalarType::kChar;
  } else if constexpr (std::is_same_v<T, float>) {
    return ScalarType::kF32;
  } else if constexpr (std::is_same_v<T, double>) {
    return ScalarType::kF64;
  } else {
    constexpr ScalarType kSigned[] = {ScalarType::kI8, ScalarType::kI16,
                                      ScalarType::kI32, ScalarType::kI64};
    constexpr ScalarType kUnsigned[] = {ScalarType::kU8, ScalarType::kU16,
                                        ScalarType::kU32, ScalarType::kU64};
    constexpr int kLog2 = sizeof(T) == 1   ? 0
                          : sizeof(T) == 2 ? 1
                          : sizeof(T) == 4 ? 2
                                           : 3;
    return std::is_signed_v<T> ? kSigned[kLog2] : kUnsigned[kLog2];
  }
}

}  // namespace row_internal

// FieldValue
//
// Whether `T` may be the type of a field.
template <typename T>
concept FieldValue =
    row_internal::PlainValue<T> || row_internal::OptionalValue<T>;

// ValueTypeOf()
//
// The description of `T`.
template <FieldValue T>
[[nodiscard]] constexpr ValueType ValueTypeOf() {
  using Shape = ValueType::Shape;
  if constexpr (row_internal::OptionalValue<T>) {
    ValueType type =
        ValueTypeOf<typename row_internal::OptionalTraits<T>::Value>();
    type.is_optional = true;
    return type;
  } else if constexpr (row_internal::ScalarValue<T>) {
    return {.shape = Shape::kScalar,
            .scalar = row_internal::ScalarTypeOf<T>(),
            .is_enum = std::is_enum_v<T>};
  } else if constexpr (row_internal::ArrayValue<T>) {
    ValueType type =
        ValueTypeOf<typename row_internal::ArrayTraits<T>::Element>();
    type.shape = Shape::kArray;
    type.count = row_internal::ArrayTraits<T>::kCount;
    return type;
  } else if constexpr (row_internal::VectorValue<T>) {
    ValueType type =
        ValueTypeOf<typename row_internal::VectorTraits<T>::Element>();
    type.shape = Shape::kVector;
    return type;
  } else if constexpr (row_internal::StringValue<T>) {
    return {.shape = Shape::kString, .scalar = ScalarType::kChar};
  } else {
    return {.shape = Shape::kStringVector, .scalar = ScalarType::kChar};
  }
}

}  // namespace ets_keeper

#endif  // COMMON_ROW_VALUE_TYPE_H_
