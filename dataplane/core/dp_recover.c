#include "dp_recover.h"

void dp_recover_init(struct dp_recover *recover, struct dp_orders *orders,
    struct dp_recover_instrument *instruments, uint32_t instrument_count)
{
    memset(recover, 0, sizeof(*recover));
    recover->orders = orders;
    recover->instruments = instruments;
    recover->instrument_count = instrument_count;
}

/* Executed shares and money of an event; a break takes them back. */
static void add_execution(struct dp_recover *recover, const struct dp_event *event)
{
    if (event->instrument_index >= recover->instrument_count)
        return;
    struct dp_recover_instrument *instrument = &recover->instruments[event->instrument_index];
    bool broken = event->kind == DP_EVENT_BROKEN;
    uint64_t qty = broken ? 0 - event->qty : event->qty;
    dp_money_nanos money = (dp_money_nanos)event->price_nanos * (dp_money_nanos)event->qty;
    money = broken ? -money : money;
    if (event->side == DP_SIDE_BUY) {
        instrument->bought_qty += qty;
        instrument->cash -= money;
    } else {
        instrument->sold_qty += qty;
        instrument->cash += money;
    }
}

static bool is_execution(const struct dp_event *event, enum dp_order_result result)
{
    if (event->kind == DP_EVENT_FILLED)
        return event->qty > 0 &&
            (result == DP_ORDER_APPLIED || result == DP_ORDER_ANOMALY ||
                result == DP_ORDER_TABLE_FULL);
    return event->kind == DP_EVENT_BROKEN && result == DP_ORDER_APPLIED;
}

static void note_difference(struct dp_recover *recover, uint64_t sequence)
{
    if (recover->differ_count++ == 0)
        recover->differ_sequence = sequence;
}

static uint64_t executed_by(const struct dp_recover *recover, const struct dp_event *event)
{
    const struct dp_order *order = dp_orders_find(recover->orders, event->user_ref_num);
    return order != NULL ? order->cum_qty : 0;
}

static void apply_event(struct dp_recover *recover, const struct dp_journal_record *record)
{
    struct dp_event event = record->event;
    uint64_t before_qty = executed_by(recover, &event);
    enum dp_order_result result = dp_orders_apply(recover->orders, &event);
    recover->event_count++;
    recover->full_count += result == DP_ORDER_TABLE_FULL;
    if (result == DP_ORDER_DUPLICATE || memcmp(&event, &record->event, sizeof(event)) != 0)
        note_difference(recover, record->sequence);
    /* An execution that the table took as a conflict with an earlier one moved no share. */
    if (is_execution(&event, result) && executed_by(recover, &event) != before_qty)
        add_execution(recover, &event);
    if (event.user_ref_num > recover->user_ref_num_max)
        recover->user_ref_num_max = event.user_ref_num;
}

static void note_heard(struct dp_recover *recover, const struct dp_journal_record *record)
{
    if (record->inbound_sequence > recover->inbound_sequences[record->session])
        recover->inbound_sequences[record->session] = record->inbound_sequence;
}

static void name_instrument(struct dp_recover *recover, const struct dp_journal_instrument *named)
{
    if (named->instrument_index < recover->instrument_count)
        memcpy(recover->instruments[named->instrument_index].symbol, named->symbol,
            sizeof(named->symbol));
}

void dp_recover_apply(struct dp_recover *recover, const struct dp_journal_record *record)
{
    if (record->kind == DP_JOURNAL_EVENT)
        apply_event(recover, record);
    else if (record->kind == DP_JOURNAL_INSTRUMENT)
        name_instrument(recover, &record->instrument);
    note_heard(recover, record);
    recover->sequence = record->sequence;
    recover->time_ns = record->time_ns;
}

bool dp_recover_is_in_flight(const struct dp_order *order)
{
    uint64_t state = dp_load_relaxed(&order->state);
    return DP_ORDER_BASE(state) == DP_ORDER_PENDING_NEW ||
        (dp_order_is_live(order) && DP_ORDER_PENDING(state) != DP_PENDING_NONE);
}

uint32_t dp_recover_settle(struct dp_recover *recover, int64_t time_ns)
{
    uint32_t count = 0;
    for (uint32_t index = 0; index < dp_orders_count(recover->orders); index++) {
        const struct dp_order *order = dp_orders_at(recover->orders, index);
        if (!dp_recover_is_in_flight(order))
            continue;
        struct dp_event event = {
            .time_ns = time_ns,
            .kind = DP_EVENT_OUTCOME_UNKNOWN,
            .user_ref_num = order->user_ref_num,
        };
        dp_orders_apply(recover->orders, &event);
        count++;
    }
    return count;
}

bool dp_recover_is_conserved(const struct dp_order *order)
{
    /* More executed than was ordered is the venue's doing, and flagged. */
    if ((DP_ORDER_FLAGS(dp_load_relaxed(&order->state)) & DP_ORDER_FLAG_OVERFILL) != 0)
        return true;
    if (!dp_order_is_live(order) && order->leaves_qty != 0)
        return false;
    uint64_t done = order->cum_qty + order->cxl_qty + order->bust_qty;
    return dp_order_is_live(order) ? order->qty == done + order->leaves_qty : done <= order->qty;
}

bool dp_recover_reserves_fit(const struct dp_order *order)
{
    bool replacing = order->pending_user_ref_num != 0;
    if (!dp_order_is_live(order))
        return dp_order_worst_leaves(order) == 0;
    return replacing ||
        (dp_order_worst_leaves(order) == order->leaves_qty &&
            dp_order_worst_price(order) == order->price_nanos);
}

void dp_recover_sum(const struct dp_recover *recover, struct dp_recover_instrument *sums)
{
    for (uint32_t index = 0; index < dp_orders_count(recover->orders); index++) {
        const struct dp_order *order = dp_orders_at(recover->orders, index);
        if (order->instrument_index >= recover->instrument_count)
            continue;
        struct dp_recover_instrument *sum = &sums[order->instrument_index];
        bool buys = order->side == DP_SIDE_BUY;
        sum->bought_qty += buys ? order->cum_qty : 0;
        sum->sold_qty += buys ? 0 : order->cum_qty;
        sum->cash += buys ? -order->cum_money : order->cum_money;
    }
}
