/*
 * dp_atomic - every atomic operation of the project goes through these names.
 *
 * One thin layer over C11, so that a checker can put its own scheduler underneath by
 * replacing this header alone. Use the weakest ordering that is right, and say at the call which
 * other line it pairs with.
 */
#ifndef DP_ATOMIC_H
#define DP_ATOMIC_H

#include <stdatomic.h>

#define dp_load_relaxed(object) atomic_load_explicit((object), memory_order_relaxed)
#define dp_load_acquire(object) atomic_load_explicit((object), memory_order_acquire)
#define dp_store_relaxed(object, value) \
    atomic_store_explicit((object), (value), memory_order_relaxed)
#define dp_store_release(object, value) \
    atomic_store_explicit((object), (value), memory_order_release)
#define dp_cas_acq_rel(object, expected, desired) \
    atomic_compare_exchange_strong_explicit( \
        (object), (expected), (desired), memory_order_acq_rel, memory_order_acquire)
#define dp_cas_relaxed(object, expected, desired) \
    atomic_compare_exchange_strong_explicit( \
        (object), (expected), (desired), memory_order_relaxed, memory_order_relaxed)
#define dp_cas_acquire(object, expected, desired) \
    atomic_compare_exchange_strong_explicit( \
        (object), (expected), (desired), memory_order_acquire, memory_order_acquire)
#define dp_cas_release(object, expected, desired) \
    atomic_compare_exchange_strong_explicit( \
        (object), (expected), (desired), memory_order_release, memory_order_relaxed)
#define dp_fetch_and_relaxed(object, value) \
    atomic_fetch_and_explicit((object), (value), memory_order_relaxed)
#define dp_fetch_or_relaxed(object, value) \
    atomic_fetch_or_explicit((object), (value), memory_order_relaxed)
#define dp_fetch_or_release(object, value) \
    atomic_fetch_or_explicit((object), (value), memory_order_release)
#define dp_fetch_add_relaxed(object, value) \
    atomic_fetch_add_explicit((object), (value), memory_order_relaxed)
#define dp_fetch_and_acquire(object, value) \
    atomic_fetch_and_explicit((object), (value), memory_order_acquire)
#define dp_exchange_acquire(object, value) \
    atomic_exchange_explicit((object), (value), memory_order_acquire)
#define dp_fetch_add_release(object, value) \
    atomic_fetch_add_explicit((object), (value), memory_order_release)
/* Inside a loop that waits for another thread: lets a sibling of this core have it meanwhile. */
#define dp_pause() __builtin_ia32_pause()

/* The thread sanitizer does not know fences, and gcc says so. The words on both sides of every
 * fence here are atomic, so it reports nothing for want of them. */
static inline void dp_fence(memory_order order)
{
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
    atomic_thread_fence(order);
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
}
#define dp_fence_acquire() dp_fence(memory_order_acquire)
#define dp_fence_release() dp_fence(memory_order_release)
#define dp_fence_seq_cst() dp_fence(memory_order_seq_cst)

#endif
