// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: protets.h
// -----------------------------------------------------------------------------
//
// `Protets` is a server of tables that nothing kills: get one by its name, and
// it is there until it is dropped, whoever dies.
//
//   struct User { ... };  // see table.h
//
//   auto users = protets::Get<User, &User::id>("users");
//   if (!users.ok()) return users.status();
//   absl::Status stored = users->Insert({7, "Ada"});
//
// With a keeper (`//protets:keeper`) the rows live in memory that the keeper
// holds: after `kill -9` the next process that says `Get` has them, every
// acknowledged operation included. Without one (EMBEDDED) the same calls keep
// the rows for as long as this OS process lives, whichever of its lightweight
// processes die. `Info()` says which of the two a table has.
//
// A table belongs to one OS process at a time. There it is public: everybody
// reads and writes. Another process that says `Get` stands in line until the
// owner has died, dropped the table, or destroyed its `Protets`; until then it
// may read (`OpenForReading()`).
//
// Every call takes a bounded time: at most the wait that it names, and twice
// `answer_time` for a keeper that does not answer.
//
// Thread safety: everything may be called from any thread. Calls for different
// names do not wait for each other.
//
// Lifetime: handles may outlive the `Protets`, and are then told
// `kTableNotFound`; but no call through one may be under way while it is
// destroyed. It does not survive fork(2): a child makes its own.
//
// It is not a database: rows are in memory, and gone after a reboot.

#ifndef PROTETS_PROTETS_H_
#define PROTETS_PROTETS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/process/runtime.h"
#include "common/row/row.h"
#include "common/table/table.h"
#include "common/table/table_options.h"
#include "common/table/tables.h"
#include "protets/keeper_client.h"
#include "protets/pool.h"

namespace ets_keeper::protets {

class KeeperLink;

// GetOptions
//
// What a caller of `Get()` wants. What is not set is as the table is, or the
// default if it is created. What is set and differs from the table is an error.
struct GetOptions {
  // The most bytes that the table may ever use; rounded up to whole pages. By
  // default 16 GiB, of address space: pages are taken as rows come.
  std::optional<uint64_t> max_bytes = std::nullopt;

  // Huge pages (2 MiB): a lookup is faster, and the death of the owner is known
  // sooner. By default a table has them where it has grown large, as
  // TableOptions says; one in the keeper only if the machine lets memfds have
  // them (`echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled`).
  // There, true takes all of its pages, as they are needed, from the pool that
  // the machine's administrator has set aside (vm.nr_hugepages); `max_bytes` is
  // rounded up to whole ones. `kNoMemory` if the pool has none left.
  std::optional<bool> huge_pages = std::nullopt;

  // How many threads are to write side by side. By default 8.
  std::optional<uint32_t> writers = std::nullopt;

  // How long to stand in line while another OS process owns the table, or
  // another thread creates or drops it. Not infinite.
  absl::Duration wait = absl::Seconds(10);
};

// KeptTable
//
// A table as it was at one moment.
struct KeptTable {
  // `survives_process`: the keeper holds it now. Of a table that is not in this
  // process only the name, the epoch, the memory and this are known.
  TableInfo table = {};

  // The OS process that owns it; 0 if none does, and it waits for a `Get()`.
  int32_t os_process = 0;
};

// Protets
class Protets {
 public:
  // Protets::Options
  struct Options {
    // Where the workers and monitors run; null: in a runtime of its own, with
    // one thread. Must outlive the Protets.
    Runtime* runtime = nullptr;

    // The path of the keeper's socket; empty: embedded.
    std::string keeper = "";

    // How long the keeper may take for an answer.
    absl::Duration answer_time = KeeperClient::kAnswerTime;
  };

  Protets() : Protets(Options{}) {}

  // Does not connect yet: if there is no keeper, the calls say so.
  explicit Protets(Options options);

  Protets(const Protets&) = delete;
  Protets& operator=(const Protets&) = delete;

  // Gives the tables back to the keeper; embedded ones end.
  ~Protets();

  // Protets::Get()
  //
  // The table of that name: the one that there is, in this process or in the
  // keeper, with its rows; or a new one. The name has 1 to 128 printable ASCII
  // characters. Errors, which concern only this call:
  //
  //   kBadOption       the name, or an option that makes no sense or differs
  //                    from what the table was created with
  //   kSchemaMismatch  the rows or the key are different ones
  //   kAlreadyOwned    another OS process owns it, and `wait` is zero
  //   kTimeout         the same, after `wait`
  //   kNoKeeper        the keeper does not answer
  //
  // and those of KeeperClient::Claim() and Tables::Create(). O(1) if this
  // process has the table.
  template <RowType Row, auto Key>
  [[nodiscard]] absl::StatusOr<TableWriter<Row, Key>> Get(
      absl::string_view name, const GetOptions& options = {}) {
    absl::StatusOr<TableHandle> handle =
        GetHandle(name, options, RowCodec<Row>::schema(),
                  RowCodec<Row>::template KeyLayoutOf<Key>());
    if (!handle.ok()) return handle.status();
    return TableWriter<Row, Key>::Of(*std::move(handle));
  }

