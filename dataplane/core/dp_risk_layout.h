/*
 * dp_risk_layout - how the gate lies in memory. Private to dp_risk*.c.
 *
 *   dp_risk (kill switch, counts) | strategies | duplicate slots of each strategy | instruments
 *
 * What one decision touches: the kill switch, three lines of its strategy, two of its instrument
 * and one to three of a duplicate slot. Limits are kept as the comparisons want them: 128 bits for
 * money, and an unlimited one is the largest number there is, so that no check has a case for it.
 */
#ifndef DP_RISK_LAYOUT_H
#define DP_RISK_LAYOUT_H

#include "dp_book.h"
#include "dp_risk.h"

#define RISK_TOKEN 1000000000u     /* one order in the bucket's unit: rate * nanoseconds */
#define RISK_DUPLICATE_SLOTS 1024u /* of one strategy, a power of two */
#define RISK_QTY_MAX UINT32_MAX
#define RISK_PRICE_NANOS_MAX (INT64_MAX / 2)

/* One fingerprint's last sightings, as many as its strategy allows within the window, in a ring. */
struct risk_duplicate {
    uint64_t fingerprint; /* 0: never used */
    int64_t last_ns;
    uint32_t count;  /* sightings kept, at most the allowed number */
    uint32_t oldest; /* index in times_ns once the ring is full */
    int64_t times_ns[DP_RISK_DUPLICATES_MAX];
};

static_assert(sizeof(struct risk_duplicate) == 4 * DP_CACHE_LINE, "slots must not share lines");

struct risk_strategy {
    /* limits */
    alignas(DP_CACHE_LINE) dp_money_nanos notional_max;
    dp_money_nanos gross_max;
    dp_money_nanos net_max;
    uint64_t order_qty_max;
    uint64_t open_order_count_max;
    /* exposure */
    dp_money_nanos buy_open;
    dp_money_nanos sell_open;
    dp_money_nanos buy_executed;
    dp_money_nanos sell_executed;
    /* counters and their limits */
    uint64_t open_order_count;
    uint64_t credit; /* tokens * RISK_TOKEN */
    uint64_t credit_max;
    int64_t credit_ns; /* the bucket was brought up to this time */
    int64_t fill_ns;   /* an empty bucket is full after this long */
    int64_t duplicate_window_ns;
    uint32_t rate;
    uint32_t order_cost;          /* RISK_TOKEN, or 0 when the rate is unlimited */
    uint32_t duplicate_count_max; /* 0 when unlimited */
    bool has_policy;
};

static_assert(sizeof(struct risk_strategy) == 3 * DP_CACHE_LINE, "a decision reads these lines");

struct risk_instrument {
    /* limits */
    alignas(DP_CACHE_LINE) dp_money_nanos notional_max;
    uint64_t order_qty_max;
    int64_t position_max;
    int64_t collar_abs_nanos;
    uint32_t collar_bps;
    bool has_policy;
    /* state */
    alignas(DP_CACHE_LINE) int64_t position;
    int64_t buy_leaves;
    int64_t sell_leaves;
    int64_t bought_qty;
    int64_t sold_qty;
    dp_money_nanos cash;
};

static_assert(sizeof(struct risk_instrument) == 2 * DP_CACHE_LINE, "a decision reads these lines");

struct dp_risk {
    alignas(DP_CACHE_LINE) _Atomic uint32_t killed; /* written by any process; alone in its line */
    alignas(DP_CACHE_LINE) uint64_t duplicates_offset;
    uint64_t instruments_offset;
    uint32_t strategy_count;
    uint32_t instrument_count;
    struct risk_strategy strategies[];
};

static inline struct risk_duplicate *dp_risk_duplicates(struct dp_risk *risk, uint32_t strategy)
{
    void *first = (uint8_t *)risk + risk->duplicates_offset;
    return (struct risk_duplicate *)first + (size_t)strategy * RISK_DUPLICATE_SLOTS;
}

static inline struct risk_instrument *dp_risk_instrument(
    const struct dp_risk *risk, uint32_t instrument)
{
    uintptr_t first = (uintptr_t)risk + risk->instruments_offset;
    return (struct risk_instrument *)first + instrument;
}

#endif
