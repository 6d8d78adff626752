// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: arena.h
// -----------------------------------------------------------------------------
//
// `Arena` is the memory of one table: a region addressed by offsets, never by
// pointers, so that it means the same to every process that maps it. It is
// backed either by private memory, which dies with the process, or by a memfd,
// which does not. Layout and code are the same for both.
//
//   auto arena = Arena::CreatePrivate(1 << 20);
//   if (!arena.ok()) return arena.status();
//   RETURN_IF_ERROR((*arena)->BeginFormat({.kind = kHash, .schema = s}));
//   ... the table's core writes its root ...
//   (*arena)->FinishFormat();
//
// The address space of an arena is reserved at its full size from birth and
// never moves or shrinks; pages are allocated before they are used. So growing
// blocks no reader, and a machine that is full gives `kNoMemory`, not SIGBUS.
//
//   0        4096            front_committed    back_committed        bytes
//   | header | front, growing up -> |   (holes)   | <- heap, growing down |
//
// Once a part has a megabyte, a `PageSupplier` allocates pages ahead of it, in
// proportion to what is in use, so that a writer that gets to the end finds
// them ready; if not, it allocates a few itself. A large arena is
// given huge pages that way. The words in the header say what may be
// used, not what is ready: pages behind them are nobody's, whatever they hold.
//
// All-zero bytes are a safe state everywhere. The header's magic word is stored
// last, so a half-made arena is never mistaken for a whole one.
//
// Thread safety: const methods may be called from any thread; formatting needs
// the arena for itself; the Commit methods and ReleaseFront() need
// `grow_mutex()`.
//
// Memory ordering: see word.h.
//
// It is not an allocator (see heap.h), and it does not know what is in it.

#ifndef COMMON_ARENA_ARENA_H_
#define COMMON_ARENA_ARENA_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/arena/arena_memory.h"
#include "common/arena/memory_pool.h"
#include "common/arena/page_supplier.h"
#include "common/arena/word.h"
#include "common/unique_fd/unique_fd.h"

namespace ets_keeper {

// ArenaHeader
//
// The first page of every arena, as stored. Every process that maps the arena
// reads it and one, the owner, writes it; the layout is part of the format.
struct ArenaHeader {
  // Line 0: fixed when the arena is formatted.
  uint64_t magic;         // stored last by FinishFormat()
  uint64_t format;        // kArenaFormat
  uint64_t bytes;         // size of the whole arena
  uint64_t kind;          // which core formatted it
  uint64_t schema;        // fingerprint of the rows' schema
  uint64_t schema_bytes;  // length of schema_text
  uint64_t unused0[2];

  // Line 1: loaded by every operation, stored only when the owner changes or a
  // batch begins or ends.
  uint64_t epoch;  // of the ownership; 0 until the first owner
  uint64_t batch;  // odd while a committed batch is being applied
  uint64_t unused1[6];

  // Line 2: the ends of what may be used, stored under grow_mutex().
  uint64_t front_committed;  // [0, front_committed) has pages
  uint64_t back_committed;   // [back_committed, bytes) has pages
  uint64_t heap_top;         // [heap_top, bytes) was given out by the heap
  uint64_t front_reach;      // the most that front_committed ever was
  uint64_t unused2[4];

  uint64_t schema_text[(4096 - 3 * 64) / 8];
};
static_assert(sizeof(ArenaHeader) == 4096);

// ArenaOptions
struct ArenaOptions {
  // Ask the system for huge pages (2 MiB) where a part of the arena has grown
  // large. Fewer cache misses per lookup, and the death of a process that maps
  // the arena is known sooner; up to 6 MiB of pages, instead of 256 KiB, are
  // ready ahead of each of the two parts. Memfds have them where the machine is
  // set to it: see ArenaMemory::takes_huge_pages(); or all of their pages are
  // huge ones, whatever this says: see arena_file.h.
  bool huge_pages = true;

  // Who allocates pages ahead of use; null: `PageSupplier::OfProcess()`. Must
  // outlive the arena.
  PageSupplier* supplier = nullptr;

