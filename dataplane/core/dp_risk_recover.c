/* A lane whose thread is dead: its orders say what it uses, whatever it was in the middle of. */
#include "dp_risk.h"
#include "dp_risk_layout.h"

/* What the orders of one scope use, in the dims of its pools. */
struct use {
    int64_t dims[RISK_DIMS];
};

static void add(struct use *use, const struct dp_order *order, int64_t message_ratio)
{
    struct dp_risk_weight weight = dp_risk_weigh(order);
    int64_t executed = (int64_t)(weight.cum_money / DP_RISK_TICK_NANOS);
    bool is_buy = order->side == DP_SIDE_BUY;
    bool sent = DP_ORDER_BASE(dp_load_relaxed(&order->state)) != DP_ORDER_DENIED;
    use->dims[RISK_GROSS] += weight.ticks + executed;
    use->dims[RISK_OPEN] += weight.ticks;
    use->dims[RISK_ENTERED] += weight.ticks + executed;
    use->dims[RISK_COUNT] += weight.open;
    use->dims[RISK_MESSAGES] += sent - (weight.cum_qty > 0 ? message_ratio : 0);
    use->dims[RISK_NET_BUY] += is_buy ? weight.ticks + executed : -executed;
    use->dims[RISK_NET_SELL] += is_buy ? -executed : weight.ticks + executed;
}

static bool is_ours(const struct dp_risk *risk, uint32_t lane, const struct dp_order *order)
{
    return order->strategy_index < risk->config.strategy_count_max &&
        order->instrument_index < risk->config.instrument_count_max &&
        dp_risk_seat(risk, order->strategy_index)->lane == lane;
}

static void recover_group(
    struct dp_risk *risk, uint32_t group_index, uint32_t lane, const struct dp_orders *orders)
{
    struct risk_group *group = dp_risk_group(risk, group_index);
    struct risk_share *share = dp_risk_share(risk, group_index, lane);
    struct use use = {0};
    for (uint32_t index = 0; index < dp_orders_count(orders); index++) {
        const struct dp_order *order = dp_orders_at(orders, index);
        if (is_ours(risk, lane, order) &&
            (group_index == DP_RISK_FIRM ||
                dp_risk_seat(risk, order->strategy_index)->account_index + 1 == group_index))
            add(&use, order, share->message_ratio);
    }
    for (uint32_t dim = 0; dim < RISK_DIMS; dim++)
        dp_credit_mend(
            &group->pools[dim], lane, &share->holds[dim], &share->credit.free[dim], use.dims[dim]);
}

static void recover_seat(
    struct dp_risk *risk, uint32_t strategy_index, const struct dp_orders *orders)
{
    struct risk_seat *seat = dp_risk_seat(risk, strategy_index);
    struct use use = {0};
    seat->bought = seat->sold = 0;
    for (uint32_t index = 0; index < dp_orders_count(orders); index++) {
        const struct dp_order *order = dp_orders_at(orders, index);
        if (order->strategy_index != strategy_index)
            continue;
        add(&use, order, 0);
        *(order->side == DP_SIDE_BUY ? &seat->bought : &seat->sold) +=
            (int64_t)(order->cum_money / DP_RISK_TICK_NANOS);
    }
    for (uint32_t dim = 0; dim < RISK_SEAT_DIMS; dim++)
        seat->credit.free[dim] = seat->base[dim] - use.dims[dim];
    seat->gate_seen = 0; /* looks at everything anew */
}

/* Lines are cleared first and then each order is put back. */
static void clear_line(struct risk_line *line)
{
    line->position = line->bought_qty = line->sold_qty = 0;
    line->cash = 0;
    memset(line->own_max, 0, sizeof(line->own_max));
    memset(line->own_count, 0, sizeof(line->own_count));
    line->gate_seen = 0;
    for (uint32_t dim = 0; dim < RISK_SIDE_DIMS; dim++)
        line->credit.free[dim] = 0; /* counts down: what is used */
}

