#include "dp_order.h"

#include <errno.h>

#include "dp_exec_set.h"
#include "dp_order_rules.h"

struct dp_orders {
    struct dp_orders_config config;
    uint32_t order_count;
    uint32_t number_count;   /* numbers used or skipped so far */
    uint64_t numbers_offset; /* uint32_t[order_count_max]: index of the record + 1, 0 for none */
    uint64_t execs_offset;   /* struct dp_exec_set */
    alignas(DP_CACHE_LINE) struct dp_order records[];
};

static uint64_t numbers_offset(const struct dp_orders_config *config)
{
    return sizeof(struct dp_orders) + (uint64_t)config->order_count_max * sizeof(struct dp_order);
}

static uint64_t execs_offset(const struct dp_orders_config *config)
{
    uint64_t size = (uint64_t)config->order_count_max * sizeof(uint32_t);
    return numbers_offset(config) + dp_round_up(size, DP_CACHE_LINE);
}

size_t dp_orders_size(const struct dp_orders_config *config)
{
    return execs_offset(config) + dp_exec_set_size(config->exec_count_max);
}

static uint32_t *numbers(struct dp_orders *orders)
{
    return (uint32_t *)(void *)((uint8_t *)orders + orders->numbers_offset);
}

static struct dp_exec_set *execs(const struct dp_orders *orders)
{
    return (struct dp_exec_set *)(uintptr_t)((const uint8_t *)orders + orders->execs_offset);
}

int dp_orders_init(
    struct dp_orders *orders, const struct dp_orders_config *config, struct dp_err *err)
{
    if (config->user_ref_num_first == 0)
        return dp_err_set(err, EINVAL,
            "orders: user_ref_num_first: 0; give at least 1, 0 means none on the wire");
    if (config->order_count_max == 0 ||
        config->order_count_max > UINT32_MAX - config->user_ref_num_first)
        return dp_err_set(err, EINVAL,
            "orders: order_count_max: %u; give at least 1, at most %u from number %u on",
            config->order_count_max, UINT32_MAX - config->user_ref_num_first,
            config->user_ref_num_first);

    memset(orders, 0, execs_offset(config));
    orders->config = *config;
    orders->numbers_offset = numbers_offset(config);
    orders->execs_offset = execs_offset(config);
    return dp_exec_set_init(execs(orders), config->exec_count_max, err);
}

uint32_t dp_orders_next(const struct dp_orders *orders)
{
    const struct dp_exec_set *set = execs(orders);
    if (orders->number_count == orders->config.order_count_max || set->count == set->count_max)
        return 0;
    return orders->config.user_ref_num_first + orders->number_count;
}

/* Wraps for a number below the first, and is then too large like one above the last. */
static uint32_t number_index(const struct dp_orders *orders, uint32_t user_ref_num)
{
    return user_ref_num - orders->config.user_ref_num_first;
}

struct dp_order *dp_orders_find(struct dp_orders *orders, uint32_t user_ref_num)
{
    uint32_t index = number_index(orders, user_ref_num);
    if (index >= orders->number_count || numbers(orders)[index] == 0)
        return NULL;
    return &orders->records[numbers(orders)[index] - 1];
}

uint32_t dp_orders_count(const struct dp_orders *orders)
{
    return orders->order_count;
}

const struct dp_order *dp_orders_at(const struct dp_orders *orders, uint32_t index)
{
    return index < orders->order_count ? &orders->records[index] : NULL;
}

static enum dp_order_result take_number(
    struct dp_orders *orders, uint32_t user_ref_num, uint32_t order_index)
{
    uint32_t index = number_index(orders, user_ref_num);
    if (index < orders->number_count)
        return DP_ORDER_DUPLICATE;
    if (index >= orders->config.order_count_max)
        return DP_ORDER_TABLE_FULL;
    numbers(orders)[index] = order_index + 1;
    orders->number_count = index + 1;
    return DP_ORDER_APPLIED;
}

