// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/table/table_state.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/arena/arena.h"
#include "common/hash/hash_core.h"
#include "common/hash/hash_layout.h"
#include "common/mutex/mutex.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/status/status.h"
#include "common/table/table_options.h"

namespace ets_keeper {
namespace {

TableId NewTableId() {
  static std::atomic<uint64_t> last{0};
  return TableId{last.fetch_add(1, std::memory_order_relaxed) + 1};
}

absl::Status Format(Arena* arena, uint32_t writers, const Schema& schema,
                    const KeyLayout& key) {
  // Made once: that takes as long as all the rest of this.
  thread_local absl::BitGen random;
  return HashCore::Format(arena,
                          {.writers = writers,
                           .key = key,
                           .fixed_words = static_cast<uint32_t>(
                               schema.is_fixed() ? schema.fixed_words() : 0),
                           .seed = absl::Uniform<uint64_t>(random),
                           .schema = schema.fingerprint(),
                           .schema_text = schema.text()});
}

std::string Label(absl::string_view name, TableId id) {
  return name.empty() ? absl::StrCat("table ", id)
                      : absl::StrCat("table '", name, "'");
}

}  // namespace

TableState::TableState(absl::string_view name, TableAccess access,
                       std::unique_ptr<Arena> arena,
                       const HashGeometry& geometry)
    : id_(NewTableId()),
      arena_(std::move(arena)),
      core_(geometry),
      state_(Bit(access) |
             (arena_->access() == ArenaAccess::kReadOnly ? kReadOnly : 0)),
      name_(name) {}

absl::StatusOr<std::shared_ptr<TableState>> TableState::Make(
    TableOptions options, const Schema& schema, const KeyLayout& key) {
  if (options.writers < 1 || options.writers > 1024) {
    return MakeStatus(
        Cause::kBadOption,
        absl::StrCat(Label(options.name, {}), ": writers is ", options.writers,
                     ", and must be between 1 and 1024"));
  }
  std::unique_ptr<Arena> arena = std::move(options.arena);
  if (arena == nullptr) {
    absl::StatusOr<std::unique_ptr<Arena>> made = Arena::CreatePrivate(
        options.max_bytes, {.huge_pages = options.huge_pages});
    if (!made.ok()) return made.status();
    arena = *std::move(made);
  }
  if (arena->blank()) {
    absl::Status status = Format(arena.get(), options.writers, schema, key);
    if (!status.ok()) return status;
  }
  const absl::StatusOr<HashGeometry> geometry =
      HashCore::GeometryOf(arena.get());
  if (!geometry.ok()) return geometry.status();
  auto state = absl::WrapUnique(new TableState(options.name, options.access,
                                               std::move(arena), *geometry));
  if (absl::Status s = state->CheckSchema(schema, key); !s.ok()) return s;
  if (absl::Status s = state->core().Recover(); !s.ok()) {
    return state->Name(s);
  }
  state->core().RaiseEpoch(state->core().epoch() + 1);
  return std::shared_ptr<TableState>(std::move(state));
}

absl::StatusOr<std::shared_ptr<TableState>> TableState::MakeReader(
    absl::string_view name, std::unique_ptr<Arena> arena) {
  // Of one that it may write to it would know only by itself how it is cut.
  if (arena->access() != ArenaAccess::kReadOnly) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat("the arena of the table '", name,
                                   "' is mapped to be written, not to be read "
                                   "only"));
  }
  const absl::StatusOr<HashGeometry> geometry =
      HashCore::GeometryOf(arena.get());
  if (!geometry.ok()) return geometry.status();
  return std::shared_ptr<TableState>(absl::WrapUnique(new TableState(
      name, TableAccess::kProtected, std::move(arena), *geometry)));
}

std::string TableState::name() const {
  Lock lock(mutex_);
  return name_;
}

void TableState::set_name(absl::string_view name) {
  Lock lock(mutex_);
  name_ = std::string(name);
}

absl::Status TableState::CheckRead(uint64_t epoch) const {
  if (deleted()) return Error(Cause::kTableNotFound, "it was deleted");
  if (access() == TableAccess::kPrivate && epoch != core_.epoch()) {
    return Error(Cause::kReadProtected, "it is private to its owner");
  }
  if (Has(kReadOnly)) core_.reader().RefreshHomes();
  return absl::OkStatus();
}

absl::Status TableState::CheckWrite(uint64_t epoch) const {
  if (deleted()) return Error(Cause::kTableNotFound, "it was deleted");
  if (arena_->access() == ArenaAccess::kReadOnly) {
    return Error(Cause::kWriteProtected, "another process owns it");
  }
  if (epoch == kAnyEpoch && access() != TableAccess::kPublic) {
    return Error(Cause::kWriteProtected, "only its owner may write to it");
  }
  return absl::OkStatus();
}

absl::Status TableState::CheckSchema(const Schema& schema,
                                     const KeyLayout& key) const {
  if (LoadWord(&arena_->header().schema) != schema.fingerprint() ||
      core_.geometry().key != key) {
    return Error(
        Cause::kSchemaMismatch,
        absl::StrCat("its rows are ", arena_->schema_text(), " with the key ",
                     "at word ", core_.geometry().key.word, "; expected ",
                     schema.text(), " with the key at word ", key.word));
  }
  const uint32_t fixed_words =
      static_cast<uint32_t>(schema.is_fixed() ? schema.fixed_words() : 0);
  if (core_.geometry().inline_words != InlineWords(fixed_words, key)) {
    return Error(
        Cause::kCorrupt,
        absl::StrCat("its buckets have rows of ", core_.geometry().inline_words,
                     " words, which are not its schema's"));
  }
  return absl::OkStatus();
}

absl::Status TableState::Name(const absl::Status& status) const {
  if (status.ok()) return status;
  absl::Status named(status.code(),
                     absl::StrCat(Label(name(), id_), ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    named.SetPayload(url, payload);
  });
  return named;
}

absl::Status TableState::Error(Cause cause, absl::string_view message) const {
  return Name(MakeStatus(cause, message));
}

}  // namespace ets_keeper
