#include "dp_match_settle.h"

#include "dp_match_end.h"
#include "dp_match_extra.h"
#include "dp_match_peg.h"
#include "dp_match_trigger.h"

/* A bracket's exit becomes active with what its entry traded, and is one of two from now on. */
static void activate_child(struct dp_match_turn *turn, uint32_t number)
{
    struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    uint64_t qty = extra->traded_qty;
    extra->traded_qty = 0;
    extra->terms.group = DP_MATCH_GROUP_OCO;
    if (extra->terms.display_qty != 0)
        extra->shown_qty = extra->terms.display_qty < qty ? extra->terms.display_qty : qty;
    dp_match_activate(turn, extra->order, qty);
}

static bool settle_groups(struct dp_match_turn *turn)
{
    dp_match_group_cancel(turn, NULL);
    uint32_t child = dp_match_group_next(turn, DP_MATCH_PENDING_ACTIVATE);
    if (child == 0)
        return false;
    activate_child(turn, child);
    return true;
}

static bool settle_once(struct dp_match_turn *turn)
{
    if (turn->match->pending_first != 0 && settle_groups(turn))
        return true;
    if (dp_match_is_collecting(turn->book))
        return dp_match_repeg(turn);
    dp_match_trail(turn);
    return dp_match_trigger(turn) || dp_match_repeg(turn) || dp_match_use_discretion(turn);
}

void dp_match_settle(struct dp_match_turn *turn)
{
    while (settle_once(turn))
        ;
}
