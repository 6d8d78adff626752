// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: fields.h
// -----------------------------------------------------------------------------
//
// How a row type lists its fields: once, each with its name and member pointer.
//
//   struct User {
//     uint64_t id = 0;
//     std::string name;
//     int64_t visits = 0;
//
//     static constexpr auto Fields() {
//       return ets_keeper::FieldList(
//           ets_keeper::Field("id", &User::id),
//           ets_keeper::Field("name", &User::name),
//           ets_keeper::Field("visits", &User::visits));
//     }
//   };
//   static_assert(ets_keeper::RowType<User>);
//
// The list names every member of the aggregate exactly once; its order is the
// order in the encoded row. The names are part of the schema: two programs that
// share a table must agree on them, so rename the member as you like, but not
// the field. `value_type.h` says which types a field may have.
//
// A member that was forgotten, listed twice or of an unsupported type, and a
// name that is no identifier, are compile errors where the row type is first
// used in a table or codec.
//
// Thread safety: everything happens at compile time.

#ifndef COMMON_ROW_FIELDS_H_
#define COMMON_ROW_FIELDS_H_

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "common/row/value_type.h"

namespace ets_keeper {

// Field
//
// One field of `Row`: its name and its member.
template <typename Row, typename T>
struct Field {
  constexpr Field(std::string_view field_name, T Row::*field_member)
      : name(field_name), member(field_member) {}

  std::string_view name;
  T Row::*member;
};

// FieldList
//
// The fields of a row type, in order. Made by its `Fields()`.
template <typename... Fields>
struct FieldList {
  static constexpr size_t kSize = sizeof...(Fields);

  constexpr explicit FieldList(Fields... field_list) : fields(field_list...) {}

  std::tuple<Fields...> fields;
};

namespace row_internal {

template <typename Row, typename List>
inline constexpr bool kListsFieldsOf = false;
template <typename Row, typename... Ts>
inline constexpr bool kListsFieldsOf<Row, FieldList<Field<Row, Ts>...>> =
    sizeof...(Ts) > 0;

template <typename Member>
struct MemberTraits;
template <typename Row, typename T>
struct MemberTraits<T Row::*> {
  using Value = T;
};

// IsFieldName()
//
// A letter or underscore, then letters, digits and underscores (all ASCII).
constexpr bool IsFieldName(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (name.empty() || !is_letter(name[0])) return false;
  for (const char c : name) {
    if (!is_letter(c) && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

// AnyValue
//
// Stands for a value of whatever type an aggregate wants next.
struct AnyValue {
  template <typename T>
  operator T() const;  // never defined
};

// Whether `Row` can be initialized from that many values.
template <typename Row, size_t... I>
constexpr bool TakesValues(std::index_sequence<I...>) {
  return requires { Row{(static_cast<void>(I), AnyValue{})...}; };
}

// A C array takes one value per element, any other member takes one.
template <typename T>
inline constexpr size_t kInitializers =
    std::is_array_v<T> ? sizeof(T) / sizeof(std::remove_all_extents_t<T>) : 1;

template <typename Row, typename... Ts>
constexpr bool CoversAll(const FieldList<Field<Row, Ts>...>&) {
  constexpr size_t kListed = (kInitializers<Ts> + ...);
  return TakesValues<Row>(std::make_index_sequence<kListed>()) &&
         !TakesValues<Row>(std::make_index_sequence<kListed + 1>());
}

// SameMember()
//
// Whether two member pointers, perhaps of different types, name one member.
template <typename A, typename B>
constexpr bool SameMember(A a, B b) {
  if constexpr (std::is_same_v<A, B>) {
    return a == b;
  } else {
    return false;
  }
}

// Calls `f` with each field; true when `f` is true for all.
template <typename List, typename F>
constexpr bool AllFields(const List& list, F f) {
  return std::apply([&](const auto&... field) { return (f(field) && ...); },
                    list.fields);
}

// SupportedField
//
// Complains, with the offending type in the compiler's message.
template <typename Row, typename T>
struct SupportedField {
  static_assert(FieldValue<T>,
                "a field must be an integer, bool, char, float, double, an "
                "enum with a fixed underlying type, an array of those, a "
                "std::string, a std::vector of scalars or strings, or a "
                "std::optional of one of those; it must not be const");
  static constexpr bool kValue = FieldValue<T>;
};

template <typename Row, typename... Ts>
constexpr bool AllSupported(const FieldList<Field<Row, Ts>...>&) {
  return (SupportedField<Row, Ts>::kValue && ...);
}

template <typename Row, typename... Ts>
constexpr auto NamesOf(const FieldList<Field<Row, Ts>...>& list) {
  return std::apply(
      [](const auto&... field) {
        return std::array<std::string_view, sizeof...(Ts)>{field.name...};
      },
      list.fields);
}

template <typename Row, typename... Ts>
constexpr auto TypesOf(const FieldList<Field<Row, Ts>...>&) {
  return std::array<ValueType, sizeof...(Ts)>{ValueTypeOf<Ts>()...};
}

// FindMember()
//
// The index of the field that is `member`; the number of fields if none is.
template <typename List, typename Member>
constexpr size_t FindMember(const List& list, Member member) {
  size_t index = 0;
  AllFields(list, [&](const auto& field) {
    const bool other = !SameMember(field.member, member);
    index += other ? 1 : 0;
    return other;
  });
  return index;
}

template <typename List>
constexpr bool NamesAreIdentifiers(const List& list) {
  return AllFields(list, [](const auto& f) { return IsFieldName(f.name); });
}

// Whether `same(a, b)` holds for each field `a` only with itself.
template <typename List, typename F>
constexpr bool AllDistinct(const List& list, F same) {
  return AllFields(list, [&](const auto& a) {
    size_t equal = 0;
    AllFields(list, [&](const auto& b) {
      equal += same(a, b) ? 1 : 0;
      return true;
    });
    return equal == 1;
  });
}

template <typename List>
constexpr bool NamesAreDistinct(const List& list) {
  return AllDistinct(
      list, [](const auto& a, const auto& b) { return a.name == b.name; });
}

template <typename List>
constexpr bool MembersAreDistinct(const List& list) {
  return AllDistinct(list, [](const auto& a, const auto& b) {
    return SameMember(a.member, b.member);
  });
}

}  // namespace row_internal

// RowType
//
// An aggregate whose static `Fields()` returns the list of its own fields.
template <typename T>
concept RowType = std::is_aggregate_v<T> && requires {
  T::Fields();
} &&
    row_internal::kListsFieldsOf<T, std::remove_cvref_t<decltype(T::Fields())>>;

}  // namespace ets_keeper

#endif  // COMMON_ROW_FIELDS_H_
