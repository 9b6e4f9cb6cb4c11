/*
 * dp_order_claim - one order's state word: who may change the record, and when a reader may believe
 * it. The argument stands in dp_order.h; this file is all of it, so that a checker can run it.
 *
 * Progress: every call is bounded. A change in progress lasts some tens of nanoseconds; a claim or
 * a read that meets one tries again DP_ORDER_TRIES times and then says no. Nothing waits for a
 * thread that was stopped or died. Private to dp_order.c and its tests.
 */
#ifndef DP_ORDER_CLAIM_H
#define DP_ORDER_CLAIM_H

#include "dp_order.h"

#ifndef DP_ORDER_TRIES
#define DP_ORDER_TRIES 256
#endif

/* The record in words; the state is the first. A checker, which tries every interleaving of every
 * word, takes fewer. */
#ifndef DP_ORDER_WORDS
#define DP_ORDER_WORDS (sizeof(struct dp_order) / sizeof(uint64_t))
#endif

static_assert(offsetof(struct dp_order, state) == 0, "the words behind it are the record");

static inline _Atomic uint64_t *dp_order_words(const struct dp_order *order)
{
    return (_Atomic uint64_t *)(uintptr_t)order;
}

/* Makes the caller the only one who may change the record; *state is what it found. False when
 * somebody else is. */
static inline bool dp_order_claim(struct dp_order *order, uint64_t *state)
{
    uint64_t seen = dp_load_relaxed(&order->state);
    for (int tries = 0; tries < DP_ORDER_TRIES; tries++) {
        if ((seen & DP_ORDER_CHANGING) != 0) {
            dp_pause();
            seen = dp_load_relaxed(&order->state);
            continue;
        }
        /* Acquire pairs with dp_order_publish(): the last change is whole. */
        if (dp_cas_acquire(&order->state, &seen, seen | DP_ORDER_CHANGING)) {
            *state = seen;
            return true;
        }
    }
    return false;
}

/* By the holder of a claim: nobody else writes, so plain words will do. */
static inline void dp_order_copy_out(
    const struct dp_order *order, uint64_t state, struct dp_order *copy)
{
    _Atomic uint64_t *from = dp_order_words(order);
    _Atomic uint64_t *to = dp_order_words(copy);
    DP_UNROLL
    for (size_t word = 1; word < DP_ORDER_WORDS; word++)
        dp_store_relaxed(&to[word], dp_load_relaxed(&from[word]));
    dp_store_relaxed(&copy->state, state);
}

static inline void dp_order_copy_in(struct dp_order *order, const struct dp_order *copy)
{
    _Atomic uint64_t *from = dp_order_words(copy);
    _Atomic uint64_t *to = dp_order_words(order);
    /* Release, each: a reader that got this word also sees the claim, which came before it. */
    DP_UNROLL
    for (size_t word = 1; word < DP_ORDER_WORDS; word++)
        dp_store_release(&to[word], dp_load_relaxed(&from[word]));
}

/* Gives the claim up. */
static inline void dp_order_publish(struct dp_order *order, uint64_t state)
{
    /* Release: who sees this version, or claims it, sees the whole record. */
    dp_store_release(&order->state, state);
}

/* Any thread of any process. False when the record was being changed each time. */
static inline bool dp_order_copy_whole(const struct dp_order *order, struct dp_order *copy)
{
    _Atomic uint64_t *from = dp_order_words(order);
    _Atomic uint64_t *to = dp_order_words(copy);
    for (int tries = 0; tries < DP_ORDER_TRIES; tries++) {
        uint64_t state = dp_load_acquire(&from[0]); /* pairs with dp_order_publish() */
        if ((state & DP_ORDER_CHANGING) == 0) {
            for (size_t word = 1; word < DP_ORDER_WORDS; word++)
                dp_store_relaxed(&to[word], dp_load_acquire(&from[word]));
            dp_store_relaxed(&to[0], state);
            if (dp_load_relaxed(&from[0]) == state)
                return true;
        }
        dp_pause();
    }
    return false;
}

#endif
