/*
 * dp_risk_layout - how the gate lies in memory. Private to dp_risk*.c.
 *
 *   dp_risk | strategies (policy) | groups (policy, pools) | instruments (policy, pools)
 *           | seats with their fingerprints | group lanes | lines of each lane | holdings
 *
 * Policies are what was commanded: written by whoever applies commands, read by all. The rest is
 * private to one lane each, and what a decision touches: the gate word, three lines of its seat,
 * one of the account and two of the firm, three of the instrument and one of fingerprints. There
 * the limits lie as the comparisons want them, combined where several bound the same number.
 */
#ifndef DP_RISK_LAYOUT_H
#define DP_RISK_LAYOUT_H

#include <immintrin.h>

#include "dp_book.h"
#include "dp_credit.h"
#include "dp_risk.h"
#include "dp_switch.h"
#include "dp_versioned.h"

#define RISK_BEAT 1024 /* time of a bucket: parts of a nanosecond, 2^63 of them are 104 days */
#define RISK_PRINT_BITS 9
#define RISK_PRINT_STREW UINT64_C(0x9e3779b97f4a7c15) /* by the golden ratio */
#define RISK_PRINT_SETS (1u << RISK_PRINT_BITS) /* of one strategy; two fingerprints in each */
#define RISK_SIGHTINGS 32u                      /* room of one fingerprint, a power of two */
#define RISK_HOLDINGS 4096u                     /* of one strategy, a power of two */
#define RISK_PRICE_TICKS_MAX UINT64_C(1999999999)
#define RISK_QTY_MAX UINT32_C(16777215) /* times the largest price fits 63 bits with room */

/* What a scope limits, as words of one line each. Money in ticks (price ticks * shares). A strategy
 * has limits of the first four only. */
enum risk_dim {
    RISK_GROSS,
    RISK_COUNT,
    RISK_NET_BUY,
    RISK_NET_SELL,
    RISK_SEAT_DIMS,
    RISK_OPEN = RISK_SEAT_DIMS,
    RISK_ENTERED,
    RISK_MESSAGES,
    RISK_SPARE,
    RISK_DIMS
};

/* What an instrument limits. Shares. */
enum risk_side_dim { RISK_LONG, RISK_SHORT, RISK_LOCATE, RISK_SIDE_DIMS };

/* Compared and subtracted four at a time. */
typedef int64_t risk_four __attribute__((vector_size(32)));

union risk_credit {
    int64_t free[RISK_DIMS];
    risk_four half[2];
};

/* What a lane holds of an instrument. */
union risk_line_credit {
    struct {
        int64_t free[RISK_SIDE_DIMS];
        int64_t notional_max; /* ticks, of one order: no credit, and nothing is taken from it */
    };
    risk_four all;
};

union risk_seat_credit {
    int64_t free[RISK_SEAT_DIMS];
    risk_four all;
};

/* A token bucket as the time from which there is a token; it would be full again `depth` later. A
 * token moves that by `step`. Steps are rounded up: never more passes. */
struct risk_bucket {
    int64_t token_at; /* beats since dp_risk.start_ns */
    int64_t step;     /* 0: unlimited */
    int64_t depth;    /* (burst - 1) * step */
};

#define RISK_DEPTH_UNLIMITED (INT64_MAX / 4 * 3) /* room below for a clock that steps back */

/* ---- policies: shared ---- */

#define RISK_WORDS(type) (sizeof(type) / sizeof(uint64_t))

struct risk_strategy {
    alignas(DP_CACHE_LINE) dp_switch_mark mark;
    _Atomic uint64_t version;
    _Atomic uint64_t words[2][RISK_WORDS(struct dp_risk_strategy_limits)];
    char name[DP_RISK_NAME_SIZE];
};

/* An account, or the firm. */
struct risk_group {
    alignas(DP_CACHE_LINE) dp_switch_mark mark;
    _Atomic uint64_t version;
    _Atomic uint64_t words[2][RISK_WORDS(struct dp_risk_group_limits)];
    struct dp_credit_pool pools[RISK_DIMS];
    _Atomic int64_t limits[RISK_DIMS]; /* of the pools; DP_CREDIT_UNLIMITED: not shared */
    _Atomic int64_t profit_max;        /* ticks, of the day */
    char name[DP_RISK_NAME_SIZE];
};

