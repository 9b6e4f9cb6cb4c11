#include "dp_order.h"

#include <errno.h>

#include "dp_exec_set.h"
#include "dp_order_claim.h"
#include "dp_order_keys.h"
#include "dp_order_rules.h"

#define PREFETCH_ORDERS 4 /* records ahead: some hundred nanoseconds at full speed */

/* Of struct dp_event's codes: what dp_event_codes() does not make, and the table leaves as it is.
 */
#define KEPT_CODES (~dp_event_codes((enum dp_event_kind)0xff, 0xff, 0xff, (enum dp_ord_status)0xff))

/* Of each number and of each record: what is looked at with it stands beside it. */
struct number {
    uint32_t order_place;  /* index of the record + 1; 0: a number never used */
    uint32_t exec_highest; /* of the record with this index: dp_exec_set_take() */
};

struct dp_orders {
    struct dp_orders_config config;
    /* Stored with release when a record or number is whole; loaded with acquire before it is read.
     */
    _Atomic uint32_t order_count;
    _Atomic uint32_t number_count; /* numbers used or skipped so far */
    uint64_t numbers_offset;       /* struct number[order_count_max] */
    uint64_t keys_offset;          /* struct dp_order_keys */
    uint64_t execs_offset;         /* struct dp_exec_set */
    alignas(DP_CACHE_LINE) struct dp_order records[];
};

/* ---- where the parts stand ---- */

static uint64_t numbers_offset(const struct dp_orders_config *config)
{
    return sizeof(struct dp_orders) + (uint64_t)config->order_count_max * sizeof(struct dp_order);
}

static uint64_t keys_offset(const struct dp_orders_config *config)
{
    uint64_t size = (uint64_t)config->order_count_max * sizeof(struct number);
    return numbers_offset(config) + dp_round_up(size, DP_CACHE_LINE);
}

static uint64_t execs_offset(const struct dp_orders_config *config)
{
    return keys_offset(config) +
        dp_round_up(dp_order_keys_size(config->order_count_max), DP_CACHE_LINE);
}

size_t dp_orders_size(const struct dp_orders_config *config)
{
    return execs_offset(config) + dp_exec_set_size(config->exec_count_max);
}

static void *part(const struct dp_orders *orders, uint64_t offset)
{
    return (void *)((uintptr_t)orders + offset);
}

static struct number *numbers(const struct dp_orders *orders)
{
    return part(orders, orders->numbers_offset);
}

static struct dp_order_keys *keys(const struct dp_orders *orders)
{
    return part(orders, orders->keys_offset);
}

static struct dp_exec_set *execs(const struct dp_orders *orders)
{
    return part(orders, orders->execs_offset);
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
    orders->keys_offset = keys_offset(config);
    orders->execs_offset = execs_offset(config);
    dp_order_keys_init(keys(orders), config->order_count_max);
    return dp_exec_set_init(execs(orders), config->exec_count_max, err);
}

/* ---- numbers ---- */

bool dp_orders_copy(struct dp_orders *orders, const struct dp_orders *from)
{
    if (memcmp(&orders->config, &from->config, sizeof(from->config)) != 0)
        return false;
    /* No pointers inside: its bytes are all of it. */
    memcpy(orders, from, dp_orders_size(&from->config));
    return true;
}

uint32_t dp_orders_next(const struct dp_orders *orders)
{
    uint32_t count = dp_load_relaxed(&orders->number_count);
    if (count == orders->config.order_count_max || dp_exec_set_is_full(execs(orders)))
        return 0;
    return orders->config.user_ref_num_first + count;
}

void dp_orders_ask_for_next(const struct dp_orders *orders)
{
    const struct dp_order *order = &orders->records[dp_load_relaxed(&orders->order_count)];
    DP_PREFETCH_WRITE(orders);
    DP_PREFETCH_WRITE(order);
    DP_PREFETCH_WRITE((const uint8_t *)order + DP_CACHE_LINE);
    DP_PREFETCH_WRITE(&numbers(orders)[dp_load_relaxed(&orders->number_count)]);
}

