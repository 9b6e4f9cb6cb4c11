/* The last check of the careful way: what a lane lacks may still lie in the pools that it shares.
 */
#include "dp_risk_decision.h"

static int64_t need_of(const struct decision *it, enum risk_dim dim)
{
    return dim < RISK_OPEN ? dp_risk_need_low(it)[dim] : dp_risk_need_high(it)[dim - RISK_OPEN];
}

static int64_t share_of(const struct decision *it)
{
    uint32_t lanes = it->risk->config.lane_count_max;
    return lanes == 1 ? 1 : 2 * (int64_t)lanes;
}

/* What the lane lacks, from the pools of account and firm. */
static bool lease_group(const struct decision *it, uint32_t group_index, enum risk_dim dim)
{
    struct risk_group *group = dp_risk_group(it->risk, group_index);
    struct risk_share *share = dp_risk_share(it->risk, group_index, it->seat->lane);
    int64_t need = need_of(it, dim);
    return need <= 0 || need <= share->credit.free[dim] ||
        (dp_load_relaxed(&group->limits[dim]) != DP_CREDIT_UNLIMITED &&
            dp_credit_lease(&group->pools[dim], it->seat->lane, &share->holds[dim],
                &share->credit.free[dim], need, share_of(it)));
}

static bool lease_side(const struct decision *it, enum risk_side_dim dim, int64_t need)
{
    struct risk_instrument *instrument = dp_risk_instrument(it->risk, it->order->instrument_index);
    return need <= 0 || need <= it->line->credit.free[dim] ||
        (dp_load_relaxed(&instrument->limits[dim]) != DP_CREDIT_UNLIMITED &&
            dp_credit_lease(&instrument->pools[dim], it->seat->lane, &it->line->holds[dim],
                &it->line->credit.free[dim], need, share_of(it)));
}

/* Used with this order, and the limit, as this lane knows it: what other lanes hold counts as used.
 */
static enum dp_reason answer_group(
    const struct decision *it, uint32_t group_index, enum risk_dim dim, enum dp_reason reason)
{
    const struct risk_group *group = dp_risk_group(it->risk, group_index);
    const struct risk_share *share = dp_risk_share(it->risk, group_index, it->seat->lane);
    int64_t limit = dp_load_relaxed(&group->limits[dim]);
    int64_t used = limit - dp_credit_free(&group->pools[dim]) - share->credit.free[dim];
    bool counts = dim == RISK_COUNT || dim == RISK_MESSAGES;
    int64_t observed = used + need_of(it, dim);
    return dp_risk_answer(it, reason, counts ? observed : dp_risk_nanos(observed),
        counts ? limit : dp_risk_nanos(limit));
}

static enum dp_reason check_groups(
    const struct decision *it, enum risk_dim dim, enum dp_reason reason)
{
    struct risk_seat *seat = it->seat;
    int64_t need = need_of(it, dim);
    bool counts = dim == RISK_COUNT || dim == RISK_MESSAGES;
    if (dim < RISK_SEAT_DIMS && need > 0 && need > seat->credit.free[dim]) {
        int64_t observed = seat->base[dim] - seat->credit.free[dim] + need;
        return dp_risk_answer(it, reason, counts ? observed : dp_risk_nanos(observed),
            counts ? seat->base[dim] : dp_risk_nanos(seat->base[dim]));
    }
    if (!lease_group(it, seat->account_index + 1, dim))
        return answer_group(it, seat->account_index + 1, dim, reason);
    if (!lease_group(it, DP_RISK_FIRM, dim))
        return answer_group(it, DP_RISK_FIRM, dim, reason);
    return DP_REASON_ACCEPTED;
}

static enum dp_reason check_position(const struct decision *it)
{
    enum risk_side_dim dim = dp_risk_is_buy(it) ? RISK_LONG : RISK_SHORT;
    const struct risk_instrument *instrument =
        dp_risk_instrument(it->risk, it->order->instrument_index);
    if (!lease_side(it, dim, dp_risk_need_qty(it))) {
        int64_t limit = dp_load_relaxed(&instrument->limits[dim]);
        int64_t used = limit - dp_credit_free(&instrument->pools[dim]) - it->line->credit.free[dim];
        return dp_risk_answer(it, DP_REASON_POSITION, used + dp_risk_need_qty(it), limit);
    }
    int64_t locates = dp_risk_need_line(it)[RISK_LOCATE];
    if (!lease_side(it, RISK_LOCATE, locates))
        return dp_risk_answer(it, DP_REASON_SHORT_SALE, locates,
            it->line->credit.free[RISK_LOCATE] + dp_credit_free(&instrument->pools[RISK_LOCATE]));
    return DP_REASON_ACCEPTED;
}

/* Something is lacking here: perhaps the pools have it. In the order of the checks, so that the
 * first that is breached decides. */
enum dp_reason dp_risk_check_credit(const struct decision *it)
{
    static const struct {
        enum risk_dim dim;
        enum dp_reason reason;
    } rows[] = {
        {RISK_MESSAGES, DP_REASON_ORDER_TO_TRADE},
        {RISK_COUNT, DP_REASON_OPEN_ORDER_COUNT},
        {RISK_OPEN, DP_REASON_OPEN_NOTIONAL},
        {RISK_ENTERED, DP_REASON_ACCUMULATED_VALUE},
        {RISK_SPARE, DP_REASON_POSITION},
        {RISK_NET_BUY, DP_REASON_NET_EXPOSURE},
        {RISK_NET_SELL, DP_REASON_NET_EXPOSURE},
        {RISK_GROSS, DP_REASON_GROSS_EXPOSURE_ENTERED},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        enum dp_reason reason = rows[index].dim == RISK_SPARE
            ? check_position(it)
            : check_groups(it, rows[index].dim, rows[index].reason);
        if (reason != DP_REASON_ACCEPTED)
            return reason;
    }
    return DP_REASON_ACCEPTED;
}
