// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/hash_flags.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/absl_peers.h"
#include "benchmarks/peer_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ets_keeper::benchmarks {
namespace {

// The only peers that are built in here.
const bool kAdded[] = {AddPeer<FlatAbslPeer>("absl_flat"),
                       AddPeer<ShardedAbslPeer>("sharded_absl")};

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string ErrorOf(const std::vector<std::string>& flags) {
  return std::string(ParseHashFlags(flags).status().message());
}

TEST(HashFlagsTest, NoFlagMeansAll) {
  const absl::StatusOr<HashBenchmarkOptions> options = ParseHashFlags({});
  ASSERT_TRUE(options.ok());
  EXPECT_THAT(options->sizes, IsEmpty());
  EXPECT_THAT(options->peers, IsEmpty());
}

TEST(HashFlagsTest, ListsAreSeparatedByCommas) {
  const std::vector<std::string> flags = {
      "--sizes=1000,7",
      "--threads=2",
      "--ops=find_hit,mix90",
      "--rows=str16",
      "--peers=absl_flat,sharded_absl",
      "--distributions=zipf",
  };
  const absl::StatusOr<HashBenchmarkOptions> options = ParseHashFlags(flags);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->sizes, ElementsAre(1'000, 7));
  EXPECT_THAT(options->threads, ElementsAre(2));
  EXPECT_THAT(options->ops, ElementsAre("find_hit", "mix90"));
  EXPECT_THAT(options->rows, ElementsAre("str16"));
  EXPECT_THAT(options->distributions, ElementsAre("zipf"));
  EXPECT_THAT(options->peers, ElementsAre("absl_flat", "sharded_absl"));
}

TEST(HashFlagsTest, AnErrorNamesTheValueAndWhatIsAllowed) {
  EXPECT_EQ(ErrorOf({"--rows=u64,u32"}),
            "--rows: \"u32\" is not allowed; allowed: u64, str16");
  EXPECT_EQ(ErrorOf({"--distributions=normal"}),
            "--distributions: \"normal\" is not allowed; allowed: uniform, "
            "zipf");
  EXPECT_EQ(ErrorOf({"--threads=0"}),
            "--threads: \"0\" is not allowed; allowed: numbers from 1 to 1024");
  EXPECT_THAT(ErrorOf({"--sizes=10k"}), HasSubstr("\"10k\""));
  EXPECT_THAT(ErrorOf({"--sizes="}), HasSubstr("\"\""));
  EXPECT_THAT(ErrorOf({"--ops=find"}), HasSubstr("find_hit, find_batch32"));
  EXPECT_THAT(ErrorOf({"--peers=boost"}),
              HasSubstr("boost_concurrent_flat_map"));
}

TEST(HashFlagsTest, WhatIsNoFlagIsAnErrorOfOneLine) {
  for (const char* flag : {"--size=1000", "sizes=1000", "-sizes=1000", "x", "",
                           "--", "---ops=insert"}) {
    EXPECT_THAT(ErrorOf({flag}), HasSubstr("is no flag")) << flag;
    EXPECT_THAT(ErrorOf({flag}), Not(HasSubstr("\n")));
  }
}

TEST(HashFlagsTest, WhatGoogleBenchmarkHasLeftIsAnErrorToo) {
  EXPECT_EQ(ErrorOf({"--benchmark_repetitions=x"}),
            "--benchmark_repetitions=x is not understood: see --help");
}

TEST(HashFlagsTest, APeerThatIsNotBuiltInIsAnError) {
  EXPECT_EQ(MissingPeers().size(), KnownPeers().size() - 2);
  EXPECT_EQ(ErrorOf({"--peers=lmdb"}),
            "--peers: lmdb is not built in: run benchmarks/install_peers and "
            "build again");
}

TEST(HashFlagsTest, HelpNamesAllValues) {
  for (const auto& known :
       {KnownOps(), KnownRows(), KnownDistributions(), KnownPeers()}) {
    for (const std::string& name : known) {
      EXPECT_THAT(HashFlagsHelp(), HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace ets_keeper::benchmarks
