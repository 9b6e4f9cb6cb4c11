#include "dp_submit.h"

/* ---- the record ---- */

bool dp_submit_can_record(struct dp_submit *submit)
{
    if (submit->segment == NULL || DP_LIKELY(dp_journal_has_room(submit->segment)))
        return true;
    return submit->next_segment != NULL && submit->next_segment(submit->wal) &&
        dp_journal_has_room(submit->segment);
}

bool dp_submit_record(struct dp_submit *submit, const struct dp_event *event)
{
    dp_digest_update(submit->events_digest, event, sizeof(*event));
    if (submit->segment == NULL)
        return true;
    if (!dp_submit_can_record(submit) || !dp_journal_append(submit->segment, event))
        return false;
    dp_counter_add(submit->counters, DP_COUNTER_JOURNAL_RECORDS, 1);
    return true;
}

/* Applies and records an event of our own, whose room was made sure of. */
static void enter(struct dp_submit *submit, struct dp_event *event)
{
    enum dp_order_result result = dp_orders_apply(submit->orders, event);
    DP_ASSERT(result == DP_ORDER_APPLIED);
    bool recorded = dp_submit_record(submit, event);
    DP_ASSERT(recorded);
}

static enum dp_reason refuse(struct dp_submit *submit, enum dp_reason reason)
{
    submit->reject_counts[reason]++;
    return reason;
}

/* ---- the frame ---- */

static void send_frame(struct dp_submit *submit, const struct dp_template *template_,
    const struct dp_template_fields *order_fields)
{
    struct dp_template_fields fields = *order_fields;
    fields.tcp_seq = submit->tcp_seq;
    fields.tcp_ack = submit->tcp_ack;
    fields.ip_id = submit->ip_id;

    struct dp_ring_slot *slot = dp_ring_reserve(submit->tx);
    DP_ASSERT(slot != NULL);
    slot->size = dp_template_build(template_, &fields, slot->data);
    slot->tag = fields.user_ref_num;
    slot->time_ns = submit->now_ns;
    dp_ring_publish(submit->tx);
    submit->tcp_seq += template_->payload_size;
    submit->ip_id++;
}

/* Short sales are not told apart yet: a sell goes out as a sell. */
static struct dp_template_fields fields_of(const struct dp_event *event)
{
    return (struct dp_template_fields){
        .user_ref_num = event->user_ref_num,
        .orig_user_ref_num = event->orig_user_ref_num,
        .qty = (uint32_t)event->qty,
        .price_wire = (uint64_t)(event->price_nanos / DP_SUBMIT_TICK_NANOS),
        .side_wire = event->side == DP_SIDE_BUY ? 'B' : 'S',
        .time_in_force_wire = (char)event->time_in_force,
    };
}

/* ---- the checks before risk ---- */

static bool is_wire_price(int64_t price_nanos)
{
    int64_t ticks = price_nanos / DP_SUBMIT_TICK_NANOS;
    return ticks >= 1 && ticks <= DP_SUBMIT_PRICE_TICKS_MAX &&
        ticks * DP_SUBMIT_TICK_NANOS == price_nanos;
}

static bool is_request_valid(const struct dp_submit *submit, const struct dp_request *request)
{
    return (request->side == DP_SIDE_BUY || request->side == DP_SIDE_SELL) &&
        (request->time_in_force == DP_TIF_DAY || request->time_in_force == DP_TIF_IOC) &&
        request->qty >= 1 && request->qty <= DP_SUBMIT_QTY_MAX &&
        is_wire_price(request->price_nanos) &&
        request->instrument_index < submit->enter_template_count &&
        submit->enter_templates[request->instrument_index].frame_size != 0;
}

static enum dp_reason check_room(struct dp_submit *submit, uint64_t frame_count)
{
    if (DP_UNLIKELY(!dp_submit_can_record(submit)))
        return DP_REASON_JOURNAL_UNAVAILABLE;
    if (DP_UNLIKELY(!dp_ring_has_room(submit->tx, frame_count)))
        return DP_REASON_TX_FULL;
    return DP_REASON_ACCEPTED;
}

/* ---- risk ---- */

