// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: scripted_keeper_testing.h
// -----------------------------------------------------------------------------
//
// `ScriptedKeeper` is a keeper that the test plays itself.
//
//   ScriptedKeeper keeper([](ScriptedKeeper& self) {
//     self.AnswerPing();
//     self.Answer(self.Next(), reply);
//   });
//
// Thread safety: the script has a thread of its own, for which destruction
// waits.

#ifndef PROTETS_SCRIPTED_KEEPER_TESTING_H_
#define PROTETS_SCRIPTED_KEEPER_TESTING_H_

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"
#include "protets/keeper_protocol.h"
#include "protets/keeper_socket.h"

namespace ets_keeper {
namespace protets {

// Accepts a client and answers as the test's script says.
class ScriptedKeeper {
 public:
  using Script = std::function<void(ScriptedKeeper&)>;

  explicit ScriptedKeeper(Script script) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    absl::StatusOr<KeeperListener> listener =
        KeeperListener::Listen(folder_ + "/keeper.sock");
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_.emplace(*std::move(listener));
    if (!script) return;
    thread_ = std::thread([this, script = std::move(script)] {
      NextClient();
      script(*this);
      socket_.Close();
    });
  }

  ~ScriptedKeeper() {
    if (thread_.joinable()) thread_.join();
    listener_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string path() const { return listener_->path(); }

  // Hangs up, and accepts another client.
  void NextClient() {
    socket_.Close();
    Await(listener_->fd());
    socket_ =
        UniqueFd(accept4(listener_->fd(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  // The next request; an empty one at the end of the connection.
  Request Next() {
    Await(socket_.get());
    const Received received = ReceivePacket(socket_.get(), kRequestSize, 0);
    return DecodeRequest(received.packet).value_or(Request());
  }

  // From here on the client can send nothing more.
  void StopReading() { EXPECT_EQ(shutdown(socket_.get(), SHUT_RD), 0); }

  // Returns when the client has hung up.
  void AwaitEnd() {
    pollfd entry = {socket_.get(), 0, 0};
    EXPECT_EQ(poll(&entry, 1, -1), 1);
  }

  void Answer(const Request& request, Reply reply, int fd = -1) {
    reply.id = request.id;
    Send(EncodeReply(reply), fd);
  }

  void Send(const std::string& packet, int fd = -1) {
    EXPECT_TRUE(SendPacket(socket_.get(), packet, fd));
  }

  void AnswerPing() {
    const Request request = Next();
    EXPECT_EQ(request.type, RequestType::kPing);
    Answer(request, {});
  }

 private:
  static void Await(int fd) {
    pollfd entry = {fd, POLLIN, 0};
    EXPECT_EQ(poll(&entry, 1, -1), 1);
  }

  std::string folder_ = "/tmp/ets_keeper_test.XXXXXX";
  std::optional<KeeperListener> listener_;
  UniqueFd socket_;
  std::thread thread_;
};

}  // namespace protets
}  // namespace ets_keeper

#endif  // PROTETS_SCRIPTED_KEEPER_TESTING_H_
