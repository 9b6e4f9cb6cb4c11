#include "dp_match_policy.h"

#include "dp_match_trade.h"

#define PPM 1000000

static uint64_t smaller(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static uint64_t whole_lots(const struct dp_match_turn *turn, uint64_t qty)
{
    return turn->book->lot_qty == 1 ? qty : qty - qty % turn->book->lot_qty;
}

/* At most qty, what the order shows, and what the taker has left; returns how much it was. */
static uint64_t give(
    struct dp_match_turn *turn, uint32_t order, struct dp_match_slot *taker, uint64_t qty)
{
    qty = smaller(qty, dp_match_shown_qty(turn->match, dp_match_slot(turn->match, order)));
    qty = smaller(qty, taker->leaves_qty);
    if (qty != 0)
        dp_match_trade(turn, order, taker, qty);
    return qty;
}

/* The order that made this level when it was a new best price, while it is the first. */
static void share_top(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    uint32_t first = level->first;
    if (dp_match_slot(turn->match, first)->flags & DP_MATCH_SLOT_TOP)
        give(turn, first, taker, turn->book->terms.top_qty_max);
}

/* Each order: incoming * shown / all shown, rounded down to whole lots; less than the minimum
 * becomes nothing. */
static void share_pro_rata(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    uint64_t incoming = taker->leaves_qty;
    uint64_t shown = level->display_qty;
    uint32_t last = level->last; /* reserves shown anew come behind it */
    uint32_t order = 0;
    uint32_t next = level->first;
    while (order != last && taker->leaves_qty != 0) {
        order = next;
        const struct dp_match_slot *maker = dp_match_slot(turn->match, order);
        next = maker->next;
        uint64_t qty = whole_lots(turn, incoming * dp_match_shown_qty(turn->match, maker) / shown);
        if (qty >= turn->book->terms.allocation_min_qty)
            give(turn, order, taker, qty);
    }
}

/* The same by weight: what an order shows times its place counted from the end of the queue. */
static void share_time_pro_rata(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    uint64_t incoming = taker->leaves_qty;
    uint64_t place = level->display_count;
    __uint128_t total = 0;
    uint32_t order = level->first;
    for (; order != 0; order = dp_match_slot(turn->match, order)->next)
        total += (__uint128_t)dp_match_shown_qty(turn->match, dp_match_slot(turn->match, order)) *
            place--;
    place = level->display_count;
    uint32_t next = level->first;
    while (place != 0 && taker->leaves_qty != 0) {
        order = next;
        const struct dp_match_slot *maker = dp_match_slot(turn->match, order);
        next = maker->next;
        __uint128_t weight = (__uint128_t)dp_match_shown_qty(turn->match, maker) * place--;
        uint64_t qty = whole_lots(turn, (uint64_t)(weight * incoming / total));
        if (qty >= turn->book->terms.allocation_min_qty)
            give(turn, order, taker, qty);
    }
}

/* One lead market maker's share goes to its orders in time order. */
static void share_lmm(struct dp_match_turn *turn, struct dp_match_level *level,
    struct dp_match_slot *taker, uint32_t participant, uint64_t share)
{
    uint32_t last = level->last;
    uint32_t order = 0;
    uint32_t next = level->first;
    while (order != last && share != 0 && next != 0) {
        order = next;
        const struct dp_match_slot *maker = dp_match_slot(turn->match, order);
        next = maker->next;
        if (maker->participant == participant)
            share -= give(turn, order, taker, share);
    }
}

static void share_lmms(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    uint64_t incoming = taker->leaves_qty;
    const struct dp_match_lmm *lmms = turn->book->terms.lmms;
    for (uint32_t index = 0; index < DP_MATCH_LMM_MAX && lmms[index].share_ppm != 0; index++)
        share_lmm(turn, level, taker, lmms[index].participant,
            whole_lots(turn, incoming * lmms[index].share_ppm / PPM));
}

void dp_match_share(struct dp_match_turn *turn, uint32_t number, struct dp_match_slot *taker)
{
    struct dp_match_level *level = dp_match_level(turn->match, number);
    switch ((enum dp_match_policy)turn->book->policy) {
    case DP_MATCH_PRO_RATA: share_pro_rata(turn, level, taker); return;
    case DP_MATCH_THRESHOLD_PRO_RATA:
        share_top(turn, level, taker);
        if (taker->leaves_qty != 0)
            share_pro_rata(turn, level, taker);
        return;
    case DP_MATCH_FIFO_LMM: share_lmms(turn, level, taker); return;
    case DP_MATCH_FIFO_TOP_LMM:
        share_top(turn, level, taker);
        share_lmms(turn, level, taker);
        return;
    case DP_MATCH_TIME_PRO_RATA: share_time_pro_rata(turn, level, taker); return;
    case DP_MATCH_FIFO:
    default: return;
    }
}
