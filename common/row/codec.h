// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: codec.h
// -----------------------------------------------------------------------------
//
// `RowCodec<Row>` turns rows of a type into words and back (`layout.h`
// describes the words, `fields.h` how a type lists its fields).
//
//   using Codec = RowCodec<User>;
//   RowBuffer words;
//   absl::Status encoded = Codec::Encode(User{7, "Ada", 0}, words);
//
//   User user;
//   absl::Status decoded = Codec::Decode(words, user);  // checks every word
//
//   // One aligned word to count with, in place:
//   constexpr FieldLayout kVisits = Codec::LayoutOf<&User::visits>();
//   words[kVisits.word] += 1;
//
//   EncodedKey key = Codec::EncodeKey<&User::name>("Ada");  // no std::string
//
// Members are named by template arguments, so that layouts are constants.
//
// Thread safety: static functions; distinct rows and buffers may be used from
// several threads. The words given to a `Decode` must not change meanwhile:
// copy them out of shared memory first.
//
// It is not a format for files or networks: words are native-endian.

#ifndef COMMON_ROW_CODEC_H_
#define COMMON_ROW_CODEC_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/row/encoding.h"
#include "common/row/fields.h"
#include "common/row/layout.h"
#include "common/row/row_buffer.h"
#include "common/row/schema.h"
#include "common/row/value_codec.h"
#include "common/row/value_type.h"

namespace ets_keeper {

// EncodedKey
//
// A key as words: exactly the words (a fixed key) or bytes with their padding
// (a variable one) that are in the encoded row. `bytes` is the length without
// padding. A variable key may be too large for any row, which is why `bytes`
// has 64 bits: such a key simply equals no row's.
struct EncodedKey {
  WordBuffer<8> words;
  uint64_t bytes = 0;
  bool variable = false;
};

// RowCodec
template <RowType Row>
class RowCodec {
 private:
  // The word, which the compiler must load by itself. A row that was just made
  // was stored field by field, and the processor does not hand two stores on to
  // one wide load: that would wait until all stores before them are done, those
  // of the insert before, say, to memory that is not there yet.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static uint64_t Alone(uint64_t word) {
#if defined(__GNUC__)
    asm("" : "+r"(word));
#endif
    return word;
  }

  static constexpr auto kList = Row::Fields();
  static constexpr size_t kSize = decltype(kList)::kSize;
  static_assert(row_internal::AllSupported(kList));
  static_assert(sizeof(Row) <= kMaxFieldBytes, "the row type is too large");
  static_assert(row_internal::CoversAll(kList),
                "Fields() must list every member of the row type");
  static_assert(row_internal::MembersAreDistinct(kList),
                "Fields() lists a member twice");
  static_assert(row_internal::NamesAreIdentifiers(kList),
                "a field name must be an ASCII identifier");
  static_assert(row_internal::NamesAreDistinct(kList),
                "two fields have the same name");

  static constexpr auto kNames = row_internal::NamesOf(kList);
  static constexpr auto kTypes = row_internal::TypesOf(kList);
  static constexpr auto kLayouts = LayoutsOf(kTypes);

  template <auto Member>
  static constexpr size_t IndexOf() {
    constexpr size_t kIndex = row_internal::FindMember(kList, Member);
    static_assert(kIndex < kSize, "no such member in Fields()");
    return kIndex;
  }

 public:
  // RowCodec::FieldType, RowCodec::KeyArg
  //
  // The type of a member, and how a key of that type is passed: scalars by
  // value, strings as `absl::string_view`, vectors as `absl::Span`.
  template <auto Member>
  using FieldType =
      typename row_internal::MemberTraits<decltype(Member)>::Value;
  template <auto Member>
  using KeyArg = row_internal::KeyArg<FieldType<Member>>;

  // RowCodec::kFixedWords
  //
  // The length of the fixed part of every row.
  static constexpr size_t kFixedWords =
      kLayouts[kSize - 1].word + kLayouts[kSize - 1].words;