static void tell(const struct dp_order *order, struct dp_event *event)
{
    event->instrument_index = order->instrument_index;
    event->strategy_index = order->strategy_index;
    event->side = order->side;
    event->time_in_force = order->time_in_force;
    event->ord_status = (uint8_t)dp_order_status(order);
    event->leaves_qty = order->leaves_qty;
    event->cum_qty = order->cum_qty;
}

static void tell_nothing(struct dp_event *event)
{
    event->ord_status = 0;
    event->leaves_qty = 0;
    event->cum_qty = 0;
}

/* NEW and DENIED. A record is never taken back, so there are at most as many as numbers. */
static enum dp_order_result make_order(struct dp_orders *orders, struct dp_event *event)
{
    enum dp_order_result result = take_number(orders, event->user_ref_num, orders->order_count);
    if (result != DP_ORDER_APPLIED) {
        tell_nothing(event);
        return result;
    }

    bool sent = event->kind == DP_EVENT_NEW;
    struct dp_order *order = &orders->records[orders->order_count++];
    order->user_ref_num = event->user_ref_num;
    order->instrument_index = event->instrument_index;
    order->strategy_index = event->strategy_index;
    order->side = event->side;
    order->time_in_force = event->time_in_force;
    order->qty = event->qty;
    order->leaves_qty = sent ? event->qty : 0;
    order->price_nanos = event->price_nanos;
    order->entered_ns = event->time_ns;
    order->changed_ns = event->time_ns;
    /* Release: who sees the state sees the record. */
    dp_store_release(&order->state,
        DP_ORDER_STATE(sent ? DP_ORDER_PENDING_NEW : DP_ORDER_DENIED, DP_PENDING_NONE, 0, 1));
    tell(order, event);
    return DP_ORDER_APPLIED;
}

/* Of our requests and of executions any number of the chain will do. The rest must name the order
 * as the venue knows it now, or the request that is answered. */
static enum dp_order_result check_number(const struct dp_order *order, struct dp_event *event)
{
    uint32_t number = event->user_ref_num;
    uint32_t active = order->user_ref_num;
    bool named = number == active;

    switch (event->kind) {
    case DP_EVENT_REPLACE:
        return event->orig_user_ref_num == active ? DP_ORDER_APPLIED : DP_ORDER_ANOMALY;
    case DP_EVENT_REPLACED: return number > active ? DP_ORDER_APPLIED : DP_ORDER_DUPLICATE;
    case DP_EVENT_ACCEPTED:
        return named ? DP_ORDER_APPLIED : number < active ? DP_ORDER_DUPLICATE : DP_ORDER_ANOMALY;
    case DP_EVENT_REPLACE_REJECTED:
        named = order->pending_user_ref_num == 0 || number == order->pending_user_ref_num;
        break;
    case DP_EVENT_CANCEL_PENDING:
    case DP_EVENT_CANCEL_REJECTED:
        named = named || number == order->pending_user_ref_num || !dp_order_is_live(order);
        break;
    case DP_EVENT_FILLED:
    case DP_EVENT_BROKEN:
    case DP_EVENT_CANCEL:
    case DP_EVENT_REPLACE_DENIED:
    case DP_EVENT_OUTCOME_UNKNOWN: return DP_ORDER_APPLIED;
    default: break;
    }
    return named ? DP_ORDER_APPLIED : DP_ORDER_ANOMALY;
}

/* The venue rejects by number alone: a number that is not the order's name was a replace (T22). */
static void tell_what_was_refused(const struct dp_order *order, struct dp_event *event)
{
    if (event->kind != DP_EVENT_REJECTED && event->kind != DP_EVENT_NOT_SENT)
        return;
    if (event->user_ref_num == order->user_ref_num)
        return;
    event->kind = DP_EVENT_REPLACE_REJECTED;
    event->orig_user_ref_num = order->user_ref_num;
}

