// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

// A fork of a process whose supplier has its thread, and is busy.

#include <sys/wait.h>
#include <unistd.h>

#include "absl/synchronization/notification.h"
#include "common/arena/page_supplier.h"
#include "gtest/gtest.h"

namespace ets_keeper {
namespace {

class Once : public PageConsumer {
 public:
  explicit Once(absl::Notification* wait = nullptr) : wait_(wait) {}
  ~Once() { PageSupplier::OfProcess().Cancel(*this); }

  bool SupplyPages() override {
    began.Notify();
    if (wait_ != nullptr) wait_->WaitForNotification();
    return false;
  }

  absl::Notification began;

 private:
  absl::Notification* const wait_;
};

TEST(PageSupplierForkTest, AChildForgetsItsParentsOrdersAndHasItsOwn) {
  absl::Notification go_on;
  Once busy(&go_on);
  PageSupplier::OfProcess().Order(busy);
  busy.began.WaitForNotification();
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    PageSupplier::OfProcess().Cancel(busy);  // would wait for ever
    Once own;
    PageSupplier::OfProcess().Order(own);
    own.began.WaitForNotification();
    PageSupplier::OfProcess().Cancel(own);
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      Once another;
      PageSupplier::OfProcess().Order(another);
      another.began.WaitForNotification();
      _exit(0);
    }
    int status = 0;
    waitpid(grandchild, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  go_on.Notify();
}

}  // namespace
}  // namespace ets_keeper
