// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/message.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

TEST(MessageTest, GivesItsValueToWhoAsksForItsTypeOnly) {
  Message message = Message::Of(std::string("hello"));
  ASSERT_NE(message.As<std::string>(), nullptr);
  EXPECT_EQ(*message.As<std::string>(), "hello");
  EXPECT_EQ(message.As<int>(), nullptr);
  EXPECT_EQ(message.As<const char*>(), nullptr);
}

TEST(MessageTest, CarriesMoveOnlyValues) {
  Message message = Message::Of(std::make_unique<int>(7));
  Message moved = std::move(message);
  ASSERT_NE(moved.As<std::unique_ptr<int>>(), nullptr);
  EXPECT_EQ(**moved.As<std::unique_ptr<int>>(), 7);
}

TEST(MessageTest, EmptyHoldsNoType) {
  Message message;
  EXPECT_TRUE(message.empty());
  EXPECT_EQ(message.As<int>(), nullptr);
  message = Message::Of(1);
  EXPECT_FALSE(message.empty());
  const Message taken = std::move(message);
  EXPECT_EQ(*taken.As<int>(), 1);
}

TEST(MessageTest, DestroysItsValueOnce) {
  auto value = std::make_shared<int>(7);
  std::weak_ptr<int> seen = value;
  {
    Message message = Message::Of(std::move(value));
    Message moved = std::move(message);
    EXPECT_EQ(seen.use_count(), 1);
  }
  EXPECT_TRUE(seen.expired());
}

TEST(MessageTest, DecaysWhatItIsGiven) {
  const int seven = 7;
  const Message number = Message::Of(seven);
  const Message text = Message::Of("literal");
  EXPECT_NE(number.As<int>(), nullptr);
  EXPECT_NE(text.As<const char*>(), nullptr);
}

}  // namespace
}  // namespace ets_keeper
