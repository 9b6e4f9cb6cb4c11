#include "dp_submit_path.h"

/* ---- replace ---- */

static struct dp_order *own_order(
    struct dp_submit *submit, uint16_t strategy_index, uint32_t user_ref_num)
{
    struct dp_order *order = dp_orders_find(submit->orders, user_ref_num);
    return order != NULL && order->strategy_index == strategy_index ? order : NULL;
}

/* Worst case of the present and the new terms, less what is reserved already (I5). */
static void set_increase(struct dp_risk_order *risk, const struct dp_order *order, uint64_t qty)
{
    struct dp_risk_weight weight = dp_risk_weigh(order);
    uint64_t leaves = qty - order->cum_qty > weight.leaves ? qty - order->cum_qty : weight.leaves;
    int64_t price_nanos =
        risk->price_nanos > order->price_nanos ? risk->price_nanos : order->price_nanos;
    risk->increase_qty = leaves - weight.leaves;
    risk->increase_ticks = price_nanos / DP_RISK_TICK_NANOS * (int64_t)leaves - weight.ticks;
    risk->is_replace = true;
}

static bool may_replace(const struct dp_order *order)
{
    uint64_t state = dp_load_relaxed(&order->state);
    enum dp_order_base base = DP_ORDER_BASE(state);
    return (base == DP_ORDER_NEW || base == DP_ORDER_PARTIALLY_FILLED) &&
        DP_ORDER_PENDING(state) == DP_PENDING_NONE;
}

static enum dp_reason decide_replace(
    struct dp_submit *submit, const struct dp_order *order, struct dp_event *event)
{
    if (!dp_order_is_live(order))
        return DP_REASON_ORDER_UNKNOWN;
    if (!may_replace(order))
        return DP_REASON_ORDER_PENDING;
    /* At or below what has executed the venue's answer is not defined. */
    if (!dp_submit_is_wire_price(event->price_nanos) || event->qty <= order->cum_qty ||
        event->qty > DP_SUBMIT_QTY_MAX - order->stp_qty)
        return DP_REASON_ORDER_INVALID;
    if (event->user_ref_num == 0)
        return DP_REASON_POOL_EXHAUSTED;
    enum dp_reason reason = dp_submit_check_room(submit, order->session_index, 1);
    if (DP_UNLIKELY(reason != DP_REASON_ACCEPTED))
        return reason;

    struct dp_risk_order risk = dp_submit_risk_order(submit, event, order->session_index);
    set_increase(&risk, order, event->qty);
    return dp_submit_decide(submit, &risk, event);
}

/* Names the order, not the replace that never was, and so uses up no number. */
static enum dp_reason deny_replace(
    struct dp_submit *submit, struct dp_event *event, enum dp_reason reason)
{
    event->kind = DP_EVENT_REPLACE_DENIED;
    event->reason = (uint16_t)reason;
    event->user_ref_num = event->orig_user_ref_num;
    event->orig_user_ref_num = 0;
    if (event->qty <= UINT32_MAX && dp_submit_can_record(submit))
        dp_submit_enter(submit, event);
    dp_submit_commit(submit);
    dp_counter_add(submit->counters, DP_COUNTER_ORDERS_DENIED, 1);
    return dp_submit_refuse(submit, reason);
}

static void send_replace(
    struct dp_submit *submit, const struct dp_order *order, struct dp_event *event)
{
    dp_submit_enter(submit, event);
    struct dp_template_fields fields = dp_submit_fields(event);
    /* The wire counts liable shares: executed, taken by self-match prevention, and wanted open. */
    fields.qty += order->stp_qty;
    dp_submit_frame(submit, submit->replace_template, &fields, 0);
    dp_submit_give(submit, order->session_index);
    dp_submit_ring_bell(submit, 1);
    dp_counter_add(submit->counters, DP_COUNTER_REPLACES_SENT, 1);
}

