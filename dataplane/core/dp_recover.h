/*
 * dp_recover - the state that a journal's records lead to: orders, positions, numbers, and how far
 * each session of the venue has been heard.
 *
 * A pure function of the records, applied in their order: the same code (dp_orders_apply) that made
 * them applies them again, so it also checks them. An event whose recorded outcome (status, leaves,
 * executed) is not what the order table says is counted as different: the transition was not legal,
 * or quantity was not conserved. Positions are added up from executions alone, beside the order
 * table, so that the two can be compared.
 *
 * Exposure is not kept here: what is reserved is worst price times worst leaves of each live order
 * (dp_order_worst_price, dp_order_worst_leaves), and the table has them all.
 *
 * One thread. Memory belongs to the caller; no pointers inside but to it.
 */
#ifndef DP_RECOVER_H
#define DP_RECOVER_H

#include "dp_base.h"
#include "dp_journal.h"
#include "dp_order.h"

#define DP_RECOVER_SESSIONS 256

/* An instrument's name, and what executions alone add up to. */
struct dp_recover_instrument {
    dp_money_nanos cash; /* sold minus bought */
    uint64_t bought_qty;
    uint64_t sold_qty;
    char symbol[8]; /* space padded; zero bytes: never named */
    uint8_t reserved[8];
};

struct dp_recover {
    struct dp_orders *orders;
    struct dp_recover_instrument *instruments;
    uint32_t instrument_count;

    uint64_t sequence; /* of the last record applied; 0: none */
    int64_t time_ns;   /* of it */
    uint64_t event_count;
    uint64_t differ_count;     /* events whose recorded outcome is not the table's */
    uint64_t differ_sequence;  /* of the first of them */
    uint64_t full_count;       /* events that the table had no room for */
    uint32_t user_ref_num_max; /* highest number that any event names: none at or below is free */
    uint32_t reserved;
    uint64_t inbound_sequences[DP_RECOVER_SESSIONS]; /* last heard of each session */
};

/* orders: initialised, empty; instruments: instrument_count of them, all zero. */
void dp_recover_init(struct dp_recover *recover, struct dp_orders *orders,
    struct dp_recover_instrument *instruments, uint32_t instrument_count);
/* The next record. Kinds that change no order are stepped over. */
void dp_recover_apply(struct dp_recover *recover, const struct dp_journal_record *record);

/* Whether we wait for the venue's word on it: what it answered may have been lost with the process.
 */
bool dp_recover_is_in_flight(const struct dp_order *order);
/* After the last record: every order in flight is Unknown from now on, its exposure kept at the
 * worst case, until evidence settles it. Returns how many. */
uint32_t dp_recover_settle(struct dp_recover *recover, int64_t time_ns);
/* Whether an order's quantities add up, and none is open that is closed. */
bool dp_recover_is_conserved(const struct dp_order *order);
/* Whether an order reserves exposure for its present terms and the replace in flight alone, and for
 * nothing once it is closed. */
bool dp_recover_reserves_fit(const struct dp_order *order);
/* Adds up what the order table says about executions; instruments[] must say the same. sums:
 * instrument_count of them, all zero. */
void dp_recover_sum(const struct dp_recover *recover, struct dp_recover_instrument *sums);

#endif
