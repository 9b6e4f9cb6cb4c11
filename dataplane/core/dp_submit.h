/*
 * dp_submit - the order path, in the order an order walks it:
 *
 *   request -> risk (decide and reserve) -> order record -> journal -> template -> transmit ring
 *
 * and its mirror for what the venue answers (dp_report): order table -> risk release -> journal.
 * Nothing leaves before its record is in the journal; nothing reaches the ring without a decision
 * recorded beside it. One thread (the engine's) owns a dp_submit; all memory it points to belongs
 * to the caller. Files: dp_submit.c (new orders), dp_submit_change.c (replace and cancel),
 * dp_report.c, dp_submit_path.h (what they share).
 */
#ifndef DP_SUBMIT_H
#define DP_SUBMIT_H

#include "dp_base.h"
#include "dp_book.h"
#include "dp_counter.h"
#include "dp_event.h"
#include "dp_event_log.h"
#include "dp_hist.h"
#include "dp_id_pool.h"
#include "dp_journal.h"
#include "dp_order.h"
#include "dp_reason.h"
#include "dp_ring.h"
#include "dp_risk.h"
#include "dp_route.h"
#include "dp_template.h"

/* What a strategy asks for. price_nanos must be a whole number of the venue's ticks of 1e-4. */
struct dp_request {
    uint32_t instrument_index;
    uint8_t side;          /* enum dp_side */
    uint8_t time_in_force; /* enum dp_time_in_force */
    uint64_t qty;          /* 1 .. DP_SUBMIT_QTY_MAX */
    int64_t price_nanos;
};

/* What the wire can carry and the venue takes (OUCH 5.0, data types). */
#define DP_SUBMIT_PRICE_TICKS_MAX 1999999900
#define DP_SUBMIT_QTY_MAX 999999u

/* Process-local: pointers into the region and to the journal. */
struct dp_submit {
    struct dp_books *books;
    struct dp_orders *orders;
    struct dp_risk *risk;
    struct dp_counters *counters;
    struct dp_hist *risk_hist;   /* TSC ticks of the decision alone; NULL: not measured */
    struct dp_hist *submit_hist; /* TSC ticks of the whole call; NULL: not measured */
    struct dp_ring *tx;          /* finished frames; the engine hands them to the order port */
    struct dp_event_log *events; /* every event recorded; the owner settles it */

    /* Templates: enter orders one per instrument (indexed by instrument_index), replace and cancel
     * one each. */
    const struct dp_template *enter_templates;
    uint32_t enter_template_count;
    const struct dp_template *replace_template;
    const struct dp_template *cancel_template;

    /* The journal's current segment, and how to get the next one when it is full: false when there
     * is none (orders are then refused with JOURNAL_UNAVAILABLE). Called rarely, outside the
     * measured path. */
    struct dp_journal_segment *segment; /* NULL: no journal was asked for */
    bool (*next_segment)(void *wal);
    void *wal;

    /* How far the session's numbers are reserved on disk; NULL: as far as the table goes. Where
     * there is one, user_ref_num_first of the table is its first number. */
    struct dp_id_pool *ids;

    /* The venue's sessions, and which new order goes to which; NULL: one, without a limit. */
    struct dp_route *route;

    int64_t now_ns; /* the engine's time: set before each batch of calls */
    uint64_t reject_counts[DP_REASON_COUNT];
    uint32_t tcp_seq; /* next byte of ours */
    uint32_t tcp_ack; /* next byte of the venue's: kept by the engine */
    uint16_t ip_id;
};

/*
 * The verbs answer ACCEPTED, or the reason why nothing left. What could stop an order that risk has
 * passed (no slot in the ring, no room in the journal, no number) is asked first, so that nothing
 * has to be taken back. A refusal is recorded as DENIED or REPLACE_DENIED beside its observed value
 * and limit, unless there is nothing to record it in or by: no journal, no number, or no such order
 * of this strategy. It is counted in any case.
 */

/* Sends a new order; *user_ref_num is its number, also that of a denied one; 0 when it got none. */
enum dp_reason dp_submit_new(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint32_t *user_ref_num);
/*
 * The same for a request that may come twice: by a submitter that got no answer, or began again.
 * key: of the submitter's choice, unique within its strategy; 0 is none. A key that was answered
 * before, in this process or in one whose journal the table was rebuilt from, gets that answer
 * again, whatever the request holds: nothing is sent or recorded, it is counted
 * (requests_repeated). A request that got no number was not recorded and is not remembered.
 */
enum dp_reason dp_submit_once(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint64_t key, uint32_t *user_ref_num);
/*
 * Sends up to `count` new orders as if one by one, with one commit of the journal and then one
 * doorbell: every record is committed before the consumer may see the first frame. keys: one for
 * each request, or NULL for none. Each request is decided for itself, on top of those before it; a
 * refused one stops none behind it. Where the ring has room for fewer, the first ones that pass
 * take it and the others are denied with TX_FULL. answers: one for each request. Returns how many
 * left.
 */
uint32_t dp_submit_n(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *requests, const uint64_t *keys, uint32_t count,
    struct dp_order_answer *answers);
/* Asks for a new total quantity (executed shares included) and price; *new_user_ref_num names the
 * order from now on, 0 when refused. The order must be acknowledged and have nothing pending
 * (ORDER_PENDING). */
enum dp_reason dp_submit_replace(struct dp_submit *submit, uint16_t strategy_index,
    uint32_t user_ref_num, uint64_t qty, int64_t price_nanos, uint32_t *new_user_ref_num);
/* Cancels what is left. Never blocked by risk; refused only when the number is not a live order of
 * this strategy (ORDER_UNKNOWN), a cancel is already on its way (ORDER_PENDING), or the ring is
 * full (TX_FULL). One that the journal cannot take leaves all the same (journal_lost). Behind a
 * replace in flight two frames go out, one for each number: whatever the replace did, one of them
 * names the order (R8). */
enum dp_reason dp_submit_cancel(
    struct dp_submit *submit, uint16_t strategy_index, uint32_t user_ref_num);

/* The frames of a cancel that is recorded already, once more: for one whose first copy may never
 * have arrived. The venue ignores a second one. False when the ring has no room. */
bool dp_submit_cancel_again(struct dp_submit *submit, const struct dp_order *order);

/* Applies one venue event: order table, exposure, journal, digest. Fills in the rest of *event for
 * the strategy. A duplicate changes and records nothing; an anomaly and an unknown number are
 * recorded. What the journal cannot take is applied all the same and counted (journal_lost); no
 * order passes from then on. */
enum dp_order_result dp_report(struct dp_submit *submit, struct dp_event *event);

/* Room for one record, in the next segment if need be. */
bool dp_submit_can_record(struct dp_submit *submit);

#endif
