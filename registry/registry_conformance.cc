// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "registry/registry_conformance.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pid/pid.h"
#include "common/process/adopted_thread.h"
#include "common/process/exit_hooks.h"
#include "common/process/exit_reason.h"
#include "common/process/runtime.h"
#include "common/process/self.h"
#include "common/process/signal.h"
#include "common/process/task.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "registry/registry.h"

namespace ets_keeper::registry {
namespace {

Task<> WaitForever(Self& self) { (void)co_await self.Receive<int>(); }

// A backend on a manual runtime, and processes that live until they are killed.
struct Fixture {
  explicit Fixture(const RegistryFactory& make) : registry(make(runtime)) {}

  Pid Spawn() {
    const Pid pid = runtime.Spawn(WaitForever);
    runtime.RunUntilIdle();
    return pid;
  }
  // Dead when this returns, and nothing of its death has been done.
  void Doom(Pid pid) { runtime.Exit(pid, ExitReason::Killed()); }
  void Kill(Pid pid) {
    Doom(pid);
    runtime.RunUntilIdle();
  }
  bool Register(std::string_view name, Pid pid) {
    return registry->Register(name, pid).ok();
  }
  std::optional<Cause> WhyNot(std::string_view name, Pid pid) {
    return CauseOf(registry->Register(name, pid));
  }

