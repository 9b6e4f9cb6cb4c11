/*
 * dp_risk_decision - what the files of one decision share. Private to dp_risk_decide.c (the plain
 * way), dp_risk_careful.c (the careful way) and dp_risk_lease.c (its last check).
 *
 * Each condition is written once, here, and asked by both ways; so is what a passing order leaves
 * behind.
 */
#ifndef DP_RISK_DECISION_H
#define DP_RISK_DECISION_H

#include "dp_risk.h"
#include "dp_risk_layout.h"
#include "dp_tick.h"

/* Everything one decision looks at. */
struct decision {
    struct dp_risk *risk;
    const struct dp_risk_order *order;
    struct dp_risk_verdict *verdict;
    struct risk_seat *seat;
    struct risk_line *line;
    struct risk_share *account;
    struct risk_share *firm;
    uint64_t ticks; /* of the price */
    int64_t notional;
    uint32_t side;    /* 0 buy, 1 sell: an index, so that no branch depends on it */
    uint32_t reach;   /* of the price, as risk_line.band */
    int64_t unmarked; /* all ones when it does not say that it is short, else 0 */
    bool is_replace;
};

/* Where a fingerprint is kept, or would be. */
struct sighting {
    struct risk_print *ways;
    uint64_t fingerprint;
};

enum dp_reason dp_risk_decide_with_care(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict);
/* The order is refused. */
enum dp_reason dp_risk_answer(const struct decision *it, enum dp_reason reason,
    dp_money_nanos observed, dp_money_nanos limit);
/* What all scopes still allow; takes what this lane lacks from their pools. */
enum dp_reason dp_risk_check_credit(const struct decision *it);

static inline bool dp_risk_is_buy(const struct decision *it)
{
    return it->side == 0;
}

static inline dp_money_nanos dp_risk_nanos(int64_t ticks)
{
    return ticks >= DP_CREDIT_UNLIMITED ? INT64_MAX : (dp_money_nanos)ticks * DP_RISK_TICK_NANOS;
}

/* Side and mark are anybody's guess, and a branch on them would often be taken wrong: so they are
 * indexes and bits. */
static inline __attribute__((always_inline)) struct decision dp_risk_begin(struct dp_risk *risk,
    const struct dp_risk_order *order, struct dp_risk_verdict *verdict, bool is_replace)
{
    struct decision it = {
        .risk = risk, .order = order, .verdict = verdict, .is_replace = is_replace};
    it.seat = dp_risk_seat(risk, order->strategy_index);
    uint32_t marks = order->attributes & (DP_RISK_SHORT | DP_RISK_SHORT_EXEMPT);
    it.ticks = dp_tick_exact(order->price_nanos);
    it.notional = (int64_t)(it.ticks * order->qty);
    it.side = dp_risk_side(order->side);
    it.reach = dp_risk_reach((uint32_t)it.ticks, it.side);
    it.unmarked = ((int64_t)marks - 1) >> 63;
    return it;
}

static inline void dp_risk_set_places(struct decision *it)
{
    it->account = dp_risk_at(it->risk, it->seat->account_at);
    it->firm = dp_risk_at(it->risk, it->seat->firm_at);
}

/* ---- what it needs ---- */

static inline risk_four dp_risk_need_all(const struct decision *it)
{
    int64_t money = it->is_replace ? it->order->increase_ticks : it->notional;
    return (risk_four){money, money, money, money};
}

/* Of the dims that every scope has. */
static inline risk_four dp_risk_need_low(const struct decision *it)
{
    static const risk_four money[] = {{-1, 0, -1, 0}, {-1, 0, 0, -1}};
    const risk_four count = {0, !it->is_replace, 0, 0};
    return (dp_risk_need_all(it) & money[it->side]) | count;
}

static inline risk_four dp_risk_need_high(const struct decision *it)
{
    const risk_four money = {-1, -1, 0, 0};
    const risk_four message = {0, 0, 1, 0};
    return (dp_risk_need_all(it) & money) | message;
}

static inline int64_t dp_risk_need_qty(const struct decision *it)
{
    return (int64_t)(it->is_replace ? it->order->increase_qty : it->order->qty);
}