  // Protets::OpenForReading()
  //
  // The table, in whatever OS process it is, for reading; its owner's writes
  // are seen at once. `kTableNotFound`, `kSchemaMismatch`, and the errors of
  // KeeperClient::Open().
  template <RowType Row, auto Key>
  [[nodiscard]] absl::StatusOr<TableReader<Row, Key>> OpenForReading(
      absl::string_view name) {
    absl::StatusOr<TableHandle> handle = OpenHandle(name);
    if (!handle.ok()) return handle.status();
    return TableReader<Row, Key>::Of(*std::move(handle));
  }

  // Protets::Drop()
  //
  // Ends the table: when this returns ok it is gone, here and in the keeper,
  // and its name is free. Ok too if there is none. `kDenied` if another OS
  // process owns it; that, and every other error, leaves it as it was.
  [[nodiscard]] absl::Status Drop(absl::string_view name)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Protets::Info()
  //
  // `kTableNotFound`. Of a table that is not in this process: O(tables of the
  // keeper).
  [[nodiscard]] absl::StatusOr<KeptTable> Info(absl::string_view name)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Protets::tables()
  //
  // All tables in this process. One that is deleted here is dropped by the next
  // `Get()` or `Drop()` of its name.
  [[nodiscard]] Tables& tables() ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return pool_->tables();
  }

  // The processes that keep the tables. For whoever wants to watch or kill
  // them.
  [[nodiscard]] const Pool& pool() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return *pool_;
  }

 private:
  // What a name stands for. While it is busy, one call has it for itself.
  struct Entry {
    bool busy = false;
    TableId table = {};
    uint64_t epoch = 0;  // of the keeper's grant
  };

  struct Claimed {
    Grant grant;
    bool attached = false;  // the keeper has been told, if the table is old
  };

  absl::StatusOr<TableHandle> GetHandle(absl::string_view name,
                                        const GetOptions& options,
                                        const Schema& schema,
                                        const KeyLayout& key)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<TableHandle> OpenHandle(absl::string_view name)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Waits until nobody is busy with the name. `kTimeout`.
  absl::Status AwaitSettled(absl::string_view name, absl::Duration wait)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The end of being busy: the name stands for `entry`, or for nothing.
  void Settle(absl::string_view name, std::optional<Entry> entry)
      ABSL_LOCKS_EXCLUDED(mu_);

  // These are called by whoever is busy with the name.
  absl::StatusOr<TableHandle> Create(absl::string_view name,
                                     const GetOptions& options,
                                     const Schema& schema, const KeyLayout& key,
                                     Entry& entry);
  absl::StatusOr<TableHandle> CreateClaimed(absl::string_view name,
                                            const GetOptions& options,
                                            const Schema& schema,
                                            const KeyLayout& key,
                                            Claimed claimed);
  absl::StatusOr<Claimed> Claim(absl::string_view name,
                                const GetOptions& options,
                                const Schema& schema);
  absl::Status End(absl::string_view name, const Entry& entry);

  std::unique_ptr<Runtime> own_runtime_;      // null if one was given
  const std::unique_ptr<KeeperLink> keeper_;  // null: embedded
  std::shared_ptr<Pool> pool_;
  absl::Mutex mu_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
};

// DefaultProtets()
//
// The one of this OS process, which is never destroyed. Its keeper is the one
// at `DefaultKeeperSocket()`, if it answers at the first call of this; else it
// is embedded.
[[nodiscard]] Protets& DefaultProtets();

// Get(), Drop()
//
// Those of `DefaultProtets()`.
template <RowType Row, auto Key>
[[nodiscard]] absl::StatusOr<TableWriter<Row, Key>> Get(
    absl::string_view name, const GetOptions& options = {}) {
  return DefaultProtets().Get<Row, Key>(name, options);
}
[[nodiscard]] inline absl::Status Drop(absl::string_view name) {
  return DefaultProtets().Drop(name);
}

}  // namespace ets_keeper::protets

#endif  // PROTETS_PROTETS_H_
