/*
 * dp_submit - the order path, in the order an order walks it:
 *
 *   request -> risk (decide and reserve) -> order record -> journal -> template -> transmit ring
 *
 * and its mirror for what the venue answers (dp_report): order table -> risk release -> journal.
 * Nothing leaves before its record is in the journal; nothing reaches the ring without a decision recorded
 * beside it. One thread (the engine's) owns a dp_submit; all memory it points to belongs to the caller.
 */
#ifndef DP_SUBMIT_H
#define DP_SUBMIT_H

#include "dp_base.h"
#include "dp_book.h"
#include "dp_counter.h"
#include "dp_digest.h"
#include "dp_event.h"
#include "dp_hist.h"
#include "dp_journal.h"
#include "dp_order.h"
#include "dp_reason.h"
#include "dp_ring.h"
#include "dp_risk.h"
#include "dp_template.h"

/* What a strategy asks for. price_nanos must be a whole number of the venue's ticks of 1e-4. */
struct dp_request {
    uint32_t instrument_index;
    uint8_t side;          /* enum dp_side */
    uint8_t time_in_force; /* enum dp_time_in_force */
    uint64_t qty;
    int64_t price_nanos;
};

/* Process-local: pointers into the region and to the journal. */
struct dp_submit {
    struct dp_books *books;
    struct dp_orders *orders;
    struct dp_risk *risk;
    struct dp_counters *counters;
    struct dp_hist *risk_hist;   /* TSC ticks of the decision alone; NULL: not measured */
    struct dp_hist *submit_hist; /* TSC ticks of the whole call; NULL: not measured */
    struct dp_ring *tx;          /* finished frames; the engine hands them to the order port */
    struct dp_digest *events_digest;

    /* Templates: enter orders one per instrument (indexed by instrument_index), replace and cancel one each. */
    const struct dp_template *enter_templates;
    uint32_t enter_template_count;
    const struct dp_template *replace_template;
    const struct dp_template *cancel_template;

    /* The journal's current segment, and how to get the next one when it is full: false when there is none
     * (orders are then refused with JOURNAL_UNAVAILABLE). Called rarely, outside the measured path. */
    struct dp_journal_segment *segment; /* NULL: no journal was asked for */
    bool (*next_segment)(void *wal);
    void *wal;

    int64_t now_ns;   /* the engine's time: set before each batch of calls */
    uint64_t reject_counts[DP_REASON_COUNT];
    uint32_t tcp_seq; /* next byte of ours */
    uint32_t tcp_ack; /* next byte of the venue's: kept by the engine */
    uint16_t ip_id;
};

/* Sends a new order. ACCEPTED: *user_ref_num is its number. Else the reason; a DENIED event was recorded. */
enum dp_reason dp_submit_new(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint32_t *user_ref_num);
/* Asks for new total quantity (executed shares included) and price. *new_user_ref_num names the order from now on. */
enum dp_reason dp_submit_replace(struct dp_submit *submit, uint16_t strategy_index,
    uint32_t user_ref_num, uint64_t qty, int64_t price_nanos, uint32_t *new_user_ref_num);
/* Cancels what is left. Never blocked by risk; refused only when the number is not a live order of this strategy
 * (ORDER_UNKNOWN), a cancel is already on its way (ORDER_PENDING), or it cannot be recorded or sent. */
enum dp_reason dp_submit_cancel(
    struct dp_submit *submit, uint16_t strategy_index, uint32_t user_ref_num);

/* Applies one venue event: order table, exposure, journal, digest. Fills in the rest of *event for the strategy.
 * A duplicate changes and records nothing; an anomaly and an unknown number are recorded. */
enum dp_order_result dp_report(struct dp_submit *submit, struct dp_event *event);

#endif
