// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/mailbox.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/pid/pid.h"
#include "common/process/exit_reason.h"
#include "common/process/message.h"
#include "common/process/receive.h"
#include "common/process/signal.h"
#include "gtest/gtest.h"

namespace ets_keeper::internal {
namespace {

MessageList Numbers(const std::vector<int>& numbers) {
  MessageList list;
  for (const int n : numbers) list.push_back(Message::Of(n));
  return list;
}

Mailbox MailboxOf(const std::vector<int>& numbers) {
  Mailbox mailbox;
  MessageList list = Numbers(numbers);
  mailbox.Append(list);
  return mailbox;
}

// Takes the first number for which `predicate` holds; -1 when there is none.
template <typename Predicate>
int TakeIf(Mailbox& mailbox, Predicate predicate) {
  TypedReceive<int, Predicate> receive(kNoPid, predicate, absl::Seconds(1),
                                       absl::InfiniteFuture());
  return mailbox.Take(receive) ? *receive.Result() : -1;
}

int TakeAny(Mailbox& mailbox) {
  mailbox.Rewind();
  return TakeIf(mailbox, MatchAll{});
}

TEST(MailboxTest, TakesTheFirstThatMatchesAndKeepsTheOthersInOrder) {
  Mailbox mailbox = MailboxOf({1, 2, 3, 4});
  EXPECT_EQ(TakeIf(mailbox, [](int n) { return n == 3; }), 3);
  EXPECT_EQ(TakeAny(mailbox), 1);
  EXPECT_EQ(TakeAny(mailbox), 2);
  EXPECT_EQ(TakeAny(mailbox), 4);
  EXPECT_EQ(TakeAny(mailbox), -1);
}

TEST(MailboxTest, LooksAtEachMessageOncePerReceive) {
  Mailbox mailbox = MailboxOf({1, 2});
  std::vector<int> seen;
  const auto look = [&seen](int n) {
    seen.push_back(n);
    return false;
  };
  EXPECT_EQ(TakeIf(mailbox, look), -1);
  MessageList news = Numbers({3});
  mailbox.Append(news);
  EXPECT_TRUE(news.empty());
  EXPECT_EQ(TakeIf(mailbox, look), -1);
  EXPECT_EQ(seen, std::vector<int>({1, 2, 3}));
  EXPECT_EQ(TakeAny(mailbox), 1);
}

TEST(MailboxTest, AThrowingPredicateLosesNoMessage) {
  Mailbox mailbox = MailboxOf({1, 2});
  const auto boom = [](int n) -> bool {
    if (n == 2) throw std::logic_error("boom");
    return false;
  };
  EXPECT_THROW(TakeIf(mailbox, boom), std::logic_error);
  EXPECT_EQ(TakeAny(mailbox), 1);
  EXPECT_EQ(TakeAny(mailbox), 2);
}

TEST(MailboxTest, FlushRemovesTheDownOfThatMonitorOnly) {
  const MonitorRef one = {1, NewPid(), NewPid()};
  const MonitorRef two = {2, one.watcher, one.target};
  MessageList news;
  news.push_back(Message::Of(Down{one, one.target, ExitReason::Normal()}));
  news.push_back(Message::Of(Down{two, two.target, ExitReason::Normal()}));
  Mailbox mailbox;
  mailbox.Append(news);
  EXPECT_EQ(TakeIf(mailbox, MatchAll{}), -1);  // both are passed over now
  mailbox.Flush(one);
  mailbox.Rewind();
  TypedReceive<Down, MatchAll> receive(kNoPid, {}, absl::Seconds(1),
                                       absl::InfiniteFuture());
  ASSERT_TRUE(mailbox.Take(receive));
  EXPECT_EQ(receive.Result()->ref, two);
  EXPECT_FALSE(mailbox.Take(receive));
}

TEST(MailboxTest, ClearEmptiesIt) {
  Mailbox mailbox = MailboxOf({1, 2});
  EXPECT_EQ(TakeIf(mailbox, [](int n) { return n == 2; }), 2);
  mailbox.Clear();
  EXPECT_EQ(TakeAny(mailbox), -1);
}

}  // namespace
}  // namespace ets_keeper::internal