static void put_back(struct risk_line *line, const struct dp_order *order)
{
    struct dp_risk_weight weight = dp_risk_weigh(order);
    int64_t qty = (int64_t)weight.cum_qty;
    int64_t own = (int64_t)weight.leaves + qty;
    bool is_buy = order->side == DP_SIDE_BUY;
    uint32_t side = is_buy ? 0 : 1;
    uint32_t ticks = (uint32_t)(dp_order_worst_price(order) / DP_RISK_TICK_NANOS);
    uint32_t reach = dp_risk_reach(ticks, side);
    line->credit.free[RISK_LONG] -= is_buy ? own : -qty;
    line->credit.free[RISK_SHORT] -= is_buy ? -qty : own;
    line->position += is_buy ? qty : -qty;
    line->bought_qty += is_buy ? qty : 0;
    line->sold_qty += is_buy ? 0 : qty;
    line->cash += is_buy ? -order->cum_money : order->cum_money;
    if (!weight.open)
        return;
    line->own_count[side]++;
    if (reach > line->own_max[side])
        line->own_max[side] = reach;
}

static void recover_lines(struct dp_risk *risk, uint32_t lane, const struct dp_orders *orders)
{
    for (uint32_t index = 0; index < risk->config.instrument_count_max; index++)
        clear_line(dp_risk_line(risk, lane, index));
    for (uint32_t index = 0; index < dp_orders_count(orders); index++) {
        const struct dp_order *order = dp_orders_at(orders, index);
        if (is_ours(risk, lane, order))
            put_back(dp_risk_line(risk, lane, order->instrument_index), order);
    }
    for (uint32_t index = 0; index < risk->config.instrument_count_max; index++) {
        struct risk_line *line = dp_risk_line(risk, lane, index);
        struct risk_instrument *instrument = dp_risk_instrument(risk, index);
        for (uint32_t dim = 0; dim < RISK_SIDE_DIMS; dim++)
            dp_credit_mend(&instrument->pools[dim], lane, &line->holds[dim],
                &line->credit.free[dim], -line->credit.free[dim]);
    }
}

void dp_risk_recover(struct dp_risk *risk, uint32_t lane, const struct dp_orders *orders)
{
    DP_ASSERT(lane < risk->config.lane_count_max);
    for (uint32_t index = 0; index < risk->config.strategy_count_max; index++)
        if (dp_risk_seat(risk, index)->lane == lane)
            recover_seat(risk, index, orders);
    recover_lines(risk, lane, orders);
    for (uint32_t group = 0; group <= risk->config.account_count_max; group++)
        recover_group(risk, group, lane, orders);
    dp_switch_tell(&risk->gate);
}

/* ---- the law of it ---- */

static bool group_conserves(const struct dp_risk *risk, uint32_t group_index)
{
    const struct risk_group *group = dp_risk_group(risk, group_index);
    for (uint32_t dim = 0; dim < RISK_DIMS; dim++) {
        int64_t limit = dp_load_relaxed(&group->limits[dim]);
        if (limit == DP_CREDIT_UNLIMITED)
            continue;
        int64_t sum = dp_credit_free(&group->pools[dim]);
        for (uint32_t lane = 0; lane < risk->config.lane_count_max; lane++)
            sum += dp_load_relaxed(&dp_risk_share(risk, group_index, lane)->holds[dim].leased);
        if (sum != limit)
            return false;
    }
    return true;
}

static bool instrument_conserves(const struct dp_risk *risk, uint32_t index)
{
    const struct risk_instrument *instrument = dp_risk_instrument(risk, index);
    for (uint32_t dim = 0; dim < RISK_SIDE_DIMS; dim++) {
        int64_t limit = dp_load_relaxed(&instrument->limits[dim]);
        if (limit == DP_CREDIT_UNLIMITED)
            continue;
        int64_t sum = dp_credit_free(&instrument->pools[dim]);
        for (uint32_t lane = 0; lane < risk->config.lane_count_max; lane++)
            sum += dp_load_relaxed(&dp_risk_line(risk, lane, index)->holds[dim].leased);
        if (sum != limit)
            return false;
    }
    return true;
}

bool dp_risk_conserves(const struct dp_risk *risk)
{
    bool conserves = true;
    for (uint32_t group = 0; group <= risk->config.account_count_max; group++)
        conserves = conserves && group_conserves(risk, group);
    for (uint32_t index = 0; index < risk->config.instrument_count_max; index++)
        conserves = conserves && instrument_conserves(risk, index);
    return conserves;
}
