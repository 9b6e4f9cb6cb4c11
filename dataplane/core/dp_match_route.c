#include "dp_match_route.h"

#include "dp_match_place.h"

static void route_market(struct dp_match_turn *turn, struct dp_match_slot *order,
    const struct dp_match_announcement *announcement)
{
    order->flags |= DP_MATCH_SLOT_MARKET | DP_MATCH_SLOT_UNSHOWN;
    dp_match_enter(
        turn, order, order->side == DP_SIDE_BUY ? turn->book->slot_max : 0, announcement);
}

/* It is there, and ends. */
static void end_at_once(struct dp_match_turn *turn, struct dp_match_slot *order,
    const struct dp_match_announcement *announcement, enum dp_match_reason reason)
{
    dp_match_report_order(turn, announcement->type, order, order->leaves_qty)->contra_order_id =
        announcement->old_order_id;
    dp_match_give_up(turn, order, reason);
}

/* As a limit order at the best price of the other side. */
static void route_market_to_limit(struct dp_match_turn *turn, struct dp_match_slot *order,
    const struct dp_match_announcement *announcement)
{
    const struct dp_match_ladder *ladder = dp_match_opposite(turn->book, order->side);
    uint32_t best_slot = dp_match_ladder_key(ladder, ladder->best_key);
    if (order->side == DP_SIDE_BUY)
        best_slot++;
    best_slot &= ~1u; /* a midpoint: the tick that trades with it */
    if (ladder->level_count != 0) {
        if (order->extra != 0) {
            struct dp_match_extra *extra = dp_match_extra(turn->match, order->extra);
            extra->type = DP_MATCH_LIMIT;
            extra->price_nanos = dp_match_slot_price(turn->book, best_slot);
        }
        dp_match_enter(turn, order, best_slot, announcement);
        return;
    }
    end_at_once(turn, order, announcement, DP_MATCH_REASON_NO_LIQUIDITY);
}

static void route_peg(struct dp_match_turn *turn, struct dp_match_slot *order,
    const struct dp_match_announcement *announcement)
{
    uint32_t slot = dp_match_peg_slot(turn, order);
    if (slot != 0)
        dp_match_enter(turn, order, slot, announcement);
    else if (order->time_in_force == DP_MATCH_IOC)
        end_at_once(turn, order, announcement, DP_MATCH_REASON_IMMEDIATE);
    else
        dp_match_rest(turn, order, DP_MATCH_HELD, 0, announcement);
}

void dp_match_route(struct dp_match_turn *turn, struct dp_match_slot *order,
    enum dp_match_order_type type, int64_t price_nanos,
    const struct dp_match_announcement *announcement)
{
    bool waits =
        order->time_in_force == DP_MATCH_AT_CLOSE && turn->book->session != DP_MATCH_PRE_CLOSE;
    if (waits) {
        dp_match_rest(turn, order, DP_MATCH_HELD, 0, announcement);
        return;
    }
    switch (type) {
    case DP_MATCH_MARKET: route_market(turn, order, announcement); return;
    case DP_MATCH_MARKET_TO_LIMIT: route_market_to_limit(turn, order, announcement); return;
    case DP_MATCH_PEG: route_peg(turn, order, announcement); return;
    case DP_MATCH_STOP:
    case DP_MATCH_STOP_LIMIT:
    case DP_MATCH_MARKET_IF_TOUCHED:
    case DP_MATCH_LIMIT_IF_TOUCHED:
        turn->book->trigger_price_nanos = 0; /* whatever was seen, this one has not seen it */
        dp_match_rest(turn, order, dp_match_trigger_ladder((uint8_t)type, order->side),
            dp_match_trigger_slot(turn, order), announcement);
        return;
    case DP_MATCH_LIMIT:
    default:
        dp_match_enter(turn, order, dp_match_price_slot(turn->book, price_nanos), announcement);
        return;
    }
}