static inline int64_t dp_risk_need_locate(const struct decision *it)
{
    return dp_risk_need_qty(it) & ~it->unmarked;
}

/* ---- the order against the market ---- */

/* A difference of prices, positive where it goes towards the other side of the book. */
static inline int64_t dp_risk_outward(const struct decision *it, int64_t difference)
{
    int64_t mask = -(int64_t)it->side;
    return (difference ^ mask) - mask;
}

/* What is not positive is large without its sign. */
static inline bool dp_risk_has_reference(const struct dp_risk_order *order)
{
    const uint64_t ask_max = RISK_PRICE_TICKS_MAX * DP_RISK_TICK_NANOS;
    uint64_t bid = (uint64_t)order->best_bid_nanos;
    uint64_t ask = (uint64_t)order->best_ask_nanos;
    return bid - 1 < ask - 1 && ask <= ask_max;
}

static inline int64_t dp_risk_feed_age_ns(const struct decision *it)
{
    return it->order->now_ns - dp_load_relaxed(&it->risk->heard_ns);
}

/* Whether the price is the best of its own side or behind it: then it takes from nobody, and no
 * collar is near. */
static inline bool dp_risk_rests(const struct decision *it)
{
    int64_t mask = -(int64_t)it->side;
    return (it->order->price_nanos ^ mask) <= (it->order->best_nanos[it->side] ^ mask);
}

/* Twice the distance is compared with twice the band, and ten thousand times each: no half nano is
 * lost and nothing is divided. Two prices below 2^48: the products fit 64 and 80 bits. */
static inline bool dp_risk_is_outside_collar(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    int64_t reference = order->best_bid_nanos + order->best_ask_nanos;
    int64_t distance = dp_risk_outward(it, 2 * order->price_nanos - reference);
    return distance > it->line->collar_twice &&
        (dp_money_nanos)distance * 10000 > (dp_money_nanos)reference * it->line->collar_bps;
}

/* Whether the price meets the other side of the book. */
static inline bool dp_risk_takes(const struct decision *it)
{
    int64_t mask = -(int64_t)it->side;
    return (it->order->price_nanos ^ mask) >= (it->order->best_nanos[!it->side] ^ mask);
}

/* ---- the order against those before it ---- */

/* Whether it would meet an open order of ours: those count from the other end. */
static inline bool dp_risk_meets_own(const struct decision *it)
{
    return (it->line->own_max[!it->side] & it->line->own_mask) >= ~it->reach;
}

/* Price and quantity side by side are unique in 56 bits; instruments and sides are strewn over all
 * 64. */
static inline uint64_t dp_risk_fingerprint(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    uint64_t terms = order->qty << 32 | it->ticks;
    uint64_t what = (uint64_t)order->instrument_index << 1 | it->side;
    return terms + what * 0xd6e8feb86659fd93ull;
}

static inline struct sighting dp_risk_find_print(const struct decision *it)
{
    struct risk_print_set *sets = dp_risk_at(it->risk, it->seat->prints_at);
    uint64_t wanted = dp_risk_fingerprint(it);
    uint64_t set_index = wanted * 0x9e3779b97f4a7c15ull >> (64 - RISK_PRINT_BITS);
    return (struct sighting){sets[set_index].ways, wanted};
}

/* The place of one seen lately; NULL when it was not. */
static inline const struct risk_print *dp_risk_seen(struct sighting sighting)
{
    const struct risk_print *ways = sighting.ways;
    if (DP_LIKELY(ways[0].fingerprint != sighting.fingerprint))
        return ways[1].fingerprint != sighting.fingerprint ? NULL : &ways[1];
    return &ways[0];
}

/* Each set has two places for fingerprints; the one seen longer ago makes room. */
static inline void dp_risk_note_first(const struct decision *it, struct sighting sighting)
{
    const struct risk_seat *seat = it->seat;
    struct risk_print *ways = sighting.ways;
    uint64_t which = ~ways[0].ring & 1;
    ways[1] = ways[0];
    ways[0].fingerprint = sighting.fingerprint;
    ways[0].free_ns = it->order->now_ns + seat->first_free;
    ways[0].last_ns = it->order->now_ns;
    ways[0].ring = seat->first_ring | which;
}

