// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: keeper_state_testing.h
// -----------------------------------------------------------------------------
//
// `FakeHost` is a `KeeperHost` for tests of `KeeperState`: it remembers what is
// sent and which memory lives, and fails when it is told to.
//
//   FakeHost host;
//   KeeperState state({}, host);
//   state.HandleRequest({.connection = 1, .process = 1}, claim, 0);
//   EXPECT_EQ(host.sent.back().reply.type, ReplyType::kGrant);
//
// Thread safety: none.

#ifndef PROTETS_KEEPER_STATE_TESTING_H_
#define PROTETS_KEEPER_STATE_TESTING_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/status/status.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_state.h"

namespace ets_keeper {
namespace protets {

// FakeHost
class FakeHost : public KeeperHost {
 public:
  struct Sent {
    ConnectionId connection;
    Reply reply;
    MemoryId memory;
  };

  absl::StatusOr<MemoryId> MakeMemory(absl::string_view, uint64_t bytes,
                                      bool huge_pages) override {
    if (!memory_works()) return MakeStatus(Cause::kUnavailable, "no memfd");
    memories[++last_memory_] = bytes;
    last_huge_pages = huge_pages;
    return last_memory_;
  }

  void FreeMemory(MemoryId memory) override {
    if (memories.erase(memory) != 1) bad_frees.push_back(memory);
  }

  bool SendReply(ConnectionId connection, const Reply& reply,
                 MemoryId memory) override {
    if (!listens(connection)) return false;
    sent.push_back({connection, reply, memory});
    return true;
  }

  void Audit(const AuditEvent& event) override {
    audited.push_back(std::string(event.what));
  }

  std::function<bool()> memory_works = [] { return true; };
  std::function<bool(ConnectionId)> listens = [](ConnectionId) { return true; };

  std::vector<Sent> sent;
  std::map<MemoryId, uint64_t> memories;  // those that live, and their sizes
  bool last_huge_pages = false;           // of the newest one
  std::vector<MemoryId> bad_frees;        // of memory that did not live
  std::vector<std::string> audited;

 private:
  MemoryId last_memory_ = 0;
};

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_KEEPER_STATE_TESTING_H_
