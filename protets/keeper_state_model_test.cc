// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// Histories of the keeper, all short ones and many long random ones, held
// against what must always be true.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_state.h"
#include "protets/keeper_state_testing.h"

namespace ets_keeper {
namespace protets {
namespace {

// A keeper with clients, and the checks. Every process has two connections.
class World {
 public:
  World(int processes, int tables) : tables_(tables) {
    host_.listens = [this](ConnectionId id) { return !deaf_.contains(id); };
    for (int i = 0; i < processes; ++i) Start();
  }

  // A new process with two connections.
  void Start() {
    const ProcessId process = ++last_process_;
    for (int i = 0; i < 2; ++i) Connect(process);
  }

  void Connect(ProcessId process) {
    peers_.push_back({.connection = ++last_connection_,
                      .process = process,
                      .pid = static_cast<pid_t>(process)});
  }

  size_t peer_count() const { return peers_.size(); }
  FakeHost& host() { return host_; }
  void MakeDeaf(size_t peer) { deaf_.insert(peers_[peer].connection); }

  void Claim(size_t peer, int table, bool wait, bool may_create,
             uint64_t wait_ms) {
    Send(peer, {.type = RequestType::kClaim,
                .name = NameOf(table),
                .schema = 1,
                .max_bytes = 8,
                .wait_ms = wait_ms,
                .may_create = may_create,
                .wait = wait});
  }

  // Attached, release and open; with the epoch that the process last got.
  void Tell(size_t peer, int table, RequestType type) {
    Send(peer, {.type = type,
                .name = NameOf(table),
                .epoch = last_grant_[NameOf(table)].epoch});
  }

  void Drop(size_t peer, int table) {
    Send(peer, {.type = RequestType::kDrop, .name = NameOf(table)});
  }

  void Advance(uint64_t ms) {
    now_ += ms;
    state_.HandleTime(now_);
    Settle();
    EXPECT_GT(state_.NextDeadline().value_or(now_ + 1), now_);
  }

  void Disconnect(size_t peer) {
    const ConnectionId connection = peers_[peer].connection;
    const ProcessId process = peers_[peer].process;
    peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(peer));
    Lose(connection);
    Settle();
    Connect(process);
  }

  void Kill(size_t peer) {
    const ProcessId process = peers_[peer].process;
    std::vector<ConnectionId> lost;
    for (const Peer& each : peers_) {
      if (each.process == process) lost.push_back(each.connection);
    }
    std::erase_if(peers_,
                  [&](const Peer& each) { return each.process == process; });
    dead_.insert(process);
    for (const ConnectionId connection : lost) Lose(connection);
    state_.HandleDeath(process, now_);
    Settle();
    Start();
  }

  // Kills everybody: what remains is orphans, and no claim.
  void Finish() {
    deaf_.clear();
    host_.memory_works = [] { return true; };
    for (const std::set<ProcessId> all = Alive();
         const ProcessId process : all) {
      for (size_t i = 0; i < peers_.size(); ++i) {
        if (peers_[i].process == process) {
          Kill(i);
          break;
        }
      }
    }
    EXPECT_TRUE(asked_.empty());
    EXPECT_EQ(state_.NextDeadline(), std::nullopt);
    for (int table = 0; table < tables_; ++table) {
      EXPECT_EQ(state_.OwnerOf(NameOf(table)), 0u);
      Drop(0, table);
    }
    EXPECT_TRUE(host_.memories.empty());
  }

 private:
  struct Holding {
    ProcessId process = 0;
    ConnectionId connection = 0;
    uint64_t epoch = 0;
    bool ended = true;
    bool attached = false;
  };

  static std::string NameOf(int table) { return absl::StrCat("t", table); }

  std::set<ProcessId> Alive() const {
    std::set<ProcessId> alive;
    for (const Peer& peer : peers_) alive.insert(peer.process);
    return alive;
  }

