/*
 * dp_event - one thing that happened to one order of ours.
 *
 * The only record of orders there is: the order table is a pure function of these events, the
 * journal stores them verbatim, the event digest runs over their bytes, and strategies are told by
 * them. Plain data, fixed layout, little-endian in memory and in the journal. Every byte is defined
 * (what says nothing is 0), so equal runs give equal bytes.
 */
#ifndef DP_EVENT_H
#define DP_EVENT_H

#include "dp_base.h"

/* number, name, words. What we did or found out first, then answers of the venue. Append only:
 * journals hold them. */
#define DP_EVENT_KINDS(X) \
    X(1, NEW, "new order sent") \
    X(2, DENIED, "new order refused by our own gate; never sent") \
    X(3, REPLACE, "replace sent") \
    X(4, REPLACE_DENIED, "replace refused by our own gate; the order stands") \
    X(5, CANCEL, "cancel sent") \
    X(6, OUTCOME_UNKNOWN, "session lost or no answer in time: the order may or may not live") \
    X(7, NOT_SENT, "proof that the request never reached the venue") \
    X(16, ACCEPTED, "accepted by the venue") \
    X(17, REJECTED, "new order refused by the venue") \
    X(18, FILLED, "executed, in part or in full") \
    X(19, CANCELED, "cancelled by quantity: dead when leaves_qty is 0") \
    X(20, REPLACED, "replaced: user_ref_num is the new number, orig_user_ref_num the old") \
    X(21, REPLACE_REJECTED, "replace refused by the venue; the order stands") \
    X(22, CANCEL_PENDING, "cancel noted by the venue, order may still fill") \
    X(23, CANCEL_REJECTED, "cancel refused by the venue") \
    X(24, RESTATED, "priority, display or reference changed by the venue") \
    X(25, BROKEN, "an earlier execution was broken") \
    X(26, EXPIRED, "time in force over") \
    X(27, SUSPENDED, "held by the venue, not executable") \
    X(28, RESUMED, "executable again") \
    X(29, DONE_FOR_DAY, "no more executions today")

#define DP_EVENT_KIND_MAX 29

enum dp_event_kind {
    DP_EVENT_NONE = 0,
#define X(number, name, words) DP_EVENT_##name = number,
    DP_EVENT_KINDS(X)
#undef X
};

/* FIX OrdStatus(39) as the characters FIX uses; the two lower-case ones are ours: DENIED is
 * OrdStatus 8 that never left the building, UNKNOWN an outcome not known yet (exposure is kept at
 * worst case). */
#define DP_ORD_STATUSES(X) \
    X('0', NEW) \
    X('1', PARTIALLY_FILLED) \
    X('2', FILLED) \
    X('3', DONE_FOR_DAY) \
    X('4', CANCELED) \
    X('6', PENDING_CANCEL) \
    X('8', REJECTED) \
    X('9', SUSPENDED) \
    X('A', PENDING_NEW) \
    X('C', EXPIRED) \
    X('E', PENDING_REPLACE) \
    X('d', DENIED) \
    X('u', UNKNOWN)

enum dp_ord_status {
#define X(letter, name) DP_ORD_##name = letter,
    DP_ORD_STATUSES(X)
#undef X
};

/* FIX TimeInForce(59). */
enum dp_time_in_force { DP_TIF_DAY = '0', DP_TIF_IOC = '3' };

