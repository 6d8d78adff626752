// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_server.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "protets/keeper_memory.h"
#include "protets/keeper_peer.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_socket.h"
#include "protets/keeper_state.h"

namespace ets_keeper {
namespace protets {
namespace {

// What an epoll event is about: one of these, or the id of a connection or of a
// process, which are never the same.
constexpr uint64_t kStopId = 1;
constexpr uint64_t kListenId = 2;
constexpr uint64_t kFirstId = 16;

constexpr int kEventsPerTurn = 64;

// So many turns in a row put off what nobody waits for.
constexpr int kChoresEvery = 8;

uint64_t NowMs() {
  return static_cast<uint64_t>(absl::ToUnixMillis(RealClock().Now()));
}

absl::Status SystemError(absl::string_view what) {
  return MakeStatus(Cause::kUnavailable,
                    absl::StrCat("keeper: ", what, ": ", std::strerror(errno)));
}

std::string AuditLine(const AuditEvent& event) {
  return absl::StrCat("event=", event.what, " uid=", event.peer.uid,
                      " pid=", event.peer.pid, " table=\"",
                      absl::CHexEscape(event.table), "\" epoch=", event.epoch,
                      " reason=\"", absl::CHexEscape(event.reason), "\"");
}

class Server final : public KeeperServer, private KeeperHost {
 public:
  Server(KeeperOptions options, KeeperListener listener)
      : options_(std::move(options)),
        listener_(std::move(listener)),
        state_(options_.limits, *this) {}

  absl::Status Start();
  absl::Status Run(int stop_fd) override;

 private:
  struct Connection {
    UniqueFd socket;
    Peer peer;
  };

  // An OS process that has a connection or owns a table.
  struct Process {
    pid_t pid = 0;
    UniqueFd pidfd;
  };

  // KeeperHost:
  absl::StatusOr<MemoryId> MakeMemory(absl::string_view table, uint64_t bytes,
                                      bool huge_pages) override;
  void FreeMemory(MemoryId memory) override { memories_.erase(memory); }
  bool SendReply(ConnectionId connection, const Reply& reply,
                 MemoryId memory) override;
  void Audit(const AuditEvent& event) override {
    if (burying_ || !chores_.lines.empty()) {
      chores_.lines.push_back(AuditLine(event));
    } else {
      options_.log(AuditLine(event));
    }
  }

  // What is left to do when somebody has died or gone, and nobody waits for.
  struct Chores {
    std::vector<std::string> lines;  // to be logged, in order
    std::vector<UniqueFd> fds;       // to be closed, which takes a while
    bool empty() const { return lines.empty() && fds.empty(); }
  };

  void DoChores();
  bool Watch(int fd, uint64_t id);
  int TimeoutMs() const;
  bool HandleEvent(uint64_t id);

  void Accept();
  void TurnAwayOne();
  void Admit(UniqueFd socket);
  void TurnAway(const UniqueFd& socket, const Peer& peer, Cause cause,
                absl::string_view why);
  // The id of the peer's process: the one it has, or a new one; 0 if it cannot
  // be watched.
  ProcessId FindOrWatch(PeerProcess peer);
  size_t ConnectionsOf(ProcessId process) const;

  void ReadRequest(ConnectionId id);
  void HandleBreach(ConnectionId id, uint64_t request,
                    const absl::Status& breach);
  bool BuryIfDead(ProcessId process);
  void CloseDoomed();
  void Close(ConnectionId id);
  void ReadLastWords(const Connection& connection);

