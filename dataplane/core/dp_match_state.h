/*
 * dp_match_state - the tables of a matching engine; private to the dp_match files.
 *
 * One block: this header, then the tables at the offsets it names. Records are named by number and
 * number 0 means none, in all tables but instruments and participants.
 *
 *   order id --buckets--> order --level--> level --ladder--> instrument
 *                           |
 *                           +--extra--> what only some orders have
 *
 * A plain order is one cache line and four bytes of bucket; terms beyond price and quantity cost
 * another record, and only orders that have them touch it.
 */
#ifndef DP_MATCH_STATE_H
#define DP_MATCH_STATE_H

#include "dp_match.h"
#include "dp_match_ladder.h"

#define DP_MATCH_MAGIC UINT64_C(0x32686374616d7064) /* "dpmatch2" */

/* Where a level hangs. A trigger ladder is ordered by the price that triggers. */
enum dp_match_ladder_name {
    DP_MATCH_BIDS = 0,
    DP_MATCH_ASKS,
    DP_MATCH_TRIGGERS_UP,   /* lowest first: active when the last price is that high */
    DP_MATCH_TRIGGERS_DOWN, /* highest first */
    DP_MATCH_LADDER_COUNT,
    DP_MATCH_HELD = DP_MATCH_LADDER_COUNT, /* the one level without a price */
};

/* One live order. Also, on the stack, one that is about to be. */
struct dp_match_slot {
    uint64_t order_id; /* 0: the record is free */
    uint64_t tag;
    uint64_t leaves_qty;
    uint64_t priority;
    uint32_t level;
    uint32_t next; /* in its queue; of a free record: the next free one */
    uint32_t back;
    uint32_t bucket_next;
    uint32_t participant;
    uint32_t extra; /* 0: a plain order */
    uint32_t stp_group;
    uint8_t side;
    uint8_t time_in_force;
    uint8_t stp_mode;
    uint8_t flags; /* enum dp_match_order_flag, and dp_match_slot_flag */
};

enum dp_match_slot_flag {
    DP_MATCH_SLOT_UNSHOWN = 16, /* in the hidden queue */
    DP_MATCH_SLOT_TOP = 32,     /* it made its level when that was a new best price */
    DP_MATCH_SLOT_MARKET = 64,  /* at any price */
};

static_assert(sizeof(struct dp_match_slot) == DP_CACHE_LINE, "one cache line an order");
static_assert(sizeof(struct dp_match_config) == 6 * 4 + 8, "no padding");
static_assert(sizeof(struct dp_match_terms) == 9 * 8 + 2 * 4, "no padding");
static_assert(
    sizeof(struct dp_match_instrument) == 7 * 8 + 4 * 4 + DP_MATCH_LMM_MAX * 8, "no padding");

struct dp_match_level {
    int64_t price_nanos;
    uint64_t display_qty;
    uint32_t first; /* displayed orders, earliest first */
    uint32_t last;
    uint32_t hidden_first;
    uint32_t hidden_last;
    uint32_t slot; /* price in half ticks; of a free record: the next free one */
    uint32_t instrument_index;
    uint32_t order_count;   /* both queues; 0: the record is free */
    uint32_t display_count; /* displayed ones */
    uint32_t special_count; /* orders with an extra record, or all-or-none */
    uint32_t ladder;        /* enum dp_match_ladder_name */
};

/* What a plain order does not have. */
struct dp_match_extra {
    struct dp_match_terms terms;
    int64_t price_nanos; /* the limit; DP_PRICE_NONE: none */
    uint64_t shown_qty;  /* reserve: displayed now */
    uint64_t traded_qty; /* of a bracket's parent */
    uint32_t order;      /* the order's record; 0 while it is on the stack */
    uint32_t watch_next; /* orders of the instrument that time or prices move */
    uint32_t watch_back;
    uint32_t group_next;   /* a ring of extra records; itself when alone */
    uint32_t pending_next; /* groups with something to do */
    uint8_t type;          /* enum dp_match_order_type; MARKET or LIMIT once triggered */
    uint8_t pending;       /* enum dp_match_pending */
    uint8_t is_watched;
};

