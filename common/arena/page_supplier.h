// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: page_supplier.h
// -----------------------------------------------------------------------------
//
// Memory costs most when it is touched first, as the kernel finds a page and
// fills it with zeroes, and again when it is given back. A `PageSupplier` does
// the one ahead of the writers and the other behind them, on a thread of its
// own, so that none of them has to wait for it.
//
//   PageSupplier::OfProcess().Order(arena);   // soon: arena.SupplyPages()
//
// One thread serves all arenas of the process in turns. It is started by the
// first order, blocks all signals, never ends, and stops no running thread for
// the sake of an order (SCHED_BATCH). A forked child begins without one, and
// has its own once it orders; what its parent had ordered is forgotten there.
//
// Thread safety: everything may be called from any thread.
//
// Nothing is ever wrong for lack of it: a writer that finds no pages ready
// allocates a few itself.

#ifndef COMMON_ARENA_PAGE_SUPPLIER_H_
#define COMMON_ARENA_PAGE_SUPPLIER_H_

namespace ets_keeper {

// PageConsumer
//
// Something that wants pages ahead, or has too many.
class PageConsumer {
 public:
  // PageConsumer::SupplyPages()
  //
  // Allocates some of the pages that are wanted now, or gives some back; a step
  // short enough for others to wait for their turn. Returns whether there is
  // more to do. Called by
  // the supplier, with no lock held, never by two threads at once.
  virtual bool SupplyPages() = 0;

 protected:
  ~PageConsumer() = default;
};

// PageSupplier
class PageSupplier {
 public:
  // PageSupplier::OfProcess()
  //
  // The one of this OS process, which is never destroyed.
  [[nodiscard]] static PageSupplier& OfProcess();

  virtual ~PageSupplier() = default;

  // PageSupplier::Order()
  //
  // `consumer.SupplyPages()` will be called, until it returns false. Does not
  // wait for it. An order that cannot be carried out is dropped.
  virtual void Order(PageConsumer& consumer) = 0;

  // PageSupplier::Cancel()
  //
  // When this returns, `consumer` is neither being called nor will be, unless
  // it orders anew. Waits for a step that is under way.
  virtual void Cancel(PageConsumer& consumer) = 0;

  // PageSupplier::BeforeMakingReady(), BeforeGivingBack()
  //
  // Called by whoever makes pages ready, or gives them back, when it has been
  // decided which. For tests: others may run here as well as a moment later.
  virtual void BeforeMakingReady() {}
  virtual void BeforeGivingBack() {}
};

}  // namespace ets_keeper

#endif  // COMMON_ARENA_PAGE_SUPPLIER_H_
