// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: mailbox.h
// -----------------------------------------------------------------------------
//
// `Mailbox` holds the messages that a process has not received yet, in the
// order they came. Internal to the runtime.
//
//   mailbox.Rewind();                     // a receive begins
//   while (!mailbox.Take(receive)) {      // looks at each message once
//     ... wait for news ...
//     mailbox.Append(news);
//   }
//
// Thread safety: none; it belongs to the thread that runs its process. What
// others send waits in a list of its own, under the runtime's mutex, until that
// thread appends it here: so no predicate ever runs under a lock.

#ifndef COMMON_PROCESS_MAILBOX_H_
#define COMMON_PROCESS_MAILBOX_H_

#include <list>

#include "common/process/message.h"
#include "common/process/receive.h"
#include "common/process/signal.h"

namespace ets_keeper::internal {

// A list, because a selective receive takes from the middle.
using MessageList = std::list<Message>;

// EraseDown()
//
// Removes the `Down` of `ref` from `messages`. O(messages).
void EraseDown(MessageList& messages, const MonitorRef& ref);

// Mailbox
class Mailbox {
 public:
  // Mailbox::Append()
  //
  // Moves all of `news` to the end. O(1).
  void Append(MessageList& news);

  // Mailbox::Rewind()
  //
  // The next `Take()` starts from the oldest message.
  void Rewind();

  // Mailbox::Take()
  //
  // Delivers the first message that `receive` wants, out of those that were not
  // looked at since `Rewind()`, and removes it. False when there is none. An
  // exception of the predicate passes through, no message lost.
  bool Take(PendingReceive& receive);

  // Mailbox::Flush()
  //
  // Removes the `Down` of `ref`.
  void Flush(const MonitorRef& ref);

  void Clear();

 private:
  MessageList passed_over_;  // looked at since `Rewind()`, and not wanted
  MessageList ahead_;        // not looked at
};

}  // namespace ets_keeper::internal

#endif  // COMMON_PROCESS_MAILBOX_H_