  Runtime runtime{{.threads = 0}};
  const std::unique_ptr<Registry> registry;
};

void ARegisteredNameIsFound(const RegistryFactory& make) {
  Fixture f(make);
  const Pid pid = f.Spawn();
  EXPECT_TRUE(f.Register("name", pid));
  EXPECT_EQ(f.registry->WhereIs("name"), pid);
}

void AnUnknownNameIsNobody(const RegistryFactory& make) {
  Fixture f(make);
  EXPECT_TRUE(f.Register("name", f.Spawn()));
  EXPECT_EQ(f.registry->WhereIs("nam"), kNoPid);
  EXPECT_EQ(f.registry->WhereIs("names"), kNoPid);
  EXPECT_EQ(f.registry->WhereIs(""), kNoPid);
}

void ANameIsAnyBytesButNone(const RegistryFactory& make) {
  Fixture f(make);
  const Pid pid = f.Spawn();
  const std::string_view with_nul("a\0b", 3);
  const std::string long_name(100'000, 'n');
  EXPECT_TRUE(f.Register(with_nul, pid));
  EXPECT_TRUE(f.Register(long_name, pid));
  EXPECT_EQ(f.registry->WhereIs(with_nul), pid);
  EXPECT_EQ(f.registry->WhereIs(long_name), pid);
  EXPECT_EQ(f.registry->WhereIs("a"), kNoPid);
  EXPECT_EQ(f.WhyNot("", pid), Cause::kBadOption);
}

void AProcessMayHoldManyNames(const RegistryFactory& make) {
  Fixture f(make);
  const Pid pid = f.Spawn();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(f.Register(absl::StrCat(i), pid));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(f.registry->WhereIs(absl::StrCat(i)), pid);
  }
}

void E103_ALivingHolderRefusesAnother(const RegistryFactory& make) {
  Fixture f(make);
  const Pid holder = f.Spawn();
  EXPECT_TRUE(f.Register("name", holder));
  const absl::Status refused = f.registry->Register("name", f.Spawn());
  EXPECT_EQ(CauseOf(refused), Cause::kAlreadyExists);
  EXPECT_NE(refused.message().find(absl::StrCat(holder)),
            absl::string_view::npos)
      << "the message must name the holder " << absl::StrCat(holder) << ": "
      << refused;
  EXPECT_EQ(f.registry->WhereIs("name"), holder);
}

void E103_ALivingHolderRefusesItself(const RegistryFactory& make) {
  Fixture f(make);
  const Pid holder = f.Spawn();
  EXPECT_TRUE(f.Register("name", holder));
  EXPECT_EQ(f.WhyNot("name", holder), Cause::kAlreadyExists);
  EXPECT_EQ(f.registry->WhereIs("name"), holder);
}

void ANameIsFreeOnceItsHolderUnregisters(const RegistryFactory& make) {
  Fixture f(make);
  const Pid first = f.Spawn();
  const Pid second = f.Spawn();
  EXPECT_TRUE(f.Register("name", first));
  EXPECT_TRUE(f.Register("kept", first));
  EXPECT_TRUE(f.registry->Unregister("name", first).ok());
  EXPECT_EQ(f.registry->WhereIs("name"), kNoPid);
  EXPECT_EQ(f.registry->WhereIs("kept"), first);
  EXPECT_TRUE(f.Register("name", second));
  f.Kill(first);
  EXPECT_EQ(f.registry->WhereIs("name"), second);
}

void OnlyTheHolderUnregisters(const RegistryFactory& make) {
  Fixture f(make);
  const Pid holder = f.Spawn();
  EXPECT_TRUE(f.Register("name", holder));
  EXPECT_EQ(CauseOf(f.registry->Unregister("name", f.Spawn())),
            Cause::kKeyNotFound);
  EXPECT_EQ(CauseOf(f.registry->Unregister("other", holder)),
            Cause::kKeyNotFound);
  EXPECT_EQ(f.registry->WhereIs("name"), holder);
}

void E104_ADeadHolderIsNeverFound(const RegistryFactory& make) {
  Fixture f(make);
  const Pid holder = f.Spawn();
  EXPECT_TRUE(f.Register("name", holder));
  f.Doom(holder);
  EXPECT_EQ(f.registry->WhereIs("name"), kNoPid);
  f.runtime.RunUntilIdle();
  EXPECT_EQ(f.registry->WhereIs("name"), kNoPid);
}

// While its tables are being handed over, a process is dead, and its names have
// not been released yet.
void E104_ADyingHolderIsNeverFoundNorInTheWay(const RegistryFactory& make) {
  Fixture f(make);
  const Pid holder = f.Spawn();
  const Pid successor = f.Spawn();
  EXPECT_TRUE(f.Register("name", holder));
  int seen = 0;
  const ExitHook hook = f.runtime.AddExitHook(
      ExitPhase::kTables, [&](Pid pid, const ExitReason&) {
        if (pid != holder) return;
        ++seen;
        EXPECT_EQ(f.registry->WhereIs("name"), kNoPid);
        EXPECT_TRUE(f.Register("name", successor));
        EXPECT_EQ(f.registry->WhereIs("name"), successor);
      });
  f.Kill(holder);
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(f.registry->WhereIs("name"), successor)
      << "the death of the former holder took the name from its successor";
}

void E105_AllNamesAreFreeWhenADownArrives(const RegistryFactory& make) {
  Fixture f(make);
  AdoptedThread watcher(f.runtime);
  const Pid holder = f.Spawn();
  const Pid successor = f.Spawn();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(f.Register(absl::StrCat(i), holder));
  f.runtime.Monitor(watcher.pid(), holder);
  f.Doom(holder);
  EXPECT_TRUE(watcher.Receive<Down>().ok());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(f.registry->WhereIs(absl::StrCat(i)), kNoPid);
    EXPECT_TRUE(f.Register(absl::StrCat(i), successor));
  }
}

void E114_AFailedRegistrationLeavesNothing(const RegistryFactory& make) {
  Fixture f(make);
  const Pid dead = f.Spawn();
  f.Kill(dead);
  EXPECT_EQ(f.WhyNot("name", dead), Cause::kRecipientDead);
  EXPECT_EQ(f.WhyNot("name", kNoPid), Cause::kRecipientDead);
  EXPECT_EQ(f.registry->WhereIs("name"), kNoPid);
  const Pid pid = f.Spawn();
  EXPECT_TRUE(f.Register("name", pid));
  EXPECT_EQ(f.WhyNot("name", dead), Cause::kRecipientDead);
  EXPECT_EQ(f.registry->WhereIs("name"), pid);
}

void WatchersHearOfEachRegistration(const RegistryFactory& make) {
  Fixture f(make);
  const Pid holder = f.Spawn();
  const Pid successor = f.Spawn();
  std::vector<std::string> heard;
  {
    const Registry::Watch watch =
        f.registry->OnRegistered([&](std::string_view name, Pid pid) {
          heard.push_back(absl::StrCat(name, pid));
          EXPECT_EQ(f.registry->WhereIs(name), pid);
        });
    EXPECT_TRUE(f.Register("name", holder));
    EXPECT_FALSE(f.Register("name", successor));
    f.Kill(holder);
    EXPECT_TRUE(f.Register("name", successor));
  }
  EXPECT_TRUE(f.Register("unheard", successor));
  EXPECT_EQ(heard, std::vector<std::string>({absl::StrCat("name", holder),
                                             absl::StrCat("name", successor)}));
}

void OfManyAtOnceOneGetsTheName(const RegistryFactory& make) {
  constexpr int kThreads = 4;
  constexpr int kNames = 200;
  Fixture f(make);
  const Pid pid = f.Spawn();
  std::vector<int> won(kThreads, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kNames; ++i)
        won[t] += f.Register(absl::StrCat(i), pid);
    });
  }
  for (std::thread& thread : threads) thread.join();
  int total = 0;
  for (const int n : won) total += n;
  EXPECT_EQ(total, kNames);
}

