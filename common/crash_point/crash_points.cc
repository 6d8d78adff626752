// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// The functions that a compiler calls from code built with -fsanitize=thread,
// here made to perform the access and, for stores, to call the hook first. This
// file itself is built without that flag.

#include "common/crash_point/crash_points.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ets_keeper {
namespace {

StoreHook* newest = nullptr;
LoadHook* newest_load = nullptr;

}  // namespace

StoreHook::StoreHook(void* begin, size_t bytes, Function function)
    : begin_(static_cast<char*>(begin)),
      bytes_(bytes),
      function_(std::move(function)),
      outer_(newest) {
  newest = this;
}

StoreHook::~StoreHook() { newest = outer_; }

void StoreHook::CallMeanwhile() { newest = this; }

void StoreHook::BeforeStore(void* address, size_t size, uint64_t value,
                            bool is_atomic_word) {
  StoreHook* hook = newest;
  if (hook == nullptr) return;
  char* const byte = static_cast<char*>(address);
  if (byte < hook->begin_ || byte >= hook->begin_ + hook->bytes_) return;
  if (!is_atomic_word) {
    std::fprintf(stderr, "a store of %zu bytes is no store of one word\n",
                 size);
    std::abort();
  }
  newest = nullptr;  // the stores of the hook itself are nobody's business
  hook->function_(static_cast<uint64_t*>(address), value);
  newest = hook;
}

LoadHook::LoadHook(const void* begin, size_t bytes, Function function)
    : begin_(static_cast<const char*>(begin)),
      bytes_(bytes),
      function_(std::move(function)),
      outer_(newest_load) {
  newest_load = this;
}

LoadHook::~LoadHook() { newest_load = outer_; }

void LoadHook::CallMeanwhile() { newest_load = this; }

void LoadHook::BeforeLoad(const volatile uint64_t* word) {
  LoadHook* hook = newest_load;
  if (hook == nullptr) return;
  const auto* address = const_cast<const uint64_t*>(word);
  const char* const byte = reinterpret_cast<const char*>(address);
  if (byte < hook->begin_ || byte >= hook->begin_ + hook->bytes_) return;
  newest_load = nullptr;
  hook->function_(address);
  newest_load = hook;
}

namespace {

template <typename T>
void BeforeAtomicLoad(const volatile T* address) {
  if constexpr (sizeof(T) == 8) LoadHook::BeforeLoad(address);
}

template <typename T>
void BeforePlainStore(void* address) {
  StoreHook::BeforeStore(address, sizeof(T), 0, /*is_atomic_word=*/false);
}

template <typename T>
void BeforeAtomicStore(volatile T* address, T value) {
  StoreHook::BeforeStore(const_cast<T*>(address), sizeof(T),
                         static_cast<uint64_t>(value),
                         /*is_atomic_word=*/sizeof(T) == 8);
}

}  // namespace
}  // namespace ets_keeper

using ets_keeper::BeforeAtomicLoad;
using ets_keeper::BeforeAtomicStore;
using ets_keeper::BeforePlainStore;

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void** address, void*) {
  BeforePlainStore<void*>(address);
}
void __tsan_read_range(void*, unsigned long) {}
void __tsan_write_range(void* address, unsigned long size) {
  ets_keeper::StoreHook::BeforeStore(address, size, 0, false);
}
void* __tsan_memcpy(void* to, const void* from, unsigned long size) {
  ets_keeper::StoreHook::BeforeStore(to, size, 0, false);
  return memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, unsigned long size) {
  ets_keeper::StoreHook::BeforeStore(to, size, 0, false);
  return memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, unsigned long size) {
  ets_keeper::StoreHook::BeforeStore(to, size, 0, false);
  return memset(to, value, size);
}
void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

// What annotated mutexes tell the sanitizer.
void __tsan_mutex_create(void*, unsigned) {}
void __tsan_mutex_destroy(void*, unsigned) {}
void __tsan_mutex_pre_lock(void*, unsigned) {}
void __tsan_mutex_post_lock(void*, unsigned, int) {}
int __tsan_mutex_pre_unlock(void*, unsigned) { return 0; }
void __tsan_mutex_post_unlock(void*, unsigned) {}
void __tsan_mutex_pre_signal(void*, unsigned) {}
void __tsan_mutex_post_signal(void*, unsigned) {}
void __tsan_mutex_pre_divert(void*, unsigned) {}
void __tsan_mutex_post_divert(void*, unsigned) {}

