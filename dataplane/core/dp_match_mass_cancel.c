#include "dp_match_end.h"
#include "dp_match_session.h"
#include "dp_match_settle.h"
#include "dp_match_sweep.h"

static void mass_cancel_book(
    struct dp_match_turn *turn, const struct dp_match_mass_cancel *criteria)
{
    struct dp_match_walk walk = {.ladder = 0};
    uint32_t order = dp_match_walk_next(turn->match, turn->book, &walk);
    while (order != 0) {
        uint32_t next = dp_match_walk_next(turn->match, turn->book, &walk);
        const struct dp_match_slot *slot = dp_match_slot(turn->match, order);
        if ((criteria->participant == DP_MATCH_NONE ||
                criteria->participant == slot->participant) &&
            (criteria->side == DP_SIDE_NONE || criteria->side == slot->side))
            dp_match_cancel_order(turn, order, DP_MATCH_REASON_MASS_CANCEL);
        order = next;
    }
    if (turn->book->attention != 0)
        dp_match_settle(turn);
}

void dp_match_mass_cancel(struct dp_match *match, const struct dp_match_mass_cancel *criteria,
    int64_t now_ns, struct dp_match_sink *sink)
{
    if (now_ns >= match->timer_next_ns)
        dp_match_session_timers(match, now_ns, sink);
    for (uint32_t index = 0; index < match->instrument_count; index++) {
        if (criteria->instrument_index != DP_MATCH_NONE && criteria->instrument_index != index)
            continue;
        struct dp_match_turn turn = {match, dp_match_book(match, index), sink, now_ns};
        mass_cancel_book(&turn, criteria);
    }
}
