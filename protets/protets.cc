// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/protets.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/arena/arena.h"
#include "common/arena/arena_file.h"
#include "common/arena/arena_memory.h"
#include "common/clock/clock.h"
#include "common/mutex/mutex.h"
#include "common/process/runtime.h"
#include "common/row/layout.h"
#include "common/row/schema.h"
#include "common/status/status.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "protets/keeper_client.h"
#include "protets/keeper_link.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_socket.h"
#include "protets/pool.h"

namespace ets_keeper::protets {
namespace {

constexpr uint64_t kDefaultMaxBytes = uint64_t{16} << 30;
constexpr uint32_t kDefaultWriters = 8;

// How long `Drop()` waits for a call that is busy with the same name.
constexpr absl::Duration kDropWait = absl::Seconds(10);

std::string Label(absl::string_view name) {
  return absl::StrCat("table '", name, "'");
}

absl::Status NotFound(absl::string_view name) {
  return MakeStatus(Cause::kTableNotFound,
                    absl::StrCat("there is no table '", name, "'"));
}

uint64_t MaxBytes(const GetOptions& options) {
  const uint64_t bytes = options.max_bytes.value_or(kDefaultMaxBytes);
  const uint64_t page = options.huge_pages.value_or(false)
                            ? kHugePageBytes
                            : ArenaMemory::kPageBytes;
  return (bytes + page - 1) / page * page;
}

absl::Status CheckCall(absl::string_view name, const GetOptions& options) {
  if (absl::Status s = CheckTableName(name); !s.ok()) return s;
  if (options.wait < absl::ZeroDuration() ||
      options.wait == absl::InfiniteDuration()) {
    return MakeStatus(
        Cause::kBadOption,
        absl::StrCat(Label(name), ": one cannot wait for ",
                     absl::FormatDuration(options.wait), " in line"));
  }
  const uint64_t bytes = options.max_bytes.value_or(kDefaultMaxBytes);
  if (bytes < Arena::kMinBytes || bytes > Arena::kMaxBytes) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat(Label(name), ": max_bytes is ", bytes,
                                   ", and must be between ", Arena::kMinBytes,
                                   " and ", Arena::kMaxBytes));
  }
  const uint32_t writers = options.writers.value_or(kDefaultWriters);
  if (writers < 1 || writers > 1024) {
    return MakeStatus(Cause::kBadOption,
                      absl::StrCat(Label(name), ": writers is ", writers,
                                   ", and must be between 1 and 1024"));
  }
  return absl::OkStatus();
}

// Whether the table is what the options ask for.
absl::Status CheckSame(const TableHandle& table, const GetOptions& options) {
  const TableState& state = table.state();
  const Arena& arena = state.arena();
  const bool huge_pages =
      arena.shared() ? arena.all_huge_pages() : arena.huge_pages();
  if (options.huge_pages.value_or(huge_pages) != huge_pages) {
    return state.Error(Cause::kBadOption, huge_pages ? "it has huge pages"
                                                     : "it has no huge pages");
  }
  const uint64_t bytes = arena.bytes();
  GetOptions as_it_is = options;
  as_it_is.huge_pages = huge_pages;
  if (options.max_bytes.has_value() && MaxBytes(options) != bytes &&
      MaxBytes(as_it_is) != bytes) {
    return state.Error(
        Cause::kBadOption,
        absl::StrCat("its max_bytes is ", bytes, ", not ", *options.max_bytes));
  }
  const uint32_t writers = state.core().writers();
  if (options.writers.has_value() && *options.writers != writers) {
    return state.Error(
        Cause::kBadOption,
        absl::StrCat("its writers are ", writers, ", not ", *options.writers));
  }
  return absl::OkStatus();
}

// The rows that a table in the keeper has; empty if that cannot be said.
std::string StoredSchema(KeeperLink& keeper, absl::string_view name) {
  absl::StatusOr<ReadGrant> grant =
      keeper.Call([&](KeeperClient& client) { return client.Open(name); });
  if (!grant.ok()) return "";
  const absl::StatusOr<std::unique_ptr<Arena>> arena =
      Arena::Map(std::move(grant->fd), ArenaAccess::kReadOnly);
  return arena.ok() ? (*arena)->schema_text() : "";
}

// What the keeper knows of a table that is not in this process.
absl::StatusOr<KeptTable> FindElsewhere(KeeperLink& keeper,
                                        absl::string_view name) {
  const absl::StatusOr<std::vector<KeeperTableInfo>> list =
      keeper.Call([](KeeperClient& client) { return client.List(); });
  if (!list.ok()) return list.status();
  const auto it = std::find_if(
      list->begin(), list->end(),
      [&](const KeeperTableInfo& info) { return info.name == name; });
  if (it == list->end()) return NotFound(name);
  KeptTable kept;
  kept.table.name = it->name;
  kept.table.access = TableAccess::kPublic;
  kept.table.epoch = it->epoch;
  kept.table.max_memory = it->bytes;
  kept.table.survives_process = it->state != KeeperTableState::kCreating;
  kept.os_process = it->owner_pid;
  return kept;
}

}  // namespace

