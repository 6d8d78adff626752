// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: streams.h
// -----------------------------------------------------------------------------
//
// The keys that operations are called with, made before anything is timed: a
// loop over a stream reads memory in order and computes nothing.
//
//   const auto& keys = Streams<WordRow>::Hits(rows, Distribution::kZipf);
//   Parts<WordRow> parts(keys, thread, threads);
//   for (const auto& key : parts.Next()) peer.Find(WordRow::Unpack(key));
//
// A stream has at least `kMinStream` keys, which no branch predictor learns,
// and at least one for each row, so that a large map is not measured by a small
// part of it.
//
// Thread safety: streams are made by one thread at a time, and constant then.

#ifndef BENCHMARKS_STREAMS_H_
#define BENCHMARKS_STREAMS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/random.h"
#include "benchmarks/rows.h"

namespace ets_keeper::benchmarks {

// Distribution
//
// How often which row is asked for: all alike, or by Zipf's law with the
// exponent 0.99.
enum class Distribution { kUniform, kZipf };

inline constexpr double kZipfExponent = 0.99;
inline constexpr uint64_t kMinStream = uint64_t{1} << 18;

// How many operations are performed between two looks at the clock.
inline constexpr size_t kChunk = 1024;

// Streams
template <typename Row>
class Streams {
 public:
  using Keys = std::vector<typename Row::Packed>;

  // Streams::Order()
  //
  // Every one of `rows` keys once, in random order, another one by `turn`.
  static const Keys& Order(uint64_t rows, uint64_t turn) {
    static std::map<std::pair<uint64_t, uint64_t>, Keys> made;
    Keys& keys = made[{rows, turn}];
    if (keys.empty()) {
      for (const uint32_t index : Shuffled(rows, /*seed=*/turn)) {
        keys.push_back(Row::KeyAt(index));
      }
    }
    return keys;
  }

  // Streams::Hits()
  //
  // Keys of the rows.
  static const Keys& Hits(uint64_t rows, Distribution distribution) {
    static std::map<std::pair<uint64_t, Distribution>, Keys> made;
    Keys& keys = made[{rows, distribution}];
    if (!keys.empty()) return keys;
    Random random(/*seed=*/1);
    keys.resize(SizeFor(rows));
    if (distribution == Distribution::kUniform) {
      for (auto& key : keys) key = Row::KeyAt(random.Below(rows));
    } else {
      const Zipf zipf(rows, kZipfExponent);
      for (auto& key : keys) key = Row::KeyAt(zipf.Draw(random));
    }
    return keys;
  }

  // Streams::Misses()
  //
  // Keys of no row.
  static const Keys& Misses(uint64_t rows) {
    static std::map<uint64_t, Keys> made;
    Keys& keys = made[rows];
    if (!keys.empty()) return keys;
    Random random(/*seed=*/2);
    keys.resize(SizeFor(rows));
    for (auto& key : keys) {
      key = Row::KeyAt((uint64_t{1} << 63) | random.Below(rows));
    }
    return keys;
  }

 private:
  static uint64_t SizeFor(uint64_t rows) { return std::max(rows, kMinStream); }
};

// Parts
//
// One thread's part of a stream, in chunks, from its beginning again when it is
// at its end.
template <typename Row>
class Parts {
 public:
  using Packed = typename Row::Packed;

  Parts(absl::Span<const Packed> stream, size_t thread, size_t threads)
      : part_(Part(stream, thread, threads)) {}

  [[nodiscard]] absl::Span<const Packed> Next() {
    const absl::Span<const Packed> chunk = part_.subspan(at_, kChunk);
    at_ += kChunk;
    if (at_ == part_.size()) at_ = 0;
    return chunk;
  }

  [[nodiscard]] absl::Span<const Packed> all() const { return part_; }

 private:
  static absl::Span<const Packed> Part(absl::Span<const Packed> stream,
                                       size_t thread, size_t threads) {
    const size_t size = stream.size() / threads / kChunk * kChunk;
    return stream.subspan(thread * size, size);
  }

