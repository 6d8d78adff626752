// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: row_buffer.h
// -----------------------------------------------------------------------------
//
// `RowBuffer`: an encoded row outside of any table, as a codec makes it, a core
// stores it and a lookup copies it out (see layout.h for the words in it).
//
//   RowBuffer row = {7, 0, 1};
//
// `ExactWords` and `ScratchWords` hold a key or a row for a moment only.
//
// Thread safety: as any container: many readers or one writer.
//
// It is a plain container; it does not know the row's type. Words that it gets
// without a value, by `resize(n)` say, are not initialized: rows are written
// whole.

#ifndef COMMON_ROW_ROW_BUFFER_H_
#define COMMON_ROW_ROW_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"

namespace ets_keeper {

// UninitializedAllocator
//
// std::allocator, but elements without a value are left as they are.
template <typename T>
struct UninitializedAllocator : std::allocator<T> {
  UninitializedAllocator() = default;
  template <typename U>
  UninitializedAllocator(const UninitializedAllocator<U>&) {}  // NOLINT: as
                                                               // an allocator
  template <typename U>
  struct rebind {
    using other = UninitializedAllocator<U>;
  };

  void construct(T*) {}
  template <typename... Args>
  void construct(T* element, Args&&... args) {
    std::construct_at(element, std::forward<Args>(args)...);
  }
};

// WordBuffer
//
// Words of which the first `kInPlace` need no allocation.
template <size_t kInPlace>
using WordBuffer =
    absl::InlinedVector<uint64_t, kInPlace, UninitializedAllocator<uint64_t>>;

// RowBuffer
//
// Rows of up to 32 words need no allocation.
using RowBuffer = WordBuffer<32>;

// ExactWords, ScratchWords
//
// A key or a row on its way, which is written before it is read: of a length
// that its type knows, or of any, up to `kInPlace` words without an allocation.
template <size_t kWords>
class ExactWords {
 public:
  uint64_t* Reset(size_t) { return words_; }  // they can only be kWords

  [[nodiscard]] absl::Span<const uint64_t> words() const
      ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return words_;
  }

 private:
  uint64_t words_[kWords];
};

template <size_t kInPlace>
class ScratchWords {
 public:
  ScratchWords() = default;
  ScratchWords(const ScratchWords&) = delete;
  ScratchWords& operator=(const ScratchWords&) = delete;

  // Makes it `size` words, whose values are lost.
  uint64_t* Reset(size_t size) {
    size_ = size;
    words_ = few_;
    if (ABSL_PREDICT_FALSE(size > kInPlace)) {
      many_ = std::make_unique_for_overwrite<uint64_t[]>(size);
      words_ = many_.get();
    }
    return words_;
  }

  [[nodiscard]] absl::Span<const uint64_t> words() const
      ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return absl::MakeConstSpan(words_, size_);
  }

 private:
  size_t size_ = 0;
  uint64_t* words_ = few_;
  uint64_t few_[kInPlace];
  std::unique_ptr<uint64_t[]> many_;
};

}  // namespace ets_keeper

#endif  // COMMON_ROW_ROW_BUFFER_H_