struct risk_instrument {
    alignas(DP_CACHE_LINE) dp_switch_mark mark;
    _Atomic uint64_t version;
    _Atomic uint64_t words[2][RISK_WORDS(struct dp_risk_instrument_limits)];
    struct dp_credit_pool pools[RISK_SIDE_DIMS];
    _Atomic int64_t limits[RISK_SIDE_DIMS];
};

/* ---- what one lane alone writes ---- */

/* One fingerprint. Its last sighting stands here, those before it in a ring elsewhere: most orders
 * are seen once in a window, and go no further than this. */
struct risk_print {
    uint64_t fingerprint; /* 0: never used */
    int64_t last;         /* twice the time, in ns; and 1 when its ring has what was before */
};

#define RISK_PRINT_WAYS 2

struct risk_print_set {
    alignas(32) struct risk_print ways[RISK_PRINT_WAYS];
};

static_assert(sizeof(struct risk_print_set) == DP_CACHE_LINE / 2, "two in a line");

/* The sightings of one fingerprint before its last. */
struct risk_ring {
    uint32_t repeats; /* within the window before it: how many stand here */
    uint32_t next;    /* place of the next one; the oldest once it is full */
    int64_t times_ns[RISK_SIGHTINGS - 1];
};

static_assert(DP_RISK_DUPLICATES_MAX < RISK_SIGHTINGS, "the last sighting stands in the print");

struct risk_seat {
    /* read-mostly */
    alignas(DP_CACHE_LINE) uint64_t gate_seen; /* at this gate everything was clear; 0: look */
    int64_t notional_max;                      /* ticks */
    uint64_t qty_max;
    uint32_t attributes_denied;
    uint32_t account_bit;
    uint64_t account_at; /* places in the region, in bytes from its start */
    uint64_t firm_at;
    uint64_t lines_at;
    int64_t gross_max_nanos;
    /* counters */
    struct risk_bucket orders;
    int64_t fan_ns;
    int64_t duplicate_window_ns;
    uint32_t duplicate_count_max; /* 0 when unlimited */
    uint32_t fan_out;             /* orders at fan_ns */
    uint32_t fan_out_max;
    uint32_t reserved[3];
    alignas(DP_CACHE_LINE) union risk_seat_credit credit;
    int64_t base[RISK_SEAT_DIMS]; /* free + used */
    /* beside the hot path */
    uint32_t account_index;
    uint32_t lane;
    struct risk_bucket rejects;
    struct risk_bucket fills;
    int64_t bought; /* BE and SE, ticks */
    int64_t sold;
    int64_t profit_max; /* ticks, of the day */
    int64_t profit;
    uint32_t soft_percent;
    uint64_t alerts; /* times that a soft limit was passed */
    bool is_above_soft;
    bool holdings_full;
    /* One of these in the hot path; rings only of orders that are repeated in time. */
    alignas(DP_CACHE_LINE) struct risk_print_set prints[RISK_PRINT_SETS];
    struct risk_ring rings[RISK_PRINT_SETS * RISK_PRINT_WAYS];
};

static_assert(offsetof(struct risk_seat, orders) == DP_CACHE_LINE &&
        offsetof(struct risk_seat, credit) % DP_CACHE_LINE == 0,
    "a decision reads three lines");

/* An account's or the firm's share of one lane. */
struct risk_share {
    alignas(DP_CACHE_LINE) union risk_credit credit;
    struct risk_bucket orders;
    int64_t message_ratio;
    _Atomic int64_t profit; /* of this lane's strategies, ticks */
    bool owes;              /* a pool is below 0: what becomes free is not this lane's to use */
    uint8_t reserved[23];
    struct dp_credit_hold holds[RISK_DIMS];
};

static_assert(sizeof(struct risk_share) % DP_CACHE_LINE == 0 &&
        offsetof(struct risk_share, orders) == DP_CACHE_LINE,
    "shares must not share lines");

enum risk_line_flag {
    RISK_PRICE_RULE = 1,
    RISK_IMPACT_RULE = 2,
    RISK_TYPICAL_RULE = 4,
};