  const absl::Span<const Packed> part_;
  size_t at_ = 0;
};

// Share()
//
// The part of `thread` when work is divided among threads, without rest.
template <typename T>
[[nodiscard]] absl::Span<const T> Share(absl::Span<const T> work, size_t thread,
                                        size_t threads) {
  const size_t begin = work.size() * thread / threads;
  const size_t end = work.size() * (thread + 1) / threads;
  return work.subspan(begin, end - begin);
}

// MixedStream
//
// 90 % find, 5 % erase and 5 % insert. What is erased is inserted again `lag`
// erasures later, when it is in no cache any more; so at any time all rows but
// `lag` are there. The keys in `Missing()` must be erased before, and those
// inserted after to have all rows again.
template <typename Row>
class MixedStream {
 public:
  using Packed = typename Row::Packed;
  enum class Kind : uint8_t { kFind, kErase, kInsert };

  struct Step {
    Packed key;
    Kind kind;
  };

  MixedStream(absl::Span<const Packed> keys, uint64_t max_lag, uint64_t seed) {
    steps_.reserve(keys.size());
    Random random(seed);
    std::vector<size_t> inserts;
    size_t writes = 0;
    for (const Packed& key : keys) {
      Kind kind = Kind::kFind;
      if (random.Below(10) == 0) {
        kind = writes++ % 2 == 0 ? Kind::kErase : Kind::kInsert;
      }
      if (kind == Kind::kErase) erased_.push_back(key);
      if (kind == Kind::kInsert) inserts.push_back(steps_.size());
      steps_.push_back({key, kind});
    }
    // As many of the one as of the other, or the size would drift.
    if (erased_.size() > inserts.size()) {
      DropLastErase();
    }
    lag_ = std::min<size_t>(max_lag, erased_.size() / 2);
    for (size_t i = 0; i < inserts.size(); ++i) {
      steps_[inserts[i]].key =
          erased_[(i + erased_.size() - lag_) % erased_.size()];
    }
  }

  // MixedStream::Missing()
  //
  // The keys that are not there after the chunks so far.
  [[nodiscard]] std::vector<Packed> Missing() const {
    const uint64_t erasures = Count(Kind::kErase);
    std::vector<Packed> missing;
    for (uint64_t i = Count(Kind::kInsert); i < erasures + lag_; ++i) {
      missing.push_back(erased_[(i + erased_.size() - lag_) % erased_.size()]);
    }
    return missing;
  }

  // MixedStream::Next()
  //
  // The next `kChunk` steps.
  [[nodiscard]] absl::Span<const Step> Next() {
    const auto chunk = absl::MakeConstSpan(steps_).subspan(at_, kChunk);
    at_ += kChunk;
    if (at_ == steps_.size()) {
      at_ = 0;
      ++rounds_;
    }
    return chunk;
  }

 private:
  // How many have been in the chunks so far: counted only when somebody asks,
  // for `Next()` is called while the clock runs.
  uint64_t Count(Kind kind) const {
    const auto is_one = [&](const Step& step) { return step.kind == kind; };
    const auto now = steps_.begin() + static_cast<ptrdiff_t>(at_);
    return rounds_ * std::count_if(steps_.begin(), steps_.end(), is_one) +
           std::count_if(steps_.begin(), now, is_one);
  }

  void DropLastErase() {
    const auto last = std::find_if(
        steps_.rbegin(), steps_.rend(),
        [](const Step& step) { return step.kind == Kind::kErase; });
    last->kind = Kind::kFind;
    erased_.pop_back();
  }

  std::vector<Step> steps_;
  std::vector<Packed> erased_;  // the keys of all erasures, in order
  size_t lag_ = 0;
  size_t at_ = 0;
  uint64_t rounds_ = 0;  // so many times all of it
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_STREAMS_H_
