#include "dp_submit_path.h"

bool dp_submit_can_record(struct dp_submit *submit)
{
    if (submit->segment == NULL || DP_LIKELY(dp_journal_has_room(submit->segment)))
        return true;
    dp_journal_commit(submit->segment);
    return submit->next_segment != NULL && submit->next_segment(submit->wal) &&
        dp_journal_has_room(submit->segment);
}

static bool is_request_valid(const struct dp_submit *submit, const struct dp_request *request)
{
    return (request->side == DP_SIDE_BUY || request->side == DP_SIDE_SELL) &&
        (request->time_in_force == DP_TIF_DAY || request->time_in_force == DP_TIF_IOC) &&
        request->qty - 1 < DP_SUBMIT_QTY_MAX && dp_submit_is_wire_price(request->price_nanos) &&
        request->instrument_index < submit->enter_template_count &&
        submit->enter_templates[request->instrument_index].frame_size != 0;
}

/* The event in the slot where it stays. Field by field: compilers clear a struct that is given in
 * part by a string instruction first, which takes as long as all the rest of this. */
static struct dp_event *make_event(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint64_t key)
{
    struct dp_event *event = dp_event_log_next(submit->events);
    event->time_ns = submit->now_ns;
    event->venue_order_id = 0;
    event->request_key = key;
    event->price_nanos = request->price_nanos;
    event->qty = request->qty;
    event->observed = 0;
    event->limit = 0;
    event->numbers = dp_event_numbers(dp_submit_number(submit), 0);
    event->origin = dp_event_origin(request->instrument_index, strategy_index, 0);
    event->codes =
        dp_event_codes(DP_EVENT_NEW, request->side, request->time_in_force, DP_ORD_PENDING_NEW) |
        dp_event_session(dp_submit_route(submit, strategy_index, request->instrument_index));
    event->leaves_qty = request->qty;
    event->cum_qty = 0;
    return event;
}

static enum dp_reason decide_new(struct dp_submit *submit, const struct dp_request *request,
    struct dp_event *event, uint64_t ahead)
{
    if (DP_UNLIKELY(!is_request_valid(submit, request)))
        return DP_REASON_ORDER_INVALID;
    enum dp_reason reason = dp_submit_check_room(submit, event->session_index, ahead + 1);
    if (DP_UNLIKELY(reason != DP_REASON_ACCEPTED))
        return reason;

    struct dp_risk_order order = dp_submit_risk_order(submit, event, event->session_index);
    return dp_submit_decide(submit, &order, event);
}

static enum dp_reason deny_new(
    struct dp_submit *submit, struct dp_event *event, enum dp_reason reason)
{
    event->kind = DP_EVENT_DENIED;
    event->reason = (uint16_t)reason;
    if (dp_submit_can_record(submit))
        dp_submit_enter(submit, event);
    else
        event->user_ref_num = 0;
    dp_counter_add(submit->counters, DP_COUNTER_ORDERS_DENIED, 1);
    return dp_submit_refuse(submit, reason);
}

/* One order, all but the doorbell: `ahead` frames of this call wait for it already. */
static enum dp_reason submit_new(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint64_t key, uint64_t ahead, uint32_t *user_ref_num)
{
    struct dp_event *event = make_event(submit, strategy_index, request, key);
    *user_ref_num = 0;
    if (DP_UNLIKELY(event->user_ref_num == 0))
        return dp_submit_refuse(submit, DP_REASON_POOL_EXHAUSTED);

    enum dp_reason reason = decide_new(submit, request, event, ahead);
    if (DP_LIKELY(reason == DP_REASON_ACCEPTED)) {
        dp_submit_enter(submit, event); /* the record first, then the frame */
        struct dp_template_fields fields = dp_submit_fields(event);
        dp_submit_frame(
            submit, &submit->enter_templates[request->instrument_index], &fields, ahead);
        dp_submit_give(submit, event->session_index);
    } else {
        reason = deny_new(submit, event, reason);
    }
    *user_ref_num = event->user_ref_num;
    return reason;
}

static bool is_repeated(
    struct dp_submit *submit, uint16_t strategy_index, uint64_t key, struct dp_order_answer *answer)
{
    if (key == 0 || !dp_orders_find_key(submit->orders, strategy_index, key, answer))
        return false;
    dp_counter_add(submit->counters, DP_COUNTER_REQUESTS_REPEATED, 1);
    return true;
}

uint32_t dp_submit_n(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *requests, const uint64_t *keys, uint32_t count,
    struct dp_order_answer *answers)
{
    uint64_t start_tsc = submit->submit_hist != NULL ? dp_tsc() : 0;
    uint32_t sent = 0;
    for (uint32_t index = 0; index < count; index++) {
        struct dp_order_answer *answer = &answers[index];
        uint64_t key = keys != NULL ? keys[index] : 0;
        if (is_repeated(submit, strategy_index, key, answer))
            continue;
        answer->reason =
            submit_new(submit, strategy_index, &requests[index], key, sent, &answer->user_ref_num);
        sent += answer->reason == DP_REASON_ACCEPTED;
    }
    dp_submit_ring_bell(submit, sent);
    dp_counter_add(submit->counters, DP_COUNTER_ORDERS_SENT, sent);
    if (submit->submit_hist != NULL)
        dp_hist_record(submit->submit_hist, dp_tsc() - start_tsc);
    return sent;
}

enum dp_reason dp_submit_once(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint64_t key, uint32_t *user_ref_num)
{
    struct dp_order_answer answer;
    dp_submit_n(submit, strategy_index, request, &key, 1, &answer);
    *user_ref_num = answer.user_ref_num;
    return answer.reason;
}

enum dp_reason dp_submit_new(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint32_t *user_ref_num)
{
    return dp_submit_once(submit, strategy_index, request, 0, user_ref_num);
}
