/*
 * dp_submit_path - the steps that new orders, replaces and cancels have in common. Private to
 * dp_submit*.c and dp_report.c; the thread is that of dp_submit.h.
 *
 * A frame is finished in the ring's slot `ahead` of the tail and is nobody's before the doorbell:
 * dp_submit_ring_bell() commits all records of a call and publishes all its frames. So a call that
 * dies in the middle has records and no frame, never a frame without its record.
 */
#ifndef DP_SUBMIT_PATH_H
#define DP_SUBMIT_PATH_H

#include "dp_submit.h"
#include "dp_tick.h"

/* The number of the next new order or replace; 0 when there is none, or none reserved. */
static inline uint32_t dp_submit_number(struct dp_submit *submit)
{
    uint32_t number = dp_orders_next(submit->orders);
    if (submit->ids != NULL && number != 0 && !dp_id_pool_use(submit->ids, number))
        return 0;
    return number;
}

/* ---- the record ---- */

/* Takes the event into the journal, not committed yet, and the digest. event: the log's next slot.
 * Room was made sure of by this call's own thread; whether the disk has failed since is not asked
 * again: what was decided to happen has its record. */
static inline void dp_submit_record(struct dp_submit *submit, const struct dp_event *event)
{
    dp_event_log_add(submit->events);
    if (submit->segment == NULL)
        return;
    dp_journal_put(submit->segment, event);
    dp_counter_add(submit->counters, DP_COUNTER_JOURNAL_RECORDS, 1);
}

/* The same for what happened whether or not there is room. Without a record of it what follows
 * would lead to another state, so nothing is appended any more and no order passes. */
static inline void dp_submit_record_or_lose(struct dp_submit *submit, const struct dp_event *event)
{
    if (DP_LIKELY(dp_submit_can_record(submit))) {
        dp_submit_record(submit, event);
        return;
    }
    dp_event_log_add(submit->events);
    dp_counter_add(submit->counters, DP_COUNTER_JOURNAL_LOST, 1);
    dp_store_relaxed(&submit->segment->tainted, true);
}

/* Applies and records an event of our own, whose room was made sure of. */
static inline void dp_submit_enter(struct dp_submit *submit, struct dp_event *event)
{
    enum dp_order_result result = dp_orders_apply(submit->orders, event);
    DP_ASSERT(result == DP_ORDER_APPLIED);
    dp_submit_record(submit, event);
}

static inline enum dp_reason dp_submit_refuse(struct dp_submit *submit, enum dp_reason reason)
{
    submit->reject_counts[reason]++;
    return reason;
}

static inline void dp_submit_commit(struct dp_submit *submit)
{
    if (submit->segment != NULL)
        dp_journal_commit(submit->segment);
}

/* ---- the frame ---- */

/* The end of a call: the records first, then the frames they stand for. */
static inline void dp_submit_ring_bell(struct dp_submit *submit, uint64_t frame_count)
{
    dp_submit_commit(submit);
    dp_ring_publish_n(submit->tx, frame_count);
}

/* Finishes a frame in the slot `ahead` of the tail, whose room was made sure of. */
static inline void dp_submit_frame(struct dp_submit *submit, const struct dp_template *template_,
    struct dp_template_fields *fields, uint64_t ahead)
{
    fields->tcp_seq = submit->tcp_seq;
    fields->tcp_ack = submit->tcp_ack;
    fields->ip_id = submit->ip_id;

    struct dp_ring_slot *slot = dp_ring_slot_ahead(submit->tx, ahead);
    slot->size = dp_template_build(template_, fields, slot->data);
    slot->tag = fields->user_ref_num;
    slot->time_ns = submit->now_ns;
    submit->tcp_seq += template_->payload_size;
    submit->ip_id++;
}