Protets::Protets(Options options)
    : own_runtime_(options.runtime == nullptr ? std::make_unique<Runtime>()
                                              : nullptr),
      keeper_(options.keeper.empty()
                  ? nullptr
                  : std::make_unique<KeeperLink>(std::move(options.keeper),
                                                 options.answer_time)),
      pool_(Pool::Start(options.runtime == nullptr ? *own_runtime_
                                                   : *options.runtime)) {}

Protets::~Protets() {
  Lock lock(mu_);
  for (const auto& [name, entry] : entries_) {
    pool_->Delete(entry.table);
    if (keeper_ == nullptr) continue;
    keeper_
        ->Call([&name = name, &entry = entry](KeeperClient& client) {
          return client.Release(name, entry.epoch);
        })
        .IgnoreError();  // then it is released when this OS process dies
  }
}

absl::StatusOr<TableHandle> Protets::GetHandle(absl::string_view name,
                                               const GetOptions& options,
                                               const Schema& schema,
                                               const KeyLayout& key) {
  if (absl::Status s = CheckCall(name, options); !s.ok()) return s;
  const Clock& clock = pool_->runtime().clock();
  const absl::Time deadline = clock.Now() + options.wait;
  Entry old;
  {
    Lock lock(mu_);
    if (absl::Status s = AwaitSettled(name, options.wait); !s.ok()) return s;
    Entry& entry = entries_[name];
    absl::StatusOr<TableHandle> handle = tables().Open(entry.table);
    if (handle.ok()) {
      if (absl::Status s = CheckSame(*handle, options); !s.ok()) return s;
      return handle;
    }
    old = entry;
    entry.busy = true;
  }
  if (old.table != TableId{}) {  // its user deleted it
    if (absl::Status s = End(name, old); !s.ok()) {
      Settle(name, old);
      return s;
    }
  }
  GetOptions rest = options;
  rest.wait = std::max(deadline - clock.Now(), absl::ZeroDuration());
  Entry made;
  absl::StatusOr<TableHandle> handle = Create(name, rest, schema, key, made);
  Settle(name, handle.ok() ? std::optional(made) : std::nullopt);
  return handle;
}

absl::Status Protets::AwaitSettled(absl::string_view name,
                                   absl::Duration wait) {
  const auto settled = [this, name]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto it = entries_.find(name);
    return it == entries_.end() || !it->second.busy;
  };
  Clock& clock = pool_->runtime().clock();
  if (clock.AwaitWithDeadline(mu_, absl::Condition(&settled),
                              clock.Now() + wait)) {
    return absl::OkStatus();
  }
  return MakeStatus(
      Cause::kTimeout,
      absl::StrCat(Label(name), ": another thread was still creating or ",
                   "dropping it after ", absl::FormatDuration(wait)));
}

void Protets::Settle(absl::string_view name, std::optional<Entry> entry) {
  Lock lock(mu_);
  if (entry.has_value()) {
    entries_[name] = *entry;
  } else {
    entries_.erase(name);
  }
}

absl::StatusOr<TableHandle> Protets::Create(absl::string_view name,
                                            const GetOptions& options,
                                            const Schema& schema,
                                            const KeyLayout& key,
                                            Entry& entry) {
  absl::StatusOr<TableHandle> handle = NotFound(name);
  if (keeper_ == nullptr) {
    handle =
        pool_->Create({.name = std::string(name),
                       .max_bytes = MaxBytes(options),
                       .huge_pages = options.huge_pages.value_or(true),
                       .writers = options.writers.value_or(kDefaultWriters)},
                      schema, key);
  } else {
    pool_->Prepare();
    absl::StatusOr<Claimed> claimed = Claim(name, options, schema);
    if (!claimed.ok()) return claimed.status();
    entry.epoch = claimed->grant.epoch;
    // All that maps the memory is gone by the time this has failed.
    handle = CreateClaimed(name, options, schema, key, *std::move(claimed));
    if (!handle.ok()) {
      keeper_
          ->Call([&](KeeperClient& client) {
            return client.Release(name, entry.epoch);
          })
          .IgnoreError();  // the failure before is the one to report
    }
  }
  if (handle.ok()) entry.table = handle->id();
  return handle;
}

absl::StatusOr<Protets::Claimed> Protets::Claim(absl::string_view name,
                                                const GetOptions& options,
                                                const Schema& schema) {
  const Clock& clock = pool_->runtime().clock();
  const absl::Time deadline = clock.Now() + options.wait;
  Claimed claimed;
  const absl::Status status = keeper_->Call([&](KeeperClient& client) {
    absl::StatusOr<Grant> grant = client.Claim(
        {.name = std::string(name),
         .schema = schema.fingerprint(),
         .max_bytes = MaxBytes(options),
         .huge_pages = options.huge_pages.value_or(false),
         .wait = std::max(deadline - clock.Now(), absl::ZeroDuration())});
    if (!grant.ok()) return grant.status();
    claimed.grant = *std::move(grant);
    // Nobody waits for the answer: it would be yes.
    claimed.attached = !claimed.grant.fresh &&
                       client.SayAttached(name, claimed.grant.epoch).ok();
    return absl::OkStatus();
  });
  if (status.ok()) return claimed;
  if (CauseOf(status) != Cause::kSchemaMismatch) return status;
  return MakeStatus(
      Cause::kSchemaMismatch,
      absl::StrCat(Label(name), ": its rows are ", StoredSchema(*keeper_, name),
                   "; expected ", schema.text()));
}