static struct dp_risk_order risk_order(const struct dp_submit *submit, const struct dp_event *event)
{
    const struct dp_books *books = submit->books;
    uint32_t instrument = event->instrument_index;
    return (struct dp_risk_order){
        .now_ns = submit->now_ns,
        .price_nanos = event->price_nanos,
        .best_bid_nanos = dp_book_best_bid(books, instrument),
        .best_ask_nanos = dp_book_best_ask(books, instrument),
        .qty = event->qty,
        .instrument_index = instrument,
        .book_flags = dp_book_flags(books, instrument),
        .trading_state = dp_book_trading_state(books, instrument),
        .strategy_index = event->strategy_index,
        .side = event->side,
    };
}

/* Decides, and writes the decision into the event. */
static enum dp_reason decide(
    struct dp_submit *submit, const struct dp_risk_order *order, struct dp_event *event)
{
    struct dp_risk_verdict verdict;
    uint64_t start_tsc = submit->risk_hist != NULL ? dp_tsc() : 0;
    enum dp_reason reason = dp_risk_decide(submit->risk, order, &verdict);
    if (submit->risk_hist != NULL)
        dp_hist_record(submit->risk_hist, dp_tsc() - start_tsc);
    event->observed = verdict.observed;
    event->limit = verdict.limit;
    return reason;
}

/* ---- new ---- */

static enum dp_reason decide_new(
    struct dp_submit *submit, const struct dp_request *request, struct dp_event *event)
{
    if (DP_UNLIKELY(!is_request_valid(submit, request)))
        return DP_REASON_ORDER_INVALID;
    enum dp_reason reason = check_room(submit, 1);
    if (DP_UNLIKELY(reason != DP_REASON_ACCEPTED))
        return reason;

    struct dp_risk_order order = risk_order(submit, event);
    order.increase_qty = request->qty;
    order.increase_money = (dp_money_nanos)request->price_nanos * (dp_money_nanos)request->qty;
    return decide(submit, &order, event);
}

static enum dp_reason deny_new(
    struct dp_submit *submit, struct dp_event *event, enum dp_reason reason)
{
    event->kind = DP_EVENT_DENIED;
    event->reason = (uint16_t)reason;
    if (dp_submit_can_record(submit))
        enter(submit, event);
    else
        event->user_ref_num = 0;
    dp_counter_add(submit->counters, DP_COUNTER_ORDERS_DENIED, 1);
    return refuse(submit, reason);
}

static enum dp_reason submit_new(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint32_t *user_ref_num)
{
    struct dp_event event = {
        .time_ns = submit->now_ns,
        .price_nanos = request->price_nanos,
        .qty = request->qty,
        .user_ref_num = dp_orders_next(submit->orders),
        .instrument_index = request->instrument_index,
        .strategy_index = strategy_index,
        .kind = DP_EVENT_NEW,
        .side = request->side,
        .time_in_force = request->time_in_force,
    };
    *user_ref_num = 0;
    if (DP_UNLIKELY(event.user_ref_num == 0))
        return refuse(submit, DP_REASON_POOL_EXHAUSTED);

    enum dp_reason reason = decide_new(submit, request, &event);
    if (reason == DP_REASON_ACCEPTED) {
        enter(submit, &event); /* the record first, then the frame */
        struct dp_template_fields fields = fields_of(&event);
        send_frame(submit, &submit->enter_templates[event.instrument_index], &fields);
        dp_counter_add(submit->counters, DP_COUNTER_ORDERS_SENT, 1);
    } else {
        reason = deny_new(submit, &event, reason);
    }
    *user_ref_num = event.user_ref_num;
    return reason;
}

enum dp_reason dp_submit_new(struct dp_submit *submit, uint16_t strategy_index,
    const struct dp_request *request, uint32_t *user_ref_num)
{
    if (submit->submit_hist == NULL)
        return submit_new(submit, strategy_index, request, user_ref_num);
    uint64_t start_tsc = dp_tsc();
    enum dp_reason reason = submit_new(submit, strategy_index, request, user_ref_num);
    dp_hist_record(submit->submit_hist, dp_tsc() - start_tsc);
    return reason;
}

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
    risk->increase_money = (dp_money_nanos)price_nanos * (dp_money_nanos)leaves - weight.money;
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
    if (!is_wire_price(event->price_nanos) || event->qty <= order->cum_qty ||
        event->qty > DP_SUBMIT_QTY_MAX - order->stp_qty)
        return DP_REASON_ORDER_INVALID;
    if (event->user_ref_num == 0)
        return DP_REASON_POOL_EXHAUSTED;
    enum dp_reason reason = check_room(submit, 1);
    if (DP_UNLIKELY(reason != DP_REASON_ACCEPTED))
        return reason;

    struct dp_risk_order risk = risk_order(submit, event);
    set_increase(&risk, order, event->qty);
    return decide(submit, &risk, event);
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
        enter(submit, event);
    dp_counter_add(submit->counters, DP_COUNTER_ORDERS_DENIED, 1);
    return refuse(submit, reason);
}