  // RowCodec::kIsFixed
  //
  // Whether rows have no tail: each has exactly `kFixedWords` words then.
  static constexpr bool kIsFixed =
      std::none_of(kTypes.begin(), kTypes.end(),
                   [](const ValueType& type) { return type.is_variable(); });

  // RowCodec::LayoutOf()
  //
  // Where a field is in the row.
  template <auto Member>
  [[nodiscard]] static constexpr FieldLayout LayoutOf() {
    return kLayouts[IndexOf<Member>()];
  }

  // RowCodec::KeyLayoutOf()
  //
  // The same for a field that is the key of a table. Optional and
  // floating-point fields and vectors of strings cannot be keys.
  template <auto Member>
  [[nodiscard]] static constexpr KeyLayout KeyLayoutOf() {
    static_assert(row_internal::KeyValue<FieldType<Member>>,
                  "optional and floating-point fields and vectors of strings "
                  "cannot be keys");
    constexpr FieldLayout kLayout = LayoutOf<Member>();
    return {.word = kLayout.word,
            .words = kLayout.words,
            .variable = kLayout.kind == FieldKind::kBytes};
  }

  // RowCodec::KeyPlaceOf()
  //
  // The same with where the bytes of a variable key begin: behind the fixed
  // words if no field before it has any.
  template <auto Member>
  [[nodiscard]] static constexpr KeyPlace KeyPlaceOf() {
    constexpr KeyLayout kKey = KeyLayoutOf<Member>();
    const bool is_first =
        std::none_of(kTypes.begin(), kTypes.begin() + IndexOf<Member>(),
                     [](const ValueType& type) { return type.is_variable(); });
    return {kKey, kKey.variable && is_first ? uint32_t{kFixedWords} : 0};
  }

  // RowCodec::KeyIsTail()
  //
  // Whether the key is a string and no other field has bytes: a row is its
  // fixed words then, and behind them the key.
  template <auto Member>
  [[nodiscard]] static constexpr bool KeyIsTail() {
    return row_internal::StringValue<FieldType<Member>> &&
           std::count_if(
               kTypes.begin(), kTypes.end(),
               [](const ValueType& type) { return type.is_variable(); }) == 1;
  }

  // RowCodec::schema()
  //
  // The schema of the row type; it lives for ever.
  [[nodiscard]] static const Schema& schema() {
    static const Schema* const schema = [] {
      std::array<Schema::NamedType, kSize> fields;
      ForEachField([&](auto index, const auto& field) {
        fields[index] = {field.name, kTypes[index]};
      });
      return new Schema(fields);
    }();
    return *schema;
  }

  // RowCodec::Encode()
  //
  // Replaces the content of `out` with the words of `row`. kBadRow, with `out`
  // as it was, when a field has 4 GiB or the row 32 GiB; never fails when
  // `kIsFixed`.
  [[nodiscard]] static absl::Status Encode(const Row& row, RowBuffer& out) {
    row_internal::TailPlan plan(kFixedWords);
    if constexpr (!kIsFixed) {
      absl::Status status = Plan(row, plan);
      if (!status.ok()) return status;
    }
    if (out.size() != plan.words()) out.resize(plan.words());
    Store(row, out.data());
    return absl::OkStatus();
  }