/* An instrument as one lane sees it. */
struct risk_line {
    alignas(DP_CACHE_LINE) union risk_line_credit credit; /* shares */
    uint32_t size_count;
    uint32_t accounts_denied;
    uint64_t gate_seen;   /* as in the seat */
    int64_t collar_twice; /* 2 * collar_abs_nanos */
    uint32_t qty_max;     /* the least of the order's, volume's and typical size's */
    uint32_t collar_bps;
    /* second line */
    /* By side: limit up, limit down. A sell's price counts as UINT32_MAX less ticks, so that one
     * comparison does for both: no higher than this. */
    uint32_t band[2];
    uint32_t own_max[2]; /* by side, as band: none of our open orders is beyond; 0: none */
    uint32_t own_count[2];
    uint32_t marked_least[2]; /* by side: 1 where a sale must say that it is short */
    uint32_t own_mask;        /* all ones where self trades are denied, else 0 */
    uint32_t flags;           /* enum risk_line_flag */
    int64_t age_max_ns;
    uint64_t salt[2]; /* by side, of a fingerprint */
    uint32_t sizes[DP_RISK_SIZES];
    /* beside the hot path */
    dp_money_nanos cash;
    int64_t position;
    int64_t bought_qty;
    int64_t sold_qty;
    struct dp_credit_hold holds[RISK_SIDE_DIMS];
    uint32_t order_qty_max;
    uint32_t volume_qty_max;
    uint32_t typical_qty_max;
    uint32_t typical_multiple;
    uint32_t impact_bps;
    uint32_t impact_levels;
    bool owes; /* as in risk_share */
};

static_assert(offsetof(struct risk_line, band) == DP_CACHE_LINE &&
        offsetof(struct risk_line, cash) == 3 * DP_CACHE_LINE &&
        sizeof(struct risk_line) % DP_CACHE_LINE == 0,
    "a decision reads two lines and writes a third");

/* What one strategy holds of one instrument. */
struct risk_holding {
    uint32_t instrument; /* index + 1; 0: free */
    uint32_t reserved;
    int64_t position;
    int64_t cash; /* ticks */
};

struct dp_risk {
    /* Moved by every change; written by any process (dp_switch.h). */
    alignas(DP_CACHE_LINE) _Atomic uint64_t gate;
    /* What the node is: written by the engine. */
    alignas(DP_CACHE_LINE) _Atomic int64_t heard_ns; /* the feed's last word */
    _Atomic uint64_t degraded;                       /* bits: enum dp_risk_degraded */
    _Atomic uint64_t sessions_out;                   /* bits: sessions that are not authenticated */
    _Atomic int64_t start_ns; /* where beats count from: the first order's time; 0: none yet */
    _Atomic uint64_t trip_on; /* bits: reasons whose first refusal trips the strategy */
    dp_switch_mark session_marks[DP_RISK_SESSIONS_MAX];
    /* Written by dp_risk_init(), then read-only. */
    alignas(DP_CACHE_LINE) struct dp_risk_config config;
    uint32_t groups_at; /* cache lines from the start; the firm is group 0 */
    uint32_t instruments_at;
    uint32_t shares_at;
    uint32_t lines_at;
    uint32_t holdings_at;
    uint64_t seats_at; /* bytes */
    uint64_t size;
    struct risk_strategy strategies[];
};

static inline void *dp_risk_place(const struct dp_risk *risk, uint32_t line_index)
{
    return (uint8_t *)(uintptr_t)risk + (size_t)line_index * DP_CACHE_LINE;
}

static inline void *dp_risk_at(const struct dp_risk *risk, uint64_t offset)
{
    return (uint8_t *)(uintptr_t)risk + offset;
}

static inline struct risk_seat *dp_risk_seat(const struct dp_risk *risk, uint32_t strategy)
{
    return (struct risk_seat *)dp_risk_at(risk, risk->seats_at) + strategy;
}

static inline struct risk_group *dp_risk_group(const struct dp_risk *risk, uint32_t group)
{
    return (struct risk_group *)dp_risk_place(risk, risk->groups_at) + group;
}

static inline struct risk_instrument *dp_risk_instrument(
    const struct dp_risk *risk, uint32_t instrument)
{
    return (struct risk_instrument *)dp_risk_place(risk, risk->instruments_at) + instrument;
}