/* Short sales are not told apart yet: a sell goes out as a sell. */
static inline struct dp_template_fields dp_submit_fields(const struct dp_event *event)
{
    return (struct dp_template_fields){
        .user_ref_num = event->user_ref_num,
        .orig_user_ref_num = event->orig_user_ref_num,
        .qty = (uint32_t)event->qty,
        .price_wire = dp_tick_exact(event->price_nanos),
        .side_wire = event->side == DP_SIDE_BUY ? 'B' : 'S',
        .time_in_force_wire = (char)event->time_in_force,
    };
}

/* ---- the checks before risk ---- */

/* One comparison for both ends: 0 wraps and is above every price, as is what is no whole tick. */
static inline bool dp_submit_is_wire_price(int64_t price_nanos)
{
    return dp_tick_exact(price_nanos) - 1 < DP_SUBMIT_PRICE_TICKS_MAX;
}

/* The session that a new order leaves by. */
static inline uint8_t dp_submit_route(
    const struct dp_submit *submit, uint16_t strategy_index, uint32_t instrument_index)
{
    return submit->route == NULL ? 0
                                 : dp_route_choose(submit->route, strategy_index, instrument_index);
}

static inline enum dp_reason dp_submit_check_session(
    const struct dp_submit *submit, uint8_t session_index)
{
    if (submit->route == NULL)
        return DP_REASON_ACCEPTED;
    if (DP_UNLIKELY(dp_route_is_throttled(submit->route, session_index, submit->now_ns)))
        return DP_REASON_SESSION_THROTTLED;
    return dp_route_has_room(submit->route, session_index) ? DP_REASON_ACCEPTED : DP_REASON_TX_FULL;
}

/* An order was passed to its session. */
static inline void dp_submit_give(struct dp_submit *submit, uint8_t session_index)
{
    if (submit->route != NULL)
        dp_route_give(submit->route, session_index, submit->now_ns);
}

static inline enum dp_reason dp_submit_check_room(
    struct dp_submit *submit, uint8_t session_index, uint64_t frame_count)
{
    bool has_room = submit->segment == NULL || DP_LIKELY(dp_journal_has_room(submit->segment));
    if (DP_UNLIKELY(!has_room && !dp_submit_can_record(submit)))
        return DP_REASON_JOURNAL_UNAVAILABLE;
    if (DP_UNLIKELY(!dp_ring_has_room(submit->tx, frame_count)))
        return DP_REASON_TX_FULL;
    return dp_submit_check_session(submit, session_index);
}

/* ---- risk ---- */

static inline struct dp_risk_order dp_submit_risk_order(
    const struct dp_submit *submit, const struct dp_event *event, uint8_t session_index)
{
    struct dp_book_touch touch = dp_book_touch(submit->books, event->instrument_index);
    return (struct dp_risk_order){
        .now_ns = submit->now_ns,
        .price_nanos = event->price_nanos,
        .best_bid_nanos = touch.bid_nanos,
        .best_ask_nanos = touch.ask_nanos,
        .qty = event->qty,
        .market = dp_risk_market(touch.trading_state, touch.flags),
        .instrument_index = event->instrument_index,
        .attributes = event->time_in_force == DP_TIF_IOC ? DP_RISK_IOC : DP_RISK_DAY,
        .books = submit->books,
        .strategy_index = event->strategy_index,
        .side = event->side,
        .session_index = session_index,
    };
}

/* Decides, and writes the decision into the event. */
static inline enum dp_reason dp_submit_decide(
    struct dp_submit *submit, const struct dp_risk_order *order, struct dp_event *event)
{
    struct dp_risk_verdict verdict;
    uint64_t start_tsc = submit->risk_hist != NULL ? dp_tsc() : 0;
    enum dp_reason reason = dp_risk_decide(submit->risk, order, &verdict);
    if (submit->risk_hist != NULL)
        dp_hist_record(submit->risk_hist, dp_tsc() - start_tsc);
    event->observed = verdict.observed;
    event->limit = verdict.limit;
    event->codes = dp_event_policy(event->codes, verdict.policy_version);
    return reason;
}

#endif
