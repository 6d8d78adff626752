// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// The keeper as a daemon, with clients in processes of their own that are
// killed, stopped, and forked.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status.h"
#include "common/unique_fd/unique_fd.h"
#include "gtest/gtest.h"
#include "protets/keeper_client.h"
#include "protets/keeper_peer.h"
#include "protets/keeper_process.h"
#include "protets/keeper_protocol.h"

namespace ets_keeper {
namespace protets {
namespace {

constexpr absl::string_view kBinary = "protets/keeper";
constexpr uint64_t kBytes = 1 << 16;
constexpr uint64_t kWord = 0x6b65657065727321;

// A forked process, and a line of short messages to it. The test program has
// one thread only, so that the child may do anything.
class Child {
 public:
  using Body = std::function<void(Child& self)>;

  explicit Child(const Body& body) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    pid_ = fork();
    line_ = UniqueFd(ends[pid_ == 0 ? 1 : 0]);
    UniqueFd other(ends[pid_ == 0 ? 0 : 1]);
    if (pid_ != 0) return;
    other.Close();
    body(*this);
    _exit(0);
  }

  ~Child() { Kill(); }

  pid_t pid() const { return pid_; }

  void Say(absl::string_view word) {
    if (send(line_.get(), word.data(), word.size(), MSG_NOSIGNAL) < 0) _exit(9);
  }

  // The next word; empty when the other side is gone.
  std::string Hear() {
    char word[256];
    const ssize_t size = recv(line_.get(), word, sizeof(word), 0);
    return std::string(word, size < 0 ? 0 : static_cast<size_t>(size));
  }

  // For the child: until the end.
  void Linger() {
    while (!Hear().empty()) {
    }
  }

  // Returns when the process is gone.
  void Kill() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
  UniqueFd line_;
};

class KeeperMainTest : public testing::Test {
 protected:
  KeeperMainTest()
      : keeper_(KeeperProcess::Start({.binary = std::string(kBinary)})) {
    EXPECT_TRUE(keeper_.ok()) << keeper_.status();
  }

