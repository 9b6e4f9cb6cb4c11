#include "dp_match_take.h"

#include "dp_match_end.h"
#include "dp_match_extra.h"
#include "dp_match_plain.h"
#include "dp_match_policy.h"
#include "dp_match_trade.h"

static uint64_t smaller(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static void meet(struct dp_match_turn *turn, uint32_t order, struct dp_match_slot *taker)
{
    const struct dp_match_slot *maker = dp_match_slot(turn->match, order);
    if (DP_UNLIKELY(dp_match_is_own(taker, maker)))
        dp_match_prevent(turn, order, taker);
    else
        dp_match_trade(turn, order, taker, smaller(maker->leaves_qty, taker->leaves_qty));
}

/* Time order where every order is plain. */
static void take_plain(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    if (DP_LIKELY(taker->extra == 0))
        dp_match_plain_take(turn, level, taker);
    while (level->first != 0 && taker->leaves_qty != 0)
        meet(turn, level->first, taker);
    while (level->hidden_first != 0 && taker->leaves_qty != 0)
        meet(turn, level->hidden_first, taker);
}

/* Displayed orders in time order; a reserve order shows itself again at the end of the queue. */
static void take_displayed(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    while (level->first != 0 && taker->leaves_qty != 0) {
        const struct dp_match_slot *maker = dp_match_slot(turn->match, level->first);
        if (dp_match_is_own(taker, maker))
            dp_match_prevent(turn, level->first, taker);
        else
            dp_match_trade(turn, level->first, taker,
                smaller(dp_match_shown_qty(turn->match, maker), taker->leaves_qty));
    }
}

/* Hidden orders in time order; those whose minimum is not met are left alone. */
static void take_hidden(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    uint32_t next;
    for (uint32_t order = level->hidden_first; order != 0 && taker->leaves_qty != 0; order = next) {
        const struct dp_match_slot *maker = dp_match_slot(turn->match, order);
        next = maker->next;
        if (dp_match_lets(turn->match, maker, taker->leaves_qty))
            meet(turn, order, taker);
    }
}

/* Policies that do not go by time see a level as a whole: own orders are dealt with first. */
static void prevent_all(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    uint32_t next;
    if (taker->stp_group == 0)
        return;
    for (uint32_t order = level->first; order != 0 && taker->leaves_qty != 0; order = next) {
        const struct dp_match_slot *maker = dp_match_slot(turn->match, order);
        next = maker->next;
        if (dp_match_is_own(taker, maker))
            dp_match_prevent(turn, order, taker);
    }
}

static void take_level(struct dp_match_turn *turn, uint32_t number, struct dp_match_slot *taker)
{
    struct dp_match_level *level = dp_match_level(turn->match, number);
    if (turn->book->policy != DP_MATCH_FIFO) {
        prevent_all(turn, level, taker);
        if (taker->leaves_qty != 0 && taker->leaves_qty < level->display_qty)
            dp_match_share(turn, number, taker);
    }
    if (DP_LIKELY(level->special_count == 0)) {
        take_plain(turn, level, taker);
        return;
    }
    take_displayed(turn, level, taker);
    take_hidden(turn, level, taker);
}

/* The best level from key_least on; *key: its key. */
static uint32_t level_from(const struct dp_match_turn *turn, const struct dp_match_ladder *ladder,
    uint32_t key_least, uint32_t *key)
{
    *key = ladder->best_key;
    if (DP_LIKELY(ladder->best_key >= key_least))
        return ladder->best_level;
    return dp_match_ladder_at_or_after(ladder, dp_match_nodes(turn->match), key_least, key);
}

void dp_match_take(struct dp_match_turn *turn, struct dp_match_slot *taker, uint32_t limit_key)
{
    const struct dp_match_ladder *ladder = dp_match_opposite(turn->book, taker->side);
    uint32_t key_least = 0;
    uint32_t key;
    while (taker->leaves_qty != 0) {
        uint32_t level = level_from(turn, ladder, key_least, &key);
        if (key > limit_key)
            break;
        take_level(turn, level, taker);
        if (DP_UNLIKELY(turn->match->pending_first != 0))
            dp_match_group_cancel(turn, taker);
        key_least = key + 1; /* what is left there does not want this taker */
    }
}

/* ---- looking before taking ---- */

struct search {
    uint64_t need;   /* still to be found */
    uint64_t leaves; /* of the taker, were all that was found traded */
    bool is_stopped; /* by an order of the taker's own group */
};

static bool stops(const struct dp_match_slot *taker, const struct dp_match_slot *maker)
{
    return dp_match_is_own(taker, maker) && taker->stp_mode != DP_MATCH_CANCEL_OLDEST;
}

static void find(struct search *search, uint64_t qty)
{
    search->need -= smaller(qty, search->need);
    search->leaves -= smaller(qty, search->leaves);
}

static void search_displayed(const struct dp_match_turn *turn, const struct dp_match_level *level,
    const struct dp_match_slot *taker, struct search *search)
{
    uint64_t shown = 0;
    uint64_t reserves = 0;
    for (uint32_t order = level->first; order != 0;
         order = dp_match_slot(turn->match, order)->next) {
        const struct dp_match_slot *maker = dp_match_slot(turn->match, order);
        if (stops(taker, maker)) {
            search->is_stopped = true;
            find(search, turn->book->policy == DP_MATCH_FIFO ? shown : 0);
            return;
        }
        if (dp_match_is_own(taker, maker))
            continue;
        uint64_t qty = dp_match_shown_qty(turn->match, maker);
        shown += qty;
        reserves += maker->leaves_qty - qty;
    }
    find(search, shown + reserves);
}

static void search_hidden(const struct dp_match_turn *turn, const struct dp_match_level *level,
    const struct dp_match_slot *taker, struct search *search)
{
    uint32_t order = level->hidden_first;
    for (; order != 0 && search->need != 0; order = dp_match_slot(turn->match, order)->next) {
        const struct dp_match_slot *maker = dp_match_slot(turn->match, order);
        if (!dp_match_lets(turn->match, maker, search->leaves))
            continue;
        if (stops(taker, maker)) {
            search->is_stopped = true;
            return;
        }
        if (!dp_match_is_own(taker, maker))
            find(search, maker->leaves_qty);
    }
}

bool dp_match_could_take(struct dp_match_turn *turn, const struct dp_match_slot *taker,
    uint32_t limit_key, uint64_t need)
{
    const struct dp_match_ladder *ladder = dp_match_opposite(turn->book, taker->side);
    struct search search = {.need = need, .leaves = taker->leaves_qty};
    uint32_t key = ladder->best_key;
    uint32_t number = ladder->best_level;
    while (key <= limit_key && search.need != 0 && !search.is_stopped) {
        const struct dp_match_level *level = dp_match_level(turn->match, number);
        search_displayed(turn, level, taker, &search);
        if (!search.is_stopped)
            search_hidden(turn, level, taker, &search);
        number = dp_match_ladder_at_or_after(ladder, dp_match_nodes(turn->match), key + 1, &key);
    }
    return search.need == 0;
}