struct dp_event {
    int64_t time_ns;         /* when we sent it, or when the venue says it happened */
    uint64_t venue_order_id; /* the venue's order reference; 0 when not known */
    union {
        uint64_t exec_id;     /* match number of a fill or break; else 0 */
        uint64_t request_key; /* of NEW and DENIED: idempotency key of the request; 0: none */
    };
    int64_t price_nanos; /* limit price of a request, last price of a fill; else 0 */
    /* Order quantity of a request; last, cancelled or outstanding quantity of an answer. */
    uint64_t qty;
    int64_t observed; /* risk: what was seen, in the unit of the check; else 0 */
    int64_t limit;    /* risk: what was allowed */
    /* The three words of small fields have names of their own: see dp_event_numbers(). */
    union {
        struct {
            uint32_t user_ref_num;      /* the order's number; the new one for REPLACE, REPLACED */
            uint32_t orig_user_ref_num; /* the replaced order's number; else 0 */
        };
        uint64_t numbers;
    };
    union {
        struct {
            uint32_t instrument_index;
            uint16_t strategy_index;
            uint16_t reason; /* enum dp_reason of our gate; the venue's code in an answer */
        };
        uint64_t origin;
    };
    union {
        struct {
            uint8_t kind;          /* enum dp_event_kind */
            uint8_t side;          /* enum dp_side */
            uint8_t time_in_force; /* enum dp_time_in_force */
            union {
                uint8_t liquidity;     /* liquidity flag of a fill; else 0 */
                uint8_t session_index; /* of NEW and DENIED: order session that it leaves by */
            };
            uint8_t ord_status; /* filled in by dp_orders_apply(): enum dp_ord_status after it */
            /* Venue's order state of ACCEPTED and REPLACED: 'L' live, 'D' dead; else 0. */
            uint8_t order_state;
            /* Risk: changes of limits and switches before it, modulo 65,536. */
            uint16_t policy_version;
        };
        uint64_t codes;
    };
    uint64_t leaves_qty; /* filled in by dp_orders_apply(): after the event */
    uint64_t cum_qty;    /* filled in by dp_orders_apply(): after the event */
};

static_assert(sizeof(struct dp_event) == 96, "docs/journal.md states this layout");
static_assert(offsetof(struct dp_event, numbers) == 56 && offsetof(struct dp_event, codes) == 72 &&
        offsetof(struct dp_event, leaves_qty) == 80,
    "docs/journal.md states this layout");

/* Whether request_key counts, not exec_id. */
static inline bool dp_event_has_key(const struct dp_event *event)
{
    return event->kind == DP_EVENT_NEW || event->kind == DP_EVENT_DENIED;
}

/*
 * On the path of an order the journal sums an event up in words of eight bytes moments after it was
 * written. A processor hands a store on to a load only when the store covers all of it: fields
 * stored one by one would have to reach the cache first, behind every older store. So there each
 * word is made in a register and stored whole.
 */
static inline uint64_t dp_event_numbers(uint32_t user_ref_num, uint32_t orig_user_ref_num)
{
    return user_ref_num | (uint64_t)orig_user_ref_num << 32;
}

static inline uint64_t dp_event_origin(
    uint32_t instrument_index, uint16_t strategy_index, uint16_t reason)
{
    return instrument_index | (uint64_t)strategy_index << 32 | (uint64_t)reason << 48;
}

/* liquidity, session_index and order_state stay 0. */
static inline uint64_t dp_event_codes(
    enum dp_event_kind kind, uint8_t side, uint8_t time_in_force, enum dp_ord_status ord_status)
{
    return (uint64_t)kind | (uint64_t)side << 8 | (uint64_t)time_in_force << 16 |
        (uint64_t)ord_status << 32;
}

/* What the gate adds. */
static inline uint64_t dp_event_policy(uint64_t codes, uint64_t policy_version)
{
    return (codes & UINT64_C(0x0000ffffffffffff)) | policy_version << 48;
}

/* What the venue adds. */
static inline uint64_t dp_event_venue(uint64_t codes, uint8_t liquidity, uint8_t order_state)
{
    return codes | (uint64_t)liquidity << 24 | (uint64_t)order_state << 40;
}

/* Word by word, for the same reason. */
static inline void dp_event_copy(struct dp_event *to, const struct dp_event *from)
{
    to->time_ns = from->time_ns;
    to->venue_order_id = from->venue_order_id;
    to->exec_id = from->exec_id;
    to->price_nanos = from->price_nanos;
    to->qty = from->qty;
    to->observed = from->observed;
    to->limit = from->limit;
    to->numbers = from->numbers;
    to->origin = from->origin;
    to->codes = from->codes;
    to->leaves_qty = from->leaves_qty;
    to->cum_qty = from->cum_qty;
}

static inline uint64_t dp_event_session(uint8_t session_index)
{
    return (uint64_t)session_index << 24;
}

const char *dp_event_kind_name(uint8_t kind);       /* "FILLED"; "UNKNOWN" outside the list */
const char *dp_ord_status_name(uint8_t ord_status); /* "PARTIALLY_FILLED" */

#endif