/* The last sighting goes to the place of the oldest in its ring; the window of the next oldest then
 * decides. */
static inline void dp_risk_note_again(
    const struct decision *it, struct sighting sighting, const struct risk_print *seen)
{
    const struct risk_seat *seat = it->seat;
    const struct risk_print *prints = dp_risk_at(it->risk, seat->prints_at);
    struct risk_print *ways = sighting.ways;
    uint64_t which = seen->ring & 1;
    uint64_t next = seen->ring >> 8 & 0xff;
    uint64_t left = seen->ring >> 16;
    int64_t oldest_ns = it->order->now_ns;
    if (seat->duplicate_count_max > 1) {
        int64_t *rings = dp_risk_at(it->risk, seat->sightings_at);
        int64_t *ring = rings + ((uint64_t)(ways - prints) + which) * RISK_SIGHTINGS;
        ring[next] = seen->last_ns;
        next = next + 2 == seat->duplicate_count_max ? 0 : next + 1;
        left -= left > 0;
        oldest_ns = ring[next];
    }
    if (seen != ways)
        ways[1] = ways[0];
    ways[0].fingerprint = sighting.fingerprint;
    ways[0].free_ns = left > 0 ? INT64_MIN : oldest_ns + seat->duplicate_window_ns;
    ways[0].last_ns = it->order->now_ns;
    ways[0].ring = dp_risk_ring(next, left, which);
}

/* False when it was seen too often of late: a refused one is not a sighting. */
static inline bool dp_risk_note_print(const struct decision *it)
{
    struct sighting sighting = dp_risk_find_print(it);
    const struct risk_print *seen = dp_risk_seen(sighting);
    if (DP_LIKELY(seen == NULL))
        dp_risk_note_first(it, sighting);
    else if (DP_LIKELY(it->order->now_ns >= seen->free_ns))
        dp_risk_note_again(it, sighting, seen);
    else
        return false;
    return true;
}

/* Orders at this instant of the engine, with this one. */
static inline uint32_t dp_risk_fan_out(const struct decision *it)
{
    uint32_t before = it->seat->fan_ns == it->order->now_ns ? it->seat->fan_out : 0;
    return before + 1;
}

/* ---- what a passing order leaves ---- */

static inline void dp_risk_note_own(const struct decision *it)
{
    struct risk_line *line = it->line;
    uint64_t before = line->own_max[it->side];
    uint64_t reach = it->reach;
    line->own_max[it->side] = (uint32_t)(reach > before ? reach : before);
    line->own_count[it->side] += !it->is_replace;
}

static inline void dp_risk_reserve(const struct decision *it)
{
    struct risk_line *line = it->line;
    risk_four low = dp_risk_need_low(it);
    risk_four high = dp_risk_need_high(it);
    it->seat->credit.all -= low;
    it->account->credit.half[0] -= low;
    it->account->credit.half[1] -= high;
    it->firm->credit.half[0] -= low;
    it->firm->credit.half[1] -= high;
    line->free[it->side] -= dp_risk_need_qty(it);
    line->free[RISK_LOCATE] -= dp_risk_need_locate(it);
    line->sizes[line->size_count++ % DP_RISK_SIZES] = (uint32_t)it->order->qty;
    dp_risk_note_own(it);
}

static inline enum dp_reason dp_risk_accept(const struct decision *it)
{
    int64_t gross = it->seat->base[RISK_GROSS] - it->seat->credit.free[RISK_GROSS];
    int64_t observed;
    if (DP_UNLIKELY(__builtin_mul_overflow(gross, DP_RISK_TICK_NANOS, &observed)))
        observed = INT64_MAX;
    it->verdict->reason = DP_REASON_ACCEPTED;
    it->verdict->observed = observed;
    it->verdict->limit = it->seat->gross_max_nanos;
    return DP_REASON_ACCEPTED;
}

#endif