enum dp_match_pending {
    DP_MATCH_PENDING_NONE = 0,
    DP_MATCH_PENDING_CANCEL,   /* another order of its group traded */
    DP_MATCH_PENDING_ACTIVATE, /* its bracket's parent ended after trading */
};

/* One instrument. What each plain order needs comes first. */
struct dp_match_book {
    alignas(DP_CACHE_LINE) uint64_t tick_inverse; /* of the tick's odd part, modulo 2^64 */
    uint32_t tick_shift;
    uint32_t tick_count_max;
    uint64_t lot_qty;
    int64_t half_tick_nanos;
    uint32_t attention; /* orders and groups that settling must look at */
    uint32_t band_low;  /* price slots within which may be traded; 0 and slot_max: no bands */
    uint32_t band_high;
    uint32_t index;
    uint8_t session;
    uint8_t policy;
    uint8_t dark;
    uint8_t quoted;
    int64_t last_price_nanos;
    struct dp_match_ladder ladders[DP_MATCH_LADDER_COUNT];
    uint32_t held_level;
    uint32_t slot_max;           /* above every limit price: where market orders to buy wait */
    int64_t trigger_price_nanos; /* what trails were measured from last */
    int64_t bid_nanos;           /* the quote that pegs have seen */
    int64_t ask_nanos;
    int64_t quote_bid_nanos; /* away */
    int64_t quote_ask_nanos;
    int64_t reference_price_nanos;
    int64_t pause_end_ns; /* INT64_MAX: not paused */
    uint32_t watch_first; /* extra records, earliest first */
    uint32_t watch_last;
    uint32_t watch_walk; /* where a walk along the list goes on; kept when that one goes */
    uint32_t peg_count;
    uint32_t trail_count;
    uint32_t discretion_count;
    uint32_t expire_count;
    struct dp_match_instrument terms; /* as it was added */
};

struct dp_match_account {
    dp_money_nanos cash_nanos;
    dp_money_nanos fees_nanos;
    uint64_t traded_qty;
    uint64_t tier_end_qty;         /* from here on the next tier is in force */
    struct dp_match_fee_tier tier; /* in force */
    uint32_t fee_class;
};

struct dp_match_fee_class {
    uint32_t tier_count;
    struct dp_match_fee_tier tiers[DP_MATCH_FEE_TIERS_MAX];
};

/* A table of records with a chain of free ones. */
struct dp_match_table {
    uint64_t at;         /* bytes from the start of the block to record 0 */
    uint32_t capacity;   /* records behind record 0 */
    uint32_t used;       /* highest number ever handed out */
    uint32_t free_first; /* last one given back */
    uint32_t live_count;
};

struct dp_match {
    alignas(DP_CACHE_LINE) uint64_t magic;
    uint64_t size;
    uint64_t priority_last;
    uint64_t match_number_last;
    int64_t timer_next_ns; /* nothing expires and no pause ends before */
    uint64_t random;
    struct dp_match_table orders;
    struct dp_match_table levels;
    struct dp_match_table extras;
    uint64_t buckets_at;
    uint64_t nodes_at;
    uint64_t books_at;
    uint64_t accounts_at;
    uint64_t positions_at; /* by instrument, then by participant */
    uint32_t bucket_mask;
    uint32_t instrument_count;
    uint32_t participant_count;
    uint32_t pending_first; /* extra records whose group has something to do */
    dp_money_nanos venue_fees_nanos;
    struct dp_match_config config;
    struct dp_match_fee_class fee_classes[DP_MATCH_FEE_CLASSES_MAX];
};

static inline void *dp_match_at(const struct dp_match *match, uint64_t offset)
{
    return (uint8_t *)(uintptr_t)match + offset;
}

