/*
 * dp_match - a matching engine: orders of many participants in, what became of them out.
 *
 * One object is one venue: its instruments, participants, fees, books, accounts. It is a pure
 * function of its calls: no clock (now_ns is an argument and must not go back), no I/O, no
 * allocation after dp_match_init(); randomness comes from the configuration's seed. One thread at a
 * time. The memory belongs to the caller and holds offsets and indexes only, so that it may lie
 * anywhere and be copied (dp_match_snapshot.h).
 *
 * What happens is written into the caller's sink, in the order in which it happened, before the
 * call returns. A refused order gets one REJECTED report and changes nothing.
 *
 * The rules in words (policies, order types, replace, self-trade prevention, auctions, fees) stand
 * in docs/matching.md; the books as a reader sees them are in dp_match_view.h, the accounts in
 * dp_match_ledger.h.
 */
#ifndef DP_MATCH_H
#define DP_MATCH_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_match_reason.h"

#define DP_MATCH_NONE \
    UINT32_MAX /* no instrument, no participant: in a mass cancel, all of them \
                */
#define DP_MATCH_QTY_MAX UINT32_MAX /* of one order; products of two stay in 64 bits */
#define DP_MATCH_LMM_MAX 4          /* lead market makers of an instrument */
#define DP_MATCH_FEE_CLASSES_MAX 8
#define DP_MATCH_FEE_TIERS_MAX 4

struct dp_match; /* opaque: dp_match_size() bytes of the caller, cache-line aligned */

/* ---- set-up ---- */

/* These structs have no padding: snapshots of equal engines are equal. */
struct dp_match_config {
    uint32_t instrument_count_max;
    uint32_t participant_count_max;
    uint32_t order_count_max; /* live at the same time */
    uint32_t terms_count_max; /* of these, with more terms than price and quantity */
    uint32_t level_count_max; /* price levels of all books together */
    uint32_t node_count_max;  /* of their bitmaps; 0: half as many, enough where levels have
                                 neighbours */
    uint64_t seed;            /* of the random refresh of reserve orders */
};

/* As in the DBN MatchAlgorithm list. */
enum dp_match_policy {
    DP_MATCH_FIFO = 0,
    DP_MATCH_PRO_RATA,
    DP_MATCH_THRESHOLD_PRO_RATA,
    DP_MATCH_FIFO_LMM,
    DP_MATCH_FIFO_TOP_LMM,
    DP_MATCH_TIME_PRO_RATA,
    DP_MATCH_POLICY_COUNT
};

enum dp_match_session {
    DP_MATCH_CLOSED = 0, /* takes nothing but cancels */
    DP_MATCH_PRE_OPEN,   /* orders collect; leaving it for CONTINUOUS holds the opening auction */
    DP_MATCH_CONTINUOUS,
    DP_MATCH_PRE_CLOSE, /* orders collect; leaving it for CLOSED holds the closing auction */
    DP_MATCH_HALTED,    /* orders collect; leaving it for CONTINUOUS holds a reopening auction */
    DP_MATCH_PAUSED,    /* the same, begun by a price band and ended by time */
    DP_MATCH_SESSION_COUNT
};

struct dp_match_instrument {
    int64_t tick_nanos;            /* even, so that a midpoint is a whole number */
    int64_t price_nanos_max;       /* highest price taken */
    int64_t reference_price_nanos; /* for the first auction and the bands; DP_PRICE_NONE: none */
    uint64_t lot_qty;              /* quantities are multiples of it */
    uint64_t allocation_min_qty;   /* pro rata: a smaller share becomes nothing */
    uint64_t top_qty_max;          /* THRESHOLD_PRO_RATA, FIFO_TOP_LMM: most that the top order
                                      gets ahead of others */
    int64_t pause_ns;              /* how long a price band pauses trading */
    uint32_t band_ppm;             /* of the reference price; 0: no price bands */
    enum dp_match_policy policy;
    enum dp_match_session session; /* to begin with */
    uint16_t dark;                 /* 1: no order is displayed */
    uint16_t quoted;               /* 1: pegs follow dp_match_quote(), not the own book */
    struct dp_match_lmm {
        uint32_t participant;
        uint32_t share_ppm; /* of the incoming quantity; 0 ends the list */
    } lmms[DP_MATCH_LMM_MAX];
};

/* What one side of a trade pays; a negative rate is a rebate. In force from a traded quantity on.
 */
struct dp_match_fee_tier {
    uint64_t from_qty; /* traded so far by the participant, both sides; first tier: 0; ascending */
    int64_t maker_nanos_per_unit; /* for each unit of quantity */
    int64_t taker_nanos_per_unit;
    int32_t maker_ppm; /* of the money exchanged */
    int32_t taker_ppm;
};

/* 0 when a value of the configuration is out of range (then dp_match_init() says which). */
size_t dp_match_size(const struct dp_match_config *config);
int dp_match_init(struct dp_match *match, const struct dp_match_config *config, struct dp_err *err);
/* Each returns the new index, counted from 0, or -errno with err filled. */
int64_t dp_match_add_instrument(
    struct dp_match *match, const struct dp_match_instrument *instrument, struct dp_err *err);