/* Wraps for a number below the first, and is then too large like one above the last. */
static uint32_t number_index(const struct dp_orders *orders, uint32_t user_ref_num)
{
    return user_ref_num - orders->config.user_ref_num_first;
}

struct dp_order *dp_orders_find(struct dp_orders *orders, uint32_t user_ref_num)
{
    uint32_t index = number_index(orders, user_ref_num);
    /* Acquire pairs with take_number(): the number's place is there before its count is. */
    if (index >= dp_load_acquire(&orders->number_count) || numbers(orders)[index].order_place == 0)
        return NULL;
    return &orders->records[numbers(orders)[index].order_place - 1];
}

uint32_t dp_orders_count(const struct dp_orders *orders)
{
    return dp_load_acquire(&orders->order_count); /* pairs with make_order() */
}

const struct dp_order *dp_orders_at(const struct dp_orders *orders, uint32_t index)
{
    return index < dp_orders_count(orders) ? &orders->records[index] : NULL;
}

bool dp_orders_find_key(const struct dp_orders *orders, uint16_t strategy_index, uint64_t key,
    struct dp_order_answer *answer)
{
    const struct dp_order_key *found = dp_order_keys_find(keys(orders), key, strategy_index);
    if (found == NULL)
        return false;
    answer->user_ref_num =
        orders->config.user_ref_num_first + (uint32_t)(found - keys(orders)->entries);
    answer->reason = (enum dp_reason)found->reason;
    return true;
}

static enum dp_order_result check_free(const struct dp_orders *orders, uint32_t user_ref_num)
{
    uint32_t index = number_index(orders, user_ref_num);
    if (index < dp_load_relaxed(&orders->number_count))
        return DP_ORDER_DUPLICATE;
    return index < orders->config.order_count_max ? DP_ORDER_APPLIED : DP_ORDER_TABLE_FULL;
}

/* Release: a thread that finds the number also finds the whole record behind it. */
static void take_number(struct dp_orders *orders, uint32_t user_ref_num, uint32_t order_index)
{
    uint32_t index = number_index(orders, user_ref_num);
    numbers(orders)[index].order_place = order_index + 1;
    dp_store_release(&orders->number_count, index + 1);
}

/* ---- what an event is told of its order ---- */

/* Whole words: see dp_event_numbers(). */
static void tell(const struct dp_order *order, struct dp_event *event)
{
    uint64_t kept = event->codes & KEPT_CODES;
    event->origin = dp_event_origin(order->instrument_index, order->strategy_index, event->reason);
    event->codes = kept |
        dp_event_codes((enum dp_event_kind)event->kind, order->side, order->time_in_force,
            dp_order_status(order));
    event->leaves_qty = order->leaves_qty;
    event->cum_qty = order->cum_qty;
}

static void tell_nothing(struct dp_event *event)
{
    event->ord_status = 0;
    event->leaves_qty = 0;
    event->cum_qty = 0;
}

/* The same of an order just made, without looking it up again. */
static void tell_made(const struct dp_order *order, struct dp_event *event, bool sent)
{
    event->codes = (event->codes & KEPT_CODES) |
        dp_event_codes((enum dp_event_kind)event->kind, order->side, order->time_in_force,
            sent ? DP_ORD_PENDING_NEW : DP_ORD_DENIED);
    event->leaves_qty = order->leaves_qty;
    event->cum_qty = 0;
}

/* ---- new orders ---- */

/* The records are taken one behind the other and each for the first time. */
static void prefetch_next(const struct dp_order *order)
{
    const struct dp_order *ahead = order + PREFETCH_ORDERS;
    DP_PREFETCH_WRITE(ahead);
    DP_PREFETCH_WRITE((const uint8_t *)ahead + DP_CACHE_LINE);
}

static void fill_in(struct dp_order *order, const struct dp_event *event, bool sent)
{
    order->numbers = dp_event_numbers(event->user_ref_num, 0);
    order->origin = dp_order_origin(event->instrument_index, (uint8_t)event->strategy_index,
        event->session_index, event->side, event->time_in_force);
    order->qty = event->qty;
    order->leaves_qty = sent ? event->qty : 0;
    order->price_nanos = event->price_nanos;
    order->entered_ns = event->time_ns;
    order->changed_ns = event->time_ns;
}