static inline struct dp_match_slot *dp_match_slot(const struct dp_match *match, uint32_t order)
{
    return (struct dp_match_slot *)dp_match_at(match, match->orders.at) + order;
}

static inline struct dp_match_level *dp_match_level(const struct dp_match *match, uint32_t level)
{
    return (struct dp_match_level *)dp_match_at(match, match->levels.at) + level;
}

static inline struct dp_match_extra *dp_match_extra(const struct dp_match *match, uint32_t extra)
{
    return (struct dp_match_extra *)dp_match_at(match, match->extras.at) + extra;
}

static inline struct dp_match_book *dp_match_book(const struct dp_match *match, uint32_t index)
{
    return (struct dp_match_book *)dp_match_at(match, match->books_at) + index;
}

static inline struct dp_match_account *dp_match_account(
    const struct dp_match *match, uint32_t participant)
{
    return (struct dp_match_account *)dp_match_at(match, match->accounts_at) + participant;
}

static inline int64_t *dp_match_position(
    const struct dp_match *match, uint32_t participant, uint32_t instrument_index)
{
    return (int64_t *)dp_match_at(match, match->positions_at) +
        (size_t)instrument_index * match->config.participant_count_max + participant;
}

static inline struct dp_match_nodes *dp_match_nodes(const struct dp_match *match)
{
    return dp_match_at(match, match->nodes_at);
}

static inline uint32_t *dp_match_bucket(const struct dp_match *match, uint64_t order_id)
{
    return (uint32_t *)dp_match_at(match, match->buckets_at) + (order_id & match->bucket_mask);
}

/* ---- prices ---- */

/* The price's slot (in half ticks), or 0 when it is none that the instrument takes. One multiply:
 * a price is tick * n exactly if price / odd part, modulo 2^64 and turned right by the tick's
 * factors of two, is no more than the largest n. */
static inline uint32_t dp_match_price_slot(const struct dp_match_book *book, int64_t price_nanos)
{
    uint64_t quotient = (uint64_t)price_nanos * book->tick_inverse;
    quotient = quotient >> book->tick_shift | quotient << ((64 - book->tick_shift) & 63);
    return quotient <= book->tick_count_max ? (uint32_t)quotient * 2 : 0;
}

static inline int64_t dp_match_slot_price(const struct dp_match_book *book, uint32_t slot)
{
    return slot == 0 || slot >= book->slot_max ? DP_PRICE_NONE : slot * book->half_tick_nanos;
}

static inline struct dp_match_ladder *dp_match_own(struct dp_match_book *book, uint8_t side)
{
    return &book->ladders[side == DP_SIDE_SELL];
}

static inline struct dp_match_ladder *dp_match_opposite(struct dp_match_book *book, uint8_t side)
{
    return &book->ladders[side == DP_SIDE_BUY];
}

/* ---- orders ---- */

static inline bool dp_match_is_conditional(
    const struct dp_match *match, const struct dp_match_slot *slot)
{
    return (slot->flags & DP_MATCH_ALL_OR_NONE) != 0 ||
        (slot->extra != 0 && dp_match_extra(match, slot->extra)->terms.min_qty != 0);
}

/* What it shows while it stands in the displayed queue. */
static inline uint64_t dp_match_shown_qty(
    const struct dp_match *match, const struct dp_match_slot *slot)
{
    if (slot->flags & DP_MATCH_SLOT_UNSHOWN)
        return 0;
    if (slot->extra == 0 || dp_match_extra(match, slot->extra)->terms.display_qty == 0)
        return slot->leaves_qty;
    return dp_match_extra(match, slot->extra)->shown_qty;
}

static inline bool dp_match_is_special(const struct dp_match_slot *slot)
{
    return slot->extra != 0 || (slot->flags & DP_MATCH_ALL_OR_NONE) != 0;
}

#endif