static enum dp_reason submit_replace(struct dp_submit *submit, struct dp_order *order, uint64_t qty,
    int64_t price_nanos, uint32_t *new_user_ref_num)
{
    struct dp_event *event = dp_event_log_next(submit->events);
    *event = (struct dp_event){
        .time_ns = submit->now_ns,
        .price_nanos = price_nanos,
        .qty = qty,
        .user_ref_num = dp_submit_number(submit),
        .orig_user_ref_num = order->user_ref_num,
        .instrument_index = order->instrument_index,
        .strategy_index = order->strategy_index,
        .kind = DP_EVENT_REPLACE,
        .side = order->side,
        .time_in_force = order->time_in_force,
    };
    enum dp_reason reason = decide_replace(submit, order, event);
    if (reason != DP_REASON_ACCEPTED)
        return deny_replace(submit, event, reason);
    send_replace(submit, order, event);
    *new_user_ref_num = event->user_ref_num;
    return DP_REASON_ACCEPTED;
}

enum dp_reason dp_submit_replace(struct dp_submit *submit, uint16_t strategy_index,
    uint32_t user_ref_num, uint64_t qty, int64_t price_nanos, uint32_t *new_user_ref_num)
{
    struct dp_order *order = own_order(submit, strategy_index, user_ref_num);
    *new_user_ref_num = 0;
    if (order == NULL)
        return dp_submit_refuse(submit, DP_REASON_ORDER_UNKNOWN);
    if (submit->submit_hist == NULL)
        return submit_replace(submit, order, qty, price_nanos, new_user_ref_num);
    uint64_t start_tsc = dp_tsc();
    enum dp_reason reason = submit_replace(submit, order, qty, price_nanos, new_user_ref_num);
    dp_hist_record(submit->submit_hist, dp_tsc() - start_tsc);
    return reason;
}

/* ---- cancel ---- */

/* Behind a replace in flight one cancel for each number, with one doorbell. */
static void send_cancel_frames(struct dp_submit *submit, uint32_t active, uint32_t pending)
{
    struct dp_template_fields fields = {.user_ref_num = active};
    dp_submit_frame(submit, submit->cancel_template, &fields, 0);
    if (pending != 0) {
        fields.user_ref_num = pending;
        dp_submit_frame(submit, submit->cancel_template, &fields, 1);
    }
    dp_submit_ring_bell(submit, pending != 0 ? 2 : 1);
}

static void send_cancel(struct dp_submit *submit, const struct dp_order *order)
{
    uint32_t active = order->user_ref_num;
    uint32_t pending = order->pending_user_ref_num;
    struct dp_event *event = dp_event_log_next(submit->events);
    *event = (struct dp_event){
        .time_ns = submit->now_ns,
        .user_ref_num = pending != 0 ? pending : active,
        .orig_user_ref_num = pending != 0 ? active : 0,
        .kind = DP_EVENT_CANCEL,
    };
    enum dp_order_result result = dp_orders_apply(submit->orders, event);
    DP_ASSERT(result == DP_ORDER_APPLIED);
    /* A way out of the market is not closed by a journal that takes nothing any more. */
    dp_submit_record_or_lose(submit, event);

    send_cancel_frames(submit, active, pending);
    dp_risk_cancel(submit->risk, order->strategy_index, submit->now_ns);
    dp_counter_add(submit->counters, DP_COUNTER_CANCELS_SENT, 1);
}

enum dp_reason dp_submit_cancel(
    struct dp_submit *submit, uint16_t strategy_index, uint32_t user_ref_num)
{
    struct dp_order *order = own_order(submit, strategy_index, user_ref_num);
    if (order == NULL || !dp_order_is_live(order))
        return dp_submit_refuse(submit, DP_REASON_ORDER_UNKNOWN);
    if ((DP_ORDER_PENDING(dp_load_relaxed(&order->state)) & DP_PENDING_CANCEL) != 0)
        return dp_submit_refuse(submit, DP_REASON_ORDER_PENDING);
    if (!dp_ring_has_room(submit->tx, order->pending_user_ref_num != 0 ? 2 : 1))
        return dp_submit_refuse(submit, DP_REASON_TX_FULL);
    send_cancel(submit, order);
    return DP_REASON_ACCEPTED;
}

bool dp_submit_cancel_again(struct dp_submit *submit, const struct dp_order *order)
{
    if (!dp_ring_has_room(submit->tx, order->pending_user_ref_num != 0 ? 2 : 1))
        return false;
    send_cancel_frames(submit, order->user_ref_num, order->pending_user_ref_num);
    return true;
}