static void send_replace(
    struct dp_submit *submit, const struct dp_order *order, struct dp_event *event)
{
    enter(submit, event);
    struct dp_template_fields fields = fields_of(event);
    /* The wire counts liable shares: executed, taken by self-match prevention, and wanted open. */
    fields.qty += order->stp_qty;
    send_frame(submit, submit->replace_template, &fields);
    dp_counter_add(submit->counters, DP_COUNTER_REPLACES_SENT, 1);
}

static enum dp_reason submit_replace(struct dp_submit *submit, struct dp_order *order, uint64_t qty,
    int64_t price_nanos, uint32_t *new_user_ref_num)
{
    struct dp_event event = {
        .time_ns = submit->now_ns,
        .price_nanos = price_nanos,
        .qty = qty,
        .user_ref_num = dp_orders_next(submit->orders),
        .orig_user_ref_num = order->user_ref_num,
        .instrument_index = order->instrument_index,
        .strategy_index = order->strategy_index,
        .kind = DP_EVENT_REPLACE,
        .side = order->side,
        .time_in_force = order->time_in_force,
    };
    enum dp_reason reason = decide_replace(submit, order, &event);
    if (reason != DP_REASON_ACCEPTED)
        return deny_replace(submit, &event, reason);
    send_replace(submit, order, &event);
    *new_user_ref_num = event.user_ref_num;
    return DP_REASON_ACCEPTED;
}

enum dp_reason dp_submit_replace(struct dp_submit *submit, uint16_t strategy_index,
    uint32_t user_ref_num, uint64_t qty, int64_t price_nanos, uint32_t *new_user_ref_num)
{
    struct dp_order *order = own_order(submit, strategy_index, user_ref_num);
    *new_user_ref_num = 0;
    if (order == NULL)
        return refuse(submit, DP_REASON_ORDER_UNKNOWN);
    if (submit->submit_hist == NULL)
        return submit_replace(submit, order, qty, price_nanos, new_user_ref_num);
    uint64_t start_tsc = dp_tsc();
    enum dp_reason reason = submit_replace(submit, order, qty, price_nanos, new_user_ref_num);
    dp_hist_record(submit->submit_hist, dp_tsc() - start_tsc);
    return reason;
}

/* ---- cancel ---- */

static void send_cancel(struct dp_submit *submit, const struct dp_order *order)
{
    uint32_t pending = order->pending_user_ref_num;
    struct dp_event event = {
        .time_ns = submit->now_ns,
        .user_ref_num = pending != 0 ? pending : order->user_ref_num,
        .orig_user_ref_num = pending != 0 ? order->user_ref_num : 0,
        .kind = DP_EVENT_CANCEL,
    };
    struct dp_template_fields fields = {.user_ref_num = order->user_ref_num};
    enter(submit, &event);
    send_frame(submit, submit->cancel_template, &fields);
    if (pending != 0) {
        fields.user_ref_num = pending;
        send_frame(submit, submit->cancel_template, &fields);
    }
    dp_counter_add(submit->counters, DP_COUNTER_CANCELS_SENT, 1);
}

enum dp_reason dp_submit_cancel(
    struct dp_submit *submit, uint16_t strategy_index, uint32_t user_ref_num)
{
    struct dp_order *order = own_order(submit, strategy_index, user_ref_num);
    if (order == NULL || !dp_order_is_live(order))
        return refuse(submit, DP_REASON_ORDER_UNKNOWN);
    if ((DP_ORDER_PENDING(dp_load_relaxed(&order->state)) & DP_PENDING_CANCEL) != 0)
        return refuse(submit, DP_REASON_ORDER_PENDING);
    enum dp_reason reason = check_room(submit, order->pending_user_ref_num != 0 ? 2 : 1);
    if (reason != DP_REASON_ACCEPTED)
        return refuse(submit, reason);
    send_cancel(submit, order);
    return DP_REASON_ACCEPTED;
}
