// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/process/mailbox.h"

#include <utility>

#include "common/process/message.h"
#include "common/process/receive.h"
#include "common/process/signal.h"

namespace ets_keeper::internal {

void EraseDown(MessageList& messages, const MonitorRef& ref) {
  messages.remove_if([&ref](const Message& message) {
    const Down* down = message.As<Down>();
    return down != nullptr && down->ref == ref;
  });
}

void Mailbox::Append(MessageList& news) { ahead_.splice(ahead_.end(), news); }

void Mailbox::Rewind() { ahead_.splice(ahead_.begin(), passed_over_); }

bool Mailbox::Take(PendingReceive& receive) {
  while (!ahead_.empty()) {
    if (receive.Wants(ahead_.front())) {
      Message message = std::move(ahead_.front());
      ahead_.pop_front();
      receive.Deliver(std::move(message));
      return true;
    }
    passed_over_.splice(passed_over_.end(), ahead_, ahead_.begin());
  }
  return false;
}

void Mailbox::Flush(const MonitorRef& ref) {
  EraseDown(passed_over_, ref);
  EraseDown(ahead_, ref);
}

void Mailbox::Clear() {
  passed_over_.clear();
  ahead_.clear();
}

}  // namespace ets_keeper::internal