// Plain accesses of every width and kind.
#define PLAIN(width, type)                                                   \
  void __tsan_read##width(void*) {}                                          \
  void __tsan_unaligned_read##width(void*) {}                                \
  void __tsan_volatile_read##width(void*) {}                                 \
  void __tsan_unaligned_volatile_read##width(void*) {}                       \
  void __tsan_write##width(void* a) { BeforePlainStore<type>(a); }           \
  void __tsan_unaligned_write##width(void* a) { BeforePlainStore<type>(a); } \
  void __tsan_volatile_write##width(void* a) { BeforePlainStore<type>(a); }  \
  void __tsan_unaligned_volatile_write##width(void* a) {                     \
    BeforePlainStore<type>(a);                                               \
  }                                                                          \
  void __tsan_read_write##width(void* a) { BeforePlainStore<type>(a); }      \
  void __tsan_unaligned_read_write##width(void* a) {                         \
    BeforePlainStore<type>(a);                                               \
  }

PLAIN(1, uint8_t)
PLAIN(2, uint16_t)
PLAIN(4, uint32_t)
PLAIN(8, uint64_t)
PLAIN(16, unsigned __int128)
#undef PLAIN

// Atomic accesses. The order asked for is at most the one used.
#define ATOMIC(bits, type)                                                  \
  type __tsan_atomic##bits##_load(const volatile type* a, int) {            \
    BeforeAtomicLoad(a);                                                    \
    return __atomic_load_n(a, __ATOMIC_SEQ_CST);                            \
  }                                                                         \
  void __tsan_atomic##bits##_store(volatile type* a, type v, int) {         \
    BeforeAtomicStore(a, v);                                                \
    __atomic_store_n(a, v, __ATOMIC_SEQ_CST);                               \
  }                                                                         \
  type __tsan_atomic##bits##_exchange(volatile type* a, type v, int) {      \
    BeforeAtomicStore(a, v);                                                \
    return __atomic_exchange_n(a, v, __ATOMIC_SEQ_CST);                     \
  }                                                                         \
  type __tsan_atomic##bits##_fetch_add(volatile type* a, type v, int) {     \
    BeforeAtomicStore(a, static_cast<type>(*a + v));                        \
    return __atomic_fetch_add(a, v, __ATOMIC_SEQ_CST);                      \
  }                                                                         \
  type __tsan_atomic##bits##_fetch_sub(volatile type* a, type v, int) {     \
    BeforeAtomicStore(a, static_cast<type>(*a - v));                        \
    return __atomic_fetch_sub(a, v, __ATOMIC_SEQ_CST);                      \
  }                                                                         \
  type __tsan_atomic##bits##_fetch_and(volatile type* a, type v, int) {     \
    BeforeAtomicStore(a, static_cast<type>(*a & v));                        \
    return __atomic_fetch_and(a, v, __ATOMIC_SEQ_CST);                      \
  }                                                                         \
  type __tsan_atomic##bits##_fetch_or(volatile type* a, type v, int) {      \
    BeforeAtomicStore(a, static_cast<type>(*a | v));                        \
    return __atomic_fetch_or(a, v, __ATOMIC_SEQ_CST);                       \
  }                                                                         \
  type __tsan_atomic##bits##_fetch_xor(volatile type* a, type v, int) {     \
    BeforeAtomicStore(a, static_cast<type>(*a ^ v));                        \
    return __atomic_fetch_xor(a, v, __ATOMIC_SEQ_CST);                      \
  }                                                                         \
  int __tsan_atomic##bits##_compare_exchange_strong(                        \
      volatile type* a, type* expected, type v, int, int) {                 \
    if (*a == *expected) BeforeAtomicStore(a, v);                           \
    return __atomic_compare_exchange_n(a, expected, v, false,               \
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                         \
  int __tsan_atomic##bits##_compare_exchange_weak(                          \
      volatile type* a, type* expected, type v, int order, int failure) {   \
    return __tsan_atomic##bits##_compare_exchange_strong(a, expected, v,    \
                                                         order, failure);   \
  }                                                                         \
  type __tsan_atomic##bits##_compare_exchange_val(                          \
      volatile type* a, type expected, type v, int order, int failure) {    \
    __tsan_atomic##bits##_compare_exchange_strong(a, &expected, v, order,   \
                                                  failure);                 \
    return expected;                                                        \
  }

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)
#undef ATOMIC

}  // extern "C"
