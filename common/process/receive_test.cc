// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/receive.h"

#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/message.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace ets_keeper::internal {
namespace {

constexpr Pid kReceiver = {.id = 7};

template <typename T, typename Predicate>
TypedReceive<T, Predicate> ReceiveOf(Predicate predicate) {
  return TypedReceive<T, Predicate>(kReceiver, predicate, absl::Seconds(5),
                                    absl::InfiniteFuture());
}

TEST(ReceiveTest, WantsItsTypeWhenThePredicateHolds) {
  auto receive = ReceiveOf<int>([](int n) { return n > 3; });
  Message small = Message::Of(3);
  Message large = Message::Of(4);
  Message other = Message::Of(4.0);
  EXPECT_FALSE(receive.Wants(small));
  EXPECT_TRUE(receive.Wants(large));
  EXPECT_FALSE(receive.Wants(other));
}

TEST(ReceiveTest, AReceiveOfMessageSeesEveryType) {
  auto receive = ReceiveOf<Message>(
      [](const Message& message) { return message.As<int>() != nullptr; });
  Message number = Message::Of(1);
  Message text = Message::Of('x');
  EXPECT_TRUE(receive.Wants(number));
  EXPECT_FALSE(receive.Wants(text));
}

TEST(ReceiveTest, ResultIsTheDeliveredValue) {
  auto receive = ReceiveOf<std::unique_ptr<int>>(MatchAll{});
  receive.Deliver(Message::Of(std::make_unique<int>(7)));
  absl::StatusOr<std::unique_ptr<int>> result = receive.Result();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(**result, 7);
}

TEST(ReceiveTest, ATimeoutNamesTheProcessAndTheTime) {
  auto receive = ReceiveOf<int>(MatchAll{});
  receive.FailByTimeout();
  const absl::StatusOr<int> result = receive.Result();
  EXPECT_EQ(CauseOf(result.status()), Cause::kTimeout);
  EXPECT_EQ(result.status().message(),
            "process <7> received no matching message within 5s");
}

TEST(ReceiveTest, APredicatesExceptionComesOutOfTheResult) {
  auto receive = ReceiveOf<int>(MatchAll{});
  receive.FailByException(std::make_exception_ptr(std::logic_error("boom")));
  EXPECT_THROW((void)receive.Result(), std::logic_error);
}

}  // namespace
}  // namespace ets_keeper::internal
