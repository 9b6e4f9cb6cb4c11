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
    uint64_t side;  /* 0 buy, 1 sell: an index, so that no branch depends on it */
    int64_t mask;   /* of the side: all ones of a sell */
    uint32_t reach; /* of the price, as risk_line.band */
    uint64_t marks; /* of its attributes, those that say that it is short */
    bool is_replace;
};

/* Where a fingerprint is kept, or would be. */
struct sighting {
    struct risk_print *print; /* its place; of one that was not seen before the set of places */
    uint64_t fingerprint;
    bool is_known;
};

/* What all scopes have left with the order. */
struct risk_left {
    risk_four seat;
    risk_four account[2];
    risk_four firm[2];
    risk_four line;
};

/* Which words of its credits an order needs, by side; of the line by the marks, too. */
struct needed {
    alignas(256) risk_four money;
    risk_four qty[4];
};

static_assert((DP_RISK_SHORT | DP_RISK_SHORT_EXEMPT) == 3 * sizeof(risk_four) / 8,
    "marks times 8 are offsets in needed.qty");

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
    it.ticks = dp_tick_exact(order->price_nanos);
    it.notional = (int64_t)(it.ticks * order->qty);
    it.side = (uint64_t)order->side - DP_SIDE_BUY;
    it.mask = -(int64_t)it.side;
    it.reach = (uint32_t)(it.ticks ^ (uint64_t)it.mask); /* dp_risk_reach() */
    it.marks = order->attributes & (DP_RISK_SHORT | DP_RISK_SHORT_EXEMPT);
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

static inline const struct needed *dp_risk_needed(const struct decision *it)
{
    static const struct needed needed[] = {
        {{-1, 0, -1, 0}, {{-1, 0, 0, 0}, {-1, 0, -1, 0}, {-1, 0, -1, 0}, {-1, 0, -1, 0}}},
        {{-1, 0, 0, -1}, {{0, -1, 0, 0}, {0, -1, -1, 0}, {0, -1, -1, 0}, {0, -1, -1, 0}}},
    };
    return &needed[it->side];
}

/* Of the dims that every scope has. */
static inline risk_four dp_risk_need_low(const struct decision *it)
{
    const risk_four count = {0, !it->is_replace, 0, 0};
    return (dp_risk_need_all(it) & dp_risk_needed(it)->money) | count;
}

static inline risk_four dp_risk_need_high(const struct decision *it)
{
    const risk_four message = {0, 0, 1, 0};
    return (risk_four)_mm256_blend_epi32((__m256i)dp_risk_need_all(it), (__m256i)message, 0xf0);
}

static inline int64_t dp_risk_need_qty(const struct decision *it)
{
    return (int64_t)(it->is_replace ? it->order->increase_qty : it->order->qty);
}

static inline risk_four dp_risk_need_line(const struct decision *it)
{
    int64_t qty = dp_risk_need_qty(it);
    const uint8_t *at = (const uint8_t *)dp_risk_needed(it)->qty + it->marks * 8;
    return (risk_four){qty, qty, qty, qty} & *(const risk_four *)(const void *)at;
}

/* ---- the order against the market ---- */

/* A difference of prices, positive where it goes towards the other side of the book. */
static inline int64_t dp_risk_outward(const struct decision *it, int64_t difference)
{
    return (difference ^ it->mask) - it->mask;
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
    return (it->order->price_nanos ^ it->mask) <= (it->order->best_nanos[it->side] ^ it->mask);
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
    return (it->order->price_nanos ^ it->mask) >= (it->order->best_nanos[it->side ^ 1] ^ it->mask);
}

/* ---- the order against those before it ---- */

/* Whether it would meet an open order of ours: those count from the other end. */
static inline bool dp_risk_meets_own(const struct decision *it)
{
    return (it->line->own_max[it->side ^ 1] & it->line->own_mask) >= ~it->reach;
}

/* Price and quantity side by side are unique in 56 bits; instruments and sides are strewn over all
 * 64, by an odd number that is at hand. */
static inline uint64_t dp_risk_fingerprint(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    return (order->qty << 32 | it->ticks) + it->line->salt[it->side];
}

/* Each set has two places for fingerprints. */
static inline struct sighting dp_risk_find_print(const struct decision *it)
{
    uint64_t wanted = dp_risk_fingerprint(it);
    uint64_t set_index = wanted * RISK_PRINT_STREW >> (64 - RISK_PRINT_BITS);
    struct risk_print *ways = it->seat->prints[set_index].ways;
    if (DP_UNLIKELY(ways[0].fingerprint == wanted))
        return (struct sighting){&ways[0], wanted, true};
    if (DP_UNLIKELY(ways[1].fingerprint == wanted))
        return (struct sighting){&ways[1], wanted, true};
    return (struct sighting){ways, wanted, false};
}