class ConformanceTest final : public testing::Test {
 public:
  ConformanceTest(const ConformanceCase& one, const RegistryFactory& make)
      : case_(one), make_(make) {}
  void TestBody() override { case_.check(make_); }

 private:
  const ConformanceCase case_;
  const RegistryFactory make_;
};

}  // namespace

const std::vector<ConformanceCase>& ConformanceCases() {
#define ETS_KEEPER_CASE(name) \
  { #name, name }
  static const auto* const cases = new std::vector<ConformanceCase>{
      ETS_KEEPER_CASE(ARegisteredNameIsFound),
      ETS_KEEPER_CASE(AnUnknownNameIsNobody),
      ETS_KEEPER_CASE(ANameIsAnyBytesButNone),
      ETS_KEEPER_CASE(AProcessMayHoldManyNames),
      ETS_KEEPER_CASE(E103_ALivingHolderRefusesAnother),
      ETS_KEEPER_CASE(E103_ALivingHolderRefusesItself),
      ETS_KEEPER_CASE(ANameIsFreeOnceItsHolderUnregisters),
      ETS_KEEPER_CASE(OnlyTheHolderUnregisters),
      ETS_KEEPER_CASE(E104_ADeadHolderIsNeverFound),
      ETS_KEEPER_CASE(E104_ADyingHolderIsNeverFoundNorInTheWay),
      ETS_KEEPER_CASE(E105_AllNamesAreFreeWhenADownArrives),
      ETS_KEEPER_CASE(E114_AFailedRegistrationLeavesNothing),
      ETS_KEEPER_CASE(WatchersHearOfEachRegistration),
      ETS_KEEPER_CASE(OfManyAtOnceOneGetsTheName),
  };
#undef ETS_KEEPER_CASE
  return *cases;
}

bool RegisterConformanceTests(std::string_view backend,
                              const RegistryFactory& make) {
  const std::string parameter(backend);
  for (const ConformanceCase& one : ConformanceCases()) {
    testing::RegisterTest("RegistryConformance", std::string(one.name).c_str(),
                          nullptr, parameter.c_str(), __FILE__, __LINE__,
                          [one, make]() -> testing::Test* {
                            return new ConformanceTest(one, make);
                          });
  }
  return true;
}

}  // namespace ets_keeper::registry
