// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "registry/registry_conformance.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/process/runtime.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "registry/map_names_testing.h"
#include "registry/registry.h"

namespace ets_keeper::registry {
namespace {

using testing::Contains;
using testing::IsEmpty;

// The names of the cases that a backend with this flaw fails.
std::vector<std::string> CasesThatFind(Flaw flaw) {
  const auto make = [flaw](Runtime& runtime) -> std::unique_ptr<Registry> {
    return std::make_unique<MapNames>(runtime, flaw);
  };
  std::vector<std::string> failed;
  for (const ConformanceCase& one : ConformanceCases()) {
    testing::TestPartResultArray results;
    {
      const testing::ScopedFakeTestPartResultReporter reporter(
          testing::ScopedFakeTestPartResultReporter::
              INTERCEPT_ONLY_CURRENT_THREAD,
          &results);
      one.check(make);
    }
    bool ok = true;
    for (int i = 0; i < results.size(); ++i) {
      ok &= !results.GetTestPartResult(i).failed();
    }
    if (!ok) failed.emplace_back(one.name);
  }
  return failed;
}

TEST(RegistryConformanceTest, ASoundBackendPassesEveryCase) {
  EXPECT_THAT(CasesThatFind(Flaw::kNone), IsEmpty());
}

struct Expected {
  Flaw flaw;
  std::string_view found_by;
};

class FlawTest : public testing::TestWithParam<Expected> {};

TEST_P(FlawTest, IsFound) {
  EXPECT_THAT(CasesThatFind(GetParam().flaw),
              Contains(std::string(GetParam().found_by)));
}

INSTANTIATE_TEST_SUITE_P(
    RegistryConformanceTest, FlawTest,
    testing::Values(
        Expected{Flaw::kFindsTheDead, "E104_ADeadHolderIsNeverFound"},
        Expected{Flaw::kFindsTheDead,
                 "E104_ADyingHolderIsNeverFoundNorInTheWay"},
        Expected{Flaw::kDeadAreInTheWay,
                 "E104_ADyingHolderIsNeverFoundNorInTheWay"},
        Expected{Flaw::kDeadAreInTheWay,
                 "E105_AllNamesAreFreeWhenADownArrives"},
        Expected{Flaw::kTakesTheNameAway, "E103_ALivingHolderRefusesAnother"},
        Expected{Flaw::kTakesTheNameAway, "OfManyAtOnceOneGetsTheName"},
        Expected{Flaw::kHidesTheHolder, "E103_ALivingHolderRefusesAnother"},
        Expected{Flaw::kLetsHoldersRegisterAgain,
                 "E103_ALivingHolderRefusesItself"},
        Expected{Flaw::kTakesTheEmptyName, "ANameIsAnyBytesButNone"},
        Expected{Flaw::kTakesTheDead, "E114_AFailedRegistrationLeavesNothing"},
        Expected{Flaw::kLetsAnybodyUnregister, "OnlyTheHolderUnregisters"},
        Expected{Flaw::kNeverUnregisters,
                 "ANameIsFreeOnceItsHolderUnregisters"},
        Expected{Flaw::kForgetsAllNamesAtOnce,
                 "ANameIsFreeOnceItsHolderUnregisters"},
        Expected{Flaw::kCutsNamesAtNul, "ANameIsAnyBytesButNone"},
        Expected{Flaw::kNeverAnnounces, "WatchersHearOfEachRegistration"},
        Expected{Flaw::kAnnouncesFailures, "WatchersHearOfEachRegistration"}));

}  // namespace
}  // namespace ets_keeper::registry
