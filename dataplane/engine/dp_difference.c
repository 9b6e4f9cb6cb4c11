#include "dp_difference.h"

const char *dp_difference_name(enum dp_difference difference)
{
    switch (difference) {
#define X(number, name, word) \
    case DP_DIFFERENCE_##name: return word;
        DP_DIFFERENCES(X)
#undef X
    default: return "?";
    }
}

struct dp_difference_before dp_difference_look(const struct dp_order *order)
{
    if (order == NULL)
        return (struct dp_difference_before){0};
    return (struct dp_difference_before){
        .flags = DP_ORDER_FLAGS(dp_load_relaxed(&order->state)),
        .user_ref_num = order->user_ref_num,
        .price_nanos = order->price_nanos,
        .side = order->side,
        .is_known = true,
    };
}

/* Of a number before a replace the price is not known any more. */
static bool is_worse_than_limit(
    const struct dp_difference_before *before, const struct dp_event *event)
{
    if (event->kind != DP_EVENT_FILLED || event->user_ref_num != before->user_ref_num ||
        before->price_nanos <= 0)
        return false;
    return before->side == DP_SIDE_BUY ? event->price_nanos > before->price_nanos
                                       : event->price_nanos < before->price_nanos;
}

static enum dp_difference of_flags(uint32_t flags)
{
    if ((flags & DP_ORDER_FLAG_OVERFILL) != 0)
        return DP_DIFFERENCE_QUANTITY;
    if ((flags & (DP_ORDER_FLAG_EXEC_ID_CONFLICT | DP_ORDER_FLAG_ORPHAN_BREAK)) != 0)
        return DP_DIFFERENCE_EXECUTION;
    return DP_DIFFERENCE_STATUS;
}

enum dp_difference dp_difference_of(const struct dp_difference_before *before,
    const struct dp_order *order, const struct dp_event *event, enum dp_order_result result)
{
    if (result == DP_ORDER_UNKNOWN_NUMBER || !before->is_known || order == NULL)
        return DP_DIFFERENCE_VENUE_ONLY;
    if (result == DP_ORDER_DUPLICATE)
        return DP_DIFFERENCE_DUPLICATE;
    if (result != DP_ORDER_APPLIED) {
        uint32_t flags = DP_ORDER_FLAGS(dp_load_relaxed(&order->state));
        return of_flags(flags & ~before->flags);
    }
    return is_worse_than_limit(before, event) ? DP_DIFFERENCE_PRICE : DP_DIFFERENCE_NONE;
}