int64_t dp_match_add_participant(struct dp_match *match, uint32_t fee_class, struct dp_err *err);
/* Replaces the tiers of a class; without them it pays nothing. */
int dp_match_set_fees(struct dp_match *match, uint32_t fee_class,
    const struct dp_match_fee_tier *tiers, uint32_t tier_count, struct dp_err *err);

/* ---- what comes out ---- */

enum dp_match_report_type {
    DP_MATCH_ACCEPTED = 1, /* a new order; display_qty is set when it rests without trading */
    DP_MATCH_REJECTED,     /* a request: reason */
    DP_MATCH_TRADED,       /* qty at price_nanos between order and contra order */
    DP_MATCH_RESTED,       /* what was left after trading, triggering or waiting is on the book */
    DP_MATCH_CANCELLED,    /* qty is taken off, leaves_qty stay: reason */
    DP_MATCH_REPLACED,     /* order_id is the new id, contra_order_id the old one; as ACCEPTED */
    DP_MATCH_RESTATED,     /* price_nanos or display_qty of a live order changed by itself */
    DP_MATCH_TRIGGERED,    /* a stop, if-touched or held order becomes active */
    DP_MATCH_SESSION,      /* the instrument's session: qty is the enum dp_match_session */
    DP_MATCH_AUCTION,      /* held: qty at price_nanos; leaves_qty: unmatched, side: of that */
    DP_MATCH_REPORT_TYPE_COUNT
};

enum dp_match_report_flag {
    DP_MATCH_ON_BOOK = 1,       /* it stands in the book (displayed or not) after this report */
    DP_MATCH_NON_DISPLAYED = 2, /* TRADED: the resting order was not shown at that price */
    DP_MATCH_CROSS = 4, /* TRADED: in an auction; the order is the buyer, contra the seller */
    DP_MATCH_PRIORITY_KEPT = 8, /* REPLACED: it kept its place */
};

/* Fields that a type does not name are 0 (a price: DP_PRICE_NONE). */
struct dp_match_report {
    uint8_t type;   /* enum dp_match_report_type */
    uint8_t reason; /* enum dp_match_reason */
    uint8_t side;   /* of the order: enum dp_side */
    uint8_t flags;  /* enum dp_match_report_flag */
    uint32_t instrument_index;
    uint64_t order_id; /* TRADED: the order that rested (auction: the buyer) */
    uint64_t tag;      /* of the order, as given with it */
    int64_t price_nanos;
    uint64_t qty;             /* what this report is about: accepted, traded, cancelled */
    uint64_t leaves_qty;      /* of the order, after it */
    uint64_t display_qty;     /* of the order, shown on the book after it */
    int64_t fee_nanos;        /* TRADED: what the order's owner pays; negative: receives */
    uint64_t match_number;    /* TRADED, AUCTION: counted from 1 */
    uint64_t contra_order_id; /* TRADED: the order that came in (auction: the seller) */
    uint64_t contra_tag;
    uint64_t contra_leaves_qty;
    int64_t contra_fee_nanos;
};

/* Reports go to reports[count++]. When it is full, flush() is called, which takes them away and
 * sets count to 0; it must not call the engine. The caller owns all of it. */
struct dp_match_sink {
    struct dp_match_report *reports;
    uint32_t capacity; /* at least 1 */
    uint32_t count;
    void (*flush)(struct dp_match_sink *sink);
    void *context; /* the caller's */
};

/* ---- what goes in ---- */

enum dp_match_order_type {
    DP_MATCH_MARKET = 1,
    DP_MATCH_LIMIT,
    DP_MATCH_STOP,       /* terms: stop_price_nanos, or trail_nanos */
    DP_MATCH_STOP_LIMIT, /* terms: stop_price_nanos */
    DP_MATCH_MARKET_TO_LIMIT,
    DP_MATCH_MARKET_IF_TOUCHED, /* terms: stop_price_nanos */
    DP_MATCH_LIMIT_IF_TOUCHED,  /* terms: stop_price_nanos */
    DP_MATCH_PEG,               /* terms: peg, peg_offset_nanos; a price is its limit */
    DP_MATCH_ORDER_TYPE_COUNT
};

/* Values of FIX TimeInForce(59). */
enum dp_match_time_in_force {
    DP_MATCH_DAY = 0,
    DP_MATCH_GTC = 1,
    DP_MATCH_AT_OPEN = 2,
    DP_MATCH_IOC = 3,
    DP_MATCH_FOK = 4,
    DP_MATCH_GTD = 6, /* terms: expire_ns */
    DP_MATCH_AT_CLOSE = 7,
};

