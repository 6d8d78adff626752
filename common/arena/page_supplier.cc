// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/arena/page_supplier.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/mutex/mutex.h"

namespace ets_keeper {
namespace {

// The thread and what it has to do. Never destroyed: the thread uses it to the
// end of the process.
class Worker {
 public:
  // `parents` is the worker of the process that forked this one, if any: its
  // thread is not here, and its lock may be held for ever. It is only kept.
  explicit Worker(const Worker* parents) : parents_(parents) {}

  void Order(PageConsumer* consumer) ABSL_LOCKS_EXCLUDED(mutex_) {
    Lock lock(mutex_);
    if (std::find(orders_.begin(), orders_.end(), consumer) != orders_.end()) {
      return;
    }
    if (!started_) started_ = Start();
    if (started_) orders_.push_back(consumer);
  }

  void Cancel(PageConsumer* consumer) ABSL_LOCKS_EXCLUDED(mutex_) {
    Lock lock(mutex_);
    const auto idle = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return serving_ != consumer;
    };
    mutex_.Await(absl::Condition(&idle));
    std::erase(orders_, consumer);
  }

 private:
  bool Start() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    const bool started = pthread_create(&thread, nullptr, &Run, this) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!started) return false;
    pthread_setname_np(thread, "ets_pages");
    pthread_detach(thread);
    return true;
  }

  static void* Run(void* worker) {
    // Where no processor is idle, an order would stop the writer whom it is to
    // serve, for as long as it takes to allocate: the supplier waits instead.
    if (sched_getscheduler(0) == SCHED_OTHER) {
      const sched_param none = {};
      sched_setscheduler(0, SCHED_BATCH, &none);
    }
    while (true) static_cast<Worker*>(worker)->ServeOne();
  }

  void ServeOne() ABSL_LOCKS_EXCLUDED(mutex_) {
    PageConsumer* const consumer = Next();
    const bool more = consumer->SupplyPages();
    Lock lock(mutex_);
    serving_ = nullptr;
    if (more) orders_.push_back(consumer);
  }

  PageConsumer* Next() ABSL_LOCKS_EXCLUDED(mutex_) {
    Lock lock(mutex_);
    const auto ordered = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !orders_.empty();
    };
    mutex_.Await(absl::Condition(&ordered));
    serving_ = orders_.front();
    orders_.pop_front();
    return serving_;
  }

  [[maybe_unused]] const Worker* const parents_;
  absl::Mutex mutex_;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<PageConsumer*> orders_ ABSL_GUARDED_BY(mutex_);
  PageConsumer* serving_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

// Null until the first order in this process.
std::atomic<Worker*> worker{nullptr};
std::atomic<Worker*> parents_worker{nullptr};

void ForgetWorkerInChild() {
  Worker* const inherited = worker.load();
  if (inherited != nullptr) parents_worker.store(inherited);
  worker.store(nullptr);
}

class ProcessSupplier final : public PageSupplier {
 public:
  ProcessSupplier() { pthread_atfork(nullptr, nullptr, &ForgetWorkerInChild); }

  void Order(PageConsumer& consumer) override {
    Worker* current = worker.load();
    if (current == nullptr) {
      Worker* const made = new Worker(parents_worker.load());
      if (worker.compare_exchange_strong(current, made)) {
        current = made;
      } else {
        delete made;
      }
    }
    current->Order(&consumer);
  }

  void Cancel(PageConsumer& consumer) override {
    Worker* const current = worker.load();
    if (current != nullptr) current->Cancel(&consumer);
  }
};

}  // namespace

PageSupplier& PageSupplier::OfProcess() {
  static ProcessSupplier* const supplier = new ProcessSupplier;
  return *supplier;
}

}  // namespace ets_keeper