/* NEW and DENIED. A record is never taken back, so there are at most as many as numbers. */
static enum dp_order_result make_order(struct dp_orders *orders, struct dp_event *event)
{
    enum dp_order_result result = check_free(orders, event->user_ref_num);
    if (DP_UNLIKELY(result != DP_ORDER_APPLIED)) {
        tell_nothing(event);
        return result;
    }

    bool sent = event->kind == DP_EVENT_NEW;
    uint32_t order_index = dp_load_relaxed(&orders->order_count);
    struct dp_order *order = &orders->records[order_index];
    prefetch_next(order);
    fill_in(order, event, sent);
    /* Nobody knows of the record yet, so there is nobody to claim it from. Release: who sees the
     * state sees the record. */
    dp_store_release(&order->state,
        DP_ORDER_STATE(sent ? DP_ORDER_PENDING_NEW : DP_ORDER_DENIED, DP_PENDING_NONE, 0, 1));
    dp_store_release(&orders->order_count, order_index + 1);
    take_number(orders, event->user_ref_num, order_index);
    if (event->request_key != 0)
        dp_order_keys_note(keys(orders), number_index(orders, event->user_ref_num),
            event->request_key, event->strategy_index, event->reason);
    tell_made(order, event, sent);
    return DP_ORDER_APPLIED;
}

/* ---- all other events ---- */

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

/* What the event makes of the record, on a copy: nobody sees it half done. */
static enum dp_order_result change_copy(struct dp_order_change *change, uint64_t *state)
{
    struct dp_event *event = change->event;
    tell_what_was_refused(change->order, event);
    enum dp_order_result result = check_number(change->order, event);
    if (event->qty > UINT32_MAX) /* no venue counts that far; sums of such numbers would wrap */
        result = DP_ORDER_ANOMALY;
    if (result == DP_ORDER_APPLIED)
        result = dp_order_change_apply(change);
    if (result == DP_ORDER_DUPLICATE)
        return result;

    if (result != DP_ORDER_APPLIED)
        change->flags |= DP_ORDER_FLAG_ANOMALY;
    change->order->changed_ns = event->time_ns;
    *state =
        DP_ORDER_STATE(change->base, change->pending, change->flags, DP_ORDER_VERSION(*state) + 1u);
    return result;
}

static enum dp_order_result change_order(
    struct dp_orders *orders, struct dp_order *order, struct dp_event *event)
{
    struct dp_order copy;
    uint64_t state;
    uint32_t order_index = (uint32_t)(order - orders->records);
    if (DP_UNLIKELY(!dp_order_claim(order, &state))) {
        tell_nothing(event);
        return DP_ORDER_BUSY;
    }
    dp_order_copy_out(order, state, &copy);
    struct dp_order_change change = {
        .order = &copy,
        .event = event,
        .execs = execs(orders),
        .exec_highest = &numbers(orders)[order_index].exec_highest,
        .base = DP_ORDER_BASE(state),
        .pending = DP_ORDER_PENDING(state),
        .flags = DP_ORDER_FLAGS(state),
    };
    enum dp_order_result result = change_copy(&change, &state);
    dp_store_relaxed(&copy.state, state);
    tell(&copy, event);
    if (result != DP_ORDER_DUPLICATE)
        dp_order_copy_in(order, &copy);
    dp_order_publish(order, state);
    return result;
}

static enum dp_order_result apply_replace(struct dp_orders *orders, struct dp_event *event)
{
    struct dp_order *order = dp_orders_find(orders, event->orig_user_ref_num);
    enum dp_order_result result = DP_ORDER_UNKNOWN_NUMBER;
    if (order != NULL)
        result = check_free(orders, event->user_ref_num);
    if (result != DP_ORDER_APPLIED) {
        tell_nothing(event);
        return result;
    }
    result = change_order(orders, order, event);
    if (result != DP_ORDER_BUSY)
        take_number(orders, event->user_ref_num, (uint32_t)(order - orders->records));
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

/* ---- looking ---- */

bool dp_order_read(const struct dp_order *order, struct dp_order *copy)
{
    return dp_order_copy_whole(order, copy);
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