/* Times of the engine are below 2^62, the year 2116; beyond it this wraps, and harms nothing. */
static inline int64_t dp_risk_last(int64_t now_ns, bool has_before)
{
    return (int64_t)((uint64_t)now_ns << 1 | has_before);
}

static inline int64_t dp_risk_last_ns(const struct risk_print *print)
{
    return print->last >> 1;
}

static inline bool dp_risk_is_recent(const struct decision *it, int64_t then_ns)
{
    uint64_t since_ns = (uint64_t)it->order->now_ns - (uint64_t)then_ns;
    return (int64_t)since_ns < it->seat->duplicate_window_ns;
}

/* The sightings before the last; NULL when there were none within its window. */
static inline struct risk_ring *dp_risk_before(
    struct risk_seat *seat, const struct risk_print *print)
{
    return (print->last & 1) != 0 ? &seat->rings[print - seat->prints[0].ways] : NULL;
}

/* As many as may pass stand in the print and its ring; the oldest of them decides. */
static inline bool dp_risk_is_too_often(const struct decision *it, const struct risk_print *print)
{
    uint32_t count_max = it->seat->duplicate_count_max;
    if (count_max == 0 || !dp_risk_is_recent(it, dp_risk_last_ns(print)))
        return false;
    const struct risk_ring *before = dp_risk_before(it->seat, print);
    uint32_t repeats = before != NULL ? before->repeats : 0;
    return repeats + 1 >= count_max &&
        (before == NULL || dp_risk_is_recent(it, before->times_ns[before->next]));
}

/* The sighting before goes to the place of the oldest in the ring. One that was not seen within the
 * window is as good as new. */
static inline void dp_risk_note_again(const struct decision *it, struct risk_print *print)
{
    struct risk_seat *seat = it->seat;
    uint32_t before_max = seat->duplicate_count_max - 1; /* places in the ring */
    int64_t before_ns = dp_risk_last_ns(print);
    bool counts = dp_risk_is_recent(it, before_ns) && seat->duplicate_count_max >= 2;
    if (counts) {
        struct risk_ring *ring = &seat->rings[print - seat->prints[0].ways];
        if (dp_risk_before(seat, print) == NULL)
            ring->repeats = ring->next = 0;
        ring->times_ns[ring->next] = before_ns;
        ring->next = ring->next + 1 == before_max ? 0 : ring->next + 1;
        ring->repeats += ring->repeats < before_max;
    }
    print->last = dp_risk_last(it->order->now_ns, counts);
}

/* In the place of the one seen longer ago, by the sign of a difference: a branch would be a guess.
 */
static inline void dp_risk_note_first(const struct decision *it, struct sighting sighting)
{
    struct risk_print *ways = sighting.print;
    uint64_t is_second = ((uint64_t)(ways[1].last | 1) - (uint64_t)ways[0].last) >> 63;
    struct risk_print *print = &ways[is_second];
    print->fingerprint = sighting.fingerprint;
    print->last = dp_risk_last(it->order->now_ns, false);
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

static inline struct risk_left dp_risk_left(const struct decision *it)
{
    risk_four low = dp_risk_need_low(it);
    risk_four high = dp_risk_need_high(it);
    return (struct risk_left){
        .seat = it->seat->credit.all - low,
        .account = {it->account->credit.half[0] - low, it->account->credit.half[1] - high},
        .firm = {it->firm->credit.half[0] - low, it->firm->credit.half[1] - high},
        .line = it->line->credit.all - dp_risk_need_line(it),
    };
}

static inline void dp_risk_reserve(const struct decision *it, const struct risk_left *left)
{
    struct risk_line *line = it->line;
    it->seat->credit.all = left->seat;
    it->account->credit.half[0] = left->account[0];
    it->account->credit.half[1] = left->account[1];
    it->firm->credit.half[0] = left->firm[0];
    it->firm->credit.half[1] = left->firm[1];
    line->credit.all = left->line;
    line->sizes[line->size_count++ % DP_RISK_SIZES] = (uint32_t)it->order->qty;
    dp_risk_note_own(it);
}

static inline enum dp_reason dp_risk_accept(const struct decision *it)
{
    int64_t gross = it->seat->base[RISK_GROSS] - it->seat->credit.free[RISK_GROSS];
    it->verdict->reason = DP_REASON_ACCEPTED;
    if (DP_UNLIKELY(__builtin_mul_overflow(gross, DP_RISK_TICK_NANOS, &it->verdict->observed)))
        it->verdict->observed = INT64_MAX;
    it->verdict->limit = it->seat->gross_max_nanos;
    return DP_REASON_ACCEPTED;
}

#endif
