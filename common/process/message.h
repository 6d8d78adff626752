// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: message.h
// -----------------------------------------------------------------------------
//
// `Message` is what a mailbox holds: one value of any movable type, owned by
// the message and found again by asking for exactly that type.
//
//   Message m = Message::Of(Greeting{"hello"});
//   if (Greeting* greeting = m.As<Greeting>()) Say(greeting->text);
//
// Thread safety: a `Message` is a value with one owner at a time.
//
// Lifetime: what `As()` returns lives as long as the message.
//
// It is not a variant and knows no conversions: a value sent as `int` is not
// received as `long`, nor a derived class as its base.

#ifndef COMMON_PROCESS_MESSAGE_H_
#define COMMON_PROCESS_MESSAGE_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"

namespace ets_keeper {

// Message
//
// A default-made or moved-from message is empty: it holds no type.
class Message {
 public:
  Message() = default;
  Message(Message&&) noexcept = default;
  Message& operator=(Message&&) noexcept = default;

  // Message::Of()
  //
  // A message that owns `value` (decayed: an array becomes a pointer).
  template <typename T>
  [[nodiscard]] static Message Of(T&& value) {
    using Value = std::decay_t<T>;
    static_assert(!std::is_same_v<Value, Message>, "a message in a message");
    return Message(std::make_unique<Holder<Value>>(std::forward<T>(value)));
  }

  // Message::As()
  //
  // The value when it is a `T`, nullptr when it is not. O(1).
  template <typename T>
  [[nodiscard]] T* As() ABSL_ATTRIBUTE_LIFETIME_BOUND {
    if (holder_ == nullptr || holder_->type != &kTypeOf<T>) return nullptr;
    return &static_cast<Holder<T>&>(*holder_).value;
  }
  template <typename T>
  [[nodiscard]] const T* As() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return const_cast<Message*>(this)->As<T>();
  }

  [[nodiscard]] bool empty() const { return holder_ == nullptr; }

 private:
  // Its address stands for the type.
  template <typename T>
  static inline char kTypeOf = 0;

  struct HolderBase {
    explicit HolderBase(const void* type) : type(type) {}
    virtual ~HolderBase() = default;
    const void* const type;
  };

  template <typename T>
  struct Holder final : HolderBase {
    template <typename U>
    explicit Holder(U&& u)
        : HolderBase(&kTypeOf<T>), value(std::forward<U>(u)) {}
    T value;
  };

  explicit Message(std::unique_ptr<HolderBase> holder)
      : holder_(std::move(holder)) {}

  std::unique_ptr<HolderBase> holder_;
};

}  // namespace ets_keeper

#endif  // COMMON_PROCESS_MESSAGE_H_