static enum dp_order_result change_order(
    struct dp_orders *orders, struct dp_order *order, struct dp_event *event)
{
    uint64_t state = dp_load_relaxed(&order->state);
    struct dp_order_change change = {
        .order = order,
        .event = event,
        .execs = execs(orders),
        .order_index = (uint32_t)(order - orders->records),
        .base = DP_ORDER_BASE(state),
        .pending = DP_ORDER_PENDING(state),
        .flags = DP_ORDER_FLAGS(state),
    };

    tell_what_was_refused(order, event);
    enum dp_order_result result = check_number(order, event);
    if (event->qty > UINT32_MAX) /* no venue counts that far; sums of such numbers would wrap */
        result = DP_ORDER_ANOMALY;
    if (result == DP_ORDER_APPLIED)
        result = dp_order_change_apply(&change);

    if (result != DP_ORDER_DUPLICATE) {
        if (result != DP_ORDER_APPLIED)
            change.flags |= DP_ORDER_FLAG_ANOMALY;
        order->changed_ns = event->time_ns;
        /* Release: who sees the new version sees the new quantities. */
        dp_store_release(&order->state,
            DP_ORDER_STATE(
                change.base, change.pending, change.flags, DP_ORDER_VERSION(state) + 1u));
    }
    tell(order, event);
    return result;
}

static enum dp_order_result apply_replace(struct dp_orders *orders, struct dp_event *event)
{
    struct dp_order *order = dp_orders_find(orders, event->orig_user_ref_num);
    enum dp_order_result result = DP_ORDER_UNKNOWN_NUMBER;
    if (order != NULL)
        result = take_number(orders, event->user_ref_num, (uint32_t)(order - orders->records));
    if (result == DP_ORDER_APPLIED)
        return change_order(orders, order, event);
    tell_nothing(event);
    return result;
}

enum dp_order_result dp_orders_apply(struct dp_orders *orders, struct dp_event *event)
{
    if (event->kind == DP_EVENT_NEW || event->kind == DP_EVENT_DENIED)
        return make_order(orders, event);
    if (event->kind == DP_EVENT_REPLACE)
        return apply_replace(orders, event);

    struct dp_order *order = dp_orders_find(orders, event->user_ref_num);
    if (order != NULL)
        return change_order(orders, order, event);
    tell_nothing(event);
    return DP_ORDER_UNKNOWN_NUMBER;
}

enum dp_ord_status dp_order_status(const struct dp_order *order)
{
    static const uint8_t statuses[] = {
        [DP_ORDER_FREE] = 0,
        [DP_ORDER_DENIED] = DP_ORD_DENIED,
        [DP_ORDER_PENDING_NEW] = DP_ORD_PENDING_NEW,
        [DP_ORDER_NEW] = DP_ORD_NEW,
        [DP_ORDER_PARTIALLY_FILLED] = DP_ORD_PARTIALLY_FILLED,
        [DP_ORDER_FILLED] = DP_ORD_FILLED,
        [DP_ORDER_CANCELED] = DP_ORD_CANCELED,
        [DP_ORDER_REJECTED] = DP_ORD_REJECTED,
        [DP_ORDER_EXPIRED] = DP_ORD_EXPIRED,
        [DP_ORDER_DONE_FOR_DAY] = DP_ORD_DONE_FOR_DAY,
        [DP_ORDER_SUSPENDED] = DP_ORD_SUSPENDED,
        [DP_ORDER_UNKNOWN] = DP_ORD_UNKNOWN,
    };
    uint64_t state = dp_load_relaxed(&order->state);
    enum dp_order_base base = DP_ORDER_BASE(state);
    uint32_t pending = DP_ORDER_PENDING(state);

    if (base == DP_ORDER_UNKNOWN || pending == DP_PENDING_NONE)
        return (enum dp_ord_status)statuses[base];
    return (pending & DP_PENDING_CANCEL) != 0 ? DP_ORD_PENDING_CANCEL : DP_ORD_PENDING_REPLACE;
}