/* What happens when an order meets one of its own group; the incoming order's mode decides. */
enum dp_match_stp_mode {
    DP_MATCH_CANCEL_NEWEST = 0,
    DP_MATCH_CANCEL_OLDEST,
    DP_MATCH_CANCEL_BOTH,
    DP_MATCH_DECREMENT_AND_CANCEL,
    DP_MATCH_STP_MODE_COUNT
};

enum dp_match_order_flag {
    DP_MATCH_HIDDEN = 1,
    DP_MATCH_POST_ONLY = 2,
    DP_MATCH_ALL_OR_NONE = 4,
    DP_MATCH_ORDER_FLAGS = 7,
};

enum dp_match_peg {
    DP_MATCH_PEG_NONE = 0,
    DP_MATCH_PEG_PRIMARY,
    DP_MATCH_PEG_MARKET,
    DP_MATCH_PEG_MIDPOINT
};

enum dp_match_group {
    DP_MATCH_GROUP_NONE = 0,
    DP_MATCH_GROUP_OCO,    /* group_order_id: another of the group, or 0 for the first */
    DP_MATCH_GROUP_PARENT, /* a bracket's entry */
    DP_MATCH_GROUP_CHILD,  /* a bracket's exit; group_order_id: its parent */
};

/* Everything that a plain order does not have; 0 means without. */
struct dp_match_terms {
    int64_t stop_price_nanos;   /* last price that triggers */
    int64_t trail_nanos;        /* trailing stop: distance from the best last price */
    uint64_t display_qty;       /* reserve: shown at a time */
    uint64_t refresh_range_qty; /* reserve: a refresh shows display_qty plus or minus up to this */
    uint64_t min_qty;           /* least to trade at a time */
    int64_t peg_offset_nanos;   /* away from the market; MARKET and PRIMARY */
    int64_t discretion_nanos;   /* how much worse than its price it may trade */
    int64_t expire_ns;          /* GTD */
    uint64_t group_order_id;
    uint32_t peg;   /* enum dp_match_peg */
    uint32_t group; /* enum dp_match_group */
};

struct dp_match_order {
    uint64_t order_id;   /* not 0, of no live order; give them from one counter (dp_match_book.h) */
    uint64_t tag;        /* the caller's: comes back in every report */
    int64_t price_nanos; /* DP_PRICE_NONE for what has none */
    uint64_t qty;
    uint32_t instrument_index;
    uint32_t participant;
    uint32_t stp_group; /* 0: trades with everybody */
    uint8_t side;       /* enum dp_side */
    uint8_t type;       /* enum dp_match_order_type */
    uint8_t time_in_force;
    uint8_t stp_mode;
    uint8_t flags;
    const struct dp_match_terms *terms; /* NULL: a plain order */
};

struct dp_match_replace {
    uint64_t order_id;
    uint64_t new_order_id; /* 0: keeps its id */
    uint64_t tag;
    int64_t price_nanos;      /* the new limit; DP_PRICE_NONE: as it was */
    uint64_t qty;             /* the new open quantity */
    int64_t stop_price_nanos; /* of an order that waits for its trigger; 0: as it was */
};

struct dp_match_mass_cancel {
    uint32_t participant;      /* DP_MATCH_NONE: all */
    uint32_t instrument_index; /* DP_MATCH_NONE: all */
    uint8_t side;              /* DP_SIDE_NONE: both */
};

void dp_match_new(struct dp_match *match, const struct dp_match_order *order, int64_t now_ns,
    struct dp_match_sink *sink);
void dp_match_replace(struct dp_match *match, const struct dp_match_replace *replace,
    int64_t now_ns, struct dp_match_sink *sink);
/* Leaves at most leaves_qty_max of the order open; 0 cancels it. One with no more open than that
 * is left alone, with a CANCELLED report of qty 0. */
void dp_match_cancel(struct dp_match *match, uint64_t order_id, uint64_t leaves_qty_max,
    int64_t now_ns, struct dp_match_sink *sink);
/* A CANCELLED report for each order; none when there is none. */
void dp_match_mass_cancel(struct dp_match *match, const struct dp_match_mass_cancel *criteria,
    int64_t now_ns, struct dp_match_sink *sink);
/* The instrument goes to another session; auctions, triggers and expiries that this brings happen
 * now. Refused with SESSION for a step that docs/matching.md does not have. */
void dp_match_set_session(struct dp_match *match, uint32_t instrument_index,
    enum dp_match_session session, int64_t now_ns, struct dp_match_sink *sink);
/* The away market that pegs of a `quoted` instrument follow; DP_PRICE_NONE: no such side. */
void dp_match_quote(struct dp_match *match, uint32_t instrument_index, int64_t bid_nanos,
    int64_t ask_nanos, int64_t now_ns, struct dp_match_sink *sink);
/* Lets time pass: what expires up to now_ns expires, pauses end. Every other call does so first. */
void dp_match_advance(struct dp_match *match, int64_t now_ns, struct dp_match_sink *sink);
/* When dp_match_advance() next has something to do; INT64_MAX: nothing waits for time. */
int64_t dp_match_next_ns(const struct dp_match *match);

#endif
