#include "dp_exchange_order.h"

#include "dp_pool.h"

#define SLOTS_MIN 1024u

bool dp_exchange_orders_open(struct dp_exchange_orders *orders, uint32_t count_max)
{
    uint64_t slot_count = SLOTS_MIN;
    while (slot_count < 2ull * count_max)
        slot_count *= 2;
    orders->slot_mask = slot_count - 1;
    orders->pool = malloc(dp_pool_size(count_max));
    orders->records = calloc(count_max, sizeof(*orders->records));
    orders->slots = calloc(slot_count, sizeof(*orders->slots));
    return orders->pool != NULL && orders->records != NULL && orders->slots != NULL &&
        dp_pool_init(orders->pool, count_max, NULL) == 0;
}

void dp_exchange_orders_close(struct dp_exchange_orders *orders)
{
    free(orders->pool);
    free(orders->records);
    free(orders->slots);
}

static uint64_t home_of(const struct dp_exchange_orders *orders, dp_exchange_order_key key)
{
    return key * 0x9e3779b97f4a7c15ull >> 32 & orders->slot_mask;
}

/* The slot of the key, or the empty one where it would go. Half of the slots are empty. */
static uint64_t slot_of(const struct dp_exchange_orders *orders, dp_exchange_order_key key)
{
    uint64_t slot = home_of(orders, key);
    while (orders->slots[slot].key != 0 && orders->slots[slot].key != key)
        slot = (slot + 1) & orders->slot_mask;
    return slot;
}

static void link_order(struct dp_exchange_orders *orders, struct dp_exchange_order *order,
    struct dp_exchange_order_list *list)
{
    uint32_t index = dp_exchange_orders_index(orders, order);
    order->account_next = DP_EXCHANGE_ORDER_NONE;
    order->account_previous = list->last;
    if (list->last == DP_EXCHANGE_ORDER_NONE)
        list->first = index;
    else
        orders->records[list->last].account_next = index;
    list->last = index;
}

static void unlink_order(struct dp_exchange_orders *orders, struct dp_exchange_order *order,
    struct dp_exchange_order_list *list)
{
    if (order->account_previous == DP_EXCHANGE_ORDER_NONE)
        list->first = order->account_next;
    else
        orders->records[order->account_previous].account_next = order->account_next;
    if (order->account_next == DP_EXCHANGE_ORDER_NONE)
        list->last = order->account_previous;
    else
        orders->records[order->account_next].account_previous = order->account_previous;
}

struct dp_exchange_order *dp_exchange_orders_add(struct dp_exchange_orders *orders,
    dp_exchange_order_key key, struct dp_exchange_order_list *list)
{
    uint32_t index = dp_pool_take(orders->pool);
    if (index == DP_POOL_NONE)
        return NULL;
    struct dp_exchange_order *order = &orders->records[index];
    *order = (struct dp_exchange_order){.key = key};
    struct dp_exchange_order_slot *slot = &orders->slots[slot_of(orders, key)];
    DP_ASSERT(slot->key == 0);
    *slot = (struct dp_exchange_order_slot){.key = key, .record = index};
    link_order(orders, order, list);
    return order;
}

/* Closes the hole: entries behind it move forward when they can still be found from their home. */
static void empty_slot(struct dp_exchange_orders *orders, uint64_t hole)
{
    uint64_t slot = hole;
    for (;;) {
        slot = (slot + 1) & orders->slot_mask;
        if (orders->slots[slot].key == 0)
            break;
        uint64_t home = home_of(orders, orders->slots[slot].key);
        if (((hole - home) & orders->slot_mask) <= ((slot - home) & orders->slot_mask)) {
            orders->slots[hole] = orders->slots[slot];
            hole = slot;
        }
    }
    orders->slots[hole].key = 0;
}

void dp_exchange_orders_drop(struct dp_exchange_orders *orders, struct dp_exchange_order *order,
    struct dp_exchange_order_list *list)
{
    uint64_t slot = slot_of(orders, order->key);
    DP_ASSERT(orders->slots[slot].key == order->key);
    empty_slot(orders, slot);
    unlink_order(orders, order, list);
    dp_pool_give(orders->pool, dp_exchange_orders_index(orders, order));
}

struct dp_exchange_order *dp_exchange_orders_find(
    const struct dp_exchange_orders *orders, dp_exchange_order_key key)
{
    uint64_t slot = slot_of(orders, key);
    return orders->slots[slot].key == 0 ? NULL : &orders->records[orders->slots[slot].record];
}
