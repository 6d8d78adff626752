// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: lmdb_peer.h
// -----------------------------------------------------------------------------
//
// `LmdbPeer`: an LMDB database in a file system in memory as a peer. Like a
// table in a memfd its rows survive the kill of the process, but not a power
// failure (MDB_NOSYNC). Every write is a transaction that has been committed
// when the call returns; every read is a transaction, too, which each thread
// keeps and renews.
//
//   LmdbPeer<WordRow> peer;
//   peer.Insert(1, 10);
//
// Thread safety: any number of threads may use a peer; those but the one that
// destroys it must have ended by then.

#ifndef BENCHMARKS_LMDB_PEER_H_
#define BENCHMARKS_LMDB_PEER_H_

#include <lmdb.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "benchmarks/rows.h"

namespace ets_keeper::benchmarks {

// LmdbPeer
template <typename R>
class LmdbPeer {
 public:
  using Row = R;
  using KeyArg = typename R::KeyArg;
  using Value = typename R::Value;
  static constexpr bool kConcurrent = true;

  LmdbPeer() {
    std::string folder = "/dev/shm/benchmark_XXXXXX";
    CHECK(mkdtemp(folder.data()) != nullptr) << folder;
    Check(mdb_env_create(&env_));
    Check(mdb_env_set_mapsize(env_, kMaxBytes));
    // Readers are bound to a transaction here, and not to a thread.
    Check(mdb_env_open(env_, folder.c_str(),
                       MDB_NOSYNC | MDB_WRITEMAP | MDB_NOTLS, 0600));
    // Nobody else is to find it, and nothing is left of it in the end.
    for (const char* file : {"/data.mdb", "/lock.mdb"}) {
      unlink((folder + file).c_str());
    }
    rmdir(folder.c_str());
    Write([&](MDB_txn* txn) {
      constexpr unsigned kFlags =
          std::is_same_v<typename R::Key, uint64_t> ? MDB_INTEGERKEY : 0;
      Check(mdb_dbi_open(txn, nullptr, kFlags | MDB_CREATE, &rows_));
    });
  }
  LmdbPeer(const LmdbPeer&) = delete;
  LmdbPeer& operator=(const LmdbPeer&) = delete;
  ~LmdbPeer() {
    if (Reader& reader = ThreadsReader(); reader.env == env_) reader.Forget();
    mdb_env_close(env_);
  }

  std::optional<Value> Find(KeyArg key) const {
    Value value;
    return FindBatch({&key, 1}, &value) == 1 ? std::optional(value)
                                             : std::nullopt;
  }
  size_t FindBatch(absl::Span<const KeyArg> keys, Value* values) const {
    Reader& reader = ThreadsReader();
    reader.Begin(env_);
    size_t found = 0;
    for (const KeyArg& key : keys) {
      found += Get(reader.txn, key, &values[found]);
    }
    mdb_txn_reset(reader.txn);
    return found;
  }
  void Insert(KeyArg key, const Value& value) {
    Write([&](MDB_txn* txn) { Put(txn, key, value); });
  }
  bool Add(KeyArg key, uint64_t amount) {
    bool found = false;
    Write([&](MDB_txn* txn) {
      Value value;
      found = Get(txn, key, &value);
      if (!found) return;
      R::Count(value) += amount;
      Put(txn, key, value);
    });
    return found;
  }
  void Erase(KeyArg key) {
    Write([&](MDB_txn* txn) {
      MDB_val word = WordOf(key);
      const int code = mdb_del(txn, rows_, &word, nullptr);
      if (code != MDB_NOTFOUND) Check(code);
    });
  }
  uint64_t size() const {
    MDB_stat stat;
    Check(mdb_env_stat(env_, &stat));
    return stat.ms_entries;
  }

  // All pages up to the last one that was ever in use.
  uint64_t bytes() const {
    MDB_stat stat;
    Check(mdb_env_stat(env_, &stat));
    MDB_envinfo info;
    Check(mdb_env_info(env_, &info));
    return (info.me_last_pgno + 1) * stat.ms_psize;
  }

  // Makes one transaction of all writes between.
  void BeginFill() { Check(mdb_txn_begin(env_, nullptr, 0, &fill_)); }
  void EndFill() {
    Check(mdb_txn_commit(fill_));
    fill_ = nullptr;
  }

 private:
  static constexpr size_t kMaxBytes = size_t{16} << 30;

  // The transaction for reading that a thread used last, of any database.
  struct Reader {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;

    ~Reader() { Forget(); }
    void Begin(MDB_env* wanted) {
      if (env == wanted) return Check(mdb_txn_renew(txn));
      Forget();
      Check(mdb_txn_begin(wanted, nullptr, MDB_RDONLY, &txn));
      env = wanted;
    }
    void Forget() {
      if (txn != nullptr) mdb_txn_abort(txn);
      txn = nullptr;
      env = nullptr;
    }
  };
  static Reader& ThreadsReader() {
    static thread_local Reader reader;
    return reader;
  }

  static void Check(int code) {
    CHECK_EQ(code, MDB_SUCCESS) << mdb_strerror(code);
  }

  template <typename T>
  static MDB_val WordOf(const T& value) {
    if constexpr (requires { value.data(); }) {
      return {value.size(), const_cast<char*>(value.data())};
    } else {
      return {sizeof(value), const_cast<T*>(&value)};
    }
  }

  template <typename Work>
  void Write(const Work& work) {
    if (fill_ != nullptr) return work(fill_);
    MDB_txn* txn = nullptr;
    Check(mdb_txn_begin(env_, nullptr, 0, &txn));
    work(txn);
    Check(mdb_txn_commit(txn));
  }
  bool Get(MDB_txn* txn, const KeyArg& key, Value* value) const {
    MDB_val word = WordOf(key);
    MDB_val found;
    const int code = mdb_get(txn, rows_, &word, &found);
    if (code == MDB_NOTFOUND) return false;
    Check(code);
    std::memcpy(value, found.mv_data, sizeof(*value));
    return true;
  }
  void Put(MDB_txn* txn, const KeyArg& key, const Value& value) {
    MDB_val word = WordOf(key);
    MDB_val bytes = {sizeof(value), const_cast<Value*>(&value)};
    Check(mdb_put(txn, rows_, &word, &bytes, 0));
  }

  MDB_env* env_ = nullptr;
  MDB_dbi rows_ = 0;
  MDB_txn* fill_ = nullptr;
};

}  // namespace ets_keeper::benchmarks

#endif  // BENCHMARKS_LMDB_PEER_H_