  void Send(size_t peer, Request request) {
    request.id = ++last_id_;
    asked_[request.id] = {peers_[peer], request};
    if (deaf_.contains(peers_[peer].connection)) {
      ExpectUnheard(peers_[peer], request);
    }
    state_.HandleRequest(peers_[peer], request, now_);
    Settle();
  }

  // The owner's wish comes true, though they will not hear of it.
  void ExpectUnheard(const Peer& peer, const Request& request) {
    Holding& holding = last_grant_[request.name];
    if (holding.ended || holding.process != peer.process) return;
    if (request.type == RequestType::kAttached) holding.attached = true;
    holding.ended = request.type == RequestType::kRelease ||
                    request.type == RequestType::kDrop;
  }

  // The connection is closed: its questions need no answer any more.
  void Lose(ConnectionId connection) {
    deaf_.insert(connection);
    state_.HandleDisconnect(connection);
    std::erase_if(asked_, [&](const auto& entry) {
      return entry.second.first.connection == connection;
    });
    for (auto& [name, holding] : last_grant_) {
      if (holding.connection == connection) holding.connection = 0;
    }
  }

  // Checks what was sent, then closes the connections that did not listen.
  void Settle() {
    for (const FakeHost::Sent& sent : host_.sent) Check(sent);
    host_.sent.clear();
    EXPECT_TRUE(host_.bad_frees.empty());
    for (size_t i = 0; i < peers_.size();) {
      if (!deaf_.contains(peers_[i].connection)) {
        ++i;
        continue;
      }
      const Peer lost = peers_[i];
      peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(i));
      Lose(lost.connection);
      Connect(lost.process);
    }
    CheckWaiting();
    CheckMemories();
  }

  void Check(const FakeHost::Sent& sent) {
    const auto it = asked_.find(sent.reply.id);
    ASSERT_NE(it, asked_.end()) << "answered twice, or never asked";
    const auto [peer, request] = it->second;
    asked_.erase(it);
    EXPECT_EQ(sent.connection, peer.connection);
    EXPECT_FALSE(dead_.contains(peer.process));
    Holding& holding = last_grant_[request.name];
    if (sent.reply.type == ReplyType::kGrant) {
      CheckGrant(peer, sent, holding);
    } else if (sent.reply.type == ReplyType::kOk) {
      if (request.type == RequestType::kAttached) holding.attached = true;
      const bool ends = request.type == RequestType::kRelease ||
                        request.type == RequestType::kDrop;
      if (ends) {
        EXPECT_TRUE(holding.ended || holding.process == peer.process ||
                    dead_.contains(holding.process));
        holding.ended = true;
      }
    }
  }

  void CheckGrant(const Peer& peer, const FakeHost::Sent& sent,
                  Holding& holding) {
    const bool abandoned = holding.process == peer.process &&
                           !holding.attached && holding.connection == 0;
    EXPECT_TRUE(holding.ended || dead_.contains(holding.process) || abandoned)
        << "granted while its owner lives";
    EXPECT_GT(sent.reply.table.epoch, holding.epoch);
    EXPECT_TRUE(host_.memories.contains(sent.memory));
    EXPECT_EQ(sent.reply.fresh, !formatted_.contains(sent.memory));
    EXPECT_EQ(state_.OwnerOf(sent.reply.table.name), peer.process);
    holding = {.process = peer.process,
               .connection = peer.connection,
               .epoch = sent.reply.table.epoch,
               .ended = false};
    holding_memory_[sent.reply.table.name] = sent.memory;
  }

  // What was not answered is a claim that waits, for a table that is owned.
  void CheckWaiting() {
    for (const auto& [id, question] : asked_) {
      const Request& request = question.second;
      EXPECT_EQ(request.type, RequestType::kClaim);
      EXPECT_TRUE(request.wait);
      EXPECT_NE(state_.OwnerOf(request.name), 0u);
      EXPECT_FALSE(dead_.contains(state_.OwnerOf(request.name)));
    }
    for (auto& [name, holding] : last_grant_) {
      if (holding.attached) formatted_.insert(holding_memory_[name]);
    }
  }

