// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "protets/keeper_protocol.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace protets {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

std::vector<Request> SomeRequests() {
  std::vector<Request> requests;
  for (int type = 1; type <= 7; ++type) {
    Request request;
    request.type = static_cast<RequestType>(type);
    request.id = 7;
    if (request.type != RequestType::kPing) request.name = "users";
    requests.push_back(request);
    request.id = kMax;
    request.schema = 0x0123456789abcdef;
    request.max_bytes = kMax;
    request.epoch = kMax - 1;
    request.wait_ms = Request::kForever;
    request.may_create = true;
    request.huge_pages = true;
    request.wait = true;
    if (!request.name.empty()) request.name = std::string(kMaxTableName, '~');
    requests.push_back(request);
  }
  requests.push_back({.type = RequestType::kList, .id = 1});
  return requests;
}

std::vector<Reply> SomeReplies() {
  std::vector<Reply> replies;
  for (int type = 1; type <= 6; ++type) {
    Reply reply;
    reply.type = static_cast<ReplyType>(type);
    replies.push_back(reply);
    reply.id = kMax;
    reply.fresh = true;
    reply.table = {.name = "a table",
                   .state = KeeperTableState::kOrphaned,
                   .epoch = kMax,
                   .owner_pid = std::numeric_limits<int32_t>::max(),
                   .bytes = kMax,
                   .schema = 0xfedcba9876543210,
                   .deaths = std::numeric_limits<uint32_t>::max(),
                   .orphaned_for = absl::Milliseconds(86'400'001)};
    reply.cause = Cause::kSchemaMismatch;
    reply.message = std::string(Reply::kMaxMessage, 'm');
    replies.push_back(reply);
  }
  return replies;
}

TEST(KeeperProtocolTest, RequestsComeOutAsTheyWentIn) {
  for (const Request& request : SomeRequests()) {
    const std::string bytes = EncodeRequest(request);
    EXPECT_EQ(bytes.size(), kRequestSize);
    const absl::StatusOr<Request> decoded = DecodeRequest(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, request);
    EXPECT_EQ(PeekRequestId(bytes), request.id);
  }
}

TEST(KeeperProtocolTest, RepliesComeOutAsTheyWentIn) {
  for (const Reply& reply : SomeReplies()) {
    const std::string bytes = EncodeReply(reply);
    EXPECT_EQ(bytes.size(), kReplySize);
    const absl::StatusOr<Reply> decoded = DecodeReply(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, reply);
  }
}

TEST(KeeperProtocolTest, NumbersAreLittleEndian) {
  const std::string bytes = EncodeRequest(
      {.type = RequestType::kPing, .id = 0x0807060504030201, .schema = 0xff});
  EXPECT_EQ(bytes.substr(0, 17),
            absl::string_view("ETSK\1\0\1\0\1\2\3\4\5\6\7\x8\xff", 17));
}

TEST(KeeperProtocolTest, EveryTruncationAndAnyAdditionIsRefused) {
  const std::string request = EncodeRequest(SomeRequests().back());
  const std::string reply = EncodeReply(SomeReplies().back());
  for (size_t size = 0; size < kRequestSize; ++size) {
    EXPECT_EQ(CauseOf(DecodeRequest(request.substr(0, size)).status()),
              Cause::kProtocol);
  }
  for (size_t size = 0; size < kReplySize; ++size) {
    EXPECT_EQ(CauseOf(DecodeReply(reply.substr(0, size)).status()),
              Cause::kProtocol);
  }
  EXPECT_FALSE(DecodeRequest(request + '\0').ok());
  EXPECT_FALSE(DecodeReply(reply + '\0').ok());
  for (size_t size = 0; size < 16; ++size) {
    EXPECT_EQ(PeekRequestId(request.substr(0, size)), 0u);
  }
}

// Either refused, or exactly what its decoding encodes to.
void ExpectCanonical(const std::string& bytes) {
  if (const auto request = DecodeRequest(bytes); request.ok()) {
    EXPECT_EQ(EncodeRequest(*request), bytes);
  } else {
    EXPECT_EQ(CauseOf(request.status()), Cause::kProtocol);
  }
  if (const auto reply = DecodeReply(bytes); reply.ok()) {
    EXPECT_EQ(EncodeReply(*reply), bytes);
  } else {
    EXPECT_EQ(CauseOf(reply.status()), Cause::kProtocol);
  }
}

