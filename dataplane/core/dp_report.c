#include "dp_submit_path.h"

static enum dp_counter counter_of(enum dp_order_result result)
{
    switch (result) {
    case DP_ORDER_APPLIED: return DP_COUNTER_REPORTS;
    case DP_ORDER_DUPLICATE: return DP_COUNTER_REPORTS_DUPLICATE;
    case DP_ORDER_UNKNOWN_NUMBER: return DP_COUNTER_REPORTS_UNKNOWN;
    default: /* an execution that the table had no room to remember is applied, and no less odd */
        return DP_COUNTER_REPORTS_ANOMALY;
    }
}

enum dp_order_result dp_report(struct dp_submit *submit, struct dp_event *event)
{
    struct dp_order *order = dp_orders_find(submit->orders, event->user_ref_num);
    struct dp_risk_weight before =
        order != NULL ? dp_risk_weigh(order) : (struct dp_risk_weight){0};

    enum dp_order_result result = dp_orders_apply(submit->orders, event);
    dp_counter_add(submit->counters, counter_of(result), 1);
    if (result == DP_ORDER_DUPLICATE || result == DP_ORDER_BUSY)
        return result;
    if (order != NULL)
        dp_risk_apply(submit->risk, order, &before);
    struct dp_event *recorded = dp_event_log_next(submit->events);
    dp_event_copy(recorded, event);
    dp_submit_record_or_lose(submit, recorded);
    dp_submit_commit(submit);
    return result;
}