  // Each table that is listed has one memory, and there are no others.
  void CheckMemories() {
    size_t listed = 0;
    Request list = {.type = RequestType::kList, .id = ~uint64_t{0}};
    while (true) {
      const Peer nobody = {.connection = ~uint64_t{0}};
      state_.HandleRequest(nobody, list, now_);
      const Reply reply = host_.sent.back().reply;
      host_.sent.clear();
      if (reply.type == ReplyType::kEnd) break;
      ++listed;
      list.name = reply.table.name;
      EXPECT_EQ(reply.table.owner_pid != 0,
                reply.table.state != KeeperTableState::kOrphaned);
    }
    EXPECT_EQ(host_.memories.size(), listed);
  }

  const int tables_;
  FakeHost host_;
  KeeperState state_{{.max_tables = 3, .max_waiting_claims_per_connection = 3},
                     host_};
  std::vector<Peer> peers_;
  std::set<ConnectionId> deaf_;
  std::set<ProcessId> dead_;
  std::map<uint64_t, std::pair<Peer, Request>> asked_;
  std::map<std::string, Holding> last_grant_;
  std::map<std::string, MemoryId> holding_memory_;
  std::set<MemoryId> formatted_;
  ProcessId last_process_ = 0;
  ConnectionId last_connection_ = 0;
  uint64_t last_id_ = 0;
  uint64_t now_ = 0;
};

// What one of the first four peers (of two processes) can do to one table.
std::vector<std::function<void(World&)>> Moves() {
  std::vector<std::function<void(World&)>> moves;
  for (const size_t peer : {0, 2}) {
    moves.push_back([=](World& w) { w.Claim(peer, 0, false, true, 0); });
    moves.push_back([=](World& w) { w.Claim(peer, 0, true, true, 5); });
    moves.push_back([=](World& w) { w.Claim(peer, 0, true, false, ~0ull); });
    moves.push_back([=](World& w) { w.Tell(peer, 0, RequestType::kAttached); });
    moves.push_back([=](World& w) { w.Tell(peer, 0, RequestType::kRelease); });
    moves.push_back([=](World& w) { w.Drop(peer, 0); });
    moves.push_back([=](World& w) { w.Disconnect(peer); });
    moves.push_back([=](World& w) { w.Kill(peer); });
  }
  moves.push_back([](World& w) { w.Advance(5); });
  return moves;
}

TEST(KeeperStateModelTest, EveryHistoryOfFourMovesIsRight) {
  const auto moves = Moves();
  const size_t count = moves.size();
  for (size_t n = 0; n < count * count * count * count; ++n) {
    World world(2, 1);
    for (size_t rest = n, i = 0; i < 4; ++i, rest /= count) {
      moves[rest % count](world);
    }
    world.Finish();
    ASSERT_FALSE(testing::Test::HasFailure()) << "history " << n;
  }
}

TEST(KeeperStateModelTest, LongRandomHistoriesAreRight) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&random](uint32_t limit) { return random() % limit; };
  for (int history = 0; history < 100; ++history) {
    World world(4, 4);
    world.host().memory_works = [&below] { return below(10) != 0; };
    for (int step = 0; step < 300; ++step) {
      const size_t peer = below(static_cast<uint32_t>(world.peer_count()));
      const int table = static_cast<int>(below(4));
      switch (below(12)) {
        case 0:
        case 1:
        case 2:
          world.Claim(peer, table, true, below(4) != 0, below(50));
          break;
        case 3:
          world.Claim(peer, table, below(2) == 0, true, ~0ull);
          break;
        case 4:
        case 5:
          world.Tell(peer, table, RequestType::kAttached);
          break;
        case 6:
          world.Tell(peer, table, RequestType::kRelease);
          break;
        case 7:
          world.Drop(peer, table);
          break;
        case 8:
          world.Advance(below(30));
          break;
        case 9:
          world.Kill(peer);
          break;
        case 10:
          world.Disconnect(peer);
          break;
        default:
          world.MakeDeaf(peer);
      }
    }
    world.Finish();
    ASSERT_FALSE(testing::Test::HasFailure()) << "history " << history;
  }
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