  // Where private memory comes from and, if the arena stayed small, goes to;
  // null: `MemoryPool::OfProcess()`. Must outlive the arena.
  MemoryPool* pool = nullptr;
};

class Arena final : public PageConsumer {
 public:
  static constexpr uint64_t kMinBytes = 64 << 10;
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 46;
  static constexpr uint64_t kMaxSchemaBytes = sizeof(ArenaHeader::schema_text);

  // Arena::CreatePrivate()
  //
  // An unformatted arena of `bytes` of address space in private memory. `bytes`
  // is rounded up to whole pages and must lie in [kMinBytes, kMaxBytes], else
  // `kBadOption`. `kNoMemory` if the system refuses the address space. Takes
  // about a microsecond if the pool has the memory of an arena of this size.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Arena>> CreatePrivate(
      uint64_t bytes, const ArenaOptions& options = {});

  // Arena::Map()
  //
  // Maps the memfd `fd`, which must already have its final size. The mapping is
  // inherited by no forked child and written to no core dump. A read-only
  // arena may be mapped from a descriptor that was opened O_RDONLY. Errors as
  // for ArenaMemory::Map(), and `kCorrupt` for an impossible size.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Arena>> Map(
      UniqueFd fd, ArenaAccess access, const ArenaOptions& options = {});

  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Waits for a step of the supplier's that is under way.
  ~Arena();

  // Arena::BeginFormat(), Arena::FinishFormat()
  //
  // Writes the header, all but its magic word; after the core has written its
  // own root, `FinishFormat()` stores that word and makes the arena valid.
  // `kCorrupt` if the arena was formatted before, `kBadOption` if the schema's
  // text is longer than kMaxSchemaBytes, `kNoMemory` if no page is to be had.
  struct FormatOptions {
    uint64_t kind = 0;
    uint64_t schema = 0;
    absl::string_view schema_text = "";
  };
  [[nodiscard]] absl::Status BeginFormat(const FormatOptions& options);
  void FinishFormat();

  // Arena::blank()
  //
  // Whether nobody has begun to format it.
  [[nodiscard]] bool blank() const { return LoadWord(&header().bytes) == 0; }

  // Arena::Validate()
  //
  // Checks a header that somebody else wrote, trusting none of it: ok if it is
  // a finished arena of this format, size and `kind`; else `kCorrupt` saying
  // which word is wrong.
  [[nodiscard]] absl::Status Validate(uint64_t kind) const;

  // Arena::schema_text()
  //
  // The schema as text; empty if its length is not a possible one.
  [[nodiscard]] std::string schema_text() const;

  // Arena::CommitFront(), Arena::CommitBack()
  //
  // Allocates pages so that all of [0, end), or of [begin, bytes()), may be
  // written, and a few more. Cheap when they are there already, and when they
  // are ready; else at most kMaxOwnStep, or one huge page of a memfd, more than
  // what was asked for is allocated now, after a step of giving pages back that
  // is under way. `kNoMemory`, with nothing changed, if
  // the two ends would meet or the system has no page left. The back never
  // takes what was the front's once: who reads there, by what it knew before
  // the front was released, finds what the front left or zeroes, and nothing
  // else.
  //
  // What is committed reads as zeroes when it was never committed before; what
  // has been released may still hold what it held.
  [[nodiscard]] absl::Status CommitFront(uint64_t end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex());
  [[nodiscard]] absl::Status CommitBack(uint64_t begin)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex());
  static constexpr uint64_t kMaxOwnStep = 32 << 10;

  // Arena::ReadyFront(), Arena::ReadyBack()
  //
  // Have allocated what CommitFront() or CommitBack() would allocate, and what
  // is to be ready behind it: beforehand and without the lock, so that nobody
  // waits meanwhile. Whatever they cannot do is left to it; nothing is
  // allocated for what it would refuse.
  void ReadyFront(uint64_t end) ABSL_LOCKS_EXCLUDED(grow_mutex());
  void ReadyBack(uint64_t begin) ABSL_LOCKS_EXCLUDED(grow_mutex());

  // Arena::ReadyAhead()
  //
  // In case that the supplier is late, and before anybody has to wait: if
  // [0, end) has not all of its pages, and nobody is making any ready, makes
  // kMaxOwnStep more ready. Of a front that is small, or so large that it has
  // huge pages, none. Cheap if they are all there. For writers of which another
  // one can use what is there already meanwhile.
  void ReadyAhead(uint64_t end) ABSL_LOCKS_EXCLUDED(grow_mutex());

  // Arena::ReleaseFront()
  //
  // Nothing of the front at or behind `begin` is in use any more: its pages go
  // back to the system, the last ones first, by the supplier. Those behind
  // front_committed, which is lowered now, read as they did until they do so as
  // zeroes, also to readers who are late. A process that dies in between leaves
  // pages that nobody uses: see ReleaseLeftovers().
  //
  // Some stay committed, so that a table that grows and shrinks around one size
  // does not call the system each time: as many as are to be ready ahead of the
  // front, and 128 KiB at least. Cheap, and nothing happens, as long as
  // front_committed would not go down by kReleaseStep.
  void ReleaseFront(uint64_t begin) ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex());
  static constexpr uint64_t kReleaseStep = 128 << 10;

  // Arena::ReleaseLeftovers()
  //
  // Has the pages given back that the front had in use once and that a process
  // which died may not have given back. For the next one that writes.
  void ReleaseLeftovers() ABSL_LOCKS_EXCLUDED(grow_mutex());

  // Arena::SupplyPages()
  //
  // Allocates a step of the pages that are to be ready ahead of use, or, if
  // there are too many, gives a step of them back, kReleaseStep or one huge
  // page; see PageConsumer. Called by the supplier, or by a test in its place.
  bool SupplyPages() override ABSL_LOCKS_EXCLUDED(grow_mutex());

  // Arena::grow_mutex()
  //
  // Guards, among the threads of the one writing process, the words of line 2.
  // It is process-local: nothing of it is in the arena.
  [[nodiscard]] absl::Mutex& grow_mutex() const
      ABSL_LOCK_RETURNED(grow_mutex_) {
    return grow_mutex_;
  }

  // Arena::At()
  //
  // The word at `offset`, which the caller has checked with `Holds()` if it
  // was read from the arena.
  [[nodiscard]] uint64_t* At(uint64_t offset) const {
    return reinterpret_cast<uint64_t*>(base_ + offset);
  }

  // Arena::Holds()
  //
  // Whether [offset, offset + length) lies behind the header, inside the arena,
  // at an aligned offset. True for every offset this library stores; a reader
  // asks it of every offset it loads, so that neither a stale nor a hostile
  // one can make it leave the mapping.
  [[nodiscard]] bool Holds(uint64_t offset, uint64_t length) const {
    return offset >= sizeof(ArenaHeader) && offset % 8 == 0 &&
           offset < bytes_ && length <= bytes_ - offset;
  }

  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  [[nodiscard]] ArenaAccess access() const { return access_; }
  [[nodiscard]] bool shared() const { return memory_.shared(); }

  // Arena::huge_pages()
  //
  // Whether large parts have huge pages, as far as the system gives any.
  [[nodiscard]] bool huge_pages() const { return huge_pages_; }

  // Arena::all_huge_pages()
  //
  // Whether it is a memfd made of huge pages, and so has no others.
  [[nodiscard]] bool all_huge_pages() const {
    return memory_.page_bytes() > ArenaMemory::kPageBytes;
  }

  // Arena::committed_bytes()
  //
  // How many bytes may be used, at both ends. 0 if it is blank.
  [[nodiscard]] uint64_t committed_bytes() const;

  // Arena::allocated_bytes()
  //
  // How many bytes have pages, as far as this process knows: what is committed
  // and what is ready ahead of use.
  [[nodiscard]] uint64_t allocated_bytes() const
      ABSL_LOCKS_EXCLUDED(grow_mutex());

  [[nodiscard]] ArenaHeader& header() const {
    return *reinterpret_cast<ArenaHeader*>(base_);
  }

 private:
  // What the supplier does next.
  struct Supply {
    uint64_t begin = 0;
    uint64_t end = 0;  // equal to begin: nothing
    bool front = false;
    bool huge = false;      // one huge page
    uint64_t releases = 0;  // at the time of the decision
  };

  // What the supplier gives back next.
  struct Release {
    uint64_t begin = 0;
    uint64_t end = 0;  // equal to begin: nothing
  };

  Arena(ReadyMemory ready, ArenaAccess access, const ArenaOptions& options);

  // ArenaMemory::Allocate(), after which, if it fails, there may be pages that
  // nobody has noted.
  absl::Status Allocate(uint64_t begin, uint64_t end);

  // All depend on how many bytes the end in question has in use.
  // What a commit rounds to.
  uint64_t CommitStep(uint64_t used) const;
  // How many bytes are to be ready.
  uint64_t Ahead(uint64_t used) const;
  // What the supplier allocates at a time.
  uint64_t SupplyUnit(uint64_t used) const;

  // [0, FrontReady()) and [BackReady(), bytes()) have pages.
  uint64_t FrontReady() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  uint64_t BackReady() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);

  Supply NextSupply() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  Supply NextFrontSupply() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  Supply NextBackSupply() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  Release NextRelease() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  bool HasTooMuch() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  // How far the front is to be ready.
  uint64_t FrontTarget() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  // Gives a step back, if there is one.
  void GiveBack() ABSL_LOCKS_EXCLUDED(grow_mutex_);
  // Whether a step is being given back: then pages cannot be made ready, for
  // they may be the same.
  bool GivesBack() ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  // ArenaMemory::Allocate() by who is not the supplier and so may have to wait
  // for it: else what is allocated here could be discarded there.
  absl::Status AllocateNow(uint64_t begin, uint64_t end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  // How far a commit goes, that has to reach `end` or `begin`.
  uint64_t FrontStep(uint64_t end) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  uint64_t BackStep(uint64_t begin) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  // Allocates it; false if it cannot be had.
  bool MakeReady(const Supply& supply) ABSL_LOCKS_EXCLUDED(grow_mutex_);
  // What was supplied is ready.
  void TakeSupply(const Supply& supply)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  // Whether few pages are ready if that much is committed.
  bool IsLow(uint64_t front, uint64_t back) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);

  char* const base_;
  const uint64_t bytes_;
  const ArenaAccess access_;
  const bool huge_pages_;
  ArenaMemory memory_;
  PageSupplier& supplier_;
  MemoryPool& pool_;
  mutable absl::Mutex grow_mutex_;
  // Held while pages are given back; taken with grow_mutex_ held.
  absl::Mutex discard_mutex_ ABSL_ACQUIRED_AFTER(grow_mutex_);
  // What this process has allocated beyond what the header's words say.
  uint64_t front_ready_ ABSL_GUARDED_BY(grow_mutex_) = 0;
  uint64_t back_ready_ ABSL_GUARDED_BY(grow_mutex_);
  // For ReadyAhead(): FrontReady() when it last asked, and how many are making
  // pages ready. Both may be out of date: then it does too little, or the same
  // as somebody else.
  std::atomic<uint64_t> front_seen_ready_{0};
  std::atomic<int> making_ready_{0};
  // Behind what is ready there may be pages up to here that a process left
  // which died.
  uint64_t left_ ABSL_GUARDED_BY(grow_mutex_) = 0;
  // How often pages were released: those that somebody was about to make ready
  // at that time may be gone.
  uint64_t releases_ ABSL_GUARDED_BY(grow_mutex_) = 0;
  // Whether all pages that were ever stored to, or that are there, lie in what
  // is ready.
  std::atomic<bool> tidy_{true};
};

}  // namespace ets_keeper

#endif  // COMMON_ARENA_ARENA_H_