  KeeperClient Connect() const {
    absl::StatusOr<KeeperClient> client =
        KeeperClient::Connect(keeper_->socket());
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  static absl::StatusOr<Grant> Claim(
      KeeperClient& client, absl::Duration wait = absl::ZeroDuration()) {
    return client.Claim(
        {.name = "users", .schema = 1, .max_bytes = kBytes, .wait = wait});
  }

  static volatile uint64_t* Map(const UniqueFd& fd, int protection) {
    void* address = mmap(nullptr, kBytes, protection, MAP_SHARED, fd.get(), 0);
    return address == MAP_FAILED ? nullptr
                                 : static_cast<volatile uint64_t*>(address);
  }

  // A process that owns "users" and has written `kWord` to it. `after` is what
  // it does then.
  Child Owner(const std::function<void(Child&, KeeperClient&)>& after) const {
    return Child([&](Child& self) {
      KeeperClient client = Connect();
      absl::StatusOr<Grant> grant = Claim(client);
      if (!grant.ok()) return self.Say(grant.status().ToString());
      Map(grant->fd, PROT_READ | PROT_WRITE)[7] = kWord;
      grant->fd.Close();
      self.Say(client.Attached("users", grant->epoch).ToString());
      after(self, client);
    });
  }

  static void Linger(Child& self, KeeperClient&) { self.Linger(); }

  // The keeper has ended a turn that began after all that happened before, and
  // has closed what was gone by then: so many turns cannot all have put it off.
  static void Settle(KeeperClient& client) {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(client.Ping().ok());
  }

  absl::StatusOr<KeeperProcess> keeper_;
};

TEST_F(KeeperMainTest, D92_KilledOwnersTableIsThereAtOnceWithItsContents) {
  KeeperClient client = Connect();
  Child owner = Owner(Linger);
  ASSERT_EQ(owner.Hear(), "OK");
  const absl::Status taken = Claim(client).status();
  EXPECT_EQ(CauseOf(taken), Cause::kAlreadyOwned);
  EXPECT_TRUE(absl::StrContains(taken.message(), absl::StrCat(owner.pid())))
      << taken;
  owner.Kill();
  // Without standing in line: the keeper looks whether the owner is dead.
  const absl::StatusOr<Grant> grant = Claim(client);
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_FALSE(grant->fresh);
  EXPECT_EQ(grant->epoch, 2u);
  EXPECT_EQ(grant->deaths, 1u);
  EXPECT_EQ(grant->bytes, kBytes);
  EXPECT_EQ(Map(grant->fd, PROT_READ)[7], kWord);
}

TEST_F(KeeperMainTest, WhoWaitsGetsTheTableWhenItsOwnerIsKilled) {
  Child owner = Owner(Linger);
  ASSERT_EQ(owner.Hear(), "OK");
  Child heir([&](Child& self) {
    KeeperClient client = Connect();
    self.Say("claims");
    const auto grant = Claim(client, absl::InfiniteDuration());
    const bool same = grant.ok() && Map(grant->fd, PROT_READ)[7] == kWord;
    self.Say(absl::StrCat(same ? "the word, epoch " : "no, epoch ",
                          grant.ok() ? grant->epoch : 0));
    self.Linger();
  });
  EXPECT_EQ(heir.Hear(), "claims");
  owner.Kill();
  EXPECT_EQ(heir.Hear(), "the word, epoch 2");
}

TEST_F(KeeperMainTest, AProcessThatClosedItsSocketButLivesKeepsItsTable) {
  KeeperClient client = Connect();
  Child owner = Owner([](Child& self, KeeperClient& own) {
    { const KeeperClient closed = std::move(own); }
    self.Say("closed");
    self.Linger();
  });
  ASSERT_EQ(owner.Hear(), "OK");
  ASSERT_EQ(owner.Hear(), "closed");
  Settle(client);
  EXPECT_EQ(CauseOf(Claim(client).status()), Cause::kAlreadyOwned);
  EXPECT_EQ(CauseOf(Claim(client, absl::Milliseconds(1)).status()),
            Cause::kTimeout);
  EXPECT_EQ(CauseOf(client.Drop("users")), Cause::kDenied);
  owner.Kill();
  EXPECT_TRUE(Claim(client, absl::InfiniteDuration()).ok());
}

TEST_F(KeeperMainTest, AStoppedProcessKeepsItsTable) {
  KeeperClient client = Connect();
  Child owner = Owner(Linger);
  ASSERT_EQ(owner.Hear(), "OK");
  ASSERT_EQ(kill(owner.pid(), SIGSTOP), 0);
  int status = 0;
  ASSERT_EQ(waitpid(owner.pid(), &status, WUNTRACED), owner.pid());
  EXPECT_EQ(CauseOf(Claim(client, absl::Milliseconds(1)).status()),
            Cause::kTimeout);
  owner.Kill();
  EXPECT_TRUE(Claim(client).ok());
}

TEST_F(KeeperMainTest, AChildThatHoldsTheSocketOpenDoesNotHoldTheTable) {
  KeeperClient client = Connect();
  Child owner = Owner([](Child& self, KeeperClient&) {
    const pid_t survivor = fork();
    if (survivor == 0) {
      while (true) pause();
    }
    self.Say(absl::StrCat(survivor));
    self.Linger();
  });
  ASSERT_EQ(owner.Hear(), "OK");
  pid_t survivor = 0;
  ASSERT_TRUE(absl::SimpleAtoi(owner.Hear(), &survivor));
  owner.Kill();
  EXPECT_TRUE(Claim(client).ok());
  kill(survivor, SIGKILL);
}

TEST_F(KeeperMainTest, WhoDiesInLineIsSkipped) {
  KeeperClient client = Connect();
  Child owner = Owner(Linger);
  ASSERT_EQ(owner.Hear(), "OK");
  Child waiter([&](Child& self) {
    KeeperClient own = Connect();
    self.Say("claims");
    static_cast<void>(Claim(own, absl::InfiniteDuration()));
  });
  EXPECT_EQ(waiter.Hear(), "claims");
  waiter.Kill();
  Settle(client);
  owner.Kill();
  const absl::StatusOr<Grant> grant = Claim(client, absl::InfiniteDuration());
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_EQ(grant->epoch, 2u);
}

TEST_F(KeeperMainTest, AnOwnerThatDiesBeforeItFormatsLeavesNothing) {
  KeeperClient client = Connect();
  Child creator([&](Child& self) {
    KeeperClient own = Connect();
    const absl::StatusOr<Grant> grant = Claim(own);
    Map(grant->fd, PROT_READ | PROT_WRITE)[7] = kWord;
    self.Say("half done");
    self.Linger();
  });
  EXPECT_EQ(creator.Hear(), "half done");
  EXPECT_EQ(CauseOf(client.Open("users").status()), Cause::kTableNotFound);
  EXPECT_EQ(client.List()->at(0).state, KeeperTableState::kCreating);
  creator.Kill();
  const absl::StatusOr<Grant> grant = Claim(client);
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_TRUE(grant->fresh);
  EXPECT_EQ(grant->epoch, 2u);
  EXPECT_EQ(Map(grant->fd, PROT_READ)[7], 0u);
}

TEST_F(KeeperMainTest, D96_DropFreesTheNameAndTheNextTableIsNew) {
  KeeperClient client = Connect();
  EXPECT_TRUE(client.Drop("users").ok());
  Child owner = Owner(Linger);
  ASSERT_EQ(owner.Hear(), "OK");
  const absl::Status denied = client.Drop("users");
  EXPECT_EQ(CauseOf(denied), Cause::kDenied);
  EXPECT_TRUE(absl::StrContains(denied.message(), absl::StrCat(owner.pid())))
      << denied;
  owner.Kill();
  EXPECT_TRUE(client.Drop("users").ok());
  EXPECT_TRUE(client.List()->empty());
  const absl::StatusOr<Grant> grant = Claim(client);
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_TRUE(grant->fresh);
  EXPECT_EQ(Map(grant->fd, PROT_READ)[7], 0u);
}

TEST_F(KeeperMainTest, AReleasedTableGoesToTheNextWithoutADeath) {
  KeeperClient client = Connect();
  Child owner = Owner([](Child& self, KeeperClient& own) {
    self.Say(own.Release("users", 1).ToString());
    self.Linger();
  });
  ASSERT_EQ(owner.Hear(), "OK");
  ASSERT_EQ(owner.Hear(), "OK");
  EXPECT_EQ(client.List()->at(0).state, KeeperTableState::kOrphaned);
  const absl::StatusOr<Grant> grant = Claim(client);
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_EQ(grant->deaths, 0u);
  EXPECT_EQ(Map(grant->fd, PROT_READ)[7], kWord);
}

TEST_F(KeeperMainTest, TheMemoryIsSealedPrivateAndReadOnlyForReaders) {
  KeeperClient client = Connect();
  Child owner = Owner(Linger);
  ASSERT_EQ(owner.Hear(), "OK");
  const absl::StatusOr<ReadGrant> view = client.Open("users");
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->epoch, 1u);
  EXPECT_EQ(view->bytes, kBytes);
  EXPECT_EQ(view->schema, 1u);
  EXPECT_EQ(Map(view->fd, PROT_READ)[7], kWord);
  EXPECT_EQ(Map(view->fd, PROT_READ | PROT_WRITE), nullptr);
  EXPECT_EQ(fcntl(view->fd.get(), F_GETFD), FD_CLOEXEC);
  struct stat info = {};
  ASSERT_EQ(fstat(view->fd.get(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(fcntl(view->fd.get(), F_GET_SEALS) & 0xf,
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int DescriptorsOf(pid_t pid) {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(
           absl::StrCat("/proc/", pid, "/fd"))) {
    ++count;
  }
  return count;
}

TEST_F(KeeperMainTest, AfterAThousandKillsTheKeeperHasNothingOpenThatItHadNot) {
  KeeperClient client = Connect();
  const int before = DescriptorsOf(keeper_->pid());
  constexpr int kKills = 1000;
  for (int i = 0; i < kKills; ++i) {
    Child owner = Owner(Linger);
    ASSERT_EQ(owner.Hear(), "OK");
  }
  Settle(client);
  const absl::StatusOr<std::vector<KeeperTableInfo>> tables = client.List();
  ASSERT_TRUE(tables.ok());
  ASSERT_EQ(tables->size(), 1u);
  EXPECT_EQ(tables->at(0).epoch, uint64_t{kKills});
  ASSERT_TRUE(client.Drop("users").ok());
  Settle(client);  // the name is free at once, the memory right after
  EXPECT_EQ(DescriptorsOf(keeper_->pid()), before);
}

TEST_F(KeeperMainTest, ItStopsCleanlyOnSigterm) {
  const std::string socket = keeper_->socket();
  EXPECT_TRUE(std::filesystem::exists(socket));
  const int status = keeper_->End(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(std::filesystem::exists(socket));
}

// The exit code of a keeper that is run with `flags`, and what it says.
std::pair<int, std::string> RunKeeper(const std::string& flags) {
  FILE* output = popen(absl::StrCat(kBinary, " ", flags, " 2>&1").c_str(), "r");
  std::string text;
  char buffer[256];
  while (const size_t size = fread(buffer, 1, sizeof(buffer), output)) {
    text.append(buffer, size);
  }
  return {WEXITSTATUS(pclose(output)), text};
}

TEST_F(KeeperMainTest, WhatKeepsItFromStartingIsSaidInOneLine) {
  const std::string folder =
      std::filesystem::path(keeper_->socket()).parent_path();
  const std::string open = folder + "/open";
  ASSERT_EQ(mkdir(open.c_str(), 0755), 0);
  for (const auto& [flags, words] :
       std::vector<std::pair<std::string, std::string>>{
           {"--socket=" + keeper_->socket(), "another keeper already listens"},
           {"--socket=" + open + "/k.sock", "not safe to listen in"},
           {"--socket=" + folder + std::string(120, 'x'), "socket path"},
           {"--max_tables=100000000", "--max_tables=100000000"},
           {"--parent_pid=1", "process 1 is not the parent"},
           {"--parent_pid=1 k.sock", "'k.sock' is no flag"}}) {
    const auto [code, text] = RunKeeper(flags);
    EXPECT_EQ(code, 1) << flags;
    EXPECT_TRUE(absl::StrContains(text, words)) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
  }
  EXPECT_TRUE(Connect().Ping().ok());
}

TEST_F(KeeperMainTest, ATableLargerThanFilesMayBeIsRefusedAndNoMore) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = uint64_t{1} << 32;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::StatusOr<KeeperProcess> keeper =
      KeeperProcess::Start({.binary = std::string(kBinary)});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_TRUE(keeper.ok()) << keeper.status();
  absl::StatusOr<KeeperClient> client = KeeperClient::Connect(keeper->socket());
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(
      CauseOf(client->Claim({.name = "large", .max_bytes = 2 * small.rlim_cur})
                  .status()),
      Cause::kUnavailable);
  EXPECT_TRUE(client->Claim({.name = "users", .max_bytes = kBytes}).ok());
}

TEST_F(KeeperMainTest, AKeeperThatWasKilledIsReplacedAtItsPath) {
  const std::string socket = keeper_->socket();
  KeeperClient client = Connect();
  // Kept alive until after the second keeper has run in its folder.
  Child second([&](Child& self) {
    self.Hear();
    const absl::StatusOr<KeeperProcess> keeper = KeeperProcess::Start(
        {.binary = std::string(kBinary), .flags = {"--socket=" + socket}});
    self.Say(KeeperClient::Connect(socket).status().ToString());
    self.Hear();
  });
  EXPECT_TRUE(WIFSIGNALED(keeper_->End(SIGKILL)));
  EXPECT_EQ(CauseOf(client.Ping()), Cause::kNoKeeper);
  EXPECT_TRUE(std::filesystem::exists(socket));
  second.Say("go");
  EXPECT_EQ(second.Hear(), "OK");
  second.Say("enough");
  EXPECT_EQ(second.Hear(), "");  // it has cleaned up after itself
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
