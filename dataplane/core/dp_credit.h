/*
 * dp_credit - one limit, shared by several submitters, without a locked instruction for each order.
 *
 * The limit lies in a pool. A lane (one submitter: a thread, in whatever process) leases a part of
 * it and reserves from what it holds in memory that it alone writes: plain loads and stores. Only
 * when that does not suffice does it go to the pool, with one compare-and-swap on one word. What it
 * holds it may use, what it does not hold it may not: so the sum of all reservations never passes
 * the limit, whoever runs, stops or dies where.
 *
 * At every moment: pool free + what all lanes have leased = limit, and of each lane leased - free =
 * what its orders reserve. free and leased change together with the pool, by three steps that a
 * dead lane may have left half done: the intent (moving) is written first, the pool's word second
 * with the lane's own bit turned in the same swap, leased third. So dp_credit_mend() sees from the
 * word alone whether the swap took place, however many other lanes have moved since.
 *
 *   pool->word     all lanes and whoever changes the limit, by compare-and-swap
 *   hold, *free    the lane alone; dp_credit_mend() when its owner is dead
 *
 * Progress: reserving waits for nobody. A lease is lock-free: a failed swap means that another
 * lane's succeeded. Any number of lanes may be stopped or killed anywhere.
 *
 * Range: a pool counts in 48 signed bits, so a limit is at most DP_CREDIT_MAX; an unlimited one is
 * not shared and does not come here. Overflow is impossible below it: amounts only move.
 */
#ifndef DP_CREDIT_H
#define DP_CREDIT_H

#include "dp_atomic.h"
#include "dp_base.h"

#define DP_CREDIT_LANES_MAX 16u
#define DP_CREDIT_MAX INT64_C(100000000000000) /* 1e14, of 2^47 = 1.4e14 */
/* What a lane holds of an unlimited pool: more than it can use up in 1,000 days. */
#define DP_CREDIT_UNLIMITED (INT64_C(1) << 62)

struct dp_credit_pool {
    _Atomic uint64_t
        word; /* bits 16-63: free, signed; bits 0-15: one a lane, turned by its moves */
};

struct dp_credit_hold {
    _Atomic int64_t leased;
    /* 0, or the move being made: what leased becomes << 2 | the lane's bit afterwards << 1 | 1. */
    _Atomic int64_t moving;
};

/* What no lane holds; negative after a limit was lowered below what is used. */
static inline int64_t dp_credit_free(const struct dp_credit_pool *pool)
{
    return (int64_t)dp_load_relaxed(&pool->word) >> 16;
}

/* Takes what *free lacks of `need`, and of the rest one part in `share` (at least 1: all of it), so
 * that the next orders need not come here. False when the pool has less than is lacking: nothing
 * was moved. Several submitters leave room for each other with share = 2 * lanes. */
bool dp_credit_lease(struct dp_credit_pool *pool, uint32_t lane, struct dp_credit_hold *hold,
    int64_t *free, int64_t need, int64_t share);
/* Gives back `amount`, not above *free; a negative amount takes it whether the pool has it or not:
 * for what was used without asking (an execution that nobody expected). */
void dp_credit_give(struct dp_credit_pool *pool, uint32_t lane, struct dp_credit_hold *hold,
    int64_t *free, int64_t amount);
/* The limit itself grows or, by a negative amount, shrinks. Any process. */
void dp_credit_grow(struct dp_credit_pool *pool, int64_t amount);
/* The owner of the lane is dead: finishes the move it was in. *free becomes what is leased and not
 * in use by orders that are there (`used`): a reservation without an order is released. */
void dp_credit_mend(struct dp_credit_pool *pool, uint32_t lane, struct dp_credit_hold *hold,
    int64_t *free, int64_t used);

#endif