  const KeeperOptions options_;
  KeeperListener listener_;
  UniqueFd epoll_;
  // Given up for a moment to turn a client away when there is no other.
  UniqueFd spare_;
  uint64_t last_id_ = kFirstId;
  absl::flat_hash_map<ConnectionId, Connection> connections_;
  absl::flat_hash_map<ProcessId, Process> processes_;
  absl::flat_hash_map<MemoryId, TableMemory> memories_;
  // Connections to be closed once no call into `state_` is under way.
  std::vector<ConnectionId> doomed_;
  bool burying_ = false;  // a death is being dealt with
  Chores chores_;
  KeeperState state_;
};

UniqueFd OpenSpare() {
  return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

absl::Status Server::Start() {
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  spare_ = OpenSpare();
  if (!epoll_ || !spare_ || !Watch(listener_.fd(), kListenId)) {
    return SystemError("cannot start");
  }
  return absl::OkStatus();
}

absl::Status Server::Run(int stop_fd) {
  if (!Watch(stop_fd, kStopId)) return SystemError("cannot watch for its end");
  const absl::Cleanup at_the_end = [this] { DoChores(); };
  epoll_event events[kEventsPerTurn];
  int busy_turns = 0;  // with chores to do
  while (true) {
    // Chores are done in a turn in which nobody wants anything, if there is one
    // soon: whoever was given a dead owner's table, and was perhaps woken on
    // this processor, goes first, and is answered what it asks next.
    const bool has_chores = !chores_.empty();
    if (has_chores) sched_yield();
    const int count = epoll_wait(epoll_.get(), events, kEventsPerTurn,
                                 has_chores ? 0 : TimeoutMs());
    if (count < 0 && errno != EINTR) return SystemError("cannot wait");
    bool is_busy = false;
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kStopId) {
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stop_fd, nullptr);
        return absl::OkStatus();
      }
      is_busy |= HandleEvent(events[i].data.u64);
      CloseDoomed();
    }
    state_.HandleTime(NowMs());
    CloseDoomed();
    if (!has_chores) continue;
    busy_turns = is_busy ? busy_turns + 1 : 0;
    if (busy_turns % kChoresEvery == 0) DoChores();
  }
}

void Server::DoChores() {
  for (const std::string& line : std::exchange(chores_.lines, {})) {
    options_.log(line);
  }
  chores_.fds.clear();
}

bool Server::Watch(int fd, uint64_t id) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = id;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

int Server::TimeoutMs() const {
  const std::optional<uint64_t> deadline = state_.NextDeadline();
  if (!deadline.has_value()) return -1;
  const uint64_t now = NowMs();
  if (*deadline <= now) return 0;
  return static_cast<int>(
      std::min<uint64_t>(*deadline - now, std::numeric_limits<int>::max()));
}

// False if there was nothing to do: for a process that is buried, or a
// connection that is closed, but for the descriptor.
bool Server::HandleEvent(uint64_t id) {
  if (id == kListenId) {
    Accept();
  } else if (connections_.contains(id)) {
    ReadRequest(id);
  } else {
    return BuryIfDead(id);
  }
  return true;
}

void Server::Accept() {
  UniqueFd socket(
      accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) return Admit(std::move(socket));
  if (errno != EMFILE && errno != ENFILE) return;
  // Else it is tried again in the next turn.
  if (chores_.fds.empty()) TurnAwayOne();
}

// Out of descriptors: without this, the waiting client would keep the listening
// socket ready, and the keeper busy, for ever.
void Server::TurnAwayOne() {
  spare_.Close();
  UniqueFd socket(
      accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) {
    TurnAway(socket, {}, Cause::kNoMemory,
             "the keeper has no file descriptors left");
  }
  socket.Close();
  spare_ = OpenSpare();
}

void Server::Admit(UniqueFd socket) {
  absl::StatusOr<PeerProcess> process = IdentifyPeer(socket.get());
  if (!process.ok()) {
    return TurnAway(socket, {}, Cause::kDenied, process.status().message());
  }
  Peer peer{.pid = process->pid, .uid = process->uid};
  const bool allowed =
      peer.uid == options_.user || (options_.allow_root && peer.uid == 0);
  if (!allowed) {
    return TurnAway(
        socket, peer, Cause::kDenied,
        absl::StrCat("user ", peer.uid, " may not use the keeper of user ",
                     options_.user));
  }
  if (connections_.size() >= options_.limits.max_connections) {
    return TurnAway(socket, peer, Cause::kNoMemory,
                    absl::StrCat("the keeper has ", connections_.size(),
                                 " connections, and may not have more"));
  }
  const ConnectionId id = ++last_id_;
  peer.connection = id;
  peer.process = FindOrWatch(*std::move(process));
  const size_t others = ConnectionsOf(peer.process);
  if (others >= options_.limits.max_connections_per_process) {
    return TurnAway(socket, peer, Cause::kNoMemory,
                    absl::StrCat("process ", peer.pid, " has ", others,
                                 " connections, and may not have more"));
  }
  if (peer.process == 0 || !Watch(socket.get(), id)) {
    return TurnAway(socket, peer, Cause::kUnavailable,
                    "the keeper cannot watch the client");
  }
  connections_.emplace(id, Connection{std::move(socket), peer});
}

void Server::TurnAway(const UniqueFd& socket, const Peer& peer, Cause cause,
                      absl::string_view why) {
  Audit({"deny", peer, "", 0, why});
  const Reply reply = ErrorReply(0, MakeStatus(cause, why));
  if (!SendPacket(socket.get(), EncodeReply(reply))) {
    Audit({"deny", peer, "", 0, "and the client does not listen"});
  }
}

ProcessId Server::FindOrWatch(PeerProcess peer) {
  if (HasDied(peer.pidfd)) return 0;
  for (const auto& [id, process] : processes_) {
    if (process.pid != peer.pid) continue;
    // No two living processes have the same process id.
    if (!HasDied(process.pidfd)) return id;
    BuryIfDead(id);
    break;
  }
  const ProcessId id = ++last_id_;
  if (!Watch(peer.pidfd.get(), id)) return 0;
  processes_.emplace(id, Process{peer.pid, std::move(peer.pidfd)});
  return id;
}

void Server::ReadRequest(ConnectionId id) {
  const Connection& connection = connections_.at(id);
  // The sender and the owner may have died since the last turn; a request that
  // comes after a death must be answered as such.
  const Peer peer = connection.peer;
  if (BuryIfDead(peer.process)) return;
  Received received = ReceivePacket(connection.socket.get(), kRequestSize, 0);
  if (received.state == Received::State::kNothingYet) return;
  if (received.state == Received::State::kClosed) {
    doomed_.push_back(id);
    return;
  }
  if (received.truncated) {
    return HandleBreach(id, PeekRequestId(received.packet),
                        MakeStatus(Cause::kProtocol,
                                   "a message that is too long or carries a "
                                   "descriptor"));
  }
  const absl::StatusOr<Request> request = DecodeRequest(received.packet);
  if (!request.ok()) {
    return HandleBreach(id, PeekRequestId(received.packet), request.status());
  }
  // Whoever comes after a dead owner may be dead, too.
  while (BuryIfDead(state_.OwnerConcernedBy(*request))) {
  }
  state_.HandleRequest(peer, *request, NowMs());
}

void Server::HandleBreach(ConnectionId id, uint64_t request,
                          const absl::Status& breach) {
  Audit({"protocol", connections_.at(id).peer, "", 0, breach.message()});
  SendReply(id, ErrorReply(request, breach), 0);
  doomed_.push_back(id);
}

bool Server::BuryIfDead(ProcessId process) {
  const auto it = processes_.find(process);
  if (it == processes_.end() || !HasDied(it->second.pidfd)) return false;
  // Closing the pidfd ends the watch; nobody has a duplicate of it.
  chores_.fds.push_back(std::move(it->second.pidfd));
  processes_.erase(it);
  for (const auto& [id, connection] : connections_) {
    if (connection.peer.process == process) doomed_.push_back(id);
  }
  burying_ = true;
  state_.HandleDeath(process, NowMs());
  burying_ = false;
  return true;
}

void Server::CloseDoomed() {
  // None is added meanwhile but the one that is being closed.
  for (const ConnectionId id : std::exchange(doomed_, {})) Close(id);
}

void Server::Close(ConnectionId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;  // doomed twice
  const ProcessId process = it->second.peer.process;
  if (processes_.contains(process)) ReadLastWords(it->second);
  chores_.fds.push_back(std::move(it->second.socket));
  connections_.erase(it);
  state_.HandleDisconnect(id);
  if (ConnectionsOf(process) == 0 && !state_.OwnsAnything(process)) {
    processes_.erase(process);
  }
}

size_t Server::ConnectionsOf(ProcessId process) const {
  return static_cast<size_t>(std::count_if(
      connections_.begin(), connections_.end(), [process](const auto& entry) {
        return entry.second.peer.process == process;
      }));
}

// A client that was granted a table and could say that it has attached has said
// so, whatever its connection is closed for: otherwise its grant would count as
// lost on the way, and its process could be granted the table again beside it.
// After the shutdown nothing more can be sent.
void Server::ReadLastWords(const Connection& connection) {
  shutdown(connection.socket.get(), SHUT_RD);
  while (true) {
    const Received received =
        ReceivePacket(connection.socket.get(), kRequestSize, 0);
    if (received.state != Received::State::kPacket) return;
    const absl::StatusOr<Request> request = DecodeRequest(received.packet);
    if (received.truncated || !request.ok()) continue;
    if (request->type != RequestType::kAttached) continue;
    state_.HandleRequest(connection.peer, *request, NowMs());
  }
}

absl::StatusOr<MemoryId> Server::MakeMemory(absl::string_view table,
                                            uint64_t bytes, bool huge_pages) {
  absl::StatusOr<TableMemory> memory =
      MakeTableMemory(table, bytes, huge_pages);
  if (!memory.ok()) return memory.status();
  const MemoryId id = ++last_id_;
  memories_.emplace(id, *std::move(memory));
  return id;
}

bool Server::SendReply(ConnectionId id, const Reply& reply, MemoryId memory) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return false;
  int fd = -1;
  if (reply.type == ReplyType::kGrant) {
    fd = memories_.at(memory).read_write.get();
  } else if (reply.type == ReplyType::kReadGrant) {
    fd = memories_.at(memory).read_only.get();
  }
  if (SendPacket(it->second.socket.get(), EncodeReply(reply), fd)) return true;
  doomed_.push_back(id);
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeeperServer>> KeeperServer::Listen(
    KeeperOptions options) {
  absl::StatusOr<KeeperListener> listener =
      KeeperListener::Listen(options.socket);
  if (!listener.ok()) return listener.status();
  auto server =
      std::make_unique<Server>(std::move(options), *std::move(listener));
  if (absl::Status started = server->Start(); !started.ok()) return started;
  return server;
}

}  // namespace protets
}  // namespace ets_keeper