  // RowCodec::EncodeFixed()
  //
  // The same for rows without a tail: writes kFixedWords words to `words`.
  ABSL_ATTRIBUTE_ALWAYS_INLINE static void EncodeFixed(
      const Row& row, uint64_t* words) requires(kIsFixed) {
    ForEachField([&](auto index,
                     const auto& field) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      constexpr FieldLayout kLayout = kLayouts[index];
      if constexpr (kLayout.kind == FieldKind::kWord) {
        words[kLayout.word] =
            Alone(row_internal::ScalarToWord(row.*field.member));
      } else {
        uint64_t tail = kFixedWords;
        row_internal::StoreValue(row.*field.member, words, kLayout.word, tail);
      }
    });
  }

  // RowCodec::Decode()
  //
  // Replaces `out` with the row in `words`, which may hold anything. kCorrupt,
  // naming the field and with `out` as it was, when they are not exactly the
  // encoding of some row. Allocates in proportion to the words.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::Status Decode(
      absl::Span<const uint64_t> words, Row& out) {
    absl::Status status = Check(words);
    if (ABSL_PREDICT_FALSE(!status.ok())) return status;
    LoadFields(words.data(), out, std::make_index_sequence<kSize>());
    return status;
  }

  // RowCodec::DecodeAround(), RowCodec::DecodeFieldAround()
  //
  // Decode() and DecodeField() of a row with these fixed words and, if
  // `KeyIsTail()`, a key in the tail that the caller has seen there: `key`,
  // which may be that of `out`. False, with `out` as it was, if a fixed field
  // is out of range.
  template <auto Key>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static bool DecodeAround(
      const uint64_t* words, absl::string_view key,
      Row& out) requires(KeyIsTail<Key>()) {
    if (ABSL_PREDICT_FALSE(!CheckAround<Key>(words))) return false;
    row_internal::LoadString(key, out.*Key);
    return AllAround<Key>([&](auto index) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      row_internal::LoadValue(words, kLayouts[index].word,
                              out.*std::get<index>(kList.fields).member);
      return true;
    });
  }
  template <auto Key, auto Member>
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static bool DecodeFieldAround(
      const uint64_t* words,
      FieldType<Member>& out) requires(KeyIsTail<Key>()) {
    static_assert(IndexOf<Member>() != IndexOf<Key>());
    if (ABSL_PREDICT_FALSE(!CheckAround<Key>(words))) return false;
    row_internal::LoadValue(words, LayoutOf<Member>().word, out);
    return true;
  }

  // RowCodec::DecodeField()
  //
  // The same for one field of the row. The whole row is checked.
  template <auto Member>
  [[nodiscard]] static absl::Status DecodeField(
      absl::Span<const uint64_t> words, FieldType<Member>& out) {
    absl::Status status = Check(words);
    if (ABSL_PREDICT_FALSE(!status.ok())) return status;
    row_internal::LoadValue(words.data(), LayoutOf<Member>().word, out);
    return status;
  }

  // RowCodec::Check()
  //
  // What `Decode()` checks.
  [[nodiscard]] ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::Status Check(
      absl::Span<const uint64_t> words) {
    if (ABSL_PREDICT_FALSE(kIsFixed ? words.size() != kFixedWords
                                    : words.size() < kFixedWords)) {
      return row_internal::CorruptSize(words.size(), kFixedWords);
    }
    row_internal::TailReader tail(words, kFixedWords);
    return CheckFields(words.data(), tail, std::make_index_sequence<kSize>());
  }

  // RowCodec::EncodeWord()
  //
  // The word of a scalar field, for replacing it in place.
  template <auto Member>
  [[nodiscard]] static constexpr uint64_t EncodeWord(FieldType<Member> value) {
    static_assert(LayoutOf<Member>().kind == FieldKind::kWord,
                  "only a scalar field is one word");
    return row_internal::ScalarToWord(value);
  }

  // RowCodec::EncodeKey()
  //
  // The key's words.
  template <auto Member>
  [[nodiscard]] static EncodedKey EncodeKey(KeyArg<Member> key) {
    EncodedKey out;
    out.bytes = KeyBytes<Member>(key);
    out.variable = KeyLayoutOf<Member>().variable;
    out.words.resize(WordsFor(out.bytes));
    StoreKey<Member>(key, out.words.data());
    return out;
  }

  // RowCodec::KeyBytes(), RowCodec::StoreKey()
  //
  // The length of the key without padding, and how to write its words to where
  // there is room for them.
  template <auto Member>
  [[nodiscard]] static uint64_t KeyBytes(KeyArg<Member> key) {
    constexpr KeyLayout kKey = KeyLayoutOf<Member>();
    if constexpr (kKey.variable) {
      return row_internal::BytesOf(key);
    } else {
      return uint64_t{kKey.words} * 8;
    }
  }
  template <auto Member>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static void StoreKey(KeyArg<Member> key,
                                                    uint64_t* words) {
    if constexpr (KeyLayoutOf<Member>().variable) {
      row_internal::StoreBytes(key, words, row_internal::BytesOf(key));
    } else {
      row_internal::StoreFixed<FieldType<Member>>(key, words);
    }
  }

 private:
  // Calls `f(index, field)` for each field, the index being a constant.
  template <typename F>
  static constexpr void ForEachField(F f) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      (f(std::integral_constant<size_t, I>(), std::get<I>(kList.fields)), ...);
    }
    (std::make_index_sequence<kSize>());
  }

  // Whether `f(index)` is true of each field but the key.
  template <auto Key, typename F>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static bool AllAround(const F& f) {
    return [&]<size_t... I>(std::index_sequence<I...>)
        ABSL_ATTRIBUTE_ALWAYS_INLINE {
      return ((I == IndexOf<Key>() || f(std::integral_constant<size_t, I>())) &&
              ...);
    }
    (std::make_index_sequence<kSize>());
  }
  template <auto Key>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static bool CheckAround(const uint64_t* words) {
    row_internal::TailReader no_tail({}, 0);
    return AllAround<Key>([&](auto index) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      return CheckField<index>(words, no_tail) == nullptr;
    });
  }

  static absl::Status Plan(const Row& row, row_internal::TailPlan& plan) {
    absl::Status status;
    row_internal::AllFields(kList, [&](const auto& field) {
      uint64_t bytes = 0;
      const bool fits = row_internal::PlanValue(row.*field.member, plan, bytes);
      if (!fits) status = row_internal::FieldTooLarge(field.name, bytes);
      return fits;
    });
    return status;
  }

  static void Store(const Row& row, uint64_t* words) {
    uint64_t tail = kFixedWords;
    ForEachField([&](auto index, const auto& field) {
      row_internal::StoreValue(row.*field.member, words, kLayouts[index].word,
                               tail);
    });
  }

  template <size_t... I>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static void LoadFields(
      const uint64_t* words, Row& out, std::index_sequence<I...>) {
    (row_internal::LoadValue(words, kLayouts[I].word,
                             out.*std::get<I>(kList.fields).member),
     ...);
  }

  template <size_t I>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static row_internal::Problem CheckField(
      const uint64_t* words, row_internal::TailReader& tail) {
    constexpr ValueType kType = kTypes[I];
    constexpr uint32_t kWord = kLayouts[I].word;
    if constexpr (kLayouts[I].kind == FieldKind::kWord) {
      return row_internal::IsScalarWord(kType.scalar, words[kWord])
                 ? nullptr
                 : "is out of range";
    } else if constexpr (IsWholeWords(kType)) {
      return nullptr;
    } else if constexpr (kType.shape == ValueType::Shape::kString &&
                         !kType.is_optional) {
      absl::string_view bytes;  // any will do
      return tail.Take(words[kWord], bytes);
    } else {
      return row_internal::CheckValue(kType, words + kWord, tail);
    }
  }

  // Whether whatever is in the words of the type is a value of it.
  static constexpr bool IsWholeWords(const ValueType& type) {
    return type.shape == ValueType::Shape::kArray && !type.is_optional &&
           type.scalar != ScalarType::kBool &&
           uint64_t{type.count} * WidthOf(type.scalar) % 8 == 0;
  }

  template <size_t... I>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static absl::Status CheckFields(
      const uint64_t* words, row_internal::TailReader& tail,
      std::index_sequence<I...>) {
    size_t index = 0;
    row_internal::Problem problem = nullptr;
    const bool good = ((index = I, problem = CheckField<I>(words, tail),
                        problem == nullptr) &&
                       ...);
    if (ABSL_PREDICT_FALSE(!good)) {
      return row_internal::CorruptField(kNames[index], problem);
    }
    if (ABSL_PREDICT_FALSE(!kIsFixed && !tail.at_end())) {
      return row_internal::CorruptTail();
    }
    return absl::OkStatus();
  }
};

}  // namespace ets_keeper

#endif  // COMMON_ROW_CODEC_H_