static inline struct risk_line *dp_risk_line(
    const struct dp_risk *risk, uint32_t lane, uint32_t instrument)
{
    struct risk_line *lines = dp_risk_place(risk, risk->lines_at);
    return lines + (size_t)lane * risk->config.instrument_count_max + instrument;
}

/* Of the lane that the seat was armed for. */
static inline struct risk_line *dp_risk_lines(
    const struct dp_risk *risk, const struct risk_seat *seat)
{
    return dp_risk_at(risk, seat->lines_at);
}

/* Group 0 is the firm, account n is group n + 1. */
static inline struct risk_share *dp_risk_share(
    const struct dp_risk *risk, uint32_t group, uint32_t lane)
{
    struct risk_share *shares = dp_risk_place(risk, risk->shares_at);
    return shares + (size_t)group * risk->config.lane_count_max + lane;
}

static inline struct risk_holding *dp_risk_holdings(const struct dp_risk *risk, uint32_t strategy)
{
    struct risk_holding *holdings = dp_risk_place(risk, risk->holdings_at);
    return holdings + (size_t)strategy * RISK_HOLDINGS;
}

/* Position and open orders of that side, of one lane. */
static inline int64_t dp_risk_side_used(const struct risk_line *line, enum risk_side_dim dim)
{
    return dp_load_relaxed(&line->holds[dim].leased) - line->credit.free[dim];
}

/* dp_risk_policy.c */
bool dp_risk_read_strategy(
    const struct risk_strategy *strategy, struct dp_risk_strategy_limits *limits);
bool dp_risk_read_group(const struct risk_group *group, struct dp_risk_group_limits *limits);
bool dp_risk_read_instrument(
    const struct risk_instrument *instrument, struct dp_risk_instrument_limits *limits);

/* dp_risk_arm.c: brings a seat or a line up to the policies; false when there is none. */
bool dp_risk_arm_seat(struct dp_risk *risk, uint32_t strategy_index);
bool dp_risk_arm_line(struct dp_risk *risk, uint32_t lane, uint32_t instrument_index);
void dp_risk_set_bucket(struct risk_bucket *bucket, uint64_t rate, uint64_t burst);
/* What a lane holds of a pool goes back, or what it has used without asking is taken. */
void dp_risk_settle(struct dp_credit_pool *pool, int64_t limit, uint32_t lane,
    struct dp_credit_hold *hold, int64_t *free);

/* Whether more is used than some limit allows: it was lowered, or an execution came unexpected. */
bool dp_risk_owes(
    const struct dp_credit_pool *pools, const _Atomic int64_t *limits, uint32_t dim_count);

/* Of dp_side, which was checked. */
static inline uint32_t dp_risk_side(uint8_t side)
{
    return (uint32_t)side - DP_SIDE_BUY;
}

/* How far a price reaches into the other side: the higher the further. */
static inline uint32_t dp_risk_reach(uint32_t ticks, uint32_t side)
{
    return ticks ^ (0u - side);
}

static inline bool dp_risk_any_below_0(risk_four lanes)
{
    return !_mm256_testz_pd((__m256d)lanes, (__m256d)lanes); /* looks at signs only */
}

#define RISK_BEATS_NS (INT64_MAX / RISK_BEAT / 2) /* how long beats can be counted */

/* The last beat when the clock leaps further than beats can count. */
static inline int64_t dp_risk_beats(const struct dp_risk *risk, int64_t now_ns)
{
    int64_t since_ns = now_ns - dp_load_relaxed(&risk->start_ns);
    return (since_ns < RISK_BEATS_NS ? since_ns : RISK_BEATS_NS) * RISK_BEAT;
}

/* Whether there is a token. A clock that steps back gives no credit. */
static inline bool dp_risk_has_token(const struct risk_bucket *bucket, int64_t now)
{
    return bucket->token_at <= now;
}

static inline void dp_risk_charge(struct risk_bucket *bucket, int64_t now)
{
    int64_t full = now - bucket->depth; /* of a full one: it cannot hold more */
    bucket->token_at = (bucket->token_at > full ? bucket->token_at : full) + bucket->step;
}

/* One token; false when there is none. */
static inline bool dp_risk_take_token(struct risk_bucket *bucket, int64_t now)
{
    bool there = dp_risk_has_token(bucket, now);
    if (there)
        dp_risk_charge(bucket, now);
    return there;
}

#endif
