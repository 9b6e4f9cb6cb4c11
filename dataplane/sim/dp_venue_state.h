/*
 * dp_venue_state - what the files of dp_venue share; for dp_venue*.c only.
 *
 *   dp_venue.c          open and close, frames in, time
 *   dp_venue_request.c  what an Enter, Replace, Cancel or Query does
 *   dp_venue_match.c    our orders against the book, recorded messages against our orders
 *   dp_venue_order.c    records of our orders, resting lists, symbols
 *   dp_venue_used.c     how much of each recorded order we took
 *   dp_venue_report.c   answers: queue, frames
 */
#ifndef DP_VENUE_STATE_H
#define DP_VENUE_STATE_H

#include "dp_ouch_codes.h"
#include "dp_venue.h"

#define DP_VENUE_ARRIVALS_MAX (1u << 14) /* messages of ours on their way at once */
#define DP_VENUE_LEVELS_MAX 1024u        /* an order reaches no deeper into the book */
#define DP_VENUE_LEVEL_ORDERS_MAX 65536u /* nor further back in the queue of one level */
#define DP_VENUE_SYMBOL_SLOTS 16384u
#define DP_VENUE_FRAME_MAX (DP_NET_TCP_HEADERS_SIZE + 3 + DP_OUCH_FIXED_MAX)
#define DP_VENUE_NONE UINT32_MAX

/* One link of a replace chain. Records are made in the order of their numbers and stay for
 * the run. */
struct dp_venue_order {
    uint64_t order_ref;
    /* Among the recorded orders of its level: those with a lower one are ahead. */
    uint64_t priority;
    int64_t price_nanos;
    uint32_t price_wire; /* four decimals */
    uint32_t user_ref_num;
    uint32_t leaves_qty; /* 0: dead */
    uint32_t cum_qty;    /* of the whole chain */
    uint32_t instrument_index;
    uint32_t next;     /* record behind this one in its resting list; DP_VENUE_NONE at the end */
    uint8_t book_side; /* enum dp_side */
    bool resting;      /* in its list */
    char side;         /* these as entered, for the answers */
    char time_in_force;
    char display;
    char capacity;
    char symbol[8];
    char cl_ord_id[14];
};

struct dp_venue_instrument {
    /* Resting orders of ours, buys and sells: best price first, then oldest first. */
    uint32_t first[2];
    uint32_t used_count; /* recorded orders of it that we took something of */
};

struct dp_venue_used {
    uint64_t order_ref;
    uint32_t qty; /* taken by us; 0: the slot is empty */
    uint32_t instrument_index;
};

struct dp_venue_arrival {
    int64_t time_ns;
    uint32_t tcp_ack;               /* what the venue has seen of us once this has arrived */
    struct dp_ouch_message message; /* without options; options_size tells that there were some */
};

struct dp_venue_report {
    int64_t time_ns; /* when it reaches us */
    struct dp_ouch_message message;
};

struct dp_venue_symbol {
    char symbol[8];
    uint32_t instrument_index;
};

struct dp_venue {
    struct dp_venue_config config;
    const struct dp_books *books;
    struct dp_venue_stats stats;
    bool closed; /* the market's hours, or the session, are over */
    uint32_t user_ref_num_last;
    uint64_t order_ref_next;
    uint64_t match_number_next;

    struct dp_venue_order *orders; /* ascending user_ref_num */
    uint32_t order_count;
    struct dp_venue_instrument *instruments; /* by stock locate */
    uint8_t *touched; /* by stock locate: 1 when anything of ours depends on its messages */

    struct dp_venue_used *used; /* hash by order reference, linear probing */
    uint32_t used_mask;
    uint32_t used_count;

    struct dp_venue_symbol *symbols; /* cache: the slot of a symbol's hash remembers the last one */
    struct dp_book_level_view *levels; /* scratch of one match */
    struct dp_book_order_view *level_orders;

    struct dp_venue_arrival *arrivals; /* ring; counts never wrap */
    uint64_t arrival_head;
    uint64_t arrival_tail;
    int64_t arrival_ns_last;
    struct dp_venue_report *reports; /* ring of report_mask + 1, doubled when full */
    uint64_t report_mask;
    uint64_t report_head;
    uint64_t report_tail;
    int64_t report_ns_last;
    uint32_t tcp_seq;
    uint32_t tcp_ack;
    uint16_t ip_id;
    uint8_t frame[DP_VENUE_FRAME_MAX]; /* of the answer handed out last */
};

/* dp_venue_order.c */

/* The record of that number while it is live, or NULL. */
struct dp_venue_order *dp_venue_find(const struct dp_venue *venue, uint32_t user_ref_num);
/* A zeroed record with its number and reference; numbers must ascend. NULL when all are taken. */
struct dp_venue_order *dp_venue_order_make(struct dp_venue *venue, uint32_t user_ref_num);
void dp_venue_rest(
    struct dp_venue *venue, struct dp_venue_order *order); /* to the tail of its price */
void dp_venue_unrest(
    struct dp_venue *venue, struct dp_venue_order *order); /* no effect when not resting */
/* The record at index, NULL for DP_VENUE_NONE. */
struct dp_venue_order *dp_venue_order_at(const struct dp_venue *venue, uint32_t index);
void dp_venue_touch(
    struct dp_venue *venue, uint32_t instrument_index); /* brings `touched` up to date */
uint32_t dp_venue_instrument(
    struct dp_venue *venue, const char symbol[8]); /* DP_BOOK_NONE: unknown */
bool dp_venue_is_trading(const struct dp_venue *venue, uint32_t instrument_index);

/* dp_venue_used.c */

uint32_t dp_venue_used_qty(const struct dp_venue *venue, uint64_t order_ref);
/* False when the table is full: the quantity must then not be taken. */
bool dp_venue_used_add(
    struct dp_venue *venue, uint64_t order_ref, uint32_t instrument_index, uint32_t qty);
void dp_venue_used_drop(struct dp_venue *venue, uint64_t order_ref);

/* dp_venue_match.c */

/* Trades what is marketable; the rest stays in order->leaves_qty. */
void dp_venue_match(struct dp_venue *venue, struct dp_venue_order *order, int64_t now_ns);
void dp_venue_expire(
    struct dp_venue *venue, char reason, int64_t now_ns); /* all open orders; closes */

/* dp_venue_request.c */

void dp_venue_request(
    struct dp_venue *venue, const struct dp_ouch_message *message, int64_t now_ns);

/* dp_venue_report.c: each queues one answer, decided at now_ns. */

/* Sends *message with the time filled in. */
void dp_venue_report(struct dp_venue *venue, const struct dp_ouch_message *message, int64_t now_ns);
void dp_venue_report_accepted(
    struct dp_venue *venue, const struct dp_venue_order *order, int64_t now_ns);
void dp_venue_report_replaced(struct dp_venue *venue, const struct dp_venue_order *order,
    uint32_t orig_user_ref_num, int64_t now_ns);
void dp_venue_report_rejected(struct dp_venue *venue, const struct dp_ouch_message *request,
    uint16_t reject_code, int64_t now_ns);

/* These two change the order as well as telling of it. A dead order leaves its list. */

void dp_venue_execute(struct dp_venue *venue, struct dp_venue_order *order, uint32_t qty,
    uint64_t price_wire, char liquidity, int64_t now_ns);
void dp_venue_cancel(struct dp_venue *venue, struct dp_venue_order *order, uint32_t qty,
    char reason, int64_t now_ns);

#endif