TEST(KeeperProtocolTest, EveryFlippedBitIsRefusedOrMeansSomethingElse) {
  std::vector<std::string> packets;
  for (const Request& request : SomeRequests()) {
    packets.push_back(EncodeRequest(request));
  }
  for (const Reply& reply : SomeReplies()) {
    packets.push_back(EncodeReply(reply));
  }
  for (std::string& packet : packets) {
    for (size_t bit = 0; bit < 8 * packet.size(); ++bit) {
      packet[bit / 8] ^= static_cast<char>(1 << (bit % 8));
      ExpectCanonical(packet);
      packet[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    }
  }
}

TEST(KeeperProtocolTest, RandomBytesAndManyMutationsDoNoHarm) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const std::string request = EncodeRequest(SomeRequests().back());
  const std::string reply = EncodeReply(SomeReplies().back());
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = round % 2 == 0 ? request : reply;
    for (uint32_t i = 1 + random() % 8; i > 0; --i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    ExpectCanonical(bytes);
    for (char& byte : bytes) byte = static_cast<char>(random());
    ExpectCanonical(bytes);
  }
}

TEST(KeeperProtocolTest, AnotherVersionIsNamedAndItsIdCanBeRead) {
  std::string bytes = EncodeRequest({.type = RequestType::kPing, .id = 99});
  bytes[4] = 42;
  bytes.resize(kRequestSize + 8);
  const absl::Status status = DecodeRequest(bytes).status();
  EXPECT_EQ(CauseOf(status), Cause::kProtocol);
  EXPECT_TRUE(absl::StrContains(status.message(), "version 42")) << status;
  EXPECT_EQ(PeekRequestId(bytes), 99u);
}

TEST(KeeperProtocolTest, RequestsThatMakeNoSenseAreRefused) {
  const auto refused = [](const Request& request) {
    return CauseOf(DecodeRequest(EncodeRequest(request)).status()) ==
           Cause::kProtocol;
  };
  EXPECT_TRUE(refused({.type = RequestType::kPing, .id = 0}));
  EXPECT_TRUE(refused({.type = RequestType::kClaim, .id = 1}));
  EXPECT_TRUE(refused({.type = RequestType::kDrop, .id = 1, .name = "a\nb"}));
  EXPECT_TRUE(refused({.type = RequestType::kPing, .id = 1, .name = "x"}));
  EXPECT_TRUE(refused({.type = static_cast<RequestType>(0), .id = 1}));
  EXPECT_TRUE(
      refused({.type = static_cast<RequestType>(8), .id = 1, .name = "x"}));
}

TEST(KeeperProtocolTest, TableNamesArePrintableAndNotTooLong) {
  EXPECT_TRUE(CheckTableName("users").ok());
  EXPECT_TRUE(CheckTableName("a table/with \"signs\"").ok());
  EXPECT_TRUE(CheckTableName(std::string(kMaxTableName, 'x')).ok());
  for (const std::string& name :
       {std::string(), std::string(kMaxTableName + 1, 'x'), std::string(1, 0),
        std::string("tab\t"), std::string("\xc3\xa9"), std::string("\x7f")}) {
    EXPECT_EQ(CauseOf(CheckTableName(name)), Cause::kBadOption);
  }
}

TEST(KeeperProtocolTest, ErrorsKeepTheirCauseAndMessage) {
  for (int i = 0; i <= static_cast<int>(Cause::kDenied); ++i) {
    const absl::Status sent = MakeStatus(static_cast<Cause>(i), "table users");
    const absl::StatusOr<Reply> reply =
        DecodeReply(EncodeReply(ErrorReply(3, sent)));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->id, 3u);
    EXPECT_EQ(ErrorOf(*reply), sent);
  }
  const absl::Status foreign = ErrorOf(ErrorReply(1, absl::AbortedError("x")));
  EXPECT_EQ(CauseOf(foreign), Cause::kUnavailable);
  const std::string text(1000, 'x');
  EXPECT_EQ(ErrorOf(ErrorReply(1, MakeStatus(Cause::kDenied, text))).message(),
            text.substr(0, Reply::kMaxMessage));
}

TEST(KeeperProtocolTest, StatesHaveNames) {
  EXPECT_EQ(KeeperTableStateName(KeeperTableState::kCreating), "creating");
  EXPECT_EQ(KeeperTableStateName(KeeperTableState::kOwned), "owned");
  EXPECT_EQ(KeeperTableStateName(KeeperTableState::kOrphaned), "orphaned");
}

}  // namespace
}  // namespace protets
}  // namespace ets_keeper