absl::StatusOr<TableHandle> Protets::CreateClaimed(absl::string_view name,
                                                   const GetOptions& options,
                                                   const Schema& schema,
                                                   const KeyLayout& key,
                                                   Claimed claimed) {
  absl::StatusOr<std::unique_ptr<Arena>> arena =
      Arena::Map(std::move(claimed.grant.fd), ArenaAccess::kReadWrite,
                 {.huge_pages = options.huge_pages.value_or(true)});
  if (!arena.ok()) return arena.status();
  if (!claimed.grant.fresh && (*arena)->blank()) {
    return MakeStatus(
        Cause::kCorrupt,
        absl::StrCat(Label(name), ": its memory in the keeper is blank"));
  }
  absl::StatusOr<TableHandle> handle =
      pool_->Create({.name = std::string(name),
                     .writers = options.writers.value_or(kDefaultWriters),
                     .arena = *std::move(arena)},
                    schema, key);
  if (!handle.ok()) return handle.status();
  absl::Status status = CheckSame(*handle, options);
  if (status.ok() && !claimed.attached) {
    status = keeper_->Call([&](KeeperClient& client) {
      return client.Attached(name, claimed.grant.epoch);
    });
  }
  if (status.ok()) return handle;
  pool_->Delete(handle->id());
  return status;
}

absl::Status Protets::Drop(absl::string_view name) {
  if (absl::Status s = CheckTableName(name); !s.ok()) return s;
  Entry old;
  {
    Lock lock(mu_);
    if (absl::Status s = AwaitSettled(name, kDropWait); !s.ok()) return s;
    Entry& entry = entries_[name];
    old = entry;
    entry.busy = true;
  }
  const absl::Status status = End(name, old);
  const bool stays = !status.ok() && old.table != TableId{};
  Settle(name, stays ? std::optional(old) : std::nullopt);
  return status;
}

absl::Status Protets::End(absl::string_view name, const Entry& entry) {
  if (keeper_ != nullptr) {
    absl::Status status =
        keeper_->Call([&](KeeperClient& client) { return client.Drop(name); });
    if (!status.ok()) return status;
  }
  pool_->Delete(entry.table);
  return absl::OkStatus();
}

absl::StatusOr<TableHandle> Protets::OpenHandle(absl::string_view name) {
  if (absl::Status s = CheckTableName(name); !s.ok()) return s;
  {
    Lock lock(mu_);
    const auto it = entries_.find(name);
    if (it != entries_.end() && it->second.table != TableId{}) {
      return tables().Open(it->second.table);
    }
  }
  if (keeper_ == nullptr) return NotFound(name);
  absl::StatusOr<ReadGrant> grant =
      keeper_->Call([&](KeeperClient& client) { return client.Open(name); });
  if (!grant.ok()) return grant.status();
  absl::StatusOr<std::unique_ptr<Arena>> arena =
      Arena::Map(std::move(grant->fd), ArenaAccess::kReadOnly);
  if (!arena.ok()) return arena.status();
  return TableHandle::ForReading(name, *std::move(arena));
}

absl::StatusOr<KeptTable> Protets::Info(absl::string_view name) {
  if (absl::Status s = CheckTableName(name); !s.ok()) return s;
  Entry entry;
  {
    Lock lock(mu_);
    const auto it = entries_.find(name);
    if (it != entries_.end()) entry = it->second;
  }
  if (entry.table == TableId{}) {
    if (keeper_ == nullptr) return NotFound(name);
    return FindElsewhere(*keeper_, name);
  }
  absl::StatusOr<TableInfo> info = tables().Info(entry.table);
  if (!info.ok()) return info.status();
  KeptTable kept{.table = *std::move(info), .os_process = getpid()};
  if (keeper_ != nullptr) {
    // A keeper that was restarted knows nothing of it.
    const absl::StatusOr<ReadGrant> held =
        keeper_->Call([&](KeeperClient& client) { return client.Open(name); });
    kept.table.survives_process = held.ok() && held->epoch == entry.epoch;
  }
  return kept;
}

Protets& DefaultProtets() {
  static Protets* const protets = [] {
    const std::string keeper = DefaultKeeperSocket();
    const bool listens = KeeperClient::Connect(keeper).ok();
    return new Protets({.keeper = listens ? keeper : ""});
  }();
  return *protets;
}

}  // namespace ets_keeper::protets
